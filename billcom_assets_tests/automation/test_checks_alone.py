"""Checks that somebody executes by themselves look at every integration, pull nothing and ask BILL nothing."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster import DagsterEventType

from billcom_assets.definitions import defs
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets_tests.automation.companies import KEY, connect


def executed(*checks: tuple[str, str], partition: str | None = None) -> dict[tuple[str, str, str], tuple[bool, str]]:
    """(integration, asset, check), whether it passed and what it says, of a run of these checks alone."""
    selected = [dg.AssetCheckKey(dg.AssetKey(asset), name) for asset, name in checks]
    job = defs.get_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection=set(selected)
    )
    with open_instance() as instance:
        result = job.execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)
        assert result.success
        records = instance.get_records_for_run(result.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION).records
        found = [record.event_log_entry.dagster_event.event_specific_data for record in records]
    return {
        (one.partition, one.asset_key.to_user_string(), one.check_name): (one.passed, one.description or "")
        for one in found
    }


@pytest.fixture
def two(synced_home: object, server: SandboxServer) -> SandboxServer:
    """A second company, that was connected and no more."""
    warehouse = open_database()
    connect(warehouse, server, "other-inc", organization=1)
    warehouse.close()
    server.sandbox.reset_stats()
    return server


def test_without_an_integration_every_one_is_looked_at(two: SandboxServer) -> None:
    found = executed(("bills", "data_quality"), ("gate", "vendors_mapped"))
    assert set(found) == {
        (key, *check) for key in (KEY, "other-inc") for check in (("bills", "data_quality"), ("gate", "vendors_mapped"))
    }
    assert [found[key, "gate", "vendors_mapped"][0] for key in (KEY, "other-inc")] == [True, False]
    # What was never pulled has passed nothing.
    never = (False, "not measured yet: bills were never pulled. billcom sync other-inc")
    assert found["other-inc", "bills", "data_quality"] == never
    assert "never pulled" not in found[KEY, "bills", "data_quality"][1]
    assert not two.sandbox.stats.paths


def test_so_are_its_books(two: SandboxServer) -> None:
    found = executed(("journal", "entries_balance"), ("trial_balance", "books_from_scratch"))
    assert {key for key, *_ in found} == {KEY, "other-inc"}
    assert all(passed for passed, _ in found.values())
    assert found["other-inc", "journal", "entries_balance"][1] == "Entries balance: 0 compared, none differs"
    assert not two.sandbox.stats.paths


def test_with_one_that_one_alone_is(two: SandboxServer) -> None:
    assert set(executed(("vendors", "data_quality"), partition=KEY)) == {(KEY, "vendors", "data_quality")}


def test_one_that_is_being_synced_stops_no_other(two: SandboxServer) -> None:
    warehouse = open_database()
    with warehouse.exclusive(f"sync of {KEY}"):
        assert {key for key, *_ in executed(("bills", "data_quality"))} == {"other-inc"}
    warehouse.close()
