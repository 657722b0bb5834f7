"""What the books hold, in figures: documents by state and reason, the journal, the trial balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, and_, case, func, or_, select

from billcom_assets.books.held import REASONS
from billcom_assets.books.kinds import KINDS
from billcom_assets.warehouse.books_tables import (
    ledger_documents,
    ledger_entries,
    ledger_lines,
    opening_documents,
    posting_state,
)
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import integration_errors


@dataclass(frozen=True, slots=True)
class States:
    """Documents of one kind in one state, for one reason."""

    kind: str
    state: str
    """imported, held or out_of_scope."""
    reason: str
    """Why they are out of scope; empty otherwise."""
    documents: int
    home_amount: Decimal
    """Their total in the home currency; those without a rate count nothing."""
    without_rate: int
    """Those of them that have an amount, but none in the home currency."""


@dataclass(frozen=True, slots=True)
class Held:
    """Held documents of one kind with one reason; a document with two is in both."""

    kind: str
    reason: str
    documents: int
    home_amount: Decimal
    without_rate: int


@dataclass(frozen=True, slots=True)
class Balance:
    """One account of the trial balance, in the home currency."""

    account: str
    name: str
    debit: Decimal
    credit: Decimal
    balance: Decimal
    """Debit less credit."""


@dataclass(frozen=True, slots=True)
class Journal:
    """How much has been posted."""

    entries: int
    reversals: int
    """Of the entries."""
    lines: int
    made_in_run: int
    """Entries that one run made."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Opening documents of one kind in one currency."""

    entity: str
    currency: str
    documents: int
    open_amount: Decimal


_TOTALS: Final = (
    func.count(),
    MoneySum(func.coalesce(ledger_documents.c.home_amount, 0)),
    func.count(case((ledger_documents.c.home_amount.is_(None), ledger_documents.c.amount))),
)


def states(connection: Connection, integration: str) -> list[States]:
    """Documents by kind, state and reason."""
    d = ledger_documents.c
    key = (d.kind, d.state, func.coalesce(d.reason, ""))
    query = select(*key, *_TOTALS)
    rows = connection.execute(query.where(d.integration == integration).group_by(*key).order_by(*key))
    return [States(*row) for row in rows]


def held(connection: Connection, integration: str) -> list[Held]:
    """Held documents by kind and reason; those that a person has set aside, too."""
    d, e = ledger_documents.c, integration_errors.c
    about = and_(e.integration == d.integration, e.entity == d.kind, e.record_id == d.id)
    key = (d.kind, e.code)
    query = select(*key, *_TOTALS).join_from(ledger_documents, integration_errors, about)
    mine = (d.integration == integration, d.state == "held", or_(e.status == "open", e.status == "ignored"))
    return [Held(*row) for row in connection.execute(query.where(*mine).group_by(*key).order_by(*key))]


def reasons(connection: Connection, integration: str) -> dict[tuple[str, str], int]:
    """Held documents by kind and reason, 0 for reasons that held some before, so that plots come down to it."""
    e = integration_errors.c
    of_documents = (e.integration == integration, e.entity.in_(list(KINDS)), e.code.in_(list(REASONS)))
    known = select(e.entity, e.code).where(*of_documents).distinct().order_by(e.entity, e.code)
    counts = {(row.entity, row.code): 0 for row in connection.execute(known)}
    return counts | {(one.kind, one.reason): one.documents for one in held(connection, integration)}


def trial_balance(connection: Connection, integration: str) -> list[Balance]:
    """Every account with lines, by id."""
    line, account = ledger_lines.c, ledger_accounts.c
    key = (line.ledger_account_id, func.coalesce(account.name, ""))
    of_account = and_(account.integration == line.integration, account.id == line.ledger_account_id)
    query = select(*key, MoneySum(line.debit), MoneySum(line.credit), MoneySum(line.debit - line.credit)).select_from(
        ledger_lines.outerjoin(ledger_accounts, of_account)
    )
    rows = connection.execute(query.where(line.integration == integration).group_by(*key).order_by(key[0]))
    return [Balance(*row) for row in rows]


def journal(connection: Connection, integration: str, run_id: str | None = None) -> Journal:
    """How many entries and lines there are, and how many of the entries the run made."""
    e, line = ledger_entries.c, ledger_lines.c
    counted = select(
        func.count(),
        func.count(e.reversed_entry_id),
        func.count(case((e.run_id == run_id, 1))),
    ).where(e.integration == integration)
    entries, reversals, made = connection.execute(counted).one()
    lines = connection.scalar(select(func.count()).select_from(ledger_lines).where(line.integration == integration))
    return Journal(entries, reversals, lines or 0, made or 0)


def opening(connection: Connection, integration: str) -> list[Opening]:
    """Opening documents by kind and currency."""
    o = opening_documents.c
    key = (o.entity, o.currency)
    query = select(*key, func.count(), MoneySum(o.open_amount)).where(o.integration == integration)
    return [Opening(*row) for row in connection.execute(query.group_by(*key).order_by(*key))]


def posted_at(connection: Connection, integration: str) -> datetime | None:
    """When a posting last looked at documents, UTC; None when none ever did."""
    s = posting_state.c
    return connection.scalar(select(s.posted_at).where(s.integration == integration))


def total(found: Sequence[States], state: str) -> tuple[int, Decimal]:
    """How many documents are in the state, and what they add up to."""
    mine = [one for one in found if one.state == state]
    return sum(one.documents for one in mine), sum((one.home_amount for one in mine), Decimal(0))
