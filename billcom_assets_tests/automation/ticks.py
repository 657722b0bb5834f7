"""Ticks of sensors and schedules, evaluated as the daemon does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dagster as dg

from billcom_assets.definitions import defs
from billcom_assets.resources import Billcom


def sense(name: str, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    """One tick of a sensor at the wall clock's time."""
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(
        instance=instance,
        instance_ref=instance.get_ref(),
        repository_def=repository,
        cursor=cursor,
        resources={"billcom": Billcom()},
    )
    with context:
        return repository.get_sensor_def(name).evaluate_tick(context)


def schedule(name: str, instance: dg.DagsterInstance, at: datetime) -> Any:
    """One tick of a schedule at the given time."""
    repository = defs.get_repository_def()
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        repository_def=repository,
        resources={"billcom": Billcom()},
    )
    with context:
        return repository.get_schedule_def(name).evaluate_tick(context)


def keys(tick: Any) -> list[str]:
    """The integrations that the tick launches."""
    return [request.partition_key for request in tick.run_requests]
