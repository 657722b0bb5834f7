"""After a sync every table equals BILL's data, row by row and cent by cent, and only what changed was written."""

from __future__ import annotations

from typing import Any

import pytest

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import Progress, PullKind
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_state
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen, total
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.truth import changed_ids, differences, objects, payloads, truth_of, written_at

READINGS: dict[str, dict[str, Any]] = {
    "payments leave bills untouched": {"payment_touches_bill": False},
    "usage leaves credits untouched": {"usage_touches_credit": False},
    "nothing touches anything else": {"payment_touches_bill": False, "usage_touches_credit": False},
    "balances touch their party": {"balances_touch": True},
    "cursors count rows": {"cursor_kind": "offset"},
    "a cursor wants its own query": {"cursor_mismatch": "reject"},
    "a cursor carries nothing": {"cursor_carries_query": False},
    "recurring lists take time filters": {"recurring_time_filter": True},
    "absent is null": {"absent_as_null": True},
    "ids of nothing are zeros": {"absent_ids": "zeros"},
    "vendor lists are thin": {"thin_vendor_lists": True},
    "amounts are plain": {"numbers": "plain"},
    "amounts are padded": {"numbers": "padded"},
    "amounts are mixed": {"numbers": "mixed"},
    "the last cursor is null": {"end_of_list": "null"},
    "the last cursor is empty": {"end_of_list": "empty"},
    "throttling is 429": {"throttle_status": 429, "in_flight_limit": 2},
    "throttling is 422": {"throttle_status": 422, "in_flight_limit": 2},
    "sorts are ignored, oldest first": {"list_order": "oldest_first"},
    "sorts are ignored, newest first": {"list_order": "newest_first"},
    "accounts hide their parents": {"parent_visible": False},
}


def assert_equal(company: Company, warehouse: Warehouse) -> None:
    assert differences(warehouse, INTEGRATION, truth_of(company.organization)) == []


def everything(company: Company) -> list[dict[str, Any]]:
    """Every object of every entity."""
    return [doc for docs in payloads(company.organization).values() for doc in docs.values()]


def assert_change_arrives_alone(company: Company, warehouse: Warehouse, changes: int, seed: int) -> None:
    """Lets business happen and syncs: all tables are equal again, with only the changed rows written."""
    before, stamps = payloads(company.organization), written_at(warehouse, INTEGRATION)
    let_business_happen(company, changes, seed)
    changed = changed_ids(before, payloads(company.organization))
    assert changed
    reports = company.sync(warehouse)
    assert_equal(company, warehouse)
    after = written_at(warehouse, INTEGRATION)
    assert {key for key, stamp in after.items() if stamps.get(key) != stamp} == changed
    assert total(reports).written == len(changed)


def test_a_first_pull_in_three_lanes_mirrors_every_row_of_every_table(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=1_200, latency_ms=5)
    reports = company.sync(warehouse)
    assert_equal(company, warehouse)
    assert total(reports).inserted == sum("namedBy" not in doc for doc in everything(company))
    assert {report.kind for report in reports} <= {PullKind.FIRST_PULL, PullKind.REREAD, PullKind.V2}
    assert max(company.server.sandbox.limits.peak.values()) == 3


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("throttle_status", [422, 429])
def test_where_another_program_leaves_one_request_at_once_few_are_refused_and_nothing_is_lost(
    throttle_status: int, serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=600, latency_ms=5, in_flight_limit=1, throttle_status=throttle_status)
    company.sync(warehouse)
    assert_equal(company, warehouse)
    stats = company.server.sandbox.stats
    # With three at once all the time, nearly half of them are.
    assert stats.requests > 50
    assert 0 < stats.codes["BDC_1322"] < stats.requests / 8


def test_after_random_changes_a_sync_writes_the_changed_rows_and_no_other(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=400)
    company.sync(warehouse)
    for seed in (1, 2):
        assert_change_arrives_alone(company, warehouse, 500, seed)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: str(reading).replace(" ", "-"))
def test_equality_holds_however_bill_is_read(reading: str, serve: Serve, warehouse: Warehouse) -> None:
    company = serve(**READINGS[reading])
    company.sync(warehouse)
    assert_equal(company, warehouse)
    assert_change_arrives_alone(company, warehouse, 500, seed=4)


def test_a_sync_without_changes_writes_nothing_and_asks_little(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=400)
    company.sync(warehouse)
    let_business_happen(company, 300, 6)
    company.sync(warehouse)
    stamps, stats = written_at(warehouse, INTEGRATION), company.server.sandbox.stats
    stats.reset()
    reports = company.sync(warehouse)
    assert written_at(warehouse, INTEGRATION) == stamps
    assert total(reports).written == 0
    assert {route: count for route, count in stats.paths.items() if count > 2} == {}
    short_in_v2 = [name for entity in CATALOG if entity.v2 and entity.v2.is_short for name in entity.v2.lists]
    assert len(stats.paths) == len(CATALOG) + sum(len(entity.other_lists) for entity in CATALOG) + len(short_in_v2)
    assert stats.logins == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_quiet_sync_reads_no_more_than_the_overlap_after_changes_that_share_one_second(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=800)
    company.sync(warehouse)
    company.server.sandbox.change(1_000, 12)
    company.sync(warehouse)
    assert differences(warehouse, INTEGRATION, truth_of(company.organization)) == []
    stats = company.server.sandbox.stats
    stats.reset()
    assert total(company.sync(warehouse)).written == 0
    most = 1 + max(len(objects(company.organization, entity)) for entity in CATALOG) // 100
    assert {route: count for route, count in stats.paths.items() if count > most} == {}
    assert stats.requests < 2 * len(CATALOG)


def test_a_vendor_that_several_changes_name_is_read_again_once(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    let_business_happen(company, 200, 5)
    reports = company.sync(warehouse)
    again = [report.entity for report in reports if report.kind is PullKind.REREAD]
    assert again.count("vendors") == again.count("customers") == 1
    assert_equal(company, warehouse)


def test_what_a_change_names_is_read_again_even_where_nothing_else_would_name_it(
    company: Company, warehouse: Warehouse
) -> None:
    company.sync(warehouse)
    let_business_happen(company, 200, 5)
    reports = company.sync(warehouse, only=["bills"])
    assert "vendors" in [report.entity for report in reports if report.kind is PullKind.REREAD]


def test_what_an_interrupted_run_left_to_be_read_again_does_not_wait_for_the_list_that_failed(
    company: Company, warehouse: Warehouse
) -> None:
    company.sync(warehouse)
    let_business_happen(company, 200, 5)
    until_bills = CATALOG.names()[: CATALOG.names().index("bills") + 1]
    again = []
    for _ in range(2):
        # Vendor payments would name vendors, too, but the run ends before them.
        with company.connected(warehouse, planned=CATALOG.names()) as sync, sync.alone():
            reports = [report for name in until_bills for report in pull(sync, CATALOG[name])]
        again.append("vendors" in [report.entity for report in reports if report.kind is PullKind.REREAD])
    assert again == [False, True]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_an_interrupted_first_pull_stored_is_read_again_where_later_changes_name_it(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=900, payment_touches_bill=False)

    def interrupt(progress: Progress) -> None:
        if progress.entity == "bills" and progress.written > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        company.sync(warehouse, on_progress=interrupt)
    let_business_happen(company, 300, 5)
    company.sync(warehouse)
    assert_equal(company, warehouse)


def test_a_sync_on_the_next_day_signs_in_once(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    let_business_happen(company, 100, 7)
    company.server.sandbox.stats.reset()
    company.sync(warehouse)
    assert company.server.sandbox.stats.logins == 1


def test_organizations_side_by_side_do_not_mix(serve: Serve, warehouse: Warehouse) -> None:
    first = serve(bills=60, orgs=2)
    second = Company(first.server, number=1, integration="acme-eu")
    for one in (first, second):
        one.sync(warehouse)
    let_business_happen(first, 50, 8)
    let_business_happen(second, 50, 9)
    for one in (second, first):
        one.sync(warehouse)
    for one in (first, second):
        assert differences(warehouse, one.integration, truth_of(one.organization)) == []


def test_a_first_pull_that_meets_rows_of_an_earlier_one_leaves_them(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    stamps = written_at(warehouse, INTEGRATION)
    with warehouse.write() as connection:
        connection.execute(sync_state.delete())
    reports = company.sync(warehouse)
    counts = total([report for report in reports if report.kind is PullKind.FIRST_PULL])
    assert (counts.inserted, counts.updated) == (0, 0)
    assert counts.unchanged == sum("namedBy" not in doc for doc in everything(company))
    assert written_at(warehouse, INTEGRATION) == stamps
