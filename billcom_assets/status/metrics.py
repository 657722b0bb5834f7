"""Figures for Prometheus: how recent the data is, how the last runs ended, and what waits for somebody.

Instants rather than ages, as Prometheus advises: an alert computes the age, and finds out too when nobody measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from billcom_assets.bill.quotas import LOGINS_PER_HOUR, REQUESTS_PER_HOUR, hour_of
from billcom_assets.books.held import REASONS
from billcom_assets.clock import utc_now
from billcom_assets.status.integrations import every_integration, sync_statuses
from billcom_assets.status.runs import last_runs
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors, request_budget

RUN_STATUSES: Final = ("complete", "failed", "refused", "running")
_KEY_SHOWN: Final = 12
"""Characters of a developer key's digest."""

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Metrics(Collector):
    """Reads the database whenever Prometheus asks; a database that cannot be read is ``billcom_up 0``."""

    open_database: Callable[[], Warehouse]
    clock: Clock = utc_now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every figure, each with its labels."""
        up = _gauge("billcom_up", "1 when the database could be read, else 0")
        try:
            warehouse = self.open_database()
            try:
                with warehouse.snapshot() as connection:
                    found = [*_of_integrations(connection), *_waiting(connection), *_left(connection, self.clock())]
            finally:
                warehouse.close()
        except Exception:  # noqa: BLE001 - whatever it is, billcom doctor says it in words
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found


def _of_integrations(connection: Connection) -> Iterator[GaugeMetricFamily]:
    connected = _gauge("billcom_integration_connected", "1 when the last sign-in succeeded, else 0", "integration")
    fresh = _gauge(
        "billcom_entity_up_to_date_timestamp_seconds",
        "When the entity was last brought up to date or found to be, in seconds since 1970",
        "integration",
        "entity",
    )
    status = _gauge("billcom_last_run_status", "1 for how the last run ended, else 0", "integration", "status")
    ended = _gauge(
        "billcom_last_run_end_timestamp_seconds", "When the last run ended, in seconds since 1970", "integration"
    )
    every = [one for one in every_integration(connection) if one.left is None]
    for key, one in sync_statuses(connection, every).items():
        connected.add_metric([key], one.integration.is_connected)
        for entity, state in sorted(one.entities.items()):
            if state.looked_at is not None and one.scope.expects(entity):
                fresh.add_metric([key, entity], state.looked_at.timestamp())
        for run in last_runs(connection, key, limit=1):
            for name in RUN_STATUSES:
                status.add_metric([key, name], run.status == name)
            if run.finished_at is not None:
                ended.add_metric([key], run.finished_at.timestamp())
    return iter((connected, fresh, status, ended))


def _waiting(connection: Connection) -> Iterator[GaugeMetricFamily]:
    held = _gauge("billcom_held_documents", "Documents held out of the books for this reason", "integration", "reason")
    errors = _gauge("billcom_integration_errors", "Open integration errors of this kind", "integration", "code")
    e = integration_errors.c
    query = (
        select(e.integration, e.code, func.count())
        .where(e.status == "open")
        .group_by(e.integration, e.code)
        .order_by(e.integration, e.code)
    )
    for key, code, count in connection.execute(query):
        (held if code in REASONS else errors).add_metric([key, code], count)
    return iter((held, errors))


def _left(connection: Connection, now: datetime) -> Iterator[GaugeMetricFamily]:
    """Of developer keys that were used within a day; in an hour in which one was not, everything is left."""
    requests = _gauge("billcom_requests_left", "Requests that BILL still takes in this clock hour", "developer_key")
    logins = _gauge("billcom_logins_left", "Logins that BILL still takes in this clock hour", "developer_key")
    used: dict[str, tuple[int, int]] = {}
    b = request_budget.c
    for row in connection.execute(select(request_budget).order_by(b.developer_key, b.hour)):
        used[row.developer_key] = (row.requests, row.logins) if row.hour == hour_of(now) else (0, 0)
    for digest, (sent, signed_in) in used.items():
        label = [digest[:_KEY_SHOWN]]
        requests.add_metric(label, max(0, REQUESTS_PER_HOUR - sent))
        logins.add_metric(label, max(0, LOGINS_PER_HOUR - signed_in))
    return iter((requests, logins))


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=labels)
