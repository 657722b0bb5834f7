"""What BILL no longer has: marked after two complete sweeps on different days, never after a failed read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from billcom_assets.bill.errors import BillError
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.sandbox.table import Row
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import Company, let_business_happen
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.test_equality import assert_equal

ONLY = ("bills",)


def take_away(company: Company, place: int = 5) -> Row:
    """Removes a bill from BILL, as nothing in its API can."""
    table = company.organization.table(BILLS)
    with company.server.sandbox.lock:
        gone = table.snapshot()[place]
        table.restore([row for row in table.snapshot() if row.id != gone.id])
    return gone


def give_back(company: Company, row: Row) -> None:
    table = company.organization.table(BILLS)
    with company.server.sandbox.lock:
        table.restore([*table.snapshot(), row])


def deleted(warehouse: Warehouse) -> dict[str, datetime]:
    table = warehouse.mirror.table("bills")
    with warehouse.read() as connection:
        query = select(table.c.id, table.c.deleted_at).where(table.c.deleted_at.is_not(None))
        return {row.id: row.deleted_at for row in connection.execute(query)}


def next_day(company: Company) -> None:
    company.server.clock.advance(timedelta(days=1))


def sweep(company: Company, warehouse: Warehouse, *, confirm: bool = False) -> int:
    (report, *_) = company.sync(warehouse, only=ONLY, refresh=True, confirm_deletions=confirm)
    return report.deleted


@pytest.fixture
def mirrored(company: Company, warehouse: Warehouse) -> Warehouse:
    company.sync(warehouse, only=ONLY)
    return warehouse


def test_two_sweeps_on_different_days_mark_what_is_gone(company: Company, mirrored: Warehouse) -> None:
    gone = take_away(company)
    assert sweep(company, mirrored) == 0
    assert sweep(company, mirrored) == 0
    assert deleted(mirrored) == {}
    next_day(company)
    assert sweep(company, mirrored) == 1
    assert deleted(mirrored).keys() == {gone.id}
    next_day(company)
    marked = deleted(mirrored)
    assert sweep(company, mirrored) == 0
    assert deleted(mirrored) == marked


def test_a_confirmed_sweep_marks_at_once(company: Company, mirrored: Warehouse) -> None:
    gone = take_away(company)
    assert sweep(company, mirrored, confirm=True) == 1
    assert deleted(mirrored).keys() == {gone.id}


def test_incremental_syncs_prove_no_deletion(company: Company, mirrored: Warehouse) -> None:
    take_away(company)
    for _ in range(3):
        next_day(company)
        company.sync(mirrored, only=ONLY)
    assert deleted(mirrored) == {}


def test_a_row_seen_in_between_starts_the_count_anew(company: Company, mirrored: Warehouse) -> None:
    gone = take_away(company)
    sweep(company, mirrored)
    give_back(company, gone)
    next_day(company)
    sweep(company, mirrored)
    take_away(company, place=company.organization.table(BILLS).ids.index(gone.id))
    next_day(company)
    assert sweep(company, mirrored) == 0
    next_day(company)
    assert sweep(company, mirrored) == 1


def test_a_row_that_reappears_is_no_longer_deleted(company: Company, mirrored: Warehouse) -> None:
    gone = take_away(company)
    sweep(company, mirrored, confirm=True)
    give_back(company, gone)
    sweep(company, mirrored)
    assert deleted(mirrored) == {}
    company.sync(mirrored)
    assert_equal(company, mirrored)


def test_a_deleted_row_that_changes_in_bill_comes_back_with_the_next_sync(
    company: Company, mirrored: Warehouse
) -> None:
    gone = take_away(company)
    sweep(company, mirrored, confirm=True)
    next_day(company)
    give_back(company, gone)
    company.organization.write(BILLS, gone.doc() | {"description": "found again"})
    company.sync(mirrored)
    assert deleted(mirrored) == {}
    assert_equal(company, mirrored)


@pytest.mark.parametrize("allowed", [1, 3, 5])
def test_a_failed_read_is_never_a_deletion(allowed: int, serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=700)
    company.sync(warehouse, only=ONLY)
    sandbox = company.server.sandbox
    next_day(company)
    sandbox.reset_stats()
    # One call is the sign-in of the day.
    sandbox.change_settings(requests_per_hour=allowed + 1)
    with pytest.raises(BillError):
        sweep(company, warehouse, confirm=True)
    assert deleted(warehouse) == {}
    sandbox.change_settings(requests_per_hour=20_000)
    assert sweep(company, warehouse, confirm=True) == 0
    company.sync(warehouse)
    assert_equal(company, warehouse)


def test_an_interrupted_sweep_marks_only_what_is_gone_once_it_is_complete(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=700)
    company.sync(warehouse, only=ONLY)
    gone = take_away(company)
    sandbox = company.server.sandbox
    next_day(company)
    sandbox.reset_stats()
    sandbox.change_settings(requests_per_hour=5)
    with pytest.raises(BillError):
        sweep(company, warehouse, confirm=True)
    sandbox.change_settings(requests_per_hour=20_000)
    assert sweep(company, warehouse, confirm=True) == 1
    assert deleted(warehouse).keys() == {gone.id}


def test_a_stale_answer_never_takes_a_row_back_in_time(company: Company, mirrored: Warehouse) -> None:
    company.sync(mirrored)
    table = company.organization.table(BILLS)
    old = table.snapshot()
    let_business_happen(company, 100, 1)
    company.sync(mirrored)
    new = table.snapshot()
    table.restore(old)
    sweep(company, mirrored)
    table.restore(new)
    assert_equal(company, mirrored)
    assert deleted(mirrored) == {}
