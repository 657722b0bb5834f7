"""Runs whose process is gone although Dagster counts them as going on, which keeps every later run waiting.

A process that is killed, or stopped with its container, says nothing any more. Dagster's run monitoring ends runs that
never start or never cancel; of one that has started, its launcher for local processes cannot say whether it lives. What
says so is the lock that the process holds as long as it lives, and no longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from billcom_assets.assets.command_runs import COMMAND, COMMAND_TAG, holding
from billcom_assets.automation.jobs import JOBS
from billcom_assets.dagster_internals import PARTITION_NAME_TAG
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import sync_plan
from billcom_assets.sync.run import lock_name
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import Busy

QUIET = timedelta(seconds=60)
"""A run without an event for so long is neither on its way to the lock nor on its way from it: both take seconds."""
DIED_TAG = "billcom/died"
_PULLED = {dg.AssetKey(step.name) for step in sync_plan(CATALOG)}
_JOB_NAMES = {job.name for job in JOBS}
_OF_COMMAND = "The command that carried this run out was killed. Run it again: it goes on."
_OF_DAEMON = (
    "The process that carried this run out is gone: it was killed, or its machine or container stopped. Finished pages "
    "are kept; a run that a schedule or sensor launched is launched again."
)


def close_dead(instance: dg.DagsterInstance, warehouse: Warehouse, integration: str) -> list[str]:
    """Marks the integration's runs whose process is gone as failed; returns their ids."""
    runs = instance.get_runs(
        dg.RunsFilter(
            tags={PARTITION_NAME_TAG: integration},
            statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED],
        )
    )
    of_commands = [run for run in runs if run.tags.get(COMMAND_TAG) == COMMAND]
    return [
        *_close_of_commands(instance, warehouse, integration, of_commands),
        *_close_of_daemon(instance, warehouse, integration, [run for run in runs if run not in of_commands]),
    ]


def _close_of_commands(
    instance: dg.DagsterInstance, warehouse: Warehouse, integration: str, runs: Sequence[dg.DagsterRun]
) -> Iterator[str]:
    """A command holds a lock from before its run exists until after its end."""
    if not runs:
        return
    try:
        with holding(warehouse, integration):
            yield from _fail(instance, runs, _OF_COMMAND)
    except Busy:
        # Its command is alive.
        return


def _close_of_daemon(
    instance: dg.DagsterInstance, warehouse: Warehouse, integration: str, runs: Sequence[dg.DagsterRun]
) -> Iterator[str]:
    """Other runs hold theirs while they pull, not while they begin and end."""
    # Looked at before the lock is tried: whoever is about to take it must not find it taken.
    if not any(_is_silent(instance, run) for run in runs):
        return
    try:
        with warehouse.exclusive(lock_name(integration), wait_seconds=0):
            # And once more: it may have ended in between.
            yield from _fail(instance, [run for run in runs if _is_silent(instance, run)], _OF_DAEMON)
    except Busy:
        return


def _is_silent(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """True for a run that counts as started and has said nothing for a while."""
    now_known = instance.get_run_record_by_id(run.run_id)
    if now_known is None or now_known.dagster_run.status is not dg.DagsterRunStatus.STARTED or not is_ours(run):
        return False
    newest = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
    last = newest[0].timestamp if newest else now_known.create_timestamp.timestamp()
    return datetime.now(UTC) - datetime.fromtimestamp(last, UTC) >= QUIET


def is_ours(run: dg.DagsterRun) -> bool:
    """False for runs of other code locations that name a partition the same."""
    return run.job_name in _JOB_NAMES or bool(_PULLED & (run.asset_selection or set()))


def _fail(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun], words: str) -> list[str]:
    for run in runs:
        instance.add_run_tags(run.run_id, {DIED_TAG: "true"})
        instance.report_run_failed(run, words)
    return [run.run_id for run in runs]
