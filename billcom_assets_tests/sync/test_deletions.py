"""What BILL no longer has: marked after two complete sweeps on different days, never after a failed read."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text, update

from billcom_assets.bill.errors import BillError
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.sandbox.table import Row, make_row
from billcom_assets.sync.engine import pull
from billcom_assets.sync.fence import LockLost
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors, sync_sightings
from billcom_assets_tests.bill.scripted import Reply, error
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.plain import REFUSED_QUERY, bill, plain_bill
from billcom_assets_tests.sync.test_equality import assert_equal
from billcom_assets_tests.sync.test_rejections import rewrite
from billcom_assets_tests.sync.truth import differences, truth_of

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


def sweep(company: Company, warehouse: Warehouse, *, confirm: bool = False, asks_v2: bool = True) -> int:
    (report, *_) = company.sync(warehouse, only=ONLY, refresh=True, confirm_deletions=confirm, asks_v2=asks_v2)
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


def test_an_incremental_sync_never_takes_a_row_back_in_time_but_a_sweep_believes_what_bill_shows(
    company: Company, mirrored: Warehouse
) -> None:
    company.sync(mirrored)
    table = company.organization.table(BILLS)
    before = {row.id: row for row in table.snapshot()}
    let_business_happen(company, 100, 1)
    company.sync(mirrored)
    new = table.snapshot()
    old = [before.get(row.id, row) for row in new]
    assert old != new
    table.restore(old)
    company.sync(mirrored, only=ONLY)
    table.restore(new)
    assert_equal(company, mirrored)
    table.restore(old)
    sweep(company, mirrored)
    assert_equal(company, mirrored)


def test_a_deleted_row_that_returns_with_an_older_time_is_live_again_and_counted_once(
    company: Company, mirrored: Warehouse
) -> None:
    gone = take_away(company)
    sweep(company, mirrored, confirm=True)
    table = company.organization.table(BILLS)
    with company.server.sandbox.lock:
        older = make_row(gone.doc(), gone.created, gone.updated - 3_600)
        table.restore([*table.snapshot(), older])
    (first, *_) = company.sync(mirrored, only=ONLY, refresh=True)
    assert deleted(mirrored) == {}
    assert first.counts.updated == 1
    (second, *_) = company.sync(mirrored, only=ONLY, refresh=True)
    assert second.counts.updated == 0
    assert_equal_bills(company, mirrored)


def test_an_empty_list_on_two_nights_deletes_nothing_and_says_how_to_confirm(
    company: Company, mirrored: Warehouse
) -> None:
    table = company.organization.table(BILLS)
    with company.server.sandbox.lock:
        table.restore([])
    for _ in range(2):
        next_day(company)
        assert sweep(company, mirrored) == 0
    assert deleted(mirrored) == {}
    (found,) = open_errors(mirrored)
    assert (found["entity"], found["code"]) == ("bills", "mass_disappearance")
    assert "--confirm-deletions" in found["next_step"]


def test_a_mass_disappearance_is_believed_after_three_sweeps_over_48_hours(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=300)
    company.sync(warehouse, only=ONLY)
    table = company.organization.table(BILLS)
    with company.server.sandbox.lock:
        table.restore(table.snapshot()[30:])
    next_day(company)
    assert [sweep(company, warehouse) for _ in range(3)] == [0, 0, 0]
    next_day(company)
    assert sweep(company, warehouse) == 0
    next_day(company)
    assert sweep(company, warehouse) == 30
    assert open_errors(warehouse) == []


def test_a_mass_disappearance_that_a_person_confirms_is_believed_at_once(company: Company, mirrored: Warehouse) -> None:
    table = company.organization.table(BILLS)
    kept = table.snapshot()[:10]
    missing = len(table) - 10
    with company.server.sandbox.lock:
        table.restore(kept)
    assert sweep(company, mirrored, confirm=True) == missing


def test_two_sweeps_around_midnight_are_one_day(company: Company, mirrored: Warehouse) -> None:
    clock = company.server.clock
    tomorrow = (clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    take_away(company)
    clock.set(tomorrow - timedelta(seconds=30))
    assert sweep(company, mirrored) == 0
    clock.set(tomorrow + timedelta(seconds=30))
    assert sweep(company, mirrored) == 0
    clock.advance(timedelta(hours=20))
    assert sweep(company, mirrored) == 1


def test_rows_that_became_unreadable_are_seen_and_never_marked_deleted(company: Company, mirrored: Warehouse) -> None:
    table = company.organization.table(BILLS)
    ids = list(table.ids)
    for number, identifier in enumerate(ids):
        rewrite(company, identifier, **({"dueAmount": {"value": 1}} if number % 2 else {"dueDate": "2026-02-30"}))
    for _ in range(3):
        next_day(company)
        # The simulated v2 cannot compute with such objects.
        assert sweep(company, mirrored, asks_v2=False) == 0
    assert deleted(mirrored) == {}
    t = mirrored.mirror.table("bills").c
    with mirrored.read() as connection:
        marked = set(connection.scalars(select(t.id).where(t.unreadable_since.is_not(None))))
    assert marked == set(ids)


def test_a_row_that_is_readable_again_loses_its_mark(company: Company, mirrored: Warehouse) -> None:
    row = company.organization.table(BILLS).snapshot()[3]
    rewrite(company, row.id, dueDate="2026-02-30")
    sweep(company, mirrored)
    with company.server.sandbox.lock:
        company.organization.table(BILLS).put(row)
    sweep(company, mirrored)
    t = mirrored.mirror.table("bills").c
    with mirrored.read() as connection:
        assert set(connection.scalars(select(t.unreadable_since))) == {None}
    assert open_errors(mirrored) == []


def test_a_sweep_with_an_object_that_cannot_be_told_concludes_nothing(company: Company, mirrored: Warehouse) -> None:
    table = company.organization.table(BILLS)
    gone = table.snapshot()[3]
    with company.server.sandbox.lock:
        table.put(Row(gone.id, gone.created, gone.updated, b'{"id": 17, "amount": NaN}'))
    for confirm in (False, False, True):
        next_day(company)
        assert sweep(company, mirrored, confirm=confirm, asks_v2=False) == 0
    assert deleted(mirrored) == {}


def test_errors_about_a_record_that_bill_has_removed_are_closed(company: Company, warehouse: Warehouse) -> None:
    broken = company.organization.table(BILLS).ids[3]
    rewrite(company, broken, dueDate="2026-02-30")
    company.sync(warehouse, only=ONLY)
    assert [found["record_id"] for found in open_errors(warehouse)] == [broken]
    take_away(company, place=3)
    sweep(company, warehouse)
    assert open_errors(warehouse) == []


def test_so_are_ignored_ones(company: Company, warehouse: Warehouse) -> None:
    rewrite(company, company.organization.table(BILLS).ids[3], dueDate="2026-02-30")
    company.sync(warehouse, only=ONLY)
    with warehouse.write() as connection:
        connection.execute(update(integration_errors).values(status="ignored"))
    take_away(company, place=3)
    sweep(company, warehouse)
    with warehouse.read() as connection:
        assert connection.scalars(select(integration_errors.c.status)).all() == ["resolved"]


def test_a_run_whose_lock_was_lost_writes_nothing_more(company: Company, mirrored: Warehouse) -> None:
    with company.connected(mirrored, planned=ONLY, confirm_deletions=True) as first, first.alone():
        take_away(company)
        let_go_of_locks(mirrored)
        with company.connected(mirrored, planned=ONLY) as second, second.alone():
            pull(second, CATALOG["bills"])
            with pytest.raises(LockLost, match="another run has begun"):
                pull(first, CATALOG["bills"], refresh=True)
    assert deleted(mirrored) == {}


def test_sightings_of_one_sweep_are_not_those_of_another(company: Company, mirrored: Warehouse) -> None:
    with mirrored.write() as connection:
        ids = company.organization.table(BILLS).ids
        connection.execute(
            sync_sightings.insert(),
            [{"integration": INTEGRATION, "entity": "bills", "sweep": "an earlier one", "id": one} for one in ids],
        )
    gone = take_away(company)
    assert sweep(company, mirrored, confirm=True) == 1
    assert deleted(mirrored).keys() == {gone.id}


@pytest.mark.parametrize(
    "by_id",
    [
        Reply(200, bill(7)),
        error("BDC_1302", "This id may not be read.", status=400),
        error(None, "You are not permitted to do this.", status=403),
    ],
    ids=["shown", "refused", "forbidden"],
)
def test_what_a_list_leaves_out_is_not_deleted_while_bill_knows_its_id(by_id: Reply, warehouse: Warehouse) -> None:
    with plain_bill([bill(number) for number in range(120)]) as plain:
        plain.sync(warehouse)
        plain.docs = [doc for doc in plain.docs if doc["id"] != bill(7)["id"]]
        plain.refuse = lambda query: REFUSED_QUERY if "id:in" in query.get("filters", "") else None
        plain.server.always(f"/connect/v3/bills/{bill(7)['id']}", by_id)
        for _ in range(3):
            plain.offset += timedelta(days=1)
            plain.sync(warehouse, refresh=True)
        assert deleted(warehouse) == {}
        plain.server.always(f"/connect/v3/bills/{bill(7)['id']}", error("BDC_1205", "No such object.", status=404))
        for _ in range(2):
            plain.offset += timedelta(days=1)
            plain.sync(warehouse, refresh=True)
        assert deleted(warehouse).keys() == {bill(7)["id"]}


def open_errors(warehouse: Warehouse) -> list[dict[str, Any]]:
    query = select(integration_errors).where(integration_errors.c.status == "open")
    with warehouse.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def let_go_of_locks(warehouse: Warehouse) -> None:
    """What a pooler or an administrator does to the connection that holds a lock; on SQLite the lock file goes."""
    if warehouse.is_postgresql:
        with warehouse.write() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks "
                    "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                )
            )
        return
    file = Path(str(warehouse.engine.url.database))
    shutil.rmtree(file.with_name(f"{file.name}-locks"))


def assert_equal_bills(company: Company, warehouse: Warehouse) -> None:
    truth = {"bills": truth_of(company.organization)["bills"]}
    assert differences(warehouse, INTEGRATION, truth) == []


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_sweep_compares_long_lists_at_once_although_statistics_are_old(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=600)
    company.sync(warehouse, only=ONLY)
    others = [
        {"integration": f"other-{n % 5}", "entity": "bills", "sweep": f"{n % 7}", "id": f"{n}"} for n in range(5_000)
    ]
    with warehouse.write() as connection:
        connection.execute(sync_sightings.insert(), others)
        connection.execute(text("ANALYZE"))
    plans: list[str] = []

    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if "NOT (EXISTS" in statement and "sync_sightings" in statement:
            explained = cursor.connection.execute(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(line for (line,) in explained))

    event.listen(warehouse.engine, "before_cursor_execute", explain)
    sweep(company, warehouse)

    assert len(plans) >= 3
    assert [plan for plan in plans if "Nested Loop" in plan] == []
