"""The books as the general-journal import of accounting programs such as QuickBooks Online and Xero takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from billcom_assets.books.export.amounts import number
from billcom_assets.books.export.line_csv import LINE_END
from billcom_assets.books.export.names import Names, party_entity
from billcom_assets.books.export.one_line import on_one_line
from billcom_assets.books.export.rows import JournalEntry, JournalLine
from billcom_assets.ledger.spreadsheets import csv_lines
from billcom_assets.warehouse.books_tables import DIMENSIONS

_CLASSIFICATIONS: Final = {
    "Class": "accounting_class",
    "Location": "location",
    "Department": "department",
    "Job": "job",
    "Employee": "employee",
}
COLUMNS: Final = (
    *("Journal No", "Date", "Account Number", "Account Name", "Debit", "Credit", "Description", "Name", "Currency"),
    *_CLASSIFICATIONS,
    *("Item", "Foreign Currency", "Foreign Amount", "Entry"),
)
_A: Final = ord("A")
_LETTERS: Final = 26


def journal_csv(names: Names, home: str, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """One row per line: debit or credit in the home currency, the other cell empty; names as the ledger has them.

    Foreign amounts stand in columns of their own, for reading: journals are imported at their home values. Texts are on
    one line each, as not every import takes more.
    """
    rows = (_row(names, home, entry, line) for entry in entries for line in entry.lines)
    return csv_lines(COLUMNS, rows, end=LINE_END)


def journal_number(entry: JournalEntry) -> str:
    """BILL's id of the document, and a letter for which of its entries it is.

    QuickBooks Online takes 21 characters, and BILL's ids have 20. Only a document with more entries than letters goes
    by the entry's whole id.
    """
    if entry.sequence > _LETTERS:
        return entry.id
    return f"{entry.document_id}{chr(_A + entry.sequence - 1)}"


def _row(names: Names, home: str, entry: JournalEntry, line: JournalLine) -> tuple[object, ...]:
    account = names.account(line.ledger_account_id)
    dimensions = dict(zip(DIMENSIONS, line.dimensions, strict=True))
    is_foreign = line.currency != home
    return (
        *(journal_number(entry), entry.posting_date, account.number, account.full_name),
        *(_filled(line.debit, home), _filled(line.credit, home)),
        on_one_line(entry.memo),
        on_one_line(names.party(party_entity(entry.kind), line.party, line.ledger_party)),
        home,
        *(names.dimension(column, dimensions[column]) for column in _CLASSIFICATIONS.values()),
        names.item(line.item),
        *((line.currency, Decimal(number(line.amount, line.currency))) if is_foreign else (None, None)),
        entry.id,
    )


def _filled(amount: Decimal, home: str) -> Decimal | None:
    return Decimal(number(amount, home)) if amount else None
