"""Errors put into books on purpose, behind the back of everything that would refuse them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, text, update

from billcom_assets.warehouse.books_tables import (
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
)
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets_tests.sync.company import INTEGRATION

_JOURNAL = ("ledger_entries", "ledger_lines")


def open_journal(connection: Connection) -> None:
    """Lets the journal be changed, and an entry be reversed twice, until the transaction is rolled back."""
    index = "ix_ledger_entries_integration_reversed_entry_id"
    if connection.dialect.name == "postgresql":
        for table in _JOURNAL:
            connection.execute(text(f"ALTER TABLE {SCHEMA}.{table} DISABLE TRIGGER USER"))
        connection.execute(text(f"DROP INDEX {SCHEMA}.{index}"))
        return
    for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        if name.startswith(_JOURNAL):
            connection.execute(text(f"DROP TRIGGER {name}"))
    connection.execute(text(f"DROP INDEX {index}"))


def standing_entry(connection: Connection, kind: str, *conditions: Any) -> Any:
    """The first document of the kind with an entry that stands, in the home currency, and fits."""
    d = ledger_documents.c
    mine = (d.integration == INTEGRATION, d.kind == kind, d.entry_id.is_not(None), d.currency == "USD")
    row = connection.execute(select(ledger_documents).where(*mine, *conditions).order_by(d.id)).first()
    assert row is not None, "nothing fits"
    return row


def with_lines(role: str, at_least: int) -> Any:
    """Fits documents whose entries have so many lines of the role."""
    d, line = ledger_documents.c, ledger_lines.c
    mine = (line.integration == d.integration, line.entry_id == d.entry_id, line.role == role)
    return select(func.count()).select_from(ledger_lines).where(*mine).correlate(
        ledger_documents
    ).scalar_subquery() >= (at_least)


def lines_of(connection: Connection, entry_id: str, role: str | None = None) -> list[Any]:
    """The entry's lines in their order."""
    line = ledger_lines.c
    query = select(ledger_lines).where(line.integration == INTEGRATION, line.entry_id == entry_id).order_by(line.line)
    return [row for row in connection.execute(query) if role in {None, row.role}]


def drop_line(connection: Connection, line: Any) -> None:
    """The line is gone."""
    connection.execute(ledger_lines.delete().where(*_is(line)))


def change_line(connection: Connection, line: Any, **values: Any) -> None:
    """The line has other values."""
    connection.execute(update(ledger_lines).where(*_is(line)).values(**values))


def _is(line: Any) -> tuple[Any, ...]:
    c = ledger_lines.c
    return c.integration == INTEGRATION, c.entry_id == line.entry_id, c.line == line.line


def reverse_again(connection: Connection, kind: str) -> Any:
    """The first document of the kind that was reversed is reversed once more; returns its row."""
    e, d = ledger_entries.c, ledger_documents.c
    reversal = connection.execute(
        select(ledger_entries)
        .where(e.integration == INTEGRATION, e.kind == kind, e.type == "reversal")
        .order_by(e.document_id)
    ).first()
    assert reversal is not None
    again = dict(reversal._mapping) | {"id": f"{reversal.id}0", "sequence": reversal.sequence * 10}
    connection.execute(insert(ledger_entries).values(again))
    for line in lines_of(connection, reversal.id):
        connection.execute(insert(ledger_lines).values(dict(line._mapping) | {"entry_id": again["id"]}))
    about = and_(d.integration == INTEGRATION, d.kind == kind, d.id == reversal.document_id)
    return connection.execute(select(ledger_documents).where(about)).one()


def lose_document(connection: Connection, document: Any) -> None:
    """Its row is gone."""
    d = ledger_documents.c
    mine = (d.integration == INTEGRATION, d.kind == document.kind, d.id == document.id)
    connection.execute(ledger_documents.delete().where(*mine))


def lose_application(connection: Connection) -> Any:
    """One of the bills that a payment pays is forgotten; returns the application."""
    a, d = ledger_applications.c, ledger_documents.c
    of_bill = and_(d.integration == a.integration, d.kind == a.settled_kind, d.id == a.settled_id)
    several = select(a.document_id).where(a.kind == "vendor_payments").group_by(a.document_id).having(func.count() > 1)
    row = connection.execute(
        select(ledger_applications)
        .join_from(ledger_applications, ledger_documents, of_bill)
        .where(a.integration == INTEGRATION, a.document_id.in_(several), d.state == "imported", d.currency == "USD")
        .order_by(a.document_id, a.position)
    ).first()
    assert row is not None
    mine = (a.integration == INTEGRATION, a.document_id == row.document_id, a.position == row.position)
    connection.execute(ledger_applications.delete().where(*mine, a.kind == row.kind))
    return row
