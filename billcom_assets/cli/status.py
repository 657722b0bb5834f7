"""``billcom status``: how far the integrations are, and what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import click
from rich.console import Console
from sqlalchemy import Connection

from billcom_assets.cli import facts
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import finding_document
from billcom_assets.cli.next_steps import next_step
from billcom_assets.cli.output import Column, Output, clean, pass_output, shown, table, words
from billcom_assets.ledger import prerequisites
from billcom_assets.ledger.mappings import Coverage, coverage
from billcom_assets.ledger.prerequisites import Finding
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import UnknownIntegration

FIRST_STEPS = (
    "Connect a BILL organization with: billcom connect KEY --company NAME ...",
    "Or see everything at work on a simulated one with: billcom demo",
)


@dataclass(frozen=True)
class Report:
    """Everything ``billcom status KEY`` tells."""

    standing: facts.Standing
    findings: list[Finding]
    coverage: list[Coverage]
    entities: list[facts.EntityStanding]
    runs: list[facts.RunStanding]
    errors: list[facts.OpenErrors]
    held: int

    @property
    def is_ready(self) -> bool:
        """True when a full sync may run."""
        return all(finding.met for finding in self.findings)

    @property
    def next_step(self) -> str:
        """The command that brings the integration on."""
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
            _show_all(output, warehouse, facts.standings(warehouse, connection))
        else:
            _show_one(output, report(warehouse, connection, key))


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
        findings=prerequisites.evaluate(connection, key),
        coverage=coverage(connection, key),
        entities=facts.entity_standings(warehouse, connection, key),
        runs=facts.last_runs(connection, key),
        errors=facts.open_errors(connection, key),
        held=facts.held_documents(connection, key),
    )


def _show_all(output: Output, warehouse: Warehouse, everyone: list[facts.Standing]) -> None:
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
            (one.key, one.company, one.status, one.last_sync or "never", one.rows, one.open_errors) for one in everyone
        ]
        console.print(table("", columns, rows))

    document = {"database": warehouse.description, "integrations": [asdict(one) for one in everyone]}
    output.answer(document if everyone else {**document, "next_steps": FIRST_STEPS}, render)


def _show_one(output: Output, found: Report) -> None:
    document = {
        "integration": asdict(found.standing),
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
    lines = [
        f"{one.key}: {clean(one.company)}",
        f"  BILL organization {one.organization_id} at {one.base_url or f'BILL {one.environment}'}",
        f"  {one.status}, last tried {shown(one.checked_at) or 'never'} UTC",
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
