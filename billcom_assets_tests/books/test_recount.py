"""BILL's documents counted once more: what should be in the mirror and is not, or is otherwise, is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from billcom_assets.books.recount import Recount, cost, recount
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.test_cutoff import middle
from billcom_assets_tests.sync.truth import objects

KINDS = ["bills", "vendor_credits", "vendor_payments", "money_movements"]


@pytest.fixture
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=250, orgs=1)) as server:
        yield Company(server)


def counted(company: Company, warehouse: Warehouse, cutoff: date | None = None) -> dict[str, Recount]:
    with company.connected(warehouse, cutoff=cutoff) as sync:
        return {one.entity: one for one in recount(sync)}


def test_a_mirror_that_is_up_to_date_has_what_bill_has(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    found = counted(company, warehouse)
    assert list(found) == KINDS
    for entity, one in found.items():
        there = objects(company.organization, CATALOG[entity])
        assert one.holds
        assert one.compared == sum(line.bill.documents for line in one.lines) == len(there)
        assert all(line.mirror == line.bill for line in one.lines)
    bills = found["bills"]
    assert {line.status for line in bills.lines} >= {"PAID", "UNPAID"}
    total = sum((line.bill.amount for line in bills.lines), Decimal(0))
    assert total == sum(Decimal(str(one["amount"])) for one in objects(company.organization, CATALOG["bills"]))


def test_nothing_is_written(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    before = states(warehouse)
    let_business_happen(company, 50, 1)
    counted(company, warehouse)
    assert states(warehouse) == before


def states(warehouse: Warehouse) -> list[object]:
    tables = [warehouse.mirror.table(name) for name in KINDS]
    with warehouse.read() as connection:
        return [
            connection.execute(select(func.count(), func.max(table.c.synced_at), func.max(table.c.updated_time))).one()
            for table in tables
        ]


def test_it_takes_as_many_requests_as_was_said(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    with company.connected(warehouse) as sync, warehouse.read() as connection:
        expected = cost(connection, sync)
    stats = company.server.sandbox.stats
    before = stats.requests
    found = counted(company, warehouse)
    assert stats.requests - before == sum(one.requests for one in found.values()) == expected


def test_what_changed_since_the_last_sync_is_counted_apart(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    company.server.clock.advance(timedelta(hours=1))
    let_business_happen(company, 100, 1)
    bills = counted(company, warehouse)["bills"]
    assert bills.changed
    assert bills.holds
    company.sync(warehouse)
    assert counted(company, warehouse)["bills"].changed == 0


def test_what_the_cutoff_leaves_out_is_counted_beside(company: Company, warehouse: Warehouse) -> None:
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    bills = counted(company, warehouse, cutoff)["bills"]
    before = [
        one
        for one in objects(company.organization, CATALOG["bills"])
        if date.fromisoformat(str(one["invoice"]["invoiceDate"])) < cutoff
    ]
    assert (bills.holds, bills.left_out) == (True, len(before))


def test_what_is_missing_on_either_side_or_otherwise_is_named(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    table = company.organization.table(BILLS)
    gone, lost, other = (row.id for row in table.snapshot()[:3])
    with company.server.sandbox.lock:
        table.restore([row for row in table.snapshot() if row.id != gone])
    t = warehouse.mirror.table("bills")
    with warehouse.write() as connection:
        connection.execute(t.delete().where(t.c.integration == INTEGRATION, t.c.id == lost))
        connection.execute(update(t).where(t.c.id == other).values(payment_status="UNKNOWN"))
    bills = counted(company, warehouse)["bills"]
    sides = {each.documents[0].id: (each.left is None, each.right is None) for each in bills.first}
    assert sides == {gone: (False, True), lost: (True, False), other: (False, False)}
    assert bills.differences == 3


def test_a_list_that_bill_does_not_show_is_not_compared(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    company.server.sandbox.change_settings(v2_access="no_key")
    found = counted(company, warehouse)
    assert found["money_movements"].refused
    assert found["money_movements"].holds
    assert found["bills"].compared
