"""The Dagster instance: its settings, its daemon, what runs by itself, and what waits in its queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from billcom_assets.automation.freshness import freshness
from billcom_assets.automation.schedules import SCHEDULES
from billcom_assets.automation.sensors import SENSORS
from billcom_assets.dagster_internals import PARTITION_NAME_TAG, InstigatorStatus
from billcom_assets.doctor.findings import Found, broken, ok, warning
from billcom_assets.doctor.place import Place
from billcom_assets.environment import DATABASE_VARIABLE, INSTANCE_FILE
from billcom_assets.redaction.counted import counted
from billcom_assets.storage import URL_VARIABLE
from billcom_assets.warehouse.driver_errors import driver_failure
from billcom_assets.warehouse.errors import WarehouseError

_AS_SHIPPED: Final = "copy that part from the dagster.yaml that billcom-assets ships, then start daemon and UI again"
_MODULE: Final = "billcom_assets.definitions"
_START_DAEMON: Final = "Keep it running beside the UI: dagster-daemon run -w workspace.yaml (billcom ui starts one)."

_ALIVE_SECONDS: Final = 300
"""A sign of life that is older was the last one."""


def loads(place: Place) -> Iterator[Found]:
    """``dagster.yaml`` is understood, and runs and events can be read."""
    try:
        instance = place.loaded
        runs = instance.get_runs_count()
    except WarehouseError:
        raise
    except Exception as error:
        if place.debug:
            raise
        # Dagster wraps the driver's error in one of its own.
        failure = driver_failure(error) or (driver_failure(error.__cause__) if error.__cause__ else None)
        if failure is None:
            file, kind = place.home / INSTANCE_FILE, type(error).__name__
            yield broken(f"Dagster cannot make an instance of {file} ({kind}).", f"Correct it; or {_AS_SHIPPED}.")
        else:
            fix = failure.trouble.next_step.replace(DATABASE_VARIABLE, URL_VARIABLE)
            yield broken(f"Dagster's runs and events cannot be read. {failure.says}.", fix)
        return
    yield ok(f"{place.home} is in order, with {counted(runs, 'run', 'runs')}.")


def daemon(place: Place) -> Iterator[Found]:
    """Every part of the daemon that the instance needs was alive lately."""
    statuses = place.instance.get_daemon_statuses()
    never = [name for name, one in statuses.items() if one.last_heartbeat is None]
    if len(never) == len(statuses):
        yield broken("Dagster's daemon has never run: nothing starts by itself.", _START_DAEMON)
        return
    bad = 0
    for name, one in sorted(statuses.items()):
        if one.healthy:
            continue
        bad += 1
        last = one.last_heartbeat
        if last is None:
            yield broken(f"The daemon's part {name} has never run.", _START_DAEMON)
        elif last.errors and place.now.timestamp() - last.timestamp < _ALIVE_SECONDS:
            yield broken(f"The daemon's part {name} runs into errors.", "Its log, and Deployment in the UI, say which.")
        else:
            at = datetime.fromtimestamp(last.timestamp, UTC)
            yield broken(f"The daemon's part {name} gave its last sign at {at:%Y-%m-%d %H:%M} UTC.", _START_DAEMON)
    if not bad:
        yield ok(f"All of its {len(statuses)} parts are alive.")


def running(place: Place) -> Iterator[Found]:
    """What is on by default was not stopped."""
    declared = {**{one.name: "schedule" for one in SCHEDULES}, **{one.name: "sensor" for one in [*SENSORS, freshness]}}
    statuses = defaultdict(set)
    for state in place.instance.all_instigator_state():
        statuses[state.instigator_name].add(state.status)
    stopped = [name for name in declared if statuses[name] == {InstigatorStatus.STOPPED}]
    for name in stopped:
        kind = declared[name]
        yield broken(
            f"The {kind} {name} is stopped.",
            f"Start it in the UI under Automation, or: dagster {kind} start {name} -m {_MODULE}",
        )
    if not stopped:
        yield ok(f"All {len(declared)} schedules and sensors are on.")


def settings(place: Place) -> Iterator[Found]:
    """``dagster.yaml`` keeps the runs of one integration apart and ends what hangs."""
    instance = place.instance
    queue = instance.get_concurrency_config().run_queue_config
    problems = []
    if queue is None:
        problems.append(
            broken("Runs are not queued, so no limit holds.", f"Use the QueuedRunCoordinator: {_AS_SHIPPED}.")
        )
    elif not any(_keeps_apart(limit) for limit in queue.tag_concurrency_limits or ()):
        problems.append(
            broken(
                "Two runs of one integration may start at once, and the later one fails: there is no limit of 1 for "
                f"each value of the tag {PARTITION_NAME_TAG}.",
                f"Under concurrency.runs.tag_concurrency_limits: {_AS_SHIPPED}.",
            )
        )
    if not instance.run_monitoring_enabled:
        problems.append(
            warning(
                "Runs that hang or never start are not ended: run_monitoring is off.",
                f"Enable run_monitoring: {_AS_SHIPPED}.",
            )
        )
    yield from problems
    if queue is not None and not problems:
        yield ok(f"{queue.max_concurrent_runs} runs at once, one for each integration.")


def queue(place: Place) -> Iterator[Found]:
    """No run waits for long."""
    filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
    waiting = place.instance.get_runs_count(filters)
    oldest = place.instance.get_run_records(filters, limit=1, ascending=True)
    waited = (place.now - oldest[0].create_timestamp.astimezone(UTC)).total_seconds() if oldest else 0.0
    if waited > place.limits.queued_seconds:
        minutes = round(waited / 60)
        yield warning(
            f"{counted(waiting, 'run waits', 'runs wait')} in the queue, the oldest for {minutes:,} minutes.",
            "See that the daemon runs; if it does, raise max_concurrent_runs in dagster.yaml, or end what hangs in the "
            "UI under Runs.",
        )
    else:
        yield ok(f"{counted(waiting, 'run waits', 'runs wait')}." if waiting else "No run waits.")


def _keeps_apart(limit: Mapping[str, Any]) -> bool:
    each = isinstance(value := limit.get("value"), Mapping) and value.get("applyLimitPerUniqueValue") is True
    return limit.get("key") == PARTITION_NAME_TAG and each and limit.get("limit") == 1
