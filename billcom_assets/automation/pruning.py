"""Deleting old runs, of which Dagster would keep every event for ever.

What assets show stays: the run of each integration's newest materialization of each asset, and its newest run of each
job. Ticks of schedules and sensors are deleted by Dagster itself, as its instance's settings say.
"""

# No postponed annotations: Dagster reads those of the op.
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import dagster as dg

from billcom_assets.automation.dead_runs import is_ours
from billcom_assets.automation.jobs import look_over
from billcom_assets.automation.run_deletion import delete_run
from billcom_assets.clock import utc_now
from billcom_assets.dagster_internals import PARTITION_NAME_TAG
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import sync_plan
from billcom_assets.redaction.errors import UserFacingError

VARIABLE = "BILLCOM_KEEP_RUNS_DAYS"
KEPT_DAYS = 30
_AT_ONCE = 500
_LASTS_SECONDS = 3_600.0
"""The next night goes on."""
Id = TypeVar("Id", str, int)
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class InvalidRetention(UserFacingError):
    """The environment variable does not say for how many days runs are kept."""


def kept_for(environment: Mapping[str, str] = os.environ) -> timedelta:
    """How long runs are kept.

    Raises:
        InvalidRetention: what the variable holds is no number of days.
    """
    given = environment.get(VARIABLE, "").strip() or str(KEPT_DAYS)
    if not given.isdecimal() or not 1 <= int(given) <= 36_500:
        raise InvalidRetention(f"{VARIABLE} says for how many days runs are kept: a whole number from 1 on.")
    return timedelta(days=int(given))


def prune(instance: dg.DagsterInstance, before: datetime, *, lasts: float = _LASTS_SECONDS) -> int:
    """Deletes our runs that ended before an instant, except those that are still shown; returns their number."""
    deadline = time.monotonic() + lasts
    old = instance.get_run_ids(dg.RunsFilter(statuses=_ENDED, updated_before=before))
    shown = _shown(instance)
    deleted = 0
    for run_ids in _parts(old[::-1]):
        for run in _to_delete(instance, run_ids, shown):
            if time.monotonic() > deadline:
                return deleted
            delete_run(instance, run.run_id)
            deleted += 1
    return deleted


def _to_delete(instance: dg.DagsterInstance, run_ids: Sequence[str], shown: Collection[str]) -> Iterator[dg.DagsterRun]:
    for run in instance.get_runs(dg.RunsFilter(run_ids=list(run_ids))):
        ours = is_ours(run) or run.job_name in (prune_history.name, look_over.name)
        if ours and run.run_id not in shown and not _is_newest_of_its_kind(instance, run):
            yield run


def _is_newest_of_its_kind(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """True for an integration's newest run of a job, which says how it is."""
    partition = run.tags.get(PARTITION_NAME_TAG)
    tags = {PARTITION_NAME_TAG: partition} if partition else {}
    newest = instance.get_runs(dg.RunsFilter(job_name=run.job_name, tags=tags), limit=1)
    return [one.run_id for one in newest] == [run.run_id]


def _shown(instance: dg.DagsterInstance) -> set[str]:
    """Runs whose materialization is an integration's newest of some asset."""
    found: set[str] = set()
    for step in sync_plan(CATALOG):
        key = dg.AssetKey(step.name)
        newest = instance.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
        for storage_ids in _parts(list(newest.values())):
            records = instance.fetch_materializations(
                dg.AssetRecordsFilter(key, storage_ids=list(storage_ids)), limit=len(storage_ids)
            )
            found |= {record.run_id for record in records.records}
    return found


def _parts(ids: Sequence[Id]) -> Iterator[Sequence[Id]]:
    yield from (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


@dg.op(name="delete_old_runs")
def _delete_old_runs(context: dg.OpExecutionContext) -> None:
    try:
        days = kept_for()
    except InvalidRetention as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    deleted = prune(context.instance, utc_now() - days)
    context.log.info(f"{deleted:,} runs deleted that ended more than {days.days} days ago.")


@dg.job(
    description=f"Deletes runs that ended more than {KEPT_DAYS} days ago ({VARIABLE} sets another number) with their "
    "events, except those that assets still show."
)
def prune_history() -> None:
    """Deletes old runs."""
    _delete_old_runs()
