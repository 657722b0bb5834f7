"""What BILL's v2 API adds to the mirror: equal to what v2 knows, in few requests, and nothing lost without it."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from sqlalchemy import func, select, update

from billcom_assets.bill.client import CallEvent, EventKind
from billcom_assets.sandbox.books.objects import set_hidden
from billcom_assets.sandbox.changes import HAPPENINGS
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.sandbox.v2.shapes import SHAPES
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors, sync_runs
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen, pull_all
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.truth import differences, truth_of, written_at
from billcom_assets_tests.sync.v2_truth import approvers

READINGS: dict[str, dict[str, Any]] = {
    "v3 knows no approval": {"approvals_undefined": True},
    "unset is empty": {"v2_unset_is_empty": True},
    "numbers are text where one is read": {"v2_reads_as_text": True, "v2_approver_bill_key": "billId"},
    "lines only when asked for": {"v2_children_asked": True},
    "posting dates only when moved": {"posting_date_when_moved": True},
    "short pages": {"v2_page_limit": 120},
    "no filters": {"v2_refuses_filters": True},
}
AWAY = Refusal(500, "BDC_1001", "System error occurred")
HIDDEN = [name for name, (weight, _, _) in HAPPENINGS.items() if not weight]


class Watched:
    """Counts the requests that reach v2, by what they ask for."""

    def __init__(self, company: Company) -> None:
        self.asked: Counter[str] = Counter()
        company.on_event = self._note

    def _note(self, event: CallEvent) -> None:
        if event.kind is EventKind.REQUEST and "/api/v2/" in event.endpoint:
            self.asked[event.endpoint.rpartition("/api/v2/")[2].removesuffix(".json")] += 1


def assert_equal(company: Company, warehouse: Warehouse, *, v2: bool = True) -> None:
    assert differences(warehouse, INTEGRATION, truth_of(company.organization, v2=v2)) == []


def let_hidden_things_happen(company: Company, seed: int) -> None:
    """One of each thing that v3 hardly shows, as far as there is somebody it can happen to."""
    happened = []
    for number, name in enumerate(HIDDEN):
        company.server.clock.advance(_A_MINUTE)
        with suppress(ValueError):
            happened += company.server.sandbox.change(1, seed * 100 + number, only=name)
    assert len(happened) >= len(HIDDEN) - 2


_A_MINUTE = timedelta(minutes=1)


def test_after_every_sync_the_mirror_shows_what_v2_knows(serve: Serve, warehouse: Warehouse) -> None:
    assert_shown_after_every_sync(serve(bills=200), warehouse)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_it_does_however_v2_is_read(reading: dict[str, Any], serve: Serve, warehouse: Warehouse) -> None:
    assert_shown_after_every_sync(serve(bills=200, **reading), warehouse)


def assert_shown_after_every_sync(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    assert_equal(company, warehouse)
    for seed in (1, 2):
        let_business_happen(company, 60, seed)
        let_hidden_things_happen(company, seed)
        reports = company.sync(warehouse)
        assert_equal(company, warehouse)
        assert all(report.counts.is_conserved for report in reports)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_page_holds_999_and_only_undecided_bills_cost_a_request_of_their_own(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=2_100)
    watched = Watched(company)
    company.sync(warehouse)
    assert_equal(company, warehouse)
    undecided = sum(
        doc["approvalStatus"] in ("ASSIGNED", "APPROVING") for doc in company.organization.rows("/v3/bills")
    )
    assert watched.asked["ListApprovers"] == undecided > 0
    assert watched.asked["List/Bill"] == ceil(2_100 / 999)
    assert watched.asked["List/SentPay"] == ceil(len(company.organization.rows("/v3/payments")) / 999)
    assert not any(name.startswith("Crud/") for name in watched.asked)
    with warehouse.read() as connection:
        counted = connection.scalar(select(func.sum(sync_runs.c.requests)))
    assert counted == company.server.sandbox.stats.requests - company.server.sandbox.stats.logins


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_quiet_sync_asks_for_the_short_lists_alone_and_writes_nothing(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=60)
    company.sync(warehouse)
    stamps, watched = written_at(warehouse, INTEGRATION), Watched(company)
    company.sync(warehouse)
    assert watched.asked == {"List/BankAccount": 1, "List/CardAccount": 1, "List/MoneyMovement": 1}
    assert written_at(warehouse, INTEGRATION) == stamps


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_where_v3_shows_who_approves_v2_is_not_asked(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=60, approvers_shown="always")
    watched = Watched(company)
    company.sync(warehouse)
    assert _stored_approvers(warehouse)
    assert watched.asked["ListApprovers"] == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_one_changed_bill_costs_one_request_and_one_for_its_approvers(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=60)
    company.sync(warehouse)
    let_business_happen(company, 0, 1)
    company.server.clock.advance(_A_MINUTE)
    company.server.sandbox.change(1, 5, only="decide on a bill")
    watched = Watched(company)
    company.sync(warehouse)
    assert_equal(company, warehouse)
    assert watched.asked["List/Bill"] == 1
    assert watched.asked["ListApprovers"] <= 1
    assert watched.asked["List/SentPay"] == 0


def test_who_approved_a_bill_that_was_pending_in_a_sync_stays_known(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=120)
    company.sync(warehouse)
    before = _stored_approvers(warehouse)
    for seed in range(12):
        company.server.clock.advance(_A_MINUTE)
        with suppress(ValueError):
            company.server.sandbox.change(1, seed, only="decide on a bill")
    company.sync(warehouse)
    bills = company.organization.rows("/v3/bills")
    decided = [doc["id"] for doc in bills if doc["id"] in before and doc["approvalStatus"] in ("APPROVED", "DENIED")]
    assert decided
    truth, stored = approvers(company.organization), _stored_approvers(warehouse)
    assert {one: stored[one] for one in decided} == {
        one: [(asked["userId"], asked["status"]) for asked in truth[one]] for one in decided
    }


def test_what_a_refused_or_broken_v2_leaves_open_is_read_when_it_answers_again(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=120, v2_access="no_key")
    company.sync(warehouse)
    assert_equal(company, warehouse, v2=False)
    company.server.sandbox.change_settings(v2_access="open")
    company.server.sandbox.refused["POST /List/Bill.json"] = AWAY
    company.sync(warehouse)
    company.server.sandbox.refused.clear()
    watched = Watched(company)
    company.sync(warehouse)
    assert_equal(company, warehouse)
    assert watched.asked["List/Bill"] == 1
    assert watched.asked["List/SentPay"] == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("access", ["no_key", "no_api"])
def test_a_refusal_is_asked_for_once_in_a_run_and_ends_nothing(access: str, serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=40, v2_access=access)
    watched = Watched(company)
    with company.connected(warehouse) as sync, sync.alone():
        pull_all(sync)
        assert sync.v2_refusal is not None
        assert not sync.asks_v2
    # The second time with a session of its own, because the stored one could have been another key's.
    assert sum(watched.asked.values()) <= 2


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_where_v2_does_not_tell_who_approves_who_was_known_stays(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=120)
    company.sync(warehouse)
    before = _stored_approvers(warehouse)
    company.server.sandbox.refused["POST /ListApprovers.json"] = Refusal(403, None, "Not for you.")
    company.sync(warehouse, refresh=True)
    assert _stored_approvers(warehouse) == before != {}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_v2_that_is_away_is_waited_for_twice_and_no_more(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=40)
    company.server.sandbox.refused.update({f"POST /List/{name}.json": AWAY for name in SHAPES})
    watched = Watched(company)
    company.sync(warehouse)
    assert watched.asked.keys() == {"List/Vendor", "List/BankAccount"}
    assert_equal(company, warehouse, v2=False)
    company.server.sandbox.refused.clear()
    company.sync(warehouse)
    assert_equal(company, warehouse)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_query_that_v2_does_not_take_is_no_refusal_of_the_login(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=40)
    company.server.sandbox.refused["POST /List/Vendor.json"] = Refusal(400, None, "Something is wrong.")
    with company.connected(warehouse) as sync, sync.alone():
        pull_all(sync)
        assert (sync.asks_v2, sync.v2_refusal) == (True, None)
    company.server.sandbox.refused.clear()
    company.sync(warehouse)
    assert_equal(company, warehouse)


def test_what_only_v2_lacks_is_asked_for_by_id_once(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=40)
    company.sync(warehouse)
    bills = warehouse.mirror.table("bills")
    stray = dict.fromkeys(["id"], "00n02NOSUCHBILLabcde") | {"v2_digest": None}
    with warehouse.write() as connection:
        first = connection.scalar(select(func.min(bills.c.id)))
        connection.execute(update(bills).where(bills.c.id == first).values(stray))
    watched = Watched(company)
    company.sync(warehouse, only=["bills"])
    assert watched.asked["Crud/Read/Bill"] == 1
    company.sync(warehouse, only=["bills"])
    assert watched.asked["Crud/Read/Bill"] == 1


def test_a_value_that_its_column_cannot_hold_is_told_and_closed_when_it_is_right(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=40)
    bill = company.organization.rows("/v3/bills")[7]["id"]
    company.sync(warehouse)
    for day, status in (("soon", "open"), ("2026-03-31", "resolved")):
        company.server.clock.advance(_A_MINUTE)
        set_hidden(company.organization, BILLS, bill, glPostingDate=day)
        company.sync(warehouse)
        e = integration_errors.c
        with warehouse.read() as connection:
            found = connection.execute(select(e.record_id, e.code, e.status, e.message)).all()
        assert [row[:3] for row in found] == [(bill, "v2_unreadable", status)]
        assert "bills.gl_posting_date cannot hold 'soon'" in found[0].message
    assert_equal(company, warehouse)


def _stored_approvers(warehouse: Warehouse) -> dict[str, list[tuple[str, str]]]:
    table = warehouse.mirror.table("bill_approvals")
    found: dict[str, list[tuple[str, str]]] = {}
    with warehouse.read() as connection:
        for row in connection.execute(select(table).order_by(table.c.bill_id, table.c.position)):
            found.setdefault(row.bill_id, []).append((row.user_id, row.status))
    return found
