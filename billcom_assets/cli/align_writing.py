"""``billcom align KEY apply`` and ``undo``: the commands that have something written to BILL."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Console

from billcom_assets.alignment.plans import Plan, load_plan, newest_plan
from billcom_assets.cli import lazy_dagster
from billcom_assets.cli.align_output import plan_document, plan_step
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import STOPPED, CommandFailed, ExitCode
from billcom_assets.cli.keyed import given_key
from billcom_assets.cli.options import as_option
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.cli.progress import shown_progress
from billcom_assets.cli.ui_address import page_of, where
from billcom_assets.clock import utc_now
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.alignment_settings import alignment_settings
from billcom_assets.warehouse.alignment_tables import ChangeStatus
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import require_integration

_INTERRUPTED = "DagsterExecutionInterruptedError"
_number = click.argument("number", metavar="[PLAN]", required=False, type=click.IntRange(min=1))


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom align acme-us apply",
        'billcom align acme-us apply --production --approver "Ada Byron" --no-other-sync',
    ),
)
@_number
@click.option(
    "--production", is_flag=True, help="The first time for a real company: its accounts in BILL are meant to change."
)
@click.option("--approver", metavar="NAME", help="With --production: the name of who approved the plan.")
@click.option(
    "--no-other-sync",
    is_flag=True,
    help="Say that BILL itself syncs with no accounting program, such as QuickBooks; remembered.",
)
@as_option
@pass_output
def apply(
    output: Output,
    /,
    *,
    number: int | None,
    production: bool,
    approver: str | None,
    no_other_sync: bool,
    as_name: str | None,
) -> None:
    """Writes the newest approved plan to BILL, one account at a time, or goes on with one that was interrupted.

    Nothing is written when BILL or the ledger have changed since in any account of the plan. Afterwards the accounts
    are read back and compared.
    """
    key, warehouse = given_key(), opened()
    with warehouse.read() as connection:
        require_integration(connection, key)
        settings = alignment_settings(connection, key)
    if production and approver is None and _may_ask(output):
        approver = click.prompt("Who approved the plan? Name", err=True)
    if not no_other_sync and settings.other_accounting_system is None and _may_ask(output):
        question = "Does BILL itself sync with an accounting program, such as QuickBooks, Xero, NetSuite or Intacct?"
        no_other_sync = not click.confirm(question, err=True, default=True)
    config = {"production": production, "no_other_sync": no_other_sync, "undo": False}
    _launch(output, warehouse, key, number, config | {"approver": approver, "acting_as": as_name})


@click.command(cls=BillcomCommand, examples=("billcom align acme-us undo", "billcom align acme-us undo 3"))
@_number
@as_option
@pass_output
def undo(output: Output, number: int | None, as_name: str | None) -> None:
    """Takes back the plan that was written last, as far as BILL allows.

    What was created is archived, because BILL deletes nothing; what was changed gets what it had before. What is in
    use or was changed since stays, and is named.
    """
    _launch(output, opened(), given_key(), number, {"undo": True, "acting_as": as_name})


def _may_ask(output: Output) -> bool:
    return not output.as_json and sys.stdin.isatty()


def _launch(output: Output, warehouse: Warehouse, key: str, number: int | None, config: dict[str, Any]) -> None:
    with warehouse.read() as connection:
        require_integration(connection, key)
        if number is not None:
            load_plan(connection, key, number)
    given = {name: value for name, value in (config | {"plan": number}).items() if value is not None}
    title = f"{'Undoing in' if config['undo'] else 'Writing to'} BILL for {key}"
    with shown_progress(output, title) as watcher:
        launched = lazy_dagster.launch_writing(key, given, on_progress=watcher.report)
        if launched.success:
            watcher.succeed()
    with warehouse.read() as connection:
        found = _written_by(connection, key, number, launched.run_id)
    document: dict[str, Any] = {"integration": key}
    if found is not None:
        document |= plan_document(found, utc_now()) | {"next_step": plan_step(found, utc_now())}
    document |= {"run_id": launched.run_id, "run_url": page_of(launched.run_id)}
    if not launched.success:
        output.note(f"Dagster run: {where(launched.run_id)}")
        if launched.error is not None and _INTERRUPTED in launched.error:
            raise CommandFailed(STOPPED, ExitCode.INTERRUPTED, **document)
        code = ExitCode.FAILED if launched.setup_missing is None else ExitCode.SETUP_INCOMPLETE
        raise CommandFailed(
            launched.error or f"The run {launched.run_id} failed; its log is in the Dagster UI.", code, **document
        )

    def render(console: Console) -> None:
        if found is not None:
            _render(console, found)
        console.print(f"Dagster run: {where(launched.run_id)}", soft_wrap=True)
        console.print(f"Next: {document.get('next_step', f'billcom align {key} history')}", soft_wrap=True)

    output.result(document, render)


def _written_by(connection: Any, key: str, number: int | None, run_id: str) -> Plan | None:
    """The plan that the run wrote or undid."""
    if number is not None:
        return load_plan(connection, key, number)
    newest = newest_plan(connection, key)
    for one in range(newest.number if newest else 0, 0, -1):
        plan = load_plan(connection, key, one)
        if plan.apply_run_id == run_id:
            return plan
    return None


def _render(console: Console, found: Plan) -> None:
    counts = {
        status: sum(one.status is status for one in found.writable)
        for status in (ChangeStatus.DONE, ChangeStatus.FAILED, ChangeStatus.UNDONE, ChangeStatus.NOT_UNDONE)
    }
    said = ", ".join(f"{count} {status.value.replace('_', ' ')}" for status, count in counts.items() if count)
    changes = counted(len(found.writable), "change", "changes")
    console.print(
        f"Plan {found.number} of {found.integration} is {found.status.value}: {changes}, {said}.", soft_wrap=True
    )
    left = [
        (str(one.change.position), excerpt(one.undo_note or one.error or "", limit=500))
        for one in found.writable
        if one.status in {ChangeStatus.FAILED, ChangeStatus.NOT_UNDONE}
    ]
    if left:
        console.print(table(("Change", "Why not"), left, wrap=("Why not",)))
