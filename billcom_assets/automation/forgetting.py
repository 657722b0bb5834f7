"""What Dagster keeps of an integration, and deleting it.

Dagster has no public way to wipe one partition of an asset, and its ``delete_run`` leaves the results of checks, the
last materialization that an asset shows and, on SQLite, the run's own file. Those are deleted from its tables here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from sqlalchemy import delete, update

from billcom_assets.automation.dead_runs import close_dead
from billcom_assets.automation.run_requests import UNFINISHED
from billcom_assets.dagster_internals import (
    PARTITION_NAME_TAG,
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorage,
    SqliteEventLogStorage,
)
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
            _delete_run(instance, run.run_id)
        deleted += len(runs)
    was_partition = instance.has_dynamic_partition(PARTITION_SET, key)
    if was_partition:
        instance.delete_dynamic_partition(PARTITION_SET, key)
    return {"dagster_runs": deleted, "dagster_partitions": int(was_partition)}


def _delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            checks, assets = AssetCheckExecutionsTable, AssetKeyTable
            connection.execute(delete(checks).where(checks.c.run_id == run_id))
            # What an asset shows as its last: an event of this run, and which partitions have one.
            shown = {"last_materialization": None, "last_run_id": None, "cached_status_data": None}
            is_mine = assets.c.last_materialization.contains(run_id)
            connection.execute(update(assets).where(is_mine | (assets.c.last_run_id == run_id)).values(shown))
    # The run goes after all that it left behind: interrupted before, it is found again.
    storage.delete_events(run_id)
    instance.delete_run(run_id)
    if isinstance(storage, SqliteEventLogStorage):
        path = Path(storage.path_for_shard(run_id))
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
