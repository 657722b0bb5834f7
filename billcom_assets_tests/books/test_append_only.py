"""The journal can only grow: the database itself refuses everything else, whatever program asks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from billcom_assets.warehouse.books_tables import ledger_entries, ledger_lines
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.small_company import KEY, connect

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ENTRY = {
    "integration": KEY,
    "kind": "bills",
    "document_id": "00n1",
    "document_date": date(2026, 3, 2),
    "posting_date": date(2026, 3, 2),
    "memo": "Bill 1",
    "payload_digest": "",
    "policy_version": 1,
    "posted_at": NOW,
}
LINE = {"integration": KEY, "role": "line", "ledger_account_id": "6000", "currency": "USD", "amount": Decimal(1)}


@pytest.fixture
def journal(warehouse: Warehouse) -> Warehouse:
    """One entry of two lines, and its reversal."""
    with warehouse.write() as connection:
        connect(connection)
        first = {**ENTRY, "id": "bills:00n1:1", "sequence": 1, "type": "posting", "reversed_entry_id": None}
        second = {**ENTRY, "id": "bills:00n1:2", "sequence": 2, "type": "reversal", "reversed_entry_id": first["id"]}
        connection.execute(insert(ledger_entries), [first, second])
        for entry in (first, second):
            sides = ((1, Decimal(1), Decimal(0)), (2, Decimal(0), Decimal(1)))
            lines = [{"line": line, "debit": debit, "credit": credit} for line, debit, credit in sides]
            connection.execute(insert(ledger_lines), [{**LINE, "entry_id": entry["id"], **line} for line in lines])
    return warehouse


def rows(warehouse: Warehouse) -> tuple[int, int]:
    with warehouse.read() as connection:
        entries, lines = (
            connection.scalar(select(func.count()).select_from(table)) for table in (ledger_entries, ledger_lines)
        )
    return entries or 0, lines or 0


def refused(warehouse: Warehouse, statement: str) -> None:
    for table in ("ledger_entries", "ledger_lines"):
        statement = statement.replace(f" {table}", f" {warehouse.qualified(table)}")
    with pytest.raises(DBAPIError, match="append-only: post a reversal instead"), warehouse.write() as connection:
        connection.execute(text(statement))
    assert rows(warehouse) == (2, 4)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET posting_date = '2026-04-01' WHERE id = 'bills:00n1:1'",
        "UPDATE ledger_entries SET memo = memo",
        "UPDATE ledger_lines SET ledger_account_id = '6100' WHERE line = 1",
        "UPDATE ledger_lines SET integration = 'other'",
        "DELETE FROM ledger_entries WHERE id = 'bills:00n1:2'",
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_lines WHERE line = 2",
        "DELETE FROM ledger_lines",
    ],
)
def test_the_database_refuses_to_change_or_delete_what_was_posted(journal: Warehouse, statement: str) -> None:
    refused(journal, statement)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["ledger_entries", "ledger_lines"])
def test_postgresql_refuses_to_truncate_the_journal(journal: Warehouse, table: str) -> None:
    refused(journal, f"TRUNCATE {table}")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO ledger_lines SELECT * FROM ledger_lines WHERE line = 2",
        "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries WHERE id = 'bills:00n1:1'",
        "INSERT OR REPLACE INTO ledger_entries SELECT integration, 'bills:00n1:9', kind, document_id, 9, type, "
        "reversed_entry_id, document_date, posting_date, memo, payload_digest, policy_version, run_id, posted_at "
        "FROM ledger_entries WHERE id = 'bills:00n1:2'",
    ],
)
def test_sqlite_refuses_to_replace_what_was_posted(journal: Warehouse, statement: str) -> None:
    refused(journal, statement)


def test_an_entry_is_reversed_once(journal: Warehouse) -> None:
    again = {**ENTRY, "id": "bills:00n1:3", "sequence": 3, "type": "reversal", "reversed_entry_id": "bills:00n1:1"}
    with pytest.raises(DBAPIError), journal.write() as connection:
        connection.execute(insert(ledger_entries).values(again))


def test_only_an_integration_that_is_being_forgotten_loses_its_journal(journal: Warehouse) -> None:
    refused(journal, "DELETE FROM ledger_lines")
    with journal.write() as connection:
        connection.execute(update(integrations).values(status="forgetting", credentials=None))
        connection.execute(ledger_lines.delete())
        connection.execute(ledger_entries.delete())
    assert rows(journal) == (0, 0)
