"""Opening documents are the same however they were left out: skipped by the sync, or by a cutoff that moved later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table, select

from billcom_assets.books.posting import post
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.books_tables import ledger_documents, opening_applications, opening_documents
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.books.ledger import POLICY, mirror_ledger, register, set_cutoff, set_policy
from billcom_assets_tests.sync.company import INTEGRATION, Company


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=200, orgs=1)) as server:
        yield Company(server)


def posted(company: Company, url: str, cutoff: date, *, synced_with: date | None) -> Warehouse:
    """A warehouse that was synced with one cutoff and posted to with another."""
    warehouse = open_warehouse(url)
    with warehouse.write() as connection:
        register(connection, cutoff=synced_with)
    company.sync(warehouse, cutoff=synced_with)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **POLICY)
        set_cutoff(connection, cutoff)
    post(warehouse, INTEGRATION, clock=company.server.clock.now)
    return warehouse


def rows(warehouse: Warehouse, table: Table) -> set[tuple[Any, ...]]:
    with warehouse.read() as connection:
        found = connection.execute(select(table)).all()
    return {tuple(f"{one:.2f}" if isinstance(one, Decimal) else one for one in row) for row in found}


def test_skipped_or_left_out_later(company: Company, make_database: Callable[..., str]) -> None:
    cutoff = company.server.clock.now().date() - timedelta(days=150)
    skipped = posted(company, make_database(), cutoff, synced_with=cutoff)
    left_out = posted(company, make_database(), cutoff, synced_with=None)
    for table in (opening_documents, opening_applications):
        found = rows(skipped, table)
        assert found
        assert found == rows(left_out, table)
    for warehouse in (skipped, left_out):
        warehouse.close()


def test_each_is_open_settled_by_what_is_in_scope_or_settling_it(
    company: Company, make_database: Callable[..., str]
) -> None:
    cutoff = company.server.clock.now().date() - timedelta(days=150)
    warehouse = posted(company, make_database(), cutoff, synced_with=cutoff)
    payments, parts = (warehouse.mirror.table(name) for name in ("vendor_payments", "vendor_payment_bills"))
    usages = warehouse.mirror.table("vendor_credit_usages")
    d = ledger_documents.c
    with warehouse.read() as connection:
        in_scope = {
            (row.kind, row.id) for row in connection.execute(select(d.kind, d.id).where(d.state != "out_of_scope"))
        }
        settled = {row.bill_id for row in connection.execute(select(parts)) if ("vendor_payments", row[1]) in in_scope}
        settled |= {row.bill_id for row in connection.execute(select(usages)) if ("vendor_credits", row[1]) in in_scope}
        settling = {
            row.document_id
            for row in connection.execute(select(opening_applications))
            if ("bills", row.settled_id) in in_scope
        }
        kept = connection.execute(select(opening_documents)).all()
        mirrored = set(connection.scalars(select(payments.c.id)))
    assert {row.id for row in kept if row.entity == "bills" and row.open_amount == 0} <= settled
    assert {row.id for row in kept if row.entity != "bills" and row.open_amount == 0} <= settling
    assert mirrored.isdisjoint(row.id for row in kept)
    assert all(row.date < cutoff for row in kept)
    warehouse.close()
