"""The formats that the books are exported in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from billcom_assets.books.export.amounts import ZERO
from billcom_assets.books.export.assembly import Expected, journal
from billcom_assets.books.export.beancount import beancount_text
from billcom_assets.books.export.hledger import hledger_text
from billcom_assets.books.export.journal import Journal
from billcom_assets.books.export.journal_csv import journal_csv
from billcom_assets.books.export.line_csv import line_csv
from billcom_assets.books.export.names import Names, names
from billcom_assets.books.export.rows import JournalEntry, Period, entries
from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets.warehouse.home_currency import home_currency

_Write = Callable[[Connection, str, Period, Iterator[JournalEntry], Expected], Iterator[str]]


def _as_journal(render: Callable[[Journal], Iterator[str]]) -> _Write:
    def write(
        connection: Connection, integration: str, period: Period, read: Iterator[JournalEntry], expected: Expected
    ) -> Iterator[str]:
        return render(journal(connection, integration, period, read, expected))

    return write


def _as_table(render: Callable[[Names, str, Iterator[JournalEntry]], Iterator[str]]) -> _Write:
    def write(
        connection: Connection, integration: str, _period: Period, read: Iterator[JournalEntry], _expected: Expected
    ) -> Iterator[str]:
        return render(names(connection, integration), home_currency(connection, integration), read)

    return write


@dataclass(frozen=True, slots=True)
class BooksFormat:
    """How the books are written, and how the file is checked."""

    write: _Write
    encoding: str
    check: tuple[str, ...] = ()
    """The command that checks a file, whose name comes last; none for tables."""


FORMATS: Final[Mapping[str, BooksFormat]] = {
    "beancount": BooksFormat(_as_journal(beancount_text), "utf-8", ("bean-check",)),
    "hledger": BooksFormat(_as_journal(hledger_text), "utf-8", ("hledger", "check", "--strict", "-f")),
    "csv": BooksFormat(_as_table(line_csv), ENCODING),
    "journal-csv": BooksFormat(_as_table(journal_csv), ENCODING),
}


@dataclass
class Exported:
    """What the part of an export that was read so far held."""

    home_currency: str
    entries: int = 0
    lines: int = 0
    debit: Decimal = ZERO
    """Home currency; credits add up to the same."""

    def counted(self, read: Iterator[JournalEntry]) -> Iterator[JournalEntry]:
        """The entries, counted when they are read."""
        for entry in read:
            self.entries += 1
            self.lines += len(entry.lines)
            self.debit += sum((line.debit for line in entry.lines), ZERO)
            yield entry


def export_books(
    connection: Connection, integration: str, format_: BooksFormat, period: Period, expected: Expected
) -> tuple[Iterator[str], Exported]:
    """The books of a period in a format: the text piece by piece, to be read once, and a count that follows.

    The same books give the same text, on every database.

    Args:
        connection: Must see the same books until the text was read to its end.
        integration: Key of the integration.
        format_: One of :data:`FORMATS`.
        period: Posting dates.
        expected: What journals assert of vendors and customers.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    exported = Exported(home_currency(connection, integration))
    read = exported.counted(entries(connection, integration, period))
    return format_.write(connection, integration, period, read, expected), exported
