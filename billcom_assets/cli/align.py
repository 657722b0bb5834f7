"""``billcom align``: what would bring BILL's chart of accounts in line with the ledger's, and deciding about it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from billcom_assets.alignment.adopting import Adoption, adoption_csv, adoptions
from billcom_assets.alignment.deciding import approve as approve_plan
from billcom_assets.alignment.deciding import reject as reject_plan
from billcom_assets.alignment.planning import make_plan, refuse_items
from billcom_assets.alignment.plans import MAX_CHANGES, AlignmentRefused, Plan, load_plan, newest_plan, numbers
from billcom_assets.alignment.reading import read_charts
from billcom_assets.cli.align_output import change_document, plan_document, plan_step, render_plan
from billcom_assets.cli.align_writing import apply, undo
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.files import output_options, written
from billcom_assets.cli.keyed import KeyedGroup, given_key
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.clock import utc_now
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse.alignment_tables import ChangeStatus
from billcom_assets.warehouse.known_integrations import require_integration

_number = click.argument("number", metavar="[PLAN]", required=False, type=click.IntRange(min=1))
_changes = click.option(
    "--change",
    "positions",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Only this change of the plan; may be given several times.",
)


@click.group(cls=KeyedGroup)
@key_argument
def align(key: str) -> None:
    """Brings BILL's chart of accounts in line with the ledger's.

    A plan says what would be changed in BILL, and writes nothing. A person approves all of it or single changes; only
    what is approved can be written.
    """


@align.command(examples=("billcom align acme-us plan", "billcom align acme-us plan --max-changes 200"))
@click.option(
    "--max-changes",
    type=click.IntRange(min=1),
    default=MAX_CHANGES,
    show_default=True,
    metavar="N",
    help="How many changes one approval of this plan may cover.",
)
@click.option("--items", is_flag=True, help="Plan items too; they are only ever read, so this says why not.")
@as_option
@pass_output
def plan(output: Output, max_changes: int, items: bool, as_name: str | None) -> None:
    """Compares the charts of accounts and plans what would make BILL's like the ledger's.

    Nothing is asked of BILL and nothing written there: the last sync says what BILL has. A plan that was not approved
    before is replaced.
    """
    key = given_key()
    if items:
        refuse_items(key)
    with opened().write() as connection:
        found, planned = make_plan(connection, key, acting(as_name), utc_now(), max_changes=max_changes, again=True)
    if planned.plan is None:
        step = f"billcom status {key}"
        document: dict[str, Any] = {"integration": key, "plan": None, "changes": [], "next_step": step}

        def render(console: Console) -> None:
            accounts = counted(len(found.charts.active), "active account", "active accounts")
            console.print(f"BILL's chart of accounts has the ledger's {accounts}: nothing differs.", soft_wrap=True)
            console.print(f"Next: {step}", soft_wrap=True)

        output.result(document, render)
        return
    _show(output, planned.plan, "" if planned.is_new else "Nothing has changed since this plan was made.")


@align.command(examples=("billcom align acme-us show", "billcom align acme-us show 3 --json"))
@_number
@pass_output
def show(output: Output, number: int | None) -> None:
    """Shows a plan, the newest unless you name one: what would be changed, why, and what may go wrong."""
    with opened().read() as connection:
        found = _plan(connection, given_key(), number)
    _show(output, found)


@align.command(
    examples=("billcom align acme-us approve 3", "billcom align acme-us approve 3 --change 1 --change 4"),
)
@_number
@_changes
@click.option(
    "--max-changes",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many changes this approval may cover, in place of what the plan says.",
)
@as_option
@pass_output
def approve(
    output: Output, number: int | None, positions: tuple[int, ...], max_changes: int | None, as_name: str | None
) -> None:
    """Approves a plan, or single changes of it; writes nothing to BILL.

    Conflicts are never approved: they are left to you.
    """
    with opened().write() as connection:
        found = approve_plan(
            connection,
            given_key(),
            acting(as_name),
            utc_now(),
            number=number,
            positions=positions,
            max_changes=max_changes,
        )
    _show_decision(output, found)


@align.command(
    examples=("billcom align acme-us reject 3", "billcom align acme-us reject 3 --change 2"),
)
@_number
@_changes
@as_option
@pass_output
def reject(output: Output, number: int | None, positions: tuple[int, ...], as_name: str | None) -> None:
    """Rejects a plan, or single changes of it, so that they are not written."""
    with opened().write() as connection:
        found = reject_plan(connection, given_key(), acting(as_name), utc_now(), number=number, positions=positions)
    _show_decision(output, found)


@align.command(
    cls=BillcomCommand,
    examples=("billcom align acme-us adopt", "billcom align acme-us adopt --output chart.csv"),
)
@click.option("--all", "whole", is_flag=True, help="Write the whole chart, with what agrees already.")
@output_options
@pass_output
def adopt(output: Output, whole: bool, path: str | None, force: bool) -> None:
    """Writes as CSV what the ledger should adopt of BILL's chart of accounts, for the accounting program.

    For integrations whose chart BILL decides. The columns are those that billcom ledger import --accounts reads;
    Change says what is to be done.
    """
    key, warehouse = given_key(), opened()
    with warehouse.read() as connection:
        require_integration(connection, key)
        every = adoptions(read_charts(connection, key))
    chosen = every if whole else [one for one in every if one.change != "same"]
    counts = {change: sum(one.change == change for one in every) for change in ("new", "changed", "inactive", "same")}
    step = f"billcom ledger import {key} --accounts FILE"
    document: dict[str, Any] = {"integration": key, "accounts": len(chosen), "counts": counts, "next_step": step}
    written(output, warehouse, adoption_csv(chosen), path, document, what=_adopted(chosen), force=force)
    output.note(f"Next: import it into the accounting program, then its chart again with: {step}")


@align.command(examples=("billcom align acme-us history", "billcom align acme-us history --json"))
@pass_output
def history(output: Output) -> None:
    """Shows every plan: who made it, who decided, what was written and what was undone."""
    key = given_key()
    with opened().read() as connection:
        require_integration(connection, key)
        plans = [load_plan(connection, key, number) for number in numbers(connection, key)]
    now = utc_now()
    step = plan_step(plans[-1], now) if plans else f"billcom align {key} plan"
    document = {
        "integration": key,
        "plans": [plan_document(one, now) for one in plans],
        "next_step": step,
    }

    def render(console: Console) -> None:
        if not plans:
            console.print(f"{key} has no plan yet.", soft_wrap=True)
        for one in plans:
            _render_history(console, one)
        console.print(f"Next: {step}", soft_wrap=True)

    output.result(document, render)


def _plan(connection: Any, key: str, number: int | None) -> Plan:
    require_integration(connection, key)
    found = newest_plan(connection, key) if number is None else load_plan(connection, key, number)
    if found is None:
        raise AlignmentRefused(f"{key} has no plan yet. Make one with: billcom align {key} plan")
    return found


def _show(output: Output, found: Plan, note: str = "") -> None:
    now = utc_now()

    def render(console: Console) -> None:
        render_plan(console, found, now)
        if note:
            console.print(note, soft_wrap=True)
        console.print(f"Next: {plan_step(found, now)}", soft_wrap=True)

    output.result(plan_document(found, now) | {"next_step": plan_step(found, now)}, render)


def _show_decision(output: Output, found: Plan) -> None:
    now = utc_now()
    counts = {
        status: [one.change.position for one in found.writable if one.status == status]
        for status in ("proposed", "approved", "rejected")
    }
    document = {
        "integration": found.integration,
        "plan": found.number,
        "status": found.status,
        **counts,
        "changes": [change_document(one) for one in found.changes],
        "next_step": plan_step(found, now),
    }

    def render(console: Console) -> None:
        said = ", ".join(f"{len(positions)} {status}" for status, positions in counts.items() if positions)
        console.print(f"Plan {found.number} of {found.integration} is {found.status}: {said}.", soft_wrap=True)
        console.print("Nothing was written to BILL by this.")
        console.print(f"Next: {plan_step(found, now)}", soft_wrap=True)

    output.result(document, render)


def _render_history(console: Console, found: Plan) -> None:
    times = [
        ("made", found.made_at, found.made_by),
        *_decisions(found),
        ("writing began", found.started_at, found.started_by),
        ("writing ended", found.finished_at, None),
        ("undone", found.undone_at, found.undone_by),
    ]
    console.print(f"Plan {found.number}, {found.status}, {counted(len(found.changes), 'change', 'changes')}:")
    console.print(table(("What", "When (UTC)", "Who"), [one for one in times if one[1] is not None], wrap=("Who",)))
    counts = Counter("conflict" if one.is_conflict else one.status.value for one in found.changes)
    said = (f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
    console.print(f"Changes: {', '.join(said)}")
    console.print()


def _decisions(found: Plan) -> list[tuple[str, datetime | None, str | None]]:
    """What was decided together, in its order."""
    together = Counter(
        (one.decided_at, one.decided_by, "rejected" if one.status is ChangeStatus.REJECTED else "approved")
        for one in found.changes
        if one.decided_at is not None
    )
    return [
        (f"{counted(count, 'change', 'changes')} {what}", at, who)
        for (at, who, what), count in sorted(together.items(), key=lambda one: str(one[0]))
    ]


def _adopted(found: list[Adoption]) -> str:
    return f"{counted(len(found), 'account', 'accounts')} for the ledger to adopt"


align.add_command(apply)
align.add_command(undo)
