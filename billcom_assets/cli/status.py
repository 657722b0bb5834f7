"""``billcom status``: how far the integrations are, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Connection

from billcom_assets.cli import facts
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import finding_document
from billcom_assets.cli.next_steps import next_step
from billcom_assets.cli.output import Column, Output, clean, pass_output, shown, table, words
from billcom_assets.environment import credential_check
from billcom_assets.mapping.suggestions import Coverage, coverage
from billcom_assets.setup import prerequisites
from billcom_assets.setup.prerequisites import Finding
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import UnknownIntegration

FIRST_STEPS = (
    "Connect a BILL organization with: billcom connect KEY --company NAME ...",
    "Or see everything at work on a simulated one with: billcom demo",
)


@dataclass(frozen=True)
class Credentials:
    """Whether an integration's stored credentials can be used."""

    usable: bool | None
    """None when nobody can know without the key."""
    problem: str | None


@dataclass(frozen=True)
class Report:
    """Everything ``billcom status KEY`` tells."""

    standing: facts.Standing
    credentials: Credentials
    findings: list[Finding]
    coverage: list[Coverage]
    entities: list[facts.EntityStanding]
    runs: list[facts.RunStanding]
    errors: list[facts.OpenErrors]
    held: int

    @property
    def is_ready(self) -> bool:
        """True when a full sync may run."""
        return self.credentials.usable is not False and all(finding.met for finding in self.findings)

    @property
    def next_step(self) -> str:
        """The command that brings the integration on."""
        if self.credentials.usable is False:
            return f"billcom connect {self.standing.key}"
        return next_step(self.standing.key, [finding for finding in self.findings if not finding.met])


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom status",
        "billcom status acme-us",
    ),
)
@click.argument("key", metavar="[KEY]", required=False)
@pass_output
def status(output: Output, key: str | None) -> None:
    """Shows all integrations, or with KEY everything about one of them.

    That is its connection, what setup is still missing and how to finish it, how much is mapped, how many rows there
    are, and the last runs.
    """
    warehouse = opened()
    with warehouse.read() as connection:
        if key is None:
            everyone = facts.standings(warehouse, connection)
            keys = [one.key for one in everyone]
            _show_all(output, warehouse, everyone, credentials(warehouse, connection, keys))
        else:
            _show_one(output, report(warehouse, connection, key))


def credentials(warehouse: Warehouse, connection: Connection, keys: Sequence[str]) -> dict[str, Credentials]:
    """Of each integration, whether its credentials can be used."""
    check = credential_check(warehouse)
    if check.unchecked:
        return dict.fromkeys(keys, Credentials(None, f"Not checked. {check.unchecked}"))
    refusals = {key: check.refusal(connection, key) for key in keys}
    return {key: Credentials(refusal is None, refusal) for key, refusal in refusals.items()}


def report(warehouse: Warehouse, connection: Connection, key: str) -> Report:
    """Everything about one integration.

    Raises:
        UnknownIntegration: there is none of that key.
    """
    everyone = {one.key: one for one in facts.standings(warehouse, connection)}
    if key not in everyone:
        raise UnknownIntegration(key, list(everyone))
    return Report(
        standing=everyone[key],
        credentials=credentials(warehouse, connection, [key])[key],
        findings=prerequisites.evaluate(connection, key),
        coverage=coverage(connection, key),
        entities=facts.entity_standings(warehouse, connection, key),
        runs=facts.last_runs(connection, key),
        errors=facts.open_errors(connection, key),
        held=facts.held_documents(connection, key),
    )


def _show_all(
    output: Output, warehouse: Warehouse, everyone: list[facts.Standing], checked: dict[str, Credentials]
) -> None:
    def render(console: Console) -> None:
        if not everyone:
            console.print(f"There is no integration yet in {warehouse.description}.", soft_wrap=True)
            console.print("\n".join(FIRST_STEPS), soft_wrap=True)
            return
        columns = (
            "Key",
            "Company",
            "Status",
            "Last sync (UTC)",
            Column("Rows", is_number=True),
            Column("Open errors", is_number=True),
        )
        rows = [
            (
                one.key,
                one.company,
                "refused" if checked[one.key].usable is False else one.status,
                one.last_sync or "never",
                one.rows,
                one.open_errors,
            )
            for one in everyone
        ]
        console.print(table("", columns, rows))
        # Without the key it is the same for all.
        for problem in dict.fromkeys(one.problem for one in checked.values() if one.problem):
            console.print(clean(problem), soft_wrap=True)

    integrations = [_standing_document(one, checked[one.key]) for one in everyone]
    document = {"database": warehouse.description, "integrations": integrations}
    output.answer(document if everyone else {**document, "next_steps": FIRST_STEPS}, render)


def _standing_document(one: facts.Standing, checked: Credentials) -> dict[str, Any]:
    return {**asdict(one), "credentials": asdict(checked)}


def _show_one(output: Output, found: Report) -> None:
    document = {
        "integration": _standing_document(found.standing, found.credentials),
        "ready": found.is_ready,
        "prerequisites": [finding_document(finding) for finding in found.findings],
        "mappings": [asdict(one) for one in found.coverage],
        "entities": [asdict(one) for one in found.entities],
        "runs": [asdict(one) for one in found.runs],
        "open_errors": [asdict(one) for one in found.errors],
        "held_documents": found.held,
        "next_step": found.next_step,
    }
    output.answer(document, lambda console: _render(console, found))


def _render(console: Console, found: Report) -> None:
    _render_connection(console, found.standing)
    if found.credentials.problem:
        console.print(f"  {clean(found.credentials.problem)}", style="bold red", soft_wrap=True)
    console.print()
    _render_prerequisites(console, found)
    console.print()
    console.print(coverage_table(found.coverage))
    console.print()
    _render_entities(console, found.entities)
    if found.runs:
        console.print()
        _render_runs(console, found.runs)
    console.print()
    _render_errors(console, found)
    console.print(f"Next: {found.next_step}", soft_wrap=True)


def _render_connection(console: Console, one: facts.Standing) -> None:
    where = one.base_url or f"BILL {one.environment}"
    older = f", its older API at {one.v2_base_url}" if one.v2_base_url else ""
    lines = [
        f"{one.key}: {clean(one.company)}",
        f"  BILL organization {clean(one.organization_id)} at {clean(where)}{clean(older)}",
        f"  {one.status}, last tried {shown(one.checked_at) or 'never'} UTC",
        *(
            [f"  BILL refuses its sign-in for now; runs try again at {shown(one.sign_in_not_before)} UTC"]
            if one.sign_in_not_before
            else []
        ),
        f"  last sync {shown(one.last_sync) or 'never'} UTC",
        f"  cutoff {one.cutoff or 'none'}, history from {one.history_start or 'the beginning'}, "
        f"hours of {one.time_zone}",
    ]
    console.print("\n".join(lines), soft_wrap=True)


def _render_prerequisites(console: Console, found: Report) -> None:
    console.print("Setup is complete." if found.is_ready else "Setup is not completed.", style="bold")
    for finding in found.findings:
        mark = "done   " if finding.met else "MISSING"
        console.print(f"  {mark}  {finding.prerequisite.title}: {clean(finding.found)}", soft_wrap=True)
        if finding.fix:
            console.print(f"           {finding.fix}", soft_wrap=True)


def coverage_table(kinds: list[Coverage]) -> object:
    """How far each kind is mapped."""
    columns: list[Column | str] = [
        "Mappings",
        *(
            Column(title, is_number=True)
            for title in ("Mapped", "Suggested", "Unmapped", "In use", "In use, not mapped")
        ),
    ]
    rows = [
        (words(one.kind), one.mapped, one.suggested, one.unmapped, one.in_use, one.in_use_unmapped) for one in kinds
    ]
    return table("", columns, rows)


def _render_entities(console: Console, entities: list[facts.EntityStanding]) -> None:
    columns = (
        "Entity",
        Column("Rows", is_number=True),
        Column("Deleted", is_number=True),
        "Up to date until (UTC)",
        "Last pull (UTC)",
    )
    rows = [(words(one.entity), one.rows, one.deleted, one.watermark, one.synced_at or "never") for one in entities]
    console.print(table("", columns, rows))
    refused = ", ".join(words(one.entity) for one in entities if one.time_filter_refused)
    if refused:
        console.print(
            f"BILL refuses the time filter of {refused}: every sync reads them whole. The filter is tried again daily.",
            soft_wrap=True,
        )


def _render_runs(console: Console, runs: list[facts.RunStanding]) -> None:
    columns = (
        "Last runs",
        "Started (UTC)",
        "Status",
        Column("Entities", is_number=True),
        Column("Fetched", is_number=True),
        Column("Written", is_number=True),
        Column("Requests", is_number=True),
    )
    rows = [
        (run.run_id[:8], run.started_at, run.status, run.entities, run.fetched, run.written, run.requests)
        for run in runs
    ]
    console.print(table("", columns, rows))


def _render_errors(console: Console, found: Report) -> None:
    if not found.errors:
        console.print("No open integration errors; no document is held.")
        return
    total = sum(one.count for one in found.errors)
    console.print(f"{total:,} open integration errors; {found.held:,} documents are held.")
    columns = ("Entity", "What", Column("Count", is_number=True), Column("How to fix it", wraps=True))
    console.print(table("", columns, [(words(one.entity), one.code, one.count, one.next_step) for one in found.errors]))
