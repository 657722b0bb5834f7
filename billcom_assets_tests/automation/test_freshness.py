from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import RunsFilter
from sqlalchemy import update

from billcom_assets.assets.pulls import pulls
from billcom_assets.automation.freshness import REPEATED_AFTER, evaluate_freshness
from billcom_assets.checks.freshness import CHECK, evaluation, freshness
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.resources import Billcom
from billcom_assets.status.freshness import freshness_of_all
from billcom_assets.warehouse import tables
from billcom_assets_tests.automation.conftest import LONG_AGO, NOW, World
from billcom_assets_tests.automation.ticks import sense
from billcom_assets_tests.conftest import DIALECTS


def reported(world: World, now: datetime, cursor: str | None = None) -> tuple[bool | None, str | None]:
    """(whether the check passed, if that is reported, next cursor)."""
    result = evaluate_freshness(world.warehouse, now, cursor)
    (passed,) = [event.passed for event in result.asset_events] or [None]
    return passed, result.cursor


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_the_late_ones_are_named_and_those_never_synced_are_not_late(world: World) -> None:
    world.routine("fresh", synced_at=NOW - timedelta(hours=1))
    world.routine("stale", synced_at=NOW - timedelta(hours=4))
    world.integration("waiting")
    evaluated = evaluation(freshness_of_all(world.warehouse, NOW))
    assert not evaluated.passed
    assert evaluated.severity is dg.AssetCheckSeverity.WARN
    assert evaluated.description == "1 of 2 synced integrations are fresh. Late: stale. Not synced yet: 1."
    assert "billcom sync stale" in str(evaluated.metadata["how_to_fix"].value)


def test_every_list_that_was_ever_pulled_is_watched_and_the_oldest_named_first(world: World) -> None:
    world.routine("acme-us", synced_at=NOW)
    t = tables.sync_state
    for entity, hours in (("bills", 5), ("roles", 20), ("funding_accounts", 39)):
        late = update(t).where(t.c.entity == entity).values(synced_at=NOW - timedelta(hours=hours))
        with world.warehouse.write() as connection:
            connection.execute(late)
    report = freshness_of_all(world.warehouse, NOW)
    found = f"2 of {len(CATALOG)} lists are late, last up to date: funding accounts 39 hours ago, bills 5 hours ago"
    assert report.late["acme-us"].description == found
    assert report.description == "0 of 1 synced integrations are fresh. Late: acme-us."


def test_a_result_is_reported_when_it_changes_and_otherwise_once_an_hour(world: World) -> None:
    world.routine("acme-us", synced_at=NOW)
    passed, cursor = reported(world, NOW)
    assert passed is True
    passed, cursor = reported(world, NOW + timedelta(minutes=59), cursor)
    assert passed is None
    passed, cursor = reported(world, NOW + REPEATED_AFTER, cursor)
    assert passed is True
    world.synced("acme-us", LONG_AGO)
    passed, cursor = reported(world, NOW + REPEATED_AFTER + timedelta(minutes=1), cursor)
    assert passed is False


def test_many_late_ones_are_counted_and_the_first_named(world: World) -> None:
    for number in range(25):
        world.routine(f"company-{number:02}", synced_at=LONG_AGO)
    description = freshness_of_all(world.warehouse, NOW).description
    assert description.startswith("0 of 25 synced integrations are fresh. Late: company-00, company-01,")
    assert description.endswith("company-19 and 5 more.")


def test_one_that_cannot_be_looked_at_is_told_beside_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.routine("acme-us", synced_at=NOW)
    world.routine("broken", synced_at=NOW)
    with world.warehouse.write() as connection:
        connection.exec_driver_sql("UPDATE sync_state SET synced_at = 'nonsense' WHERE integration = 'broken'")
    report = freshness_of_all(world.warehouse, NOW)
    assert (report.fresh, list(report.unknown)) == (1, ["broken"])
    assert not evaluation(report).passed


def test_dagster_keeps_result_after_result_without_any_run(world: World) -> None:
    world.routine("acme-us", synced_at=datetime.now(UTC))
    tick = sense("freshness", world.instance)
    world.synced("acme-us", LONG_AGO)
    later = sense("freshness", world.instance, tick.cursor)
    for event in (*tick.asset_events, *later.asset_events):
        world.instance.report_runless_asset_event(event)
    kept = world.instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=10)
    assert [record.event.dagster_event.event_specific_data.passed for record in kept] == [False, True]
    assert world.instance.get_run_records(RunsFilter()) == []


def test_the_check_run_by_hand_returns_the_same_result(world: World) -> None:
    world.routine("acme-us")
    result = dg.materialize(
        [pulls, freshness],
        selection=dg.AssetSelection.checks(CHECK),
        instance=world.instance,
        resources={"billcom": Billcom()},
    )
    (evaluated,) = result.get_asset_check_evaluations()
    assert not evaluated.passed
    assert evaluated.description == "0 of 1 synced integrations are fresh. Late: acme-us."


def test_one_that_was_disconnected_is_not_late(world: World) -> None:
    world.routine("fresh", synced_at=NOW)
    world.routine("left", status="disconnected", credentials=None)
    assert freshness_of_all(world.warehouse, NOW).description == "1 of 1 synced integrations are fresh."
