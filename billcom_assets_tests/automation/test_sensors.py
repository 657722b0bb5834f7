from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info
from sqlalchemy import insert

from billcom_assets.automation import run_requests
from billcom_assets.automation.sensors import LAUNCH_SENSORS
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.setup.prerequisites import PREREQUISITES
from billcom_assets.warehouse.tables import sync_state
from billcom_assets_tests.automation.conftest import LONG_AGO, World
from billcom_assets_tests.automation.ticks import keys, sense
from billcom_assets_tests.conftest import DIALECTS

FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def added(tick: Any) -> list[str]:
    return [key for request in tick.dynamic_partitions_requests for key in request.partition_keys]


def look(world: World, name: str, now: datetime, cursor: str | None = None) -> dg.SensorResult:
    sensor = next(one for one in LAUNCH_SENSORS if one.name == name)
    return sensor.evaluate(world.instance, world.warehouse, now, cursor, lambda _line: None)


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_a_connected_integration_becomes_a_partition_and_is_seeded_in_one_tick(world: World) -> None:
    world.integration("acme-us", known=False)
    tick = sense("new_integrations", world.instance)
    assert added(tick) == ["acme-us"]
    assert keys(tick) == ["acme-us"]
    assert tick.run_requests[0].tags["dagster/partition"] == "acme-us"
    assert tick.run_requests[0].job_name in (None, "initial_seed")


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        ("pending", None, "its connection is pending (billcom validate acme-us)"),
        ("error", "BILL refuses the password.", "its connection is error: BILL refuses the password."),
    ],
)
def test_one_that_cannot_sign_in_becomes_a_partition_and_is_skipped_with_its_reason(
    world: World, status: str, message: str | None, told: str
) -> None:
    world.integration("acme-us", known=False, status=status, status_message=message)
    tick = sense("new_integrations", world.instance)
    assert added(tick) == ["acme-us"]
    assert not tick.run_requests
    assert told in tick.skip_message


def test_one_reconnected_after_an_error_is_seeded(world: World) -> None:
    world.integration("acme-us", status="error")
    assert not keys(sense("new_integrations", world.instance))
    world.change("acme-us", status="connected", updated_at=LONG_AGO + timedelta(hours=1))
    assert keys(sense("new_integrations", world.instance)) == ["acme-us"]


def test_a_seeded_integration_is_not_seeded_again(world: World) -> None:
    world.seeded("acme-us")
    tick = sense("new_integrations", world.instance)
    assert not tick.run_requests
    assert not tick.dynamic_partitions_requests


def test_a_partition_that_no_integration_stands_behind_is_removed_once_it_has_no_run(world: World) -> None:
    world.routine("acme-us")
    world.known("gone-inc", "busy-inc")
    world.run("busy-inc")
    tick = sense("new_integrations", world.instance)
    assert [(type(one).__name__, list(one.partition_keys)) for one in tick.dynamic_partitions_requests] == [
        ("DeleteDynamicPartitionsRequest", ["gone-inc"])
    ]


def test_an_empty_database_removes_no_partition(world: World) -> None:
    world.known("acme-us")
    assert not sense("new_integrations", world.instance).dynamic_partitions_requests


@pytest.mark.parametrize("name", [*(sensor.name for sensor in LAUNCH_SENSORS), "freshness"])
def test_a_failed_read_is_never_an_empty_list(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world.integration("acme-us")
    garbage = tmp_path_factory.mktemp("broken") / "billcom.db"
    garbage.write_bytes(b"this is no database" * 1_000)
    monkeypatch.setenv("BILLCOM_DATABASE_URL", f"sqlite:///{garbage}")
    tick = sense(name, world.instance, cursor='{"last":"a"}')
    assert tick.skip_message.startswith("Nothing was looked at:")
    assert tick.cursor == '{"last":"a"}'
    assert not tick.run_requests
    assert not tick.dynamic_partitions_requests
    assert world.instance.get_dynamic_partitions("integration") == ["acme-us"]


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_the_first_full_sync_starts_when_the_last_prerequisite_is_met(world: World) -> None:
    world.seeded("waiting")
    world.ready("complete")
    tick = sense("first_sync", world.instance)
    assert keys(tick) == ["complete"]


def test_what_is_not_ready_is_skipped_with_what_is_missing_and_how_to_fix_it(world: World) -> None:
    world.seeded("waiting")
    tick = sense("first_sync", world.instance)
    assert "waiting: setup not completed: " in tick.skip_message
    # In one line, however much is missing.
    assert tick.skip_message.splitlines() == [
        "waiting: setup not completed: Vendors: BILL has returned no vendors at all; add a vendor there first "
        "(billcom seed waiting); 6 more: billcom status waiting"
    ]


def test_a_skip_quotes_bill_bounded_on_one_line_and_without_personal_data(world: World) -> None:
    said = "![x](//evil.example)\n\u202eSSN 123-45-6789 " + "x" * 10_000
    world.integration("refused", status="error", status_message=said)
    told = sense("new_integrations", world.instance).skip_message
    assert told.startswith("refused: its connection is error: ![x](//evil.example) SSN *** xxx")
    assert told.endswith("(billcom validate refused)")
    assert len(told) < 600


def test_one_that_was_never_connected_is_told_the_first_open_point_and_how_many_more(world: World) -> None:
    world.integration("fresh", status="pending")
    told = sense("first_sync", world.instance).skip_message
    assert "fresh: setup not completed: Authentication: the login was not tried yet" in told
    assert told.endswith(f"; {len(PREREQUISITES) - 2} more: billcom status fresh")


def test_one_whose_seed_has_not_ended_is_not_synced_yet(world: World) -> None:
    world.integration("acme-us")
    assert "its lists have not all been fetched" in sense("first_sync", world.instance).skip_message


def test_one_that_was_synced_before_needs_no_first_sync(world: World) -> None:
    world.routine("acme-us")
    assert not sense("first_sync", world.instance).run_requests


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_an_earlier_cutoff_walks_the_three_dated_entities_again_posts_and_pulls_nothing_else(
    world: World,
) -> None:
    world.routine("moved", cutoff=date(2025, 1, 1), pulled_with=date(2026, 1, 1))
    world.routine("cleared", cutoff=None, pulled_with=date(2026, 1, 1))
    world.routine("later", cutoff=date(2026, 6, 1), pulled_with=date(2026, 1, 1))
    world.routine("same", cutoff=date(2026, 1, 1), pulled_with=date(2026, 1, 1))
    tick = sense("moved_cutoff", world.instance)
    assert sorted(keys(tick)) == ["cleared", "moved"]
    for request in tick.run_requests:
        launched = {key.to_user_string() for key in request.asset_selection}
        assert launched & set(CATALOG.names()) == {"bills", "vendor_credits", "vendor_payments"}
        assert launched >= {"ledger_bills", "journal", "held_documents", "opening_documents", "ap_aging"}


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_a_moved_cutoff_waits_for_setup_like_everything_else(world: World) -> None:
    world.seeded("acme-us", cutoff=date(2025, 1, 1))
    with world.warehouse.write() as connection:
        pulled = {"entity": "bills", "cutoff": date(2026, 1, 1), "first_pulled_at": LONG_AGO}
        connection.execute(insert(sync_state).values(integration="acme-us", **pulled))
    tick = sense("moved_cutoff", world.instance)
    assert not tick.run_requests
    assert "acme-us: setup not completed" in tick.skip_message


Prepare = Callable[[World, str], None]
NEEDS: list[tuple[str, Prepare]] = [
    ("new_integrations", lambda world, key: world.integration(key)),
    ("first_sync", lambda world, key: world.ready(key)),
    ("moved_cutoff", lambda world, key: world.routine(key, cutoff=None, pulled_with=date(2026, 1, 1))),
]


@pytest.mark.parametrize(("name", "prepare"), NEEDS, ids=[name for name, _ in NEEDS])
def test_nothing_is_launched_whose_credentials_would_go_elsewhere_and_others_are(
    name: str, prepare: Prepare, world: World
) -> None:
    prepare(world, "acme-us")
    prepare(world, "other-inc")
    world.change("acme-us", base_url="https://elsewhere.example/connect")
    tick = sense(name, world.instance)
    assert keys(tick) == ["other-inc"]
    world.made(tick.run_requests[0], dg.DagsterRunStatus.STARTED)
    told = sense(name, world.instance).skip_message
    assert "acme-us: The stored credentials of acme-us were given for other settings" in told
    assert "base URL was none, is https://elsewhere.example/connect" in told


def test_what_was_sealed_with_another_key_is_not_launched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.integration("acme-us")
    monkeypatch.setenv("BILLCOM_SECRET_KEY", "YW5vdGhlciBzaXh0ZWVuIGFuZCBzaXh0ZWVuIG1vcmU=")
    tick = sense("new_integrations", world.instance)
    assert not tick.run_requests
    assert "sealed with another key" in tick.skip_message


def test_a_daemon_that_does_not_have_the_key_leaves_it_to_the_run_to_say_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.integration("acme-us")
    monkeypatch.delenv("BILLCOM_SECRET_KEY")
    assert keys(sense("new_integrations", world.instance)) == ["acme-us"]


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
@pytest.mark.parametrize(("name", "prepare"), NEEDS, ids=[name for name, _ in NEEDS])
def test_nothing_is_launched_twice(name: str, prepare: Prepare, world: World) -> None:
    prepare(world, "acme-us")
    first = sense(name, world.instance)
    world.made(first.run_requests[0], dg.DagsterRunStatus.QUEUED)
    second = sense(name, world.instance, first.cursor)
    assert not second.run_requests
    assert "has not ended yet" in second.skip_message


@pytest.mark.parametrize(("name", "prepare"), NEEDS, ids=[name for name, _ in NEEDS])
@pytest.mark.parametrize("status", run_requests.UNFINISHED, ids=lambda status: status.value)
def test_an_integration_with_any_run_of_it_under_way_waits(
    name: str, prepare: Prepare, status: dg.DagsterRunStatus, world: World
) -> None:
    prepare(world, "acme-us")
    prepare(world, "other-inc")
    run_id = world.run("acme-us", status, job="full_refresh")
    tick = sense(name, world.instance)
    assert keys(tick) == ["other-inc"]
    world.made(tick.run_requests[0], dg.DagsterRunStatus.STARTED)
    assert f"acme-us: its run {run_id} has not ended yet" in sense(name, world.instance).skip_message


@pytest.mark.parametrize(("name", "prepare"), NEEDS, ids=[name for name, _ in NEEDS])
def test_a_failed_attempt_is_repeated_after_a_growing_wait_with_a_run_key_of_its_own(
    name: str, prepare: Prepare, world: World
) -> None:
    prepare(world, "acme-us")
    used: list[str] = []
    for wait in (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(days=1), timedelta(days=1)):
        now = datetime.now(UTC) + timedelta(seconds=1)
        request = look(world, name, now + timedelta(days=2) if used else now).run_requests
        assert request
        used.append(str(request[0].run_key))
        run_id = world.made(request[0], FAILURE)
        ended = datetime.now(UTC)
        early = look(world, name, ended + wait - timedelta(minutes=1))
        assert not early.run_requests
        assert f"run {run_id} did not help" in str(early.skip_reason)
        assert look(world, name, ended + wait + timedelta(minutes=1)).run_requests
    assert len(set(used)) == len(used)


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
@pytest.mark.parametrize(("name", "prepare"), NEEDS, ids=[name for name, _ in NEEDS])
def test_changed_settings_are_worth_an_attempt_at_once(name: str, prepare: Prepare, world: World) -> None:
    prepare(world, "acme-us")
    first = sense(name, world.instance).run_requests[0]
    world.made(first, FAILURE)
    assert not sense(name, world.instance).run_requests
    world.change("acme-us", checked_at=datetime.now(UTC))
    again = sense(name, world.instance).run_requests[0]
    assert again.run_key != first.run_key


def test_a_run_that_helped_nothing_is_not_launched_in_a_loop(world: World) -> None:
    world.ready("acme-us")
    world.made(sense("first_sync", world.instance).run_requests[0], SUCCESS)
    assert not sense("first_sync", world.instance).run_requests


@pytest.mark.parametrize(("name", "prepare"), NEEDS, ids=[name for name, _ in NEEDS])
def test_every_integration_gets_its_turn_within_the_room_of_the_queue(
    name: str, prepare: Prepare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_requests, "QUEUE_ROOM", 5)
    wanted = [f"company-{number:02}" for number in range(12)]
    for key in wanted:
        prepare(world, key)
    seen: list[list[str]] = []
    cursor = None
    for _ in range(4):
        tick = sense(name, world.instance, cursor)
        cursor = tick.cursor
        for request in tick.run_requests:
            world.made(request)
        seen.append(keys(tick))
    assert [len(launched) for launched in seen] == [5, 5, 2, 0]
    assert [key for launched in seen for key in launched] == wanted


def test_the_next_tick_goes_on_behind_the_cursor_even_when_nothing_was_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_requests, "QUEUE_ROOM", 5)
    for number in range(10):
        world.integration(f"company-{number:02}")
    first = sense("new_integrations", world.instance)
    second = sense("new_integrations", world.instance, first.cursor)
    assert keys(second) == [f"company-{number:02}" for number in range(5, 10)]


def test_a_cursor_that_cannot_be_read_begins_from_the_start(world: World) -> None:
    world.integration("acme-us")
    assert keys(sense("new_integrations", world.instance, cursor="not json")) == ["acme-us"]


@pytest.mark.parametrize("name", ["new_integrations", "first_sync", "moved_cutoff"])
def test_an_integration_that_cannot_be_looked_at_holds_up_no_other(name: str, world: World) -> None:
    prepare = dict(NEEDS)[name]
    world.broken("aaa-broken")
    prepare(world, "acme-us")
    lines: list[str] = []
    sensor = next(one for one in LAUNCH_SENSORS if one.name == name)
    result = sensor.evaluate(world.instance, world.warehouse, datetime.now(UTC), None, lines.append)
    assert [request.partition_key for request in result.run_requests or []] == ["acme-us"]
    assert any(line.startswith("aaa-broken: Something unexpected went wrong") for line in lines)


def test_an_unknown_failure_fails_the_tick_without_its_text() -> None:
    def tick() -> None:
        try:
            raise RuntimeError("987-65-4329")
        except RuntimeError as error:
            run_requests.unreadable(error)

    with pytest.raises(dg.Failure) as caught:
        tick()
    kept = serializable_error_info_from_exc_info((type(caught.value), caught.value, caught.value.__traceback__))
    assert "RuntimeError" in str(caught.value.description)
    # A line of this test quotes the number; Dagster's record of the exceptions must not.
    assert "987-65-4329" not in f"{kept.message}{kept.cause}{kept.context}"


def test_a_tick_stops_looking_in_time_and_goes_on_next_time(world: World) -> None:
    for number in range(3):
        world.integration(f"company-{number}")
    tick = run_requests.Tick(instance=world.instance, warehouse=world.warehouse, now=datetime.now(UTC), look_seconds=-1)
    outcome = tick.look(LAUNCH_SENSORS[0].decide, run_requests.write_cursor("company-1"))
    assert outcome.requests == []
    assert outcome.cursor == run_requests.write_cursor("company-1")


def test_every_sensor_and_schedule_runs_by_default() -> None:
    from billcom_assets.definitions import defs

    repository = defs.get_repository_def()
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}
    assert {one.default_status for one in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}
    assert {sensor.minimum_interval_seconds for sensor in repository.sensor_defs} == {30, 600}


@pytest.mark.parametrize("sensor", [sensor.name for sensor in LAUNCH_SENSORS])
def test_no_sensor_launches_or_adds_one_that_was_left(world: World, sensor: str) -> None:
    world.integration("acme-us", known=False, status="forgetting", credentials=None)
    world.ready("other-inc", status="disconnected", credentials=None, cutoff=date(2020, 1, 1))
    tick = sense(sensor, world.instance)
    assert not tick.run_requests
    assert not tick.dynamic_partitions_requests
    assert "other-inc: it is disconnected (billcom connect other-inc)" in tick.skip_message
