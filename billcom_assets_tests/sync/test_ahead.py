"""The beginnings of lists are asked for early, without a change of order and not beyond the gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from billcom_assets.bill.errors import Refused
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync import engine
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import PullKind, PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_rereads
from billcom_assets_tests.bill.scripted import Reply, error
from billcom_assets_tests.sync.company import Company
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.plain import PlainBill, at, bill, plain_bill
from billcom_assets_tests.sync.test_equality import assert_equal

NAMES = [entity.name for entity in CATALOG]
LATENCY_MS = 30


def lists_asked(company: Company) -> dict[str, int]:
    """How often each list was asked for, by entity, in the order in which BILL saw the first request for each."""
    names = {entity.call.replace("/api/v2", ""): entity.name for entity in CATALOG}
    counted = company.server.sandbox.stats.paths
    return {names[path]: count for path, count in counted.items() if path in names}


def by_entity(reports: list[PullReport]) -> dict[str, int]:
    return {report.entity: report.requests for report in reports if report.kind is not PullKind.V2}


def test_lists_are_begun_and_stored_in_the_planned_order(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=400, latency_ms=LATENCY_MS)
    reports = company.sync(warehouse)
    assert list(lists_asked(company)) == NAMES
    assert list(dict.fromkeys(report.entity for report in reports)) == NAMES
    assert_equal(company, warehouse)


def test_a_short_list_is_on_its_way_while_the_one_before_is_read(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=400, latency_ms=LATENCY_MS)
    with company.connected(warehouse, planned=NAMES) as sync, sync.alone():
        pull(sync, CATALOG["vendors"])
        wait_for_list(company, "accounts")


def test_a_gated_list_is_not_asked_for_while_one_before_the_gate_is_read(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=400, latency_ms=LATENCY_MS)
    ungated = NAMES[: NAMES.index("bills")]
    with company.connected(warehouse, planned=NAMES) as sync, sync.alone():
        for name in ungated:
            pull(sync, CATALOG[name])
        time.sleep(5 * LATENCY_MS / 1000)
    assert list(lists_asked(company)) == ungated


def in_other_lists(name: str) -> int:
    """Requests for the further lists of an entity."""
    return sum(len(one.queries) for one in CATALOG[name].other_lists)


def test_what_is_asked_ahead_is_asked_once_and_counted_where_it_belongs(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(latency_ms=LATENCY_MS)
    requests = by_entity(company.sync(warehouse))
    asked = lists_asked(company)
    for name in ("funding_accounts", "accounts", "departments", "locations", "users", "roles"):
        assert asked[name] == 1
        assert requests[name] == 1 + in_other_lists(name)


def test_a_quiet_sync_asks_for_lists_while_those_before_are_read_in_the_planned_order(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(latency_ms=LATENCY_MS)
    company.sync(warehouse)
    before = lists_asked(company)
    with company.connected(warehouse, planned=NAMES) as sync, sync.alone():
        pull(sync, CATALOG["vendors"])
        wait_until(lambda: lists_asked(company)["accounts"] > before["accounts"])
        time.sleep(5 * LATENCY_MS / 1000)
        asked = lists_asked(company)
        assert asked["bills"] == before["bills"]
        for name in NAMES[1 : NAMES.index("bills") + 1]:
            pull(sync, CATALOG[name])
        wait_until(lambda: lists_asked(company)["vendor_payments"] > before["vendor_payments"])
    assert company.server.sandbox.limits.peak
    assert max(company.server.sandbox.limits.peak.values()) <= 3


def test_what_is_read_again_is_fetched_ahead_too_and_counted_for_itself(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=400)
    company.sync(warehouse)
    reports = [report for report in company.sync(warehouse) if report.kind is not PullKind.V2]
    again = [report for report in reports if report.kind is PullKind.REREAD]
    assert again
    others = [0 if report in again else in_other_lists(report.entity) for report in reports]
    assert [report.requests for report in reports] == [1 + more for more in others]


FIRST, SECOND = "departments", "locations"


@contextmanager
def two_lists(warehouse: Warehouse) -> Iterator[tuple[PlainBill, Sync]]:
    """A run of two short lists, the first of which was pulled when its turn came."""
    with plain_bill() as bill, bill.run(warehouse, planned=(FIRST, SECOND)) as sync:
        yield bill, sync


def path(name: str) -> str:
    return f"/connect{CATALOG[name].path}"


def test_what_failed_before_its_turn_is_asked_again_in_its_turn(warehouse: Warehouse) -> None:
    with two_lists(warehouse) as (bill, sync):
        bill.server.always(path(SECOND), Reply(503, b"down"))
        pull(sync, CATALOG[FIRST])
        wait_until(lambda: sync.begun[SECOND].walk.failure is not None)  # type: ignore[union-attr]
        bill.server.always(path(SECOND), Reply(200, {"results": []}))
        assert [report.entity for report in pull(sync, CATALOG[SECOND])] == [SECOND]


def test_a_failure_in_the_lists_own_turn_is_told_at_once(warehouse: Warehouse) -> None:
    with two_lists(warehouse) as (bill, sync):
        bill.server.always(path(FIRST), error("BDC_1000", status=403))
        with pytest.raises(Refused):
            pull(sync, CATALOG[FIRST])
        assert bill.server.count(path(FIRST)) == 1


def test_a_list_that_hangs_does_not_keep_the_others_from_being_fetched(warehouse: Warehouse) -> None:
    names = ("departments", "locations", "jobs", "employees")
    released = threading.Event()
    with plain_bill() as bill, bill.run(warehouse, planned=names) as sync:
        for name in names[1:3]:
            bill.server.always(path(name), Reply(200, {"results": []}, wait_for=released))
        pull(sync, CATALOG[names[0]])
        wait_until(lambda: bill.server.count(path(names[2])) > 0)
        wait_until(lambda: bill.server.count(path(names[3])) > 0)
        released.set()


def test_what_was_asked_long_ago_is_asked_again(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with two_lists(warehouse) as (bill, sync):
        pull(sync, CATALOG[FIRST])
        wait_until(lambda: bill.server.count(path(SECOND)) == 1)
        monkeypatch.setattr(engine, "FRESH_SECONDS", 0)
        pull(sync, CATALOG[SECOND])
        assert bill.server.count(path(SECOND)) == 2


def test_what_was_read_again_meanwhile_is_not_overwritten_by_what_was_fetched_before(warehouse: Warehouse) -> None:
    """BILL changes a bill without moving its updated time, after the list was fetched and before it is stored."""
    with plain_bill([bill(1)]) as plain:
        plain.sync(warehouse)
        plain.docs[0]["updatedTime"] = at(days=1)
        with plain.run(warehouse, planned=("vendor_credits", "bills")) as sync:
            ahead = engine._begin(sync, CATALOG["bills"], sync.state("bills"), refresh=False)
            sync.begun["bills"] = ahead
            wait_until(lambda: bool(ahead.walk._stream._items))  # type: ignore[union-attr]
            plain.docs[0]["dueAmount"] = 40
            with warehouse.write() as connection:
                waiting = {"integration": sync.integration, "entity": "bills", "id": plain.docs[0]["id"]}
                connection.execute(sync_rereads.insert().values(waiting))
            sync.left_over = {"bills"}
            pull(sync, CATALOG["vendor_credits"])
            pull(sync, CATALOG["bills"])
        table = warehouse.mirror.table("bills")
        with warehouse.read() as connection:
            assert connection.scalar(select(table.c.due_amount)) == 40


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_list(company: Company, name: str) -> None:
    deadline = time.monotonic() + 10
    while name not in lists_asked(company):
        assert time.monotonic() < deadline, f"{name} was not asked for"
        time.sleep(0.01)
