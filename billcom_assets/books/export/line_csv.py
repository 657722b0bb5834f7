"""The books as a table: one row per line of the journal, with both currencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from billcom_assets.books.export.names import Names, party_entity
from billcom_assets.books.export.rows import JournalEntry, JournalLine
from billcom_assets.ledger.spreadsheets import csv_lines
from billcom_assets.warehouse.books_tables import DIMENSIONS

LINE_END: Final = "\r\n"
"""As RFC 4180 has it."""
COLUMNS: Final = (
    *("entry_id", "line", "posting_date", "document_date", "kind", "document_id", "document_number", "type"),
    *("reversed_entry_id", "memo", "role", "ledger_account_id", "account_number", "account_name", "account_type"),
    *("debit", "credit", "home_currency", "amount", "currency"),
    *("party", "party_name", "ledger_party", "ledger_party_name", "item", "item_name"),
    *(name for one in DIMENSIONS for name in (one, f"{one}_name")),
    "settles",
)


def line_csv(names: Names, home: str, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """The lines as CSV: ids and names, debit and credit in the home currency, amount in the document's."""
    rows = (_row(names, home, entry, line) for entry in entries for line in entry.lines)
    return csv_lines(COLUMNS, rows, end=LINE_END)


def _row(names: Names, home: str, entry: JournalEntry, line: JournalLine) -> tuple[object, ...]:
    account, entity = names.account(line.ledger_account_id), party_entity(entry.kind)
    dimensions = zip(DIMENSIONS, line.dimensions, strict=True)
    return (
        *(entry.id, line.line, entry.posting_date, entry.document_date, entry.kind, entry.document_id),
        *(entry.document_number, entry.type, entry.reversed_entry_id, entry.memo, line.role),
        *(account.id, account.number, account.full_name, account.type),
        *(line.debit, line.credit, home, line.amount, line.currency),
        *(line.party, names.bill_party(entity, line.party) if line.party else None),
        *(line.ledger_party, names.ledger_parties.get((entity, line.ledger_party or ""))),
        *(line.item, names.item(line.item)),
        *(cell for column, id_ in dimensions for cell in (id_, names.dimension(column, id_))),
        line.settles,
    )
