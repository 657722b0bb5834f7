"""``billcom status``: how far the integrations are, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import finding_document
from billcom_assets.cli.output import Output, clean, pass_output, shown, table, words
from billcom_assets.environment import credential_check
from billcom_assets.mapping.blocked import Blocked, told
from billcom_assets.mapping.coverage import Coverage
from billcom_assets.redaction.counted import counted
from billcom_assets.status.entities import EntityStatus
from billcom_assets.status.report import IntegrationReport, IntegrationSummary, report, summaries
from billcom_assets.status.runs import RunStatus
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import Api

_FIRST_STEPS = (
    "Connect a BILL organization with: billcom connect KEY",
    "Or see everything at work on a simulated one with: billcom demo",
)
_NOT_SHOWN = {"status_code", "updated_at"}


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
    check = credential_check(warehouse)
    with warehouse.read() as connection:
        if key is None:
            _show_all(output, warehouse, summaries(warehouse, connection, check))
        else:
            _show_one(output, report(warehouse, connection, check, key))


def _show_all(output: Output, warehouse: Warehouse, everyone: list[IntegrationSummary]) -> None:
    def render(console: Console) -> None:
        if not everyone:
            console.print(f"There is no integration yet in {warehouse.description}.", soft_wrap=True)
            console.print("\n".join(_FIRST_STEPS), soft_wrap=True)
            return
        columns = ("Key", "Company", "Status", "Up to date (UTC)", "Rows", "Open errors")
        rows = [
            (
                one.integration.key,
                one.integration.company,
                "refused" if one.credentials.usable is False else one.integration.status,
                one.up_to_date_at or "never",
                one.rows,
                one.open_errors,
            )
            for one in everyone
        ]
        console.print(table(columns, rows, whole=("Key",), optional=("Open errors",)))
        if any(one.open_errors for one in everyone):
            console.print("What the open errors are: billcom errors KEY")
        # Without the key it is the same for all.
        for problem in dict.fromkeys(one.credentials.problem for one in everyone):
            if problem:
                console.print(clean(problem), soft_wrap=True)

    integrations = [_summary_document(one) for one in everyone]
    document = {"database": warehouse.description, "integrations": integrations}
    output.result(document if everyone else {**document, "next_steps": _FIRST_STEPS}, render)


def _summary_document(one: IntegrationSummary) -> dict[str, Any]:
    integration = asdict(one.integration)
    return {
        **{name: value for name, value in integration.items() if name not in _NOT_SHOWN},
        "last_sync": one.last_sync,
        "up_to_date_at": one.up_to_date_at,
        "rows": one.rows,
        "open_errors": one.open_errors,
        "credentials": asdict(one.credentials),
    }


def _show_one(output: Output, found: IntegrationReport) -> None:
    document = {
        "integration": _summary_document(found.summary),
        "ready": found.is_ready,
        "prerequisites": [finding_document(finding) for finding in found.findings],
        "mappings": [asdict(one) for one in found.coverage],
        "unpostable": [asdict(one) for one in found.unpostable],
        "posting_policy": {
            "missing": [
                {"setting": one.setting.name, "documents": one.documents, "command": one.command}
                for one in found.missing_settings
            ]
        },
        "entities": [asdict(one) for one in found.entities],
        "runs": [asdict(one) for one in found.runs],
        "open_errors": [asdict(one) for one in found.errors],
        "held_documents": found.held,
        "attached_files": found.files,
        "next_step": found.next_step,
    }
    output.result(document, lambda console: _render(console, found))


def _render(console: Console, found: IntegrationReport) -> None:
    _render_connection(console, found.summary)
    if found.summary.integration.documents:
        kept = found.files
        console.print(
            f"  attached files: {kept.files_stored:,} kept, {kept.files_waiting:,} wait, "
            f"{kept.files_failed:,} could not be had"
        )
    if found.summary.credentials.problem:
        console.print(f"  {clean(found.summary.credentials.problem)}", style="bold red", soft_wrap=True)
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


def _render_connection(console: Console, summary: IntegrationSummary) -> None:
    one = summary.integration
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
        f"  last sync {shown(summary.last_sync) or 'never'} UTC{_nothing_since(summary)}",
        f"  cutoff {one.cutoff or 'none'}, history from {one.history_start or 'the beginning'}, "
        f"hours of {one.time_zone}",
        *([f"  owner {clean(one.owner)}"] if one.owner else []),
        *(["  reads BILL's v2 API alone"] if one.api == Api.V2 else []),
    ]
    console.print("\n".join(lines), soft_wrap=True)


def _nothing_since(summary: IntegrationSummary) -> str:
    asked = summary.up_to_date_at
    return f"; BILL had nothing new at {shown(asked)} UTC" if asked and asked != summary.last_sync else ""


def _render_prerequisites(console: Console, found: IntegrationReport) -> None:
    line = setup_line(found.unpostable) if found.is_ready else "Setup is not completed."
    console.print(line, style="bold", soft_wrap=True)
    for finding in found.findings:
        mark = "done   " if finding.met else "MISSING"
        console.print(f"  {mark}  {finding.prerequisite.title}: {clean(finding.found)}", soft_wrap=True)
        if finding.fix:
            console.print(f"           {finding.fix}", soft_wrap=True)
    for missing in found.missing_settings:
        console.print(f"Posting policy: {missing}", soft_wrap=True)
        console.print(f"           {missing.command}", soft_wrap=True)


def setup_line(unpostable: Sequence[Blocked]) -> str:
    """That nothing is missing for a sync; never without what could not be posted nevertheless."""
    if not unpostable:
        return "Setup is complete."
    return f"Syncing may run, but {told(unpostable)} cannot be posted: objects that they use are not mapped."


def coverage_table(kinds: list[Coverage]) -> object:
    """How far each kind is mapped."""
    columns = ("Mappings", "Mapped", "Stale", "Suggested", "Unmapped", "In use", "In use, unmapped")
    rows = [
        (words(one.kind), one.mapped, one.stale, one.suggested, one.unmapped, one.in_use, one.in_use_unmapped)
        for one in kinds
    ]
    return table(columns, rows, optional=columns[2:])


def _render_entities(console: Console, entities: list[EntityStatus]) -> None:
    columns = ("Entity", "Rows", "Deleted", "Newest change seen (UTC)", "Up to date (UTC)")
    rows = [(words(one.entity), one.rows, one.deleted, one.watermark, _up_to_date(one)) for one in entities]
    console.print(table(columns, rows, optional=("Deleted",)))
    refused = ", ".join(words(one.entity) for one in entities if one.time_filter_refused)
    if refused:
        console.print(
            f"BILL refuses the time filter of {refused}: every sync reads them whole. The filter is tried again daily.",
            soft_wrap=True,
        )


def _up_to_date(entity: EntityStatus) -> object:
    if entity.is_excluded:
        return "left out"
    return (entity.up_to_date_at or "never") if entity.is_permitted else "not permitted"


def _render_runs(console: Console, runs: list[RunStatus]) -> None:
    columns = ("Last runs", "Started (UTC)", "Status", "Entities", "Fetched", "Written", "Requests")
    rows = [
        (run.run_id[:8], run.started_at, run.status, run.entities, run.fetched, run.written, run.requests)
        for run in runs
    ]
    console.print(table(columns, rows))


def _render_errors(console: Console, found: IntegrationReport) -> None:
    total = sum(one.count for one in found.errors)
    waiting = (
        counted(total, "open integration error", "open integration errors") if total else "No open integration errors"
    )
    held = counted(found.held, "document is", "documents are") if found.held else "no document is"
    see = f" See: billcom errors {found.summary.integration.key}" if total or found.held else ""
    console.print(f"{waiting}; {held} held.{see}", soft_wrap=True)
    if not found.errors:
        return
    rows = [(words(one.entity), one.code, one.count) for one in found.errors]
    console.print(table(("Entity", "What", "Count"), rows))
