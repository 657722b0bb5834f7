from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import RunsFilter
from dagster._core.storage.tags import PARTITION_NAME_TAG

from billcom_assets.automation.freshness import CHECK, REPEATED_AFTER, report
from billcom_assets.automation.launching import Tick
from billcom_assets_tests.automation.conftest import LONG_AGO, NOW, World
from billcom_assets_tests.automation.ticks import sense


def reported(
    world: World, now: datetime, cursor: str | None = None, **options: Any
) -> tuple[dict[str | None, bool], str]:
    tick = Tick(instance=world.instance, warehouse=world.warehouse, now=now)
    events, following = report(tick, cursor, lambda _line: None, **options)
    return {event.partition: event.passed for event in events}, following


def test_each_integration_has_its_own_verdict(world: World) -> None:
    world.routine("fresh", synced_at=NOW - timedelta(hours=1))
    world.routine("stale", synced_at=NOW - timedelta(hours=4))
    world.integration("never")
    assert reported(world, NOW)[0] == {"fresh": True, "stale": False, "never": False}


def test_a_verdict_is_told_when_it_changes_and_otherwise_once_an_hour(world: World) -> None:
    world.routine("acme-us", synced_at=NOW)
    told, cursor = reported(world, NOW)
    assert told == {"acme-us": True}
    told, cursor = reported(world, NOW + timedelta(minutes=59), cursor)
    assert told == {}
    told, cursor = reported(world, NOW + REPEATED_AFTER, cursor)
    assert told == {"acme-us": True}
    world.synced("acme-us", LONG_AGO)
    told, cursor = reported(world, NOW + REPEATED_AFTER + timedelta(minutes=1), cursor)
    assert told == {"acme-us": False}


def test_the_budget_is_kept_and_the_next_tick_goes_on(world: World) -> None:
    for number in range(5):
        world.integration(f"company-{number}")
    first, cursor = reported(world, NOW, budget=3)
    second, cursor = reported(world, NOW, cursor, budget=3)
    third, _ = reported(world, NOW, cursor, budget=3)
    assert [sorted(str(key) for key in told) for told in (first, second, third)] == [
        ["company-0", "company-1", "company-2"],
        ["company-3", "company-4"],
        [],
    ]


def test_dagster_keeps_the_verdict_under_the_partition_without_any_run(world: World) -> None:
    world.integration("acme-us")
    world.routine("fresh", synced_at=datetime.now(UTC))
    tick = sense("freshness", world.instance)
    assert not tick.run_requests
    for event in tick.asset_events:
        world.instance.report_runless_asset_event(event)
    storage = world.instance.event_log_storage
    kept = {
        record.partition: record.event.dagster_event.event_specific_data.passed
        for record in storage.get_asset_check_execution_history(CHECK, limit=10)
    }
    assert kept == {"acme-us": False, "fresh": True}
    assert world.instance.get_run_records(RunsFilter()) == []


def test_the_check_run_by_hand_gives_the_verdict_of_the_integration(world: World) -> None:
    from billcom_assets.assets.pulls import pulls
    from billcom_assets.checks.freshness import freshness
    from billcom_assets.resources import Billcom

    world.integration("acme-us")
    result = dg.materialize(
        [pulls, freshness],
        selection=dg.AssetSelection.checks(CHECK),
        tags={PARTITION_NAME_TAG: "acme-us"},
        instance=world.instance,
        resources={"billcom": Billcom()},
    )
    (evaluated,) = result.get_asset_check_evaluations()
    assert (evaluated.partition, evaluated.passed) == ("acme-us", False)
    assert evaluated.description == "bills have never been pulled"
