"""Old runs go with all that they left in Dagster; what assets show stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from billcom_assets.automation.pruning import VARIABLE, InvalidRetention, kept_for, prune
from billcom_assets.definitions import defs
from billcom_assets.partitions import INTEGRATIONS, PARTITION_SET

KEY = "acme-us"
LATER = datetime.now(UTC) + timedelta(days=1)
"""Before it, everything that a test makes has ended."""


def full_sync(instance: dg.DagsterInstance, *assets: str, key: str = KEY, job: str = "full_sync") -> str:
    """A run of a job of that name which brings the assets up to date."""

    @dg.multi_asset(specs=[dg.AssetSpec(one, partitions_def=INTEGRATIONS) for one in assets])
    def pulls() -> Iterator[dg.Output[None]]:
        for one in assets:
            yield dg.Output(None, output_name=one)

    if not instance.has_dynamic_partition(PARTITION_SET, key):
        instance.add_dynamic_partitions(PARTITION_SET, [key])
    definitions = dg.Definitions([pulls], jobs=[dg.define_asset_job(job, list(assets))])
    done = definitions.resolve_job_def(job).execute_in_process(instance=instance, partition_key=key)
    assert done.success
    return str(done.run_id)


def left(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


def test_the_newest_run_of_each_asset_stays_and_the_others_go(instance: dg.DagsterInstance) -> None:
    first = full_sync(instance, "vendors", "roles")
    second = full_sync(instance, "vendors")
    third = full_sync(instance, "vendors")
    elsewhere = full_sync(instance, "vendors", key="other-inc")
    assert prune(instance, LATER) == 1
    assert left(instance) == {first, third, elsewhere}
    assert not Path(instance.event_log_storage.path_for_shard(second)).exists()
    for asset, keys in {"vendors": {KEY, "other-inc"}, "roles": {KEY}}.items():
        assert instance.get_materialized_partitions(dg.AssetKey(asset)) == keys


def test_what_is_not_old_enough_stays(instance: dg.DagsterInstance) -> None:
    kept = {full_sync(instance, "vendors") for _ in range(2)}
    assert prune(instance, datetime.now(UTC) - timedelta(days=1)) == 0
    assert left(instance) == kept


def test_what_has_not_ended_or_belongs_to_others_stays(instance: dg.DagsterInstance) -> None:
    for _ in range(2):
        full_sync(instance, "their_asset", job="their_job")
        instance.create_run_for_job(defs.resolve_job_def("full_sync"), tags={"dagster/partition": KEY})
    before = left(instance)
    assert prune(instance, LATER) == 0
    assert left(instance) == before


def test_the_newest_run_of_a_job_stays_even_if_it_brought_nothing(instance: dg.DagsterInstance) -> None:
    runs = [
        instance.create_run_for_job(defs.resolve_job_def("full_sync"), tags={"dagster/partition": KEY}) for _ in "123"
    ]
    for run in runs:
        instance.report_run_failed(run, "refused")
    assert prune(instance, LATER) == 2
    assert left(instance) == {runs[-1].run_id}


def test_the_job_deletes_what_ended_before_the_days_that_are_kept(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        full_sync(instance, "vendors")
    job = defs.resolve_job_def("prune_history")
    assert job.execute_in_process(instance=instance).success
    assert len(left(instance)) == 4
    monkeypatch.setattr("billcom_assets.automation.pruning.utc_now", lambda: LATER + timedelta(days=30))
    assert job.execute_in_process(instance=instance).success
    assert [run.job_name for run in instance.get_runs()] == ["prune_history", "full_sync"]


def test_how_long_runs_are_kept_is_set_by_an_environment_variable() -> None:
    assert kept_for({}) == timedelta(days=30)
    assert kept_for({VARIABLE: " 7 "}) == timedelta(days=7)
    for wrong in ("soon", "0", "-1", "1.5", "99999"):
        with pytest.raises(InvalidRetention, match=VARIABLE):
            kept_for({VARIABLE: wrong})
