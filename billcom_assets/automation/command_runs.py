"""Runs that a command carries out in its own process, and what is left of them when that process is killed.

Dagster's run monitoring looks after the processes that it starts itself. A run of ours that died would count as going
on for ever and, with one run per integration at a time, keep every later one waiting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import Busy

COMMAND_TAG = "billcom/launched_by"
COMMAND = "command"


@contextmanager
def holding(warehouse: Warehouse, integration: str) -> Iterator[None]:
    """What a command holds while it carries out a run; freed when the process ends, however it ends.

    Raises:
        Busy: another command is running this integration.
    """
    with warehouse.exclusive(f"run of {integration}"):
        yield


def close_dead(instance: dg.DagsterInstance, warehouse: Warehouse, integration: str) -> list[str]:
    """Marks the integration's runs whose command was killed as failed; gives their ids."""
    going_on = instance.get_runs(
        dg.RunsFilter(
            tags={PARTITION_NAME_TAG: integration, COMMAND_TAG: COMMAND},
            statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED],
        )
    )
    if not going_on:
        return []
    try:
        with holding(warehouse, integration):
            return _fail(instance, going_on)
    except Busy:
        # Its command is alive.
        return []


def _fail(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]) -> list[str]:
    for run in runs:
        instance.report_run_failed(run, "The command that carried this run out was killed. Run it again: it goes on.")
    return [run.run_id for run in runs]
