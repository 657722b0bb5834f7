"""``billcom seed`` and ``billcom sync``: running a Dagster job and reporting what it did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click
from rich.console import Console

from billcom_assets.cli import lazy_dagster
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import STOPPED, CommandFailed, ExitCode, finding_document, setup_incomplete
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, table, words
from billcom_assets.cli.progress import shown_progress
from billcom_assets.cli.status import setup_line
from billcom_assets.cli.ui_address import page_of, where
from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import DOCUMENTS
from billcom_assets.mapping.coverage import unpostable
from billcom_assets.mapping.overview import Overviews
from billcom_assets.redaction.close_matches import did_you_mean, quoted
from billcom_assets.redaction.counted import counted
from billcom_assets.setup.exclusions import left_out
from billcom_assets.setup.prerequisites import Finding, next_step
from billcom_assets.status.errors import held_documents
from billcom_assets.status.readiness import gate
from billcom_assets.status.runs import PullStatus, pulls_of
from billcom_assets.status.scope import scope
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import keeps_documents, require_integration

_SELECTABLE = (*CATALOG.names(), DOCUMENTS)
"""What a sync can be limited to."""
_INTERRUPTED = "DagsterExecutionInterruptedError"
_NUMBERS = {
    "fetched": "Fetched",
    "inserted": "Inserted",
    "updated": "Updated",
    "unchanged": "Unchanged",
    "seconds": "Seconds",
}
"""Columns of the summary, in order: attribute of a pull, and title."""
_RARE = {
    "skipped_by_cutoff": "Skipped, because they are dated before the cutoff",
    "rejected": "Rejected, because they are unreadable (billcom status names them)",
    "deleted": "Marked as deleted",
}
"""Lines below it, where there is something to say."""


@dataclass(frozen=True)
class Finished:
    """What a run did that ended well."""

    run_id: str
    pulls: list[PullStatus]
    missing: list[Finding]
    """Prerequisites of a full sync that do not hold now."""


def run_job(
    output: Output,
    warehouse: Warehouse,
    job: str,
    key: str,
    *,
    title: str,
    entities: Sequence[str] | None = None,
    confirm_deletions: bool = False,
) -> Finished:
    """Runs the job in Dagster, showing its progress, and reads what it did from the database.

    Raises:
        UnknownIntegration: there is no such integration.
        CommandFailed: the run failed, or setup is not completed (exit code 3); what was pulled is shown first.
    """
    with warehouse.read() as connection:
        require_integration(connection, key)
    with shown_progress(output, title) as watcher:
        launched = lazy_dagster.launch(
            job, key, entities=entities, confirm_deletions=confirm_deletions, on_progress=watcher.report
        )
        if launched.success:
            watcher.succeed()
    with warehouse.read() as connection:
        pulls = pulls_of(connection, launched.run_id)
        missing = gate(connection, key)
    if launched.success:
        return Finished(launched.run_id, pulls, missing)
    output.note(f"Dagster run: {where(launched.run_id)}")
    failed = {pull.entity: pull.error for pull in pulls if pull.status == "failed"}
    document = {"integration": key, **pulls_document(launched.run_id, pulls), "failed": failed}
    if any(pull.fetched for pull in pulls) and not output.as_json:
        render_pulls(output.err, pulls)
    if launched.setup_missing is not None:
        failure = setup_incomplete(launched.setup_missing)
        raise CommandFailed(failure.message, failure.exit_code, **document, **failure.document)
    # Ctrl-C: Dagster catches it, ends the run and reports the exception by its name.
    if launched.error is not None and _INTERRUPTED in launched.error:
        raise CommandFailed(STOPPED, ExitCode.INTERRUPTED, **document)
    raise CommandFailed(
        launched.error or f"The run {launched.run_id} failed; its log is in the Dagster UI.", **document
    )


@click.command(cls=BillcomCommand, examples=("billcom seed acme-us",))
@key_argument
@pass_output
def seed(output: Output, key: str) -> None:
    """Fetches the lists that are needed to complete the setup.

    These are BILL's vendors, bank accounts, chart of accounts, items, departments, jobs, locations, classes and
    employees. It may be repeated at any time; then it fetches only what changed.
    """
    warehouse = opened()
    finished = run_job(output, warehouse, "initial_seed", key, title=f"Seeding {key}")
    with warehouse.read() as connection:
        ready = setup_line(unpostable(Overviews(connection, key)))
    _show_result(output, key, finished, ready, f"billcom sync {key}")


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom sync acme-us",
        "billcom sync acme-us --only bills --only vendors",
        "billcom sync acme-us --full-refresh",
    ),
)
@key_argument
@click.option("--full-refresh", is_flag=True, help="Fetch everything from scratch, and notice what BILL has removed.")
@click.option(
    "--confirm-deletions",
    is_flag=True,
    help="Believe at once what a full refresh no longer finds, instead of waiting for a second one on another day.",
)
@click.option(
    "--only",
    "entities",
    multiple=True,
    metavar="ENTITY",
    help=f"Only this kind of object; may be given several times: {', '.join(_SELECTABLE)}.",
)
@as_option
@pass_output
def sync(
    output: Output,
    /,
    key: str,
    *,
    full_refresh: bool,
    confirm_deletions: bool,
    entities: tuple[str, ...],
    as_name: str | None,
) -> None:
    """Fetches everything that changed in BILL since the last time.

    Before the setup is complete nothing beyond the lists is fetched, and the command ends with exit code 3 and what
    is missing.
    """
    _require_known(entities)
    if confirm_deletions and not full_refresh:
        raise click.UsageError("--confirm-deletions belongs to --full-refresh: only that notices what was removed.")
    warehouse = opened()
    wanted = [name for name in _SELECTABLE if name in entities]
    _require_included(warehouse, key, wanted)
    if confirm_deletions:
        _record_confirmation(warehouse, key, wanted, acting(as_name))
    finished = run_job(
        output,
        warehouse,
        "full_refresh" if full_refresh else "full_sync",
        key,
        title=f"{'Refreshing' if full_refresh else 'Syncing'} {key}",
        entities=wanted or None,
        confirm_deletions=confirm_deletions,
    )
    with warehouse.read() as connection:
        held = held_documents(connection, key)
    if not held:
        _show_result(output, key, finished, "Everything asked for is up to date.", f"billcom status {key}")
        return
    documents = counted(held, "document is", "documents are")
    ready = f"Everything asked for is up to date; {documents} held out of the books."
    _show_result(output, key, finished, ready, f"billcom errors {key}")


def _record_confirmation(warehouse: Warehouse, key: str, entities: Sequence[str], actor: Actor) -> None:
    """Before the run, which marks rows as deleted page by page: that somebody wanted it so stands first."""
    with warehouse.write() as connection:
        require_integration(connection, key)
        audit.record(
            connection,
            actor=actor,
            what=What.DELETIONS_CONFIRMED,
            integration=key,
            subject=", ".join(entities) or "everything",
            now=utc_now(),
        )


def _require_known(entities: Sequence[str]) -> None:
    unknown = [name for name in entities if name not in _SELECTABLE]
    if unknown:
        refused = "".join(f"There is no entity {quoted(name)}.{did_you_mean(name, _SELECTABLE)} " for name in unknown)
        raise click.UsageError(f"{refused}Known are: {', '.join(_SELECTABLE)}.", click.get_current_context())


def _require_included(warehouse: Warehouse, key: str, entities: Sequence[str]) -> None:
    with warehouse.read() as connection:
        excluded = scope(connection, key).excluded.intersection(entities)
        lacks_files = DOCUMENTS in entities and not keeps_documents(connection, key)
    if lacks_files:
        raise click.UsageError(
            f"Files of {key} are not kept. To have them: billcom connect {key} --documents", click.get_current_context()
        )
    if excluded:
        raise click.UsageError(left_out(key, sorted(excluded)), click.get_current_context())


def _show_result(output: Output, key: str, finished: Finished, ready: str, when_ready: str) -> None:
    command = next_step(key, finished.missing, when_ready=when_ready)
    document = {
        "integration": key,
        **pulls_document(finished.run_id, finished.pulls),
        "missing": [finding_document(finding) for finding in finished.missing],
        "next_step": command,
    }

    def render(console: Console) -> None:
        render_pulls(console, finished.pulls)
        console.print(f"Dagster run: {where(finished.run_id)}", soft_wrap=True)
        if not finished.missing:
            console.print(f"{ready} Next: {command}", soft_wrap=True)
            return
        console.print("Before everything can be synced, setup needs:")
        for finding in finished.missing:
            console.print(f"  - {finding.prerequisite.title}: {finding.found}", soft_wrap=True)
            console.print(f"      {finding.fix}", soft_wrap=True)

    output.result(document, render)


def pulls_document(run_id: str, pulls: Sequence[PullStatus]) -> dict[str, Any]:
    """A run for a JSON document."""
    return {"run_id": run_id, "run_url": page_of(run_id), "pulls": [asdict(pull) for pull in pulls]}


def _sum(numbers: Iterable[float | None]) -> float:
    """Of numbers of one kind; seconds keep their decimal, also where they are none."""
    known = [number for number in numbers if number is not None]
    return round(sum(known[1:], start=known[0]), 1) if known else 0


def render_pulls(console: Console, pulls: Sequence[PullStatus]) -> None:
    """One line for each pull, their sum, and what is out of the ordinary."""
    columns = ("Entity", "How", *_NUMBERS.values())
    rows: list[tuple[object, ...]] = [
        (words(pull.entity), pull.kind, *(getattr(pull, name) for name in _NUMBERS)) for pull in pulls
    ]
    total = ("total", "", *(_sum(getattr(pull, name) for pull in pulls) for name in _NUMBERS))
    console.print(table(columns, [*rows, total], optional=("Inserted", "Updated", "Unchanged")))
    for name, what in _RARE.items():
        found = [(words(pull.entity), getattr(pull, name)) for pull in pulls if getattr(pull, name)]
        if found:
            listed = ", ".join(f"{entity} {number:,}" for entity, number in found)
            console.print(f"{what}: {listed}.", soft_wrap=True)
