"""Launching our jobs from a process of our own, so that their runs are in the Dagster UI like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from billcom_assets.assets import command_runs
from billcom_assets.assets.gate import OUTCOME_TAG, REFUSED
from billcom_assets.assets.pulls import PULLS
from billcom_assets.assets.run_tags import owner_tag
from billcom_assets.automation.dead_runs import close_dead
from billcom_assets.dagster_internals import (
    MAX_RETRIES_TAG,
    PARTITION_NAME_TAG,
    ConfigurableClassData,
    LoadableTargetOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    NoOpComputeLogManager,
    ReconstructableRepository,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    execute_run,
)
from billcom_assets.environment import dagster_home, open_database
from billcom_assets.partitions import PARTITION_SET
from billcom_assets.resources import keep_connections, listening
from billcom_assets.setup.prerequisites import SetupIncomplete
from billcom_assets.status.integrations import find_integration
from billcom_assets.status.readiness import gate
from billcom_assets.sync.report import Progress
from billcom_assets.warehouse.engine import Warehouse

LOCATION = "billcom_assets"
MODULE = "billcom_assets.definitions"
_REPOSITORY = "__repository__"
_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
"""The command shows progress of its own; the run's log in the UI has everything."""


_NO_CAPTURE = ConfigurableClassData(NoOpComputeLogManager.__module__, NoOpComputeLogManager.__name__, "{}")


@dataclass(frozen=True, slots=True)
class Launched:
    """How a launched run ended."""

    run_id: str
    success: bool
    error: str | None
    """What failed and the next step; None after success."""
    setup_missing: SetupIncomplete | None
    """Set when the run stopped at the gate."""


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of ``DAGSTER_HOME`` (or the default home), closed at the end."""
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        keep_connections(instance)
        yield instance


@contextmanager
def _at_the_terminal() -> Iterator[dg.DagsterInstance]:
    """The same instance, but the process's output stays where it is.

    Dagster would write it to files and have it copied from there, by processes that hear Ctrl-C, too: the display of
    progress would stand still, and they would end with tracebacks.
    """
    with open_instance() as instance:
        ref = instance.get_ref()._replace(compute_logs_data=_NO_CAPTURE)
    with dg.DagsterInstance.from_ref(ref) as instance:
        keep_connections(instance)
        yield instance


def add_partition(integration: str) -> None:
    """Makes the integration known to Dagster; adding it twice is no error."""
    with open_instance() as instance:
        _add_partition(instance, integration)


def _add_partition(instance: dg.DagsterInstance, integration: str) -> None:
    if not instance.has_dynamic_partition(PARTITION_SET, integration):
        instance.add_dynamic_partitions(PARTITION_SET, [integration])


def launch(
    job_name: str,
    integration: str,
    *,
    entities: Sequence[str] | None = None,
    refresh: bool = False,
    confirm_deletions: bool = False,
    ops: Mapping[str, Mapping[str, Any]] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Launched:
    """Runs a job for one integration in this process and waits for its end.

    Args:
        job_name: ``initial_seed``, ``full_sync``, ``full_refresh`` or ``align_chart_of_accounts``.
        integration: Partition to run.
        entities: Only these assets of the job; all when None.
        refresh: Read whole lists; what ``full_refresh`` does anyway.
        confirm_deletions: What a refresh does not see is gone at once.
        ops: Configuration of the job's ops, of one that does not pull.
        on_progress: Hears how far each pull is.

    Raises:
        KeyError: the job or one of the entities does not exist.
        Busy: another command is running this integration.
    """
    reading = {"refresh": refresh or job_name == "full_refresh", "confirm_deletions": confirm_deletions}
    with _at_the_terminal() as instance, closing(open_database()) as warehouse:
        _add_partition(instance, integration)
        close_dead(instance, warehouse, integration)
        with command_runs.holding(warehouse, integration):
            given = {name: {"config": config} for name, config in (ops or {PULLS: reading}).items()}
            run_config = {"ops": given, "loggers": _QUIET}
            tags = _tags(warehouse, integration)
            run, job = _create_run(instance, job_name, entities, run_config, tags)
            with listening(on_progress or (lambda _progress: None)):
                _execute(instance, job, run)
        ended = instance.get_run_by_id(run.run_id)
        if ended is None or not ended.is_success:
            return Launched(run.run_id, success=False, error=_why(instance, run.run_id), setup_missing=None)
        if ended.tags.get(OUTCOME_TAG) == REFUSED:
            missing = _missing(warehouse, integration)
            return Launched(run.run_id, success=False, error=str(missing), setup_missing=missing)
        return Launched(run.run_id, success=True, error=None, setup_missing=None)


def _execute(instance: dg.DagsterInstance, job: Any, run: dg.DagsterRun) -> None:
    try:
        execute_run(job, run, instance)
    except KeyboardInterrupt:
        # Before or after the time in which Dagster ends the run by itself.
        if not _ended(instance, run):
            instance.report_run_canceled(run, "The command that carried this run out was stopped by Ctrl-C.")
        raise


def _ended(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    found = instance.get_run_by_id(run.run_id)
    return found is not None and found.is_finished


def _tags(warehouse: Warehouse, integration: str) -> dict[str, str]:
    with warehouse.read() as connection:
        found = find_integration(connection, integration)
    return {
        PARTITION_NAME_TAG: integration,
        command_runs.COMMAND_TAG: command_runs.COMMAND,
        # Whoever ran the command runs it again; Dagster must not do so besides.
        MAX_RETRIES_TAG: "0",
        **owner_tag(found.owner if found else None),
    }


def _create_run(
    instance: dg.DagsterInstance,
    job_name: str,
    entities: Sequence[str] | None,
    run_config: Mapping[str, Any],
    tags: Mapping[str, str],
) -> tuple[dg.DagsterRun, Any]:
    recon_repository = ReconstructableRepository.for_module(MODULE, "defs")
    recon_job = recon_repository.get_reconstructable_job(job_name)
    selection = frozenset(dg.AssetKey(name) for name in entities) if entities else None
    if selection:
        recon_job = recon_job.get_subset(asset_selection=selection)
    # With this origin the UI knows which code location's job it was, and offers to run it again.
    location = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=MODULE), LOCATION)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, _REPOSITORY), job_name)
    run = instance.create_run_for_job(
        job_def=recon_job.get_definition(),
        run_config=run_config,
        tags=tags,
        asset_selection=set(selection) if selection else None,
        remote_job_origin=origin,
        job_code_origin=recon_job.get_python_origin(),
    )
    return run, recon_job


def _why(instance: dg.DagsterInstance, run_id: str) -> str:
    """What failed, from the run's events."""
    for record in instance.all_logs(run_id):
        event = record.dagster_event
        if event is None or not event.is_step_failure:
            continue
        data = event.step_failure_data
        failure = data.user_failure_data
        if failure is not None:
            return failure.description or failure.label or ""
        if data.error is not None:
            cause = data.error.cause or data.error
            return f"Something unexpected went wrong ({cause.cls_name}). Its log in the Dagster UI says where."
    for record in instance.all_logs(run_id):
        if record.dagster_event is not None and record.dagster_event.is_job_failure:
            return record.dagster_event.message or "The run failed."
    return "The run did not end. Its log in the Dagster UI says how far it came."


def _missing(warehouse: Warehouse, integration: str) -> SetupIncomplete:
    with warehouse.read() as connection:
        return SetupIncomplete(integration, tuple(gate(connection, integration)))
