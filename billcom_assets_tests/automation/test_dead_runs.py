from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.execution.retries import auto_reexecution_should_retry_run

from billcom_assets.automation import dead_runs
from billcom_assets.automation.run_requests import Launch, Outcome, Tick
from billcom_assets.status.integrations import SyncStatus
from billcom_assets.sync.run import lock_name
from billcom_assets_tests.automation.conftest import World
from billcom_assets_tests.conftest import DIALECTS

SLOT = Launch("hourly_sync", "this one")
TRIED = {"billcom/reason": SLOT.reason, "billcom/slot": SLOT.slot, "billcom/attempt": "1"}
FAILED = dg.DagsterRunStatus.FAILURE


def look(world: World, after: timedelta = timedelta(), wanted: Launch = SLOT) -> Outcome:
    """A tick now or later at which every integration wants the same."""

    def decide(_status: SyncStatus, _now: datetime) -> Launch:
        return wanted

    return Tick(instance=world.instance, warehouse=world.warehouse, now=datetime.now(UTC) + after).look(decide, None)


def launched(world: World, after: timedelta = timedelta(), wanted: Launch = SLOT) -> list[str]:
    return [str(request.partition_key) for request in look(world, after, wanted).requests]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_runs, "QUIET", timedelta())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_a_started_run_without_its_lock_is_closed_in_words_and_launched_again_at_once(world: World) -> None:
    world.routine("acme-us")
    dead = world.run("acme-us", **TRIED)
    assert launched(world) == ["acme-us"]
    closed = world.instance.get_run_by_id(dead)
    assert closed is not None
    assert closed.status is FAILED
    (failure,) = world.instance.get_records_for_run(dead, of_type=dg.DagsterEventType.RUN_FAILURE).records
    assert "is gone: it was killed" in failure.event_log_entry.dagster_event.message


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_a_run_that_holds_its_lock_is_alive_however_long_it_says_nothing(world: World) -> None:
    world.routine("acme-us")
    alive = world.run("acme-us", **TRIED)
    with world.warehouse.exclusive(lock_name("acme-us")):
        assert look(world).skipped == {"acme-us": f"its run {alive} has not ended yet"}
    assert world.instance.get_run_by_id(alive).status is dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]


def test_a_run_that_said_something_a_moment_ago_may_be_on_its_way_to_the_lock(world: World) -> None:
    world.routine("acme-us")
    young = world.run("acme-us", **TRIED)
    assert look(world).skipped == {"acme-us": f"its run {young} has not ended yet"}


@pytest.mark.usefixtures("impatient")
def test_a_run_of_another_code_location_is_left_alone(world: World) -> None:
    world.routine("acme-us")
    other = world.run("acme-us", job="payroll")
    assert look(world).skipped == {"acme-us": f"its run {other} has not ended yet"}


@pytest.mark.usefixtures("impatient")
def test_a_run_that_dies_a_second_time_waits_as_one_that_failed(world: World) -> None:
    world.routine("acme-us")
    world.run("acme-us", **TRIED)
    (again,) = look(world).requests
    world.made(again, dg.DagsterRunStatus.STARTED)
    assert launched(world) == []
    assert launched(world, timedelta(minutes=59)) == []
    assert launched(world, timedelta(minutes=61)) == ["acme-us"]


def test_dagster_does_not_launch_again_what_the_schedule_launches_again(world: World) -> None:
    world.routine("acme-us")
    (request,) = look(world).requests
    run_id = world.made(request, FAILED)
    with dg.instance_for_test(overrides={"run_retries": {"enabled": True, "max_retries": 2}}) as retrying:
        run = world.instance.get_run_by_id(run_id)
        assert run is not None
        assert not auto_reexecution_should_retry_run(retrying, run, None)


def test_a_failed_run_is_tried_again_after_growing_waits_and_a_good_one_is_not(world: World) -> None:
    world.routine("acme-us")
    world.run("acme-us", FAILED, **TRIED)
    assert launched(world, timedelta(minutes=14)) == []
    assert launched(world, timedelta(minutes=16)) == ["acme-us"]
    world.run("acme-us", FAILED, **TRIED | {"billcom/attempt": "2"})
    assert launched(world, timedelta(minutes=59)) == []
    (third,) = look(world, timedelta(minutes=61)).requests
    assert third.tags["billcom/attempt"] == "3"
    world.made(third)
    assert launched(world, timedelta(days=2)) == []
    assert launched(world, timedelta(days=2), Launch(SLOT.reason, SLOT.slot, until_done=True)) == ["acme-us"]
