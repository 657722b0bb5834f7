"""Deleting a run from Dagster with everything that it left there.

Dagster's ``delete_run`` leaves the results of checks, the last materialization that an asset shows and, on SQLite, the
run's own file. Those are deleted from its tables here.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from sqlalchemy import delete, update

from billcom_assets.dagster_internals import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorage,
    SqliteEventLogStorage,
)


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Deletes the run, its events, its logs and its check results."""
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
