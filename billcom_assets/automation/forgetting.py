"""What Dagster keeps of an integration, and deleting it: it has no public way to wipe one partition of an asset."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from billcom_assets.automation.dead_runs import close_dead
from billcom_assets.automation.run_deletion import delete_run
from billcom_assets.automation.run_requests import UNFINISHED
from billcom_assets.dagster_internals import PARTITION_NAME_TAG
from billcom_assets.partitions import PARTITION_SET
from billcom_assets.warehouse.engine import Warehouse

_RUNS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What Dagster has of an integration."""

    runs: int
    unfinished: tuple[str, ...]
    """Ids of runs that are queued or going on."""
    is_partition: bool


def kept(instance: dg.DagsterInstance, warehouse: Warehouse, key: str) -> Kept:
    """What Dagster has of it; runs whose command was killed count as ended."""
    close_dead(instance, warehouse, key)
    mine = {PARTITION_NAME_TAG: key}
    going_on = instance.get_runs(dg.RunsFilter(tags=mine, statuses=list(UNFINISHED)))
    return Kept(
        instance.get_runs_count(dg.RunsFilter(tags=mine)),
        tuple(run.run_id for run in going_on),
        instance.has_dynamic_partition(PARTITION_SET, key),
    )


def delete_all(instance: dg.DagsterInstance, key: str) -> dict[str, int]:
    """Deletes the integration's runs with their events, logs and samples, and its partition."""
    deleted = 0
    while runs := instance.get_runs(dg.RunsFilter(tags={PARTITION_NAME_TAG: key}), limit=_RUNS_AT_ONCE):
        for run in runs:
            delete_run(instance, run.run_id)
        deleted += len(runs)
    was_partition = instance.has_dynamic_partition(PARTITION_SET, key)
    if was_partition:
        instance.delete_dynamic_partition(PARTITION_SET, key)
    return {"dagster_runs": deleted, "dagster_partitions": int(was_partition)}
