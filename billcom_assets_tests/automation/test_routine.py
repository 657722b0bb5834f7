from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from sqlalchemy import update

from billcom_assets.automation import run_requests
from billcom_assets.automation.routine import LOOK_LASTS, NIGHT_LASTS, night_begins
from billcom_assets.setup.prerequisites import PREREQUISITES
from billcom_assets.warehouse import tables
from billcom_assets_tests.automation.conftest import LONG_AGO, NOW, World
from billcom_assets_tests.automation.ticks import keys, tick_at
from billcom_assets_tests.conftest import DIALECTS

TEN_MINUTES = timedelta(minutes=10)
ROUTINE = [
    ("hourly_sync", NOW),
    ("nightly_sweep", NOW.replace(hour=2)),
    ("nightly_reconciliation", NOW.replace(hour=6)),
]
"""Each sensor, and a time at which it has something to do."""


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_every_ready_integration_is_synced_in_a_run_of_its_own(world: World) -> None:
    world.routine("acme-us")
    world.routine("other-inc")
    tick = tick_at("hourly_sync", world, NOW)
    assert keys(tick) == ["acme-us", "other-inc"]
    assert {request.partition_key for request in tick.run_requests} == {"acme-us", "other-inc"}


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
@pytest.mark.parametrize(("name", "at"), ROUTINE)
def test_what_is_not_ready_is_skipped_with_its_reason(name: str, at: datetime, world: World) -> None:
    world.seeded("waiting")
    world.integration("refused", status="error", status_message="BILL refuses the password.")
    told = tick_at(name, world, at).skip_message
    assert "waiting: setup not completed: Vendors: BILL has returned no vendors at all" in told
    assert "refused: setup not completed: Authentication: the last login failed: BILL refuses the password." in told


def test_an_hour_is_synced_once_however_often_the_schedule_ticks(world: World) -> None:
    world.routine("acme-us")
    hour = NOW.replace(minute=0)
    launched: list[str] = []
    for minutes in range(0, 120, 10):
        tick = tick_at("hourly_sync", world, hour + timedelta(minutes=minutes))
        for request in tick.run_requests or []:
            launched.append(str(request.run_key))
            world.made(request)
    assert launched == ["acme-us/hourly_sync/2026-03-04T10Z/1", "acme-us/hourly_sync/2026-03-04T11Z/1"]


def test_a_failed_sync_is_not_tried_again_at_once(world: World) -> None:
    world.routine("acme-us")
    world.made(tick_at("hourly_sync", world, NOW).run_requests[0], dg.DagsterRunStatus.FAILURE)
    assert "the next attempt is at" in tick_at("hourly_sync", world, NOW + TEN_MINUTES).skip_message
    assert keys(tick_at("hourly_sync", world, NOW + timedelta(hours=1))) == ["acme-us"]


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_one_that_was_synced_within_the_hour_needs_no_run(world: World) -> None:
    world.routine("acme-us", synced_at=NOW - TEN_MINUTES)
    tick = tick_at("hourly_sync", world, NOW)
    assert not tick.run_requests
    assert tick.skip_message == "No integration needs it now."


def test_one_that_becomes_ready_within_the_hour_gets_its_turn_in_it(world: World) -> None:
    world.seeded("acme-us")
    assert not tick_at("hourly_sync", world, NOW).run_requests
    world.ready("other-inc")
    assert keys(tick_at("hourly_sync", world, NOW + TEN_MINUTES)) == ["other-inc"]


def test_a_tick_launches_as_many_as_there_is_room_for_in_the_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_requests, "QUEUE_ROOM", 25)
    wanted = [f"company-{number:02}" for number in range(40)]
    for key in wanted:
        world.routine(key)
    for number in range(5):
        world.run(f"elsewhere-{number}", dg.DagsterRunStatus.QUEUED)
        world.run(f"going-on-{number}", dg.DagsterRunStatus.STARTED)
    launched: list[list[str]] = []
    for tick_number in range(4):
        tick = tick_at("hourly_sync", world, NOW.replace(minute=10 * tick_number))
        launched.append(keys(tick) if tick.run_requests else [])
        for request in tick.run_requests or []:
            world.made(request)
    assert [len(some) for some in launched] == [20, 20, 0, 0]
    assert sorted(key for some in launched for key in some) == wanted


def test_a_full_queue_gets_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_requests, "QUEUE_ROOM", 1)
    world.routine("acme-us")
    waiting = world.run("elsewhere", dg.DagsterRunStatus.QUEUED)
    assert tick_at("hourly_sync", world, NOW).skip_message == ("The queue is full (1 waiting); the next tick goes on.")
    world.instance.delete_run(waiting)
    assert keys(tick_at("hourly_sync", world, NOW + TEN_MINUTES)) == ["acme-us"]


def test_an_integration_that_dagster_does_not_know_yet_does_not_break_the_tick(world: World) -> None:
    world.routine("acme-us", known=False)
    world.routine("other-inc")
    assert keys(tick_at("hourly_sync", world, NOW)) == ["other-inc"]


def test_an_unreadable_integration_holds_up_no_other(world: World) -> None:
    world.broken("aaa-broken")
    world.routine("other-inc")
    for name, at in ROUTINE:
        assert keys(tick_at(name, world, at)) == ["other-inc"]


def swept(world: World, start: datetime, hours: int) -> list[tuple[str, datetime]]:
    """(run key, time) of every sweep that half-hourly ticks launch."""
    return ticked("nightly_sweep", world, start, hours)


def ticked(name: str, world: World, start: datetime, hours: int) -> list[tuple[str, datetime]]:
    launched = []
    for number in range(2 * hours):
        at = start + number * timedelta(minutes=30)
        for request in tick_at(name, world, at).run_requests:
            launched.append((str(request.run_key), at))
            world.made(request)
    return launched


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_the_sweep_comes_in_each_integrations_own_night(world: World) -> None:
    world.routine("utc-inc")
    world.routine("new-york", time_zone="America/New_York")
    world.routine("mumbai", time_zone="Asia/Kolkata")
    assert swept(world, datetime(2026, 3, 4, 1, 0, tzinfo=UTC), 24) == [
        ("utc-inc/nightly_sweep/2026-03-04/1", datetime(2026, 3, 4, 2, 0, tzinfo=UTC)),
        ("new-york/nightly_sweep/2026-03-04/1", datetime(2026, 3, 4, 7, 0, tzinfo=UTC)),
        ("mumbai/nightly_sweep/2026-03-05/1", datetime(2026, 3, 4, 20, 30, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2026, 3, 8)),  # 02:00 does not exist
        ("America/New_York", date(2026, 11, 1)),
        ("Europe/Berlin", date(2026, 3, 29)),  # 02:00 does not exist
        ("Europe/Berlin", date(2026, 10, 25)),  # 02:00 comes twice
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour comes twice
        ("Africa/Cairo", date(2026, 4, 24)),  # midnight does not exist
    ],
)
def test_a_night_in_which_the_clocks_change_has_one_sweep(zone: str, day: date, world: World) -> None:
    world.routine("acme-us", time_zone=zone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=14)
    run_keys = [run_key for run_key, _ in swept(world, start, 40)]
    assert run_keys.count(f"acme-us/nightly_sweep/{day}/1") == 1
    assert len(set(run_keys)) == len(run_keys)


def test_no_night_is_left_out_and_none_comes_twice_in_two_years() -> None:
    for zone in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"):
        nights = [night_begins(date(2026, 1, 1) + timedelta(days=number), ZoneInfo(zone)) for number in range(730)]
        gaps = {after - before for before, after in pairwise(nights)}
        assert min(gaps) > NIGHT_LASTS
        assert max(gaps) <= timedelta(hours=25)


def test_a_sweep_that_could_not_start_at_its_hour_starts_later_in_the_night(world: World) -> None:
    world.routine("acme-us")
    run_id = world.run("acme-us")
    two = NOW.replace(hour=2, minute=0)
    assert f"its run {run_id} has not ended yet" in tick_at("nightly_sweep", world, two).skip_message
    world.instance.report_run_failed(world.instance.get_run_by_id(run_id))
    assert keys(tick_at("nightly_sweep", world, two + TEN_MINUTES)) == ["acme-us"]
    assert not tick_at("nightly_sweep", world, two + NIGHT_LASTS).run_requests


def test_a_failed_sweep_is_tried_again_in_the_same_night_for_what_it_left_undone(world: World) -> None:
    now = datetime.now(UTC)
    ahead = (2 - now.hour + 12) % 24 - 12
    night = (now + timedelta(hours=ahead)).date()
    world.routine("acme-us", time_zone=f"Etc/GMT{-ahead:+d}")

    (first,) = tick_at("nightly_sweep", world, now).run_requests
    world.made(first, dg.DagsterRunStatus.FAILURE)
    world.synced("acme-us", now, swept_at=now)
    t = tables.sync_state
    with world.warehouse.write() as connection:
        undone = t.c.entity.in_(["accounts", "roles"])
        connection.execute(update(t).where(undone).values(swept_at=LONG_AGO))
    assert "the next attempt is at" in tick_at("nightly_sweep", world, now + TEN_MINUTES).skip_message

    (second,) = tick_at("nightly_sweep", world, now + timedelta(minutes=20)).run_requests
    assert second.run_key == f"acme-us/nightly_sweep/{night}/2"
    names = [key.to_user_string() for key in second.asset_selection]
    coded_by_account = ["ledger_bills", "ledger_vendor_credits", "ledger_vendor_payments"]
    books = [*coded_by_account, "journal", "trial_balance", "held_documents"]
    assert names == ["accounts", "gate", "account_alignment", "roles", *books]
    # The books' checks have a sensor of their own.
    checks = {(key.asset_key.to_user_string(), key.name) for key in second.asset_check_keys}
    assert checks == {("gate", one.name) for one in PREREQUISITES} | {
        *((name, "data_quality") for name in ("accounts", "roles")),
        ("account_alignment", "chart_of_accounts_aligned"),
    }
    world.made(second)
    assert "launched already" in tick_at("nightly_sweep", world, now + timedelta(hours=2)).skip_message


def looked_at(world: World, start: datetime, hours: int) -> list[tuple[str, datetime]]:
    """(run key, time) of every look at books that half-hourly ticks launch."""
    return ticked("nightly_reconciliation", world, start, hours)


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_the_books_are_looked_at_once_a_night_when_the_sweep_has_read_every_list(world: World) -> None:
    two = NOW.replace(hour=2, minute=0)
    world.routine("acme-us")
    world.routine("new-york", time_zone="America/New_York")
    assert not looked_at(world, two - timedelta(minutes=30), 1)
    assert "acme-us: the nightly sweep comes first" in tick_at("nightly_reconciliation", world, two).skip_message

    world.synced("acme-us", two, swept_at=two + TEN_MINUTES)
    assert looked_at(world, two, 24) == [
        ("acme-us/nightly_reconciliation/2026-03-04/1", two),
        # Never swept: after the time for that.
        ("new-york/nightly_reconciliation/2026-03-04/1", datetime(2026, 3, 4, 11, 0, tzinfo=UTC)),
    ]


def test_one_list_that_was_not_read_keeps_the_books_waiting_unless_bill_does_not_show_it(world: World) -> None:
    two = NOW.replace(hour=2, minute=0)
    world.routine("acme-us", excluded_entities="roles")
    world.synced("acme-us", two, swept_at=two)
    t = tables.sync_state
    for entity, launched in (("roles", ["acme-us"]), ("users", [])):
        with world.warehouse.write() as connection:
            connection.execute(update(t).where(t.c.entity == entity).values(swept_at=LONG_AGO))
        assert keys(tick_at("nightly_reconciliation", world, two + TEN_MINUTES)) == launched


def test_a_look_that_could_not_be_launched_in_the_morning_waits_for_the_next_night(world: World) -> None:
    world.routine("acme-us")
    run_id = world.run("acme-us")
    six = NOW.replace(hour=6, minute=0)
    assert f"its run {run_id} has not ended yet" in tick_at("nightly_reconciliation", world, six).skip_message
    assert not tick_at("nightly_reconciliation", world, six + LOOK_LASTS).run_requests
    world.instance.report_run_failed(world.instance.get_run_by_id(run_id))
    assert keys(tick_at("nightly_reconciliation", world, six + LOOK_LASTS - TEN_MINUTES)) == ["acme-us"]
    assert not looked_at(world, six + LOOK_LASTS, 11)


def test_the_hour_of_the_sweep_has_no_sync_beside_it(world: World) -> None:
    world.routine("acme-us")
    two = NOW.replace(hour=2, minute=0)
    assert "the nightly sweep takes this hour" in tick_at("hourly_sync", world, two).skip_message
    assert keys(tick_at("hourly_sync", world, two + timedelta(hours=1))) == ["acme-us"]


@pytest.mark.parametrize(("name", "at"), ROUTINE)
def test_one_that_was_left_is_skipped_in_a_short_sentence(name: str, at: datetime, world: World) -> None:
    world.routine("acme-us", status="disconnected", credentials=None)
    world.routine("other-inc", status="forgetting", credentials=None)
    tick = tick_at(name, world, at)
    assert not tick.run_requests
    assert tick.skip_message.splitlines() == [
        "acme-us: it is disconnected (billcom connect acme-us)",
        "other-inc: it is being forgotten (billcom forget other-inc --yes)",
    ]
