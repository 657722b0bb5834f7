"""Ticks of sensors, evaluated as the daemon does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg

from billcom_assets.automation.sensors import LAUNCH_SENSORS
from billcom_assets.definitions import defs
from billcom_assets.resources import Billcom
from billcom_assets_tests.automation.conftest import World


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


@dataclass(frozen=True)
class Looked:
    """What a tick came to."""

    run_requests: Sequence[dg.RunRequest]
    skip_message: str
    cursor: str = ""


def tick_at(name: str, world: World, at: datetime, cursor: str | None = None) -> Looked:
    """One tick of a sensor at the given time."""
    sensor = next(one for one in LAUNCH_SENSORS if one.name == name)
    result = sensor.evaluate(world.instance, world.warehouse, at, cursor, lambda _line: None)
    skipped = result.skip_reason.skip_message if result.skip_reason else ""
    return Looked(result.run_requests or [], str(skipped), result.cursor or "")


def keys(tick: Any) -> list[str]:
    """The integrations that the tick launches."""
    return [request.partition_key for request in tick.run_requests]
