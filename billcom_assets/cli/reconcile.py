"""``billcom reconcile``: whether the books agree with themselves and with BILL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any, Final

import click
from rich.console import Console

from billcom_assets.books.as_of import AsOf, Owed
from billcom_assets.books.identities.findings import Difference, Item, Listed, Outcome
from billcom_assets.books.identities.labels import NOBODY
from billcom_assets.books.reconciliation import Reconciliation
from billcom_assets.books.reconciliation import reconcile as look
from billcom_assets.books.recount import Recount, cost
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.balances import trial_balance_table
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed
from billcom_assets.cli.options import Day, key_argument
from billcom_assets.cli.output import Output, pass_output, table, words
from billcom_assets.clock import utc_now
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import Warehouse

_HOLDS: Final = {True: "holds", False: "DIFFERS"}


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom reconcile acme-us",
        "billcom reconcile acme-us --as-of 2026-03-31",
        "billcom reconcile acme-us --against-bill",
    ),
)
@key_argument
@click.option("--as-of", type=Day(), help="Show the books as of the end of this day, too, by posting dates.")
@click.option("--against-bill", is_flag=True, help="Read the documents' lists in BILL again, and compare the mirror.")
@click.option("--listed", "with_listed", is_flag=True, help="Name the first of what each identity allows for.")
@pass_output
def reconcile(output: Output, /, *, key: str, as_of: date | str | None, against_bill: bool, with_listed: bool) -> None:
    """Proves that the books agree with themselves, with the mirror and, where that is asked for, with BILL.

    Nine identities must hold: entries balance, every document has a state, accounts payable follow from the documents
    and from what BILL says is open, clearing follows from the bank's movements, reversals equal what they reverse, and
    books posted from scratch come to the same. Without --against-bill nothing is asked of BILL: the mirror says what
    BILL said last. Exit code 1 when anything differs.
    """
    day = as_of if isinstance(as_of, date) else None
    warehouse = opened()
    with ExitStack() as stack:
        bill = stack.enter_context(_bill(output, warehouse, key)) if against_bill else None
        found = look(warehouse, key, utc_now(), as_of=day, bill=bill)
    document = _document(found)
    if found.holds:
        output.result(document, lambda console: _render(console, found, with_listed=with_listed))
        return
    if not output.as_json:
        _render(output.out, found, with_listed=with_listed)
    raise CommandFailed(_summary(found), **document)


@contextmanager
def _bill(output: Output, warehouse: Warehouse, key: str) -> Iterator[Sync]:
    """What reads BILL's lists; says first how many requests that takes."""
    from billcom_assets.resources import open_sync  # noqa: PLC0415 - imports Dagster

    with open_sync(warehouse, key) as sync:
        with warehouse.read() as connection:
            requests = cost(connection, sync)
        output.note(f"Reading BILL's lists again takes about {counted(requests, 'request', 'requests')}.")
        yield sync


# JSON ----------------------------------------------------------------------------------------------------------------


def _document(found: Reconciliation) -> dict[str, Any]:
    return {
        "integration": found.integration,
        "at": found.at,
        "holds": found.holds,
        "identities": [asdict(one) | {"holds": one.holds} for one in found.outcomes],
        "against_bill": [_recount_document(one) for one in found.recounts] or None,
        "as_of": asdict(found.as_of) | {"payables": [_owed(one) for one in found.as_of.payables]}
        if found.as_of is not None
        else None,
    }


def _recount_document(one: Recount) -> dict[str, Any]:
    lines = [
        {
            "year": line.year,
            "status": line.status,
            "mirror": line.mirror._asdict(),
            "bill": line.bill._asdict(),
        }
        for line in one.lines
    ]
    return asdict(one) | {"lines": lines, "refused": excerpt(one.refused), "holds": one.holds}


def _owed(one: Owed) -> dict[str, Any]:
    return asdict(one) | {"name": excerpt(one.name) if one.name else None}


# Tables --------------------------------------------------------------------------------------------------------------


def _render(console: Console, found: Reconciliation, *, with_listed: bool) -> None:
    rows = [(one.number, one.title, one.compared, one.differences, _verdict(one)) for one in found.outcomes]
    console.print(table(("No.", "Identity", "Compared", "Differences", "Result"), rows, whole=("Result",)))
    for one in found.outcomes:
        _render_differences(console, f"{one.number}. {one.title}", one)
    _render_listed(console, found.outcomes, with_items=with_listed)
    for recount in found.recounts:
        _render_recount(console, recount)
    if found.as_of is not None:
        _render_day(console, found.as_of)
    if found.holds:
        console.print()
        console.print(_summary(found), soft_wrap=True)


def _verdict(one: Outcome) -> str:
    if one.not_applicable:
        return "not applicable"
    return _HOLDS[one.holds] if one.compared or not one.holds else "nothing there"


def _render_differences(console: Console, title: str, one: Outcome | Recount) -> None:
    if one.holds:
        return
    left, right = (one.left, one.right) if isinstance(one, Outcome) else ("in the mirror", "in BILL")
    console.print()
    more = f", the first {len(one.first)} of {one.differences:,}" if one.differences > len(one.first) else ""
    console.print(f"{title}: what differs{more}", soft_wrap=True)
    rows = [(_called(each), each.left, each.right, _documents(each)) for each in one.first]
    columns = ("Of", left.capitalize(), right.capitalize(), "Documents")
    console.print(table(columns, rows, wrap=("Of", *columns[1:]), optional=("Documents",)))


def _called(one: Difference | Item) -> str:
    return f"{one.name}: {one.what}" if one.name else one.what


def _documents(one: Difference) -> str:
    return ", ".join(f"{each.kind}:{each.id}" for each in one.documents)


def _render_listed(console: Console, outcomes: Iterable[Outcome], *, with_items: bool) -> None:
    lists = [(one, each) for one in outcomes for each in one.listed if each.count]
    if not lists:
        return
    console.print()
    console.print("What the identities allow for, or count beside:")
    rows = [(one.number, each.what, each.count, each.amount) for one, each in lists]
    console.print(table(("No.", "What", "Count", "Amount"), rows, wrap=("What",), optional=("Amount",)))
    for one, each in lists:
        if with_items or not any(item.documents for item in each.first):
            _render_items(console, one, each)


def _render_items(console: Console, one: Outcome, listed: Listed) -> None:
    console.print()
    console.print(f"{one.number}. {listed.what}:", soft_wrap=True)
    rows = [(_called(item), item.amount, item.currency) for item in listed.first]
    console.print(table(("What", "Amount", "Currency"), rows, wrap=("What",), optional=("Amount", "Currency")))
    if listed.count > len(listed.first) and listed.first[0].documents:
        console.print(f"... and {listed.count - len(listed.first):,} more")


def _render_recount(console: Console, one: Recount) -> None:
    console.print()
    if one.refused:
        console.print(f"{words(one.entity).capitalize()}: not compared. {excerpt(one.refused)}", soft_wrap=True)
        return
    title = f"{words(one.entity).capitalize()} in the mirror and in BILL"
    console.print(f"{title}, {counted(one.requests, 'request', 'requests')}:", soft_wrap=True)
    rows = [(str(line.year or ""), line.status, *line.mirror, *line.bill) for line in one.lines]
    columns = ("Year", "Status", "In the mirror", "Amount", "In BILL", "BILL's amount")
    console.print(table(columns, rows, whole=("Status",)))
    console.print(
        f"Changed in BILL since the last sync: {one.changed:,}. Left out of the mirror by cutoff or history start: "
        f"{one.left_out:,}. Unreadable: {one.unreadable:,}.",
        soft_wrap=True,
    )
    _render_differences(console, title, one)


def _render_day(console: Console, found: AsOf) -> None:
    console.print()
    console.print(f"Trial balance as of {found.day}:")
    console.print(trial_balance_table(found.trial_balance))
    console.print()
    console.print(f"Accounts payable as of {found.day}:")
    owed = [
        (excerpt(one.name or one.party or NOBODY), one.currency, one.amount, one.home_amount) for one in found.payables
    ]
    console.print(table(("Vendor", "Currency", "Amount", "Home amount"), owed))


def _summary(found: Reconciliation) -> str:
    wrong = [f"{one.number} ({one.title})" for one in found.outcomes if not one.holds]
    wrong += [f"{words(one.entity)} in BILL" for one in found.recounts if not one.holds]
    if not (wrong or any(one.compared for one in found.outcomes)):
        return f"The books of {found.integration} are empty: there is nothing to compare yet."
    if not wrong:
        return f"The books of {found.integration} agree: every identity holds."
    return f"The books of {found.integration} do not agree. What differs: {'; '.join(wrong)}."
