"""An hour of many quiet companies: every tick of every sensor, BILL asked over HTTP. JSON in, JSON out.

Of the sensors that look every half a minute some ticks are made and counted for all of the hour.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import dagster as dg
from sqlalchemy import update

from billcom_assets.automation.sensors import LAUNCH_SENSORS
from billcom_assets.bill.credentials import Environment
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database, seal_for
from billcom_assets.partitions import PARTITION_SET
from billcom_assets.resources import open_sync
from billcom_assets.status.freshness import freshness_of_all
from billcom_assets.sync.engine import pull
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import CredentialSources, Integration, Integrations
from billcom_assets.warehouse.tables import sync_state
from billcom_assets_tests.small_company import Books

_SECRET_KEY = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="
_TICKS_MADE = 4
"""Of a sensor that looks every half a minute."""
_AT_ONCE = 2


def main() -> None:
    """Connects and syncs every company, then lives through an hour in which nothing happens."""
    given = json.load(sys.stdin)
    os.environ.update(BILLCOM_DATABASE_URL=given["database_url"], BILLCOM_SECRET_KEY=_SECRET_KEY)
    with (
        tempfile.TemporaryDirectory(prefix="billcom-bench-") as home,
        closing(open_database()) as warehouse,
        dg.instance_for_test(temp_dir=home) as instance,
    ):
        keys = [f"company-{number:04}" for number in range(len(given["organizations"]))]
        begun = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda one: _bring_in(warehouse, given, *one), enumerate(keys)))
        setup_seconds = time.monotonic() - begun
        instance.add_dynamic_partitions(PARTITION_SET, keys)
        _age(warehouse, timedelta(hours=2))
        _asked(given, "POST", "reset")
        said = _live_an_hour(instance, warehouse)
        said |= {name: count for name, count in _asked(given, "GET", "state").items() if name in ("requests", "logins")}
    json.dump(said | {"setup_seconds": setup_seconds}, sys.stdout)


def _asked(given: dict[str, Any], verb: str, path: str) -> dict[str, Any]:
    """What the simulated BILL has counted."""
    with urlopen(Request(f"{given['control']}/_sandbox/{path}", method=verb)) as response:
        said: dict[str, Any] = json.load(response)
    return said


def _bring_in(warehouse: Warehouse, given: dict[str, Any], number: int, key: str) -> None:
    """One company, set up and synced."""
    one = given["organizations"][number]
    dev_key = given["dev_keys"][number % len(given["dev_keys"])]
    sources = CredentialSources(one["username"], one["password"], dev_key)
    integration = Integration(
        key,
        f"Company {number}",
        one["id"],
        Environment.STAGE,
        given["base_url"],
        None,
        sources,
        None,
        None,
        _where_it_is_noon(),
    )
    with warehouse.write() as connection:
        Integrations(seal_for(warehouse)).save(connection, integration, datetime.now(UTC))
        Books(connection, key).ready()
    with open_sync(warehouse, key, planned=list(CATALOG.names())) as sync, sync.alone():
        for entity in CATALOG:
            pull(sync, entity)


def _where_it_is_noon() -> str:
    """A time zone in which no night is near."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


def _age(warehouse: Warehouse, by: timedelta) -> None:
    with warehouse.write() as connection:
        connection.execute(update(sync_state).values(synced_at=datetime.now(UTC) - by, swept_at=datetime.now(UTC) - by))


def _live_an_hour(instance: dg.DagsterInstance, warehouse: Warehouse) -> dict[str, Any]:
    """CPU seconds, runs and the longest tick of the current hour."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    runs, longest, cpu_seconds, cursors = 0, 0.0, 0.0, dict[str, str | None]()

    def timed(tick: Callable[[], Sequence[dg.RunRequest]]) -> float:
        nonlocal runs, longest
        begun, used = time.monotonic(), time.process_time()
        runs += len(tick())
        longest = max(longest, time.monotonic() - begun)
        return time.process_time() - used

    for sensor in LAUNCH_SENSORS:
        ticks = 3_600 // sensor.interval_seconds
        made = ticks if ticks <= 6 else _TICKS_MADE
        for number in range(made):
            at = start + timedelta(seconds=number * sensor.interval_seconds)

            def tick(sensor: Any = sensor, at: datetime = at) -> Sequence[dg.RunRequest]:
                result = sensor.evaluate(instance, warehouse, at, cursors.get(sensor.name), lambda _line: None)
                cursors[sensor.name] = result.cursor
                return result.run_requests or []

            cpu_seconds += timed(tick) * ticks / made
    for _ in range(_TICKS_MADE):
        cpu_seconds += timed(lambda: [freshness_of_all(warehouse, start)][:0]) * 120 / _TICKS_MADE
    return {"cpu_seconds": cpu_seconds, "runs": runs, "longest_tick_seconds": longest}


if __name__ == "__main__":
    main()
