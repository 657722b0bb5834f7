"""The beginnings of lists are asked for early, without a change of order and not beyond the gate."""

from __future__ import annotations

import time
from typing import Any

import pytest

from billcom_assets.bill.client import Page
from billcom_assets.bill.errors import BillError, BillUnavailable, QueryRefused
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync import ahead, beginnings
from billcom_assets.sync.ahead import ReadAhead
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import PullReport
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import Company
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.test_equality import assert_equal

NAMES = [entity.name for entity in CATALOG]
LATENCY_MS = 30


def lists_asked(company: Company) -> dict[str, int]:
    """How often each list was asked for, by entity, in the order in which BILL saw the first request for each."""
    names = {f"GET {entity.path}": entity.name for entity in CATALOG}
    counted = company.server.sandbox.stats.paths
    return {names[path]: count for path, count in counted.items() if path in names}


def by_entity(reports: list[PullReport]) -> dict[str, int]:
    return {report.entity: report.requests for report in reports}


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


def test_what_is_asked_ahead_is_asked_once_and_counted_where_it_belongs(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(latency_ms=LATENCY_MS)
    requests = by_entity(company.sync(warehouse))
    asked = lists_asked(company)
    for name in ("funding_accounts", "accounts", "departments", "locations", "users", "roles"):
        assert asked[name] == requests[name] == 1


def test_nothing_is_asked_ahead_for_a_list_that_was_pulled_before(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(latency_ms=LATENCY_MS)
    company.sync(warehouse)
    before = lists_asked(company)
    with company.connected(warehouse, planned=NAMES) as sync, sync.alone():
        pull(sync, CATALOG["vendors"])
        time.sleep(5 * LATENCY_MS / 1000)
    after = lists_asked(company)
    assert {name for name in NAMES if after[name] > before[name]} == {"vendors"}


class Flaky:
    """A BILL that fails once for each list, and then gives an empty page."""

    def __init__(self, failure: BillError) -> None:
        self.failure = failure
        self.asked: list[str] = []

    def page(self, path: str, **_query: Any) -> Page:
        self.asked.append(path)
        if self.asked.count(path) == 1:
            raise self.failure
        return Page((), None)


def ahead_of(client: Any) -> ReadAhead:
    entities = [CATALOG["departments"], CATALOG["locations"]]
    return ReadAhead(client, entities, None, lambda _entity: True, lambda: None)


def ask(pages: ReadAhead, name: str) -> Page:
    query = beginnings.beginning(CATALOG[name], None)[0]
    return pages.page(query.path, filters=query.filters, sort=query.sort, max_rows=query.max_rows)


def test_what_failed_when_it_was_asked_ahead_is_asked_again_when_it_is_needed() -> None:
    bill = Flaky(BillUnavailable("BILL is down"))
    pages = ahead_of(bill)
    pages.begin_after(CATALOG["departments"])
    assert ask(pages, "locations") == Page((), None)
    assert bill.asked == [CATALOG["locations"].path] * 2


def test_a_failure_of_the_lists_own_turn_and_a_refused_query_are_told_at_once() -> None:
    own = ahead_of(Flaky(BillUnavailable("BILL is down")))
    own.begin(CATALOG["departments"])
    with pytest.raises(BillUnavailable):
        ask(own, "departments")
    refused = ahead_of(Flaky(QueryRefused("no such filter")))
    refused.begin_after(CATALOG["departments"])
    with pytest.raises(QueryRefused):
        ask(refused, "locations")


def test_what_was_asked_long_ago_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bill = Flaky(BillUnavailable("BILL is down"))
    bill.asked = [CATALOG["locations"].path]
    pages = ahead_of(bill)
    pages.begin_after(CATALOG["departments"])
    monkeypatch.setattr(ahead, "_FRESH_SECONDS", 0)
    pages.begin(CATALOG["locations"])
    ask(pages, "locations")
    assert len(bill.asked) == 3


def wait_for_list(company: Company, name: str) -> None:
    deadline = time.monotonic() + 10
    while name not in lists_asked(company):
        assert time.monotonic() < deadline, f"{name} was not asked for"
        time.sleep(0.01)
