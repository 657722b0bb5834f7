"""``billcom books``: what the books hold, where a figure comes from, posting again, and closing a period."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any, Final

import click
from rich.console import Console

from billcom_assets.books import summary
from billcom_assets.books.alone import alone
from billcom_assets.books.policy import change_policy
from billcom_assets.books.reposting import Reposting, repost
from billcom_assets.books.trace import Trace, trace
from billcom_assets.cli.balances import trial_balance_table
from billcom_assets.cli.database import opened
from billcom_assets.cli.keyed import KeyedGroup, given_key
from billcom_assets.cli.options import Day, acting, as_option, assigned, key_argument
from billcom_assets.cli.output import Output, pass_output, shown, table, words
from billcom_assets.clock import utc_now
from billcom_assets.redaction.counted import counted, singular
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.known_integrations import require_integration

_SHOWN: Final = 40


@click.group(cls=KeyedGroup)
@key_argument
def books(key: str) -> None:
    """Shows the books of an integration, traces a figure, posts again, or closes a period."""


@books.command(examples=("billcom books acme-us show", "billcom books acme-us show --json"))
@pass_output
def show(output: Output) -> None:
    """Shows the trial balance, and what became of BILL's documents."""
    key = given_key()
    with opened().read() as connection:
        require_integration(connection, key)
        states, held = summary.states(connection, key), summary.held(connection, key)
        balances, opening = summary.trial_balance(connection, key), summary.opening(connection, key)
        currency, posted_at = home_currency(connection, key), summary.posted_at(connection, key)
    difference = sum((one.balance for one in balances), Decimal(0))
    has_held = bool(summary.total(states, "held")[0])
    step = f"billcom errors {key}" if has_held else None if posted_at else f"billcom sync {key}"
    document = {
        "integration": key,
        "home_currency": currency,
        "posted_at": posted_at,
        "trial_balance": [asdict(one) for one in balances],
        "difference": difference,
        "documents": [asdict(one) for one in states],
        "held": [asdict(one) for one in held],
        "opening_documents": [asdict(one) for one in opening],
        "next_step": step,
    }

    def render(console: Console) -> None:
        if not states:
            nothing = "BILL has no document of the days since the cutoff" if posted_at else "nothing was posted yet"
            console.print(f"{key}: {nothing}.", soft_wrap=True)
        else:
            console.print(f"Trial balance in {currency}:")
            console.print(trial_balance_table(balances))
            _render_states(console, states, held, currency)
        _render_opening(console, opening)
        if step:
            console.print(f"\nNext: {step}", soft_wrap=True)

    output.result(document, render)


def _render_states(
    console: Console,
    states: Sequence[summary.States],
    held: Sequence[summary.Held],
    currency: str,
) -> None:
    columns = ("Documents", "Amount", "No rate")
    console.print(f"\nDocuments, with amounts in {currency}:")
    rows = [
        (words(s.kind), words(s.state), s.reason, s.documents, s.home_amount, s.without_rate or None) for s in states
    ]
    console.print(table(("Kind", "State", "Reason", *columns), rows, whole=("Kind", "Reason"), optional=columns[2:]))
    if held:
        console.print(f"\nHeld, with amounts in {currency}, a document with two reasons under both:")
        rows_held = [
            (words(one.kind), one.reason, one.documents, one.home_amount, one.without_rate or None) for one in held
        ]
        titles = ("Kind", "Reason", *columns)
        console.print(table(titles, rows_held, whole=("Kind", "Reason"), optional=columns[2:]))


def _render_opening(console: Console, opening: Sequence[summary.Opening]) -> None:
    if opening:
        console.print("\nOpening documents, which the company's own opening balances hold:")
        rows_open = [(words(one.entity), excerpt(one.currency), one.documents, one.open_amount) for one in opening]
        console.print(table(("Kind", "Currency", "Documents", "Open"), rows_open))


# Where a figure comes from -------------------------------------------------------------------------------------------


@books.command(
    "trace", examples=("billcom books acme-us trace 00n02JZNIEYMNPY99iz9", "billcom books acme-us trace INV-77")
)
@click.argument("name", metavar="DOCUMENT|ENTRY")
@pass_output
def trace_(output: Output, name: str) -> None:
    """Traces a document or entry: its lines, what it settles, what BILL sent, and the run that brought it.

    DOCUMENT is an id of BILL's or a document's number, ENTRY the id of a journal entry.
    """
    key, warehouse = given_key(), opened()
    with warehouse.read() as connection:
        require_integration(connection, key)
        found = trace(connection, warehouse.mirror, key, name)
    document = {"integration": key, "found": [_traced(one) for one in found]}

    def render(console: Console) -> None:
        for one in found:
            _render_trace(console, one)

    output.result(document, render)


def _traced(one: Trace) -> dict[str, Any]:
    lists = {
        name: [dict(row) for row in getattr(one, name)]
        for name in ("lines", "settles", "settled_by", "errors", "pulls")
    }
    document = {**one.document, "party_name": one.party}
    return {"document": document, **lists, "payload": one.payload, "synced_at": one.synced_at}


def _render_trace(console: Console, one: Trace) -> None:
    d = one.document
    why = f" ({d['reason']})" if d["reason"] else ""
    of = f" of {excerpt(one.party)}" if one.party else ""
    currency = excerpt(d["currency"] or "")
    console.print(f"{_called(d['kind'], d['number'], d['id'])}{of}: {words(d['state'])}{why}", soft_wrap=True)
    home = f", {shown(d['home_amount'])} in the home currency" if d["home_amount"] != d["amount"] else ""
    console.print(f"  dated {d['document_date']}, {shown(d['amount'])} {currency}{home}", soft_wrap=True)
    for error in one.errors:
        console.print(f"  {error['code']}: {excerpt(error['message'], limit=300)}", soft_wrap=True)
        console.print(f"  Next: {error['next_step']}", soft_wrap=True)
    if one.lines:
        columns = ("Entry", "Day", "Account", "Debit", "Credit")
        rows = [
            (
                f"{line['sequence']} {line['type']}",
                line["posting_date"],
                excerpt(f"{line['ledger_account_id']} {line['account_name'] or ''}"),
                line["debit"] or None,
                line["credit"] or None,
            )
            for line in one.lines
        ]
        console.print(table(columns, rows[:_SHOWN], whole=("Entry", "Day")))
        if len(rows) > _SHOWN:
            console.print(f"  and {len(rows) - _SHOWN} more lines; --json has all of them")
    for row in one.settles:
        other = _called(row["settled_kind"], row["number"], row["settled_id"])
        console.print(f"  settles {other}: {shown(row['amount'])} {currency}", soft_wrap=True)
    for row in one.settled_by:
        other = _called(row["kind"], row["number"], row["document_id"])
        console.print(f"  settled by {other}: {shown(row['amount'])} {currency}", soft_wrap=True)
    if one.synced_at:
        console.print(f"  BILL's version of {shown(one.synced_at)} UTC; --json shows the payload", soft_wrap=True)
    for pull in one.pulls[:1]:
        run = pull["run_id"] or "no run of Dagster's"
        requests = counted(pull["requests"], "request", "requests")
        console.print(
            f"  brought by a pull of {shown(pull['started_at'])} UTC ({pull['kind']}), {requests}; run {run}",
            soft_wrap=True,
        )


def _called(kind: str, number: str | None, id_: str) -> str:
    """A document as people call it."""
    what = singular(words(kind))
    return f"{what} {_number(number)} ({id_})" if number else f"{what} {id_}"


def _number(number: str | None) -> str:
    """Bounded, but not masked: people know their documents by it."""
    return one_line(number or "", limit=60)


# Posting again, and closing -------------------------------------------------------------------------------------------


@books.command(
    "repost",
    examples=("billcom books acme-us repost", "billcom books acme-us repost --set payments=clearing --yes"),
)
@click.option(
    "--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Change this setting of the policy with it."
)
@click.option(
    "--yes", "confirmed", is_flag=True, help="Do it; without this the command only says what it would change."
)
@as_option
@pass_output
def repost_(output: Output, assignments: tuple[str, ...], confirmed: bool, as_name: str | None) -> None:
    """Shows what today's policy and mappings would post otherwise, and with --yes posts it again.

    Each such entry is reversed and made again; in a closed period both go to the first open day.
    """
    key, settings, actor = given_key(), assigned(assignments), acting(as_name)
    warehouse = opened()
    with alone(warehouse, key):
        told = repost(warehouse, key, settings=settings, is_confirmed=confirmed, actor=actor, now=utc_now())
    step = None if told.is_done or not (told.changes_something or settings) else _again(key, assignments)
    document = {"integration": key, **asdict(told), "next_step": step}
    output.result(document, lambda console: _render_reposting(console, told, step))


def _again(key: str, assignments: Sequence[str]) -> str:
    return " ".join([f"billcom books {key} repost", *(f"--set {shlex.quote(one)}" for one in assignments), "--yes"])


def _render_reposting(console: Console, told: Reposting, step: str | None = None) -> None:
    if not told.changes_something:
        console.print("No entry was changed." if told.is_done else "No entry would be changed today.")
    counts = [(count, words(kind), "reversed and posted again") for kind, count in told.documents.items()]
    counts += [(told.posted, "documents", "posted for the first time")]
    counts += [(told.taken_out, "documents", "reversed, and leave the books")]
    for count, kind, what in counts:
        if count:
            verb = ("was" if count == 1 else "were") if told.is_done else "would be"
            console.print(f"{counted(count, singular(kind), kind)} {verb} {what}.", soft_wrap=True)
    if told.accounts:
        rows = [(excerpt(m.account), excerpt(m.name), m.before, m.after) for m in told.accounts]
        console.print(table(("Account", "Name", "Balance before", "After"), rows, whole=("Account",)))
    if told.kept_back:
        console.print(
            f"\n{counted(len(told.kept_back), 'document', 'documents')} would be posted otherwise and stay as they "
            "are, because they may not post today:",
            soft_wrap=True,
        )
        kept = [(words(one.kind), _number(one.number), one.id, one.reason) for one in told.kept_back[:_SHOWN]]
        console.print(table(("Kind", "Number", "Id", "Reason"), kept, whole=("Id", "Reason")))
        if len(told.kept_back) > _SHOWN:
            console.print(f"... and {len(told.kept_back) - _SHOWN:,} more")
    if step:
        console.print(f"\nNext: {step}", soft_wrap=True)


@books.command(examples=("billcom books acme-us close --through 2026-06-30",))
@click.option("--through", type=Day(), required=True, help="Last day of the closed period, such as 2026-06-30.")
@as_option
@pass_output
def close(output: Output, through: date | str, as_name: str | None) -> None:
    """Closes the books through a day: from then on nothing is posted on it or before.

    What comes late goes to the first open day, or is held, as the posting policy says (late).
    """
    key, warehouse, now = given_key(), opened(), utc_now()
    with alone(warehouse, key) as fence, warehouse.write() as connection:
        fence.check(connection)
        settings = {"closed_through": str(through)}
        changed = change_policy(connection, key, settings, acting(as_name), now)
    document = {
        "integration": key,
        "closed_through": changed.policy.closed_through,
        "late": changed.policy.late,
        "notes": changed.notes,
        "next_step": None,
    }

    def render(console: Console) -> None:
        console.print(f"{key}: the books are closed through {changed.policy.closed_through}.", soft_wrap=True)
        for note in changed.notes:
            console.print(note, soft_wrap=True)

    output.result(document, render)
