"""Reading the journal: entries with their lines, in the order of their dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, and_, exists, select

from billcom_assets.warehouse.books_tables import DIMENSIONS, ledger_documents, ledger_entries, ledger_lines

JOURNAL: Final = ledger_entries.join(
    ledger_lines,
    and_(ledger_lines.c.integration == ledger_entries.c.integration, ledger_lines.c.entry_id == ledger_entries.c.id),
)
"""Every line with its entry."""
_OF_ENTRY: Final = 10
"""Columns of an entry, then come those of a line, then its dimensions."""
_OF_LINE: Final = 21
_AT_ONCE: Final = 2_000
"""Rows that are in memory at the same time."""


@dataclass(frozen=True, slots=True)
class Period:
    """Posting dates from the first day to the last, both included; None is without an end."""

    first: date | None = None
    last: date | None = None

    def reaches(self, day: date) -> bool:
        """Whether the day is not after the last."""
        return self.last is None or day <= self.last

    def is_before(self, day: date) -> bool:
        """Whether the day is before the first."""
        return self.first is not None and day < self.first


class JournalLine(NamedTuple):
    """One line of an entry; names are ids as the table ``ledger_lines`` holds them."""

    line: int
    role: str
    ledger_account_id: str
    debit: Decimal
    """Home currency."""
    credit: Decimal
    """Home currency."""
    currency: str
    amount: Decimal
    """In ``currency``, positive for debits."""
    party: str | None
    ledger_party: str | None
    item: str | None
    settles: str | None
    dimensions: tuple[str | None, ...]
    """In the order of ``DIMENSIONS``."""

    @property
    def value(self) -> Decimal:
        """Home currency, positive for debits."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry with its lines in order."""

    lines: tuple[JournalLine, ...]
    id: str
    kind: str
    document_id: str
    sequence: int
    document_number: str | None
    type: str
    reversed_entry_id: str | None
    document_date: date
    posting_date: date
    memo: str


def entries(connection: Connection, integration: str, period: Period) -> Iterator[JournalEntry]:
    """The entries of the period by posting date, kind, document and sequence: an order that every database shares.

    Memory does not grow with their number.
    """
    e, d, line = ledger_entries.c, ledger_documents.c, ledger_lines.c
    text_of = partial(_bytewise, connection)
    # Not a join: before the server has counted the rows it takes the documents for few and reads all for every line.
    document_number = (
        select(d.number)
        .where(d.integration == e.integration, d.kind == e.kind, d.id == e.document_id)
        .scalar_subquery()
    )
    query = (
        select(
            *(e.id, e.kind, e.document_id, e.sequence, document_number, e.type, e.reversed_entry_id),
            *(e.document_date, e.posting_date, e.memo),
            *(line.line, line.role, line.ledger_account_id, line.debit, line.credit, line.currency, line.amount),
            *(line.party, line.ledger_party, line.item, line.settles, *(line[one] for one in DIMENSIONS)),
        )
        .select_from(JOURNAL)
        .where(*_in_period(integration, period))
        .order_by(e.posting_date, text_of(e.kind), text_of(e.document_id), e.sequence, text_of(e.id), line.line)
    )
    rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for _, of_entry in groupby(rows, key=attrgetter("id")):
        # Tuples, because rows of SQLAlchemy are slow to slice.
        found = [tuple(row) for row in of_entry]
        lines = tuple(JournalLine._make((*row[_OF_ENTRY:_OF_LINE], row[_OF_LINE:])) for row in found)
        yield JournalEntry(lines, *found[0][:_OF_ENTRY])


class Amount(NamedTuple):
    """What one line moves."""

    posting_date: date
    role: str
    ledger_account_id: str
    party: str | None
    currency: str
    debit: Decimal
    credit: Decimal
    amount: Decimal


def amounts(connection: Connection, integration: str, period: Period) -> Iterator[Amount]:
    """What every line of the period moves, in no order; memory does not grow with their number."""
    e, line = ledger_entries.c, ledger_lines.c
    columns = (
        e.posting_date,
        line.role,
        line.ledger_account_id,
        line.party,
        line.currency,
        line.debit,
        line.credit,
        line.amount,
    )
    query = select(*columns).select_from(JOURNAL).where(*_in_period(integration, period))
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield Amount(*row)


def accounts_in_use(connection: Connection, integration: str) -> list[str]:
    """Ids of the accounts that any line is on, whatever its date."""
    line = ledger_lines.c
    return list(connection.scalars(select(line.ledger_account_id).where(line.integration == integration).distinct()))


def has_entries_after(connection: Connection, integration: str, day: date) -> bool:
    """Whether anything is posted on a later day."""
    e = ledger_entries.c
    return bool(connection.scalar(select(exists().where(e.integration == integration, e.posting_date > day))))


def _bytewise(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """The text to sort by, in the same order on every database whatever its language."""
    return column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")


def _in_period(integration: str, period: Period) -> Iterator[ColumnElement[bool]]:
    e = ledger_entries.c
    yield e.integration == integration
    if period.first is not None:
        yield e.posting_date >= period.first
    if period.last is not None:
        yield e.posting_date <= period.last
