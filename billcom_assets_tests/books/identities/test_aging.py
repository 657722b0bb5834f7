"""The aging, which asks BILL's figures, and the books, which add up entries, come to the same document by document."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, select

from billcom_assets.books.run import Run
from billcom_assets.warehouse.aging import PAYABLES, AgingQuery
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents
from billcom_assets_tests.books.identities.conftest import SETTINGS, Books
from billcom_assets_tests.sync.company import INTEGRATION

CENT = Decimal("0.01")
ENTITIES = {"bill": "bills", "vendor_credit": "vendor_credits"}
Key = tuple[str, str]


def documents(connection: Connection) -> dict[Key, Any]:
    d = ledger_documents
    found = connection.execute(select(d).where(d.c.integration == INTEGRATION))
    return {(row.kind, row.id): row for row in found}


def rows(connection: Connection, run: Run, table: str) -> list[Any]:
    t = run.mirror.table(table)
    return list(connection.execute(select(t).where(t.c.integration == INTEGRATION)))


def aged(connection: Connection, run: Run) -> dict[Key, Any]:
    query = AgingQuery(run.mirror, PAYABLES, None, INTEGRATION).documents()
    return {(ENTITIES[row.document_type], row.document_id): row for row in connection.execute(query)}


def left_in_books(connection: Connection, known: dict[Key, Any]) -> dict[Key, Decimal]:
    """What of each imported document the imported credits and payments have not settled or used."""
    left = {key: row.amount for key, row in known.items() if row.state == "imported"}
    a = ledger_applications
    for row in connection.execute(select(a).where(a.c.integration == INTEGRATION)):
        of, settled = (row.kind, row.document_id), (row.settled_kind, row.settled_id)
        if of in left:
            left[of] -= row.amount
            if settled in left:
                left[settled] -= row.amount
    return left


def settling(connection: Connection, run: Run) -> dict[Key, set[Key]]:
    """What settles a bill or uses a credit, as BILL says."""
    found: defaultdict[Key, set[Key]] = defaultdict(set)
    for row in rows(connection, run, "vendor_payment_bills"):
        found["bills", row.bill_id].add(("vendor_payments", row.vendor_payment_id))
    for row in rows(connection, run, "vendor_credit_usages"):
        found["bills", row.bill_id].add(("vendor_credits", row.vendor_credit_id))
        found["vendor_credits", row.vendor_credit_id].add(("bills", row.bill_id))
    return found


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_open_by_bill_is_open_in_the_books(books: Books, name: str) -> None:
    with books(name).undone() as (connection, run):
        known, aging, settled_by = documents(connection), aged(connection, run), settling(connection, run)
        left = left_in_books(connection, known)
    # What is settled by something that the books do not have is open there for longer: that is for identity 5.
    comparable = {key for key in left if key[0] in ENTITIES.values()} - {
        key for key, by in settled_by.items() if any(one not in left for one in by)
    }
    differing = {
        key: (left[key], aging[key].open_amount if key in aging else 0)
        for key in comparable
        if (abs(aging[key].open_amount) if key in aging else Decimal(0)).quantize(CENT) != left[key].quantize(CENT)
    }
    assert differing == {}
    assert {key[0] for key in comparable if key in aging} == set(ENTITIES.values())


@pytest.mark.parametrize("name", SETTINGS)
def test_what_the_books_hold_is_owed_all_the_same_and_marked(books: Books, name: str) -> None:
    with books(name).undone() as (connection, run):
        known, aging = documents(connection), aged(connection, run)
        parties = connection.execute(AgingQuery(run.mirror, PAYABLES, None, INTEGRATION).parties()).all()
    assert {key: row.books_state for key, row in aging.items()} == {
        key: known[key].state if key in known else None for key in aging
    }
    held = [row for row in aging.values() if row.state == "open" and row.books_state == "held"]
    assert held
    assert sum(row.held for row in parties) == sum(row.open_amount for row in held)
