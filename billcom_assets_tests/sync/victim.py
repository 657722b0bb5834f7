"""What runs in a process that a test kills; importable, so that a fork server can have it ready."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing.synchronize import Event
from typing import Any

from sqlalchemy import Connection, event

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.books import posting
from billcom_assets.books.alone import alone
from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, How, What
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.fills import Fill
from billcom_assets_tests.sync.company import INTEGRATION, QUICK, pull_all


@dataclass(frozen=True)
class Orders:
    """Where to sync from and to."""

    database_url: str
    organization_id: str
    username: str
    password: str
    base_url: str
    refresh: bool = False
    cutoff: date | None = None


def sync(orders: Orders, started: Event) -> None:
    """A whole sync, as a run does it."""
    credentials = Credentials(
        orders.organization_id, orders.username, orders.password, "sandbox-dev-key", base_url=orders.base_url
    )
    warehouse = open_warehouse(orders.database_url)
    with BillClient(credentials, integration=INTEGRATION, budget=MemoryBudget(), retry=QUICK) as client:
        run = Sync(warehouse, client, CATALOG, INTEGRATION, cutoff=orders.cutoff)
        with run.alone(wait_seconds=10):
            started.set()
            pull_all(run, refresh=orders.refresh)


def migrate(
    database_url: str,
    entities: tuple[Entity, ...] | None,
    started: Event,
    half: Event | None = None,
    go: Event | None = None,
) -> None:
    """Opens the database, which brings its tables up to date.

    With ``half`` and ``go`` it says when the first batch of rows is filled, and waits there.
    """
    if half and go:
        noted = Fill._advance

        def advance(self: Fill, after: tuple[str, str] | None) -> None:
            noted(self, after)
            half.set()
            go.wait()

        Fill._advance = advance  # type: ignore[method-assign]
    started.set()
    open_warehouse(database_url, entities=entities).close()


def post(database_url: str, now: datetime, last_step: int) -> None:
    """Posts, and dies when the step of this number, from 0, is about to be taken."""
    steps: list[str] = []

    def die(step: str) -> None:
        steps.append(step)
        if len(steps) > last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    warehouse = open_warehouse(database_url)
    if not warehouse.is_postgresql:
        event.listen(warehouse.engine, "begin", _write_early)
    post_in_steps(warehouse, now, die)


def _write_early(connection: Connection) -> None:
    """Lets pages of an unfinished transaction reach the file, as those of a large one do."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("PRAGMA cache_size = 1")


def post_in_steps(warehouse: Warehouse, now: datetime, do: Callable[[str], None]) -> None:
    """Posts as a run does; calls ``do`` before each step."""
    with alone(warehouse, INTEGRATION) as fence, each_step(warehouse, do):
        posting.post(warehouse, INTEGRATION, clock=lambda: now, fence=fence.check)


@contextmanager
def each_step(warehouse: Warehouse, do: Callable[[str], None]) -> Iterator[None]:
    """Calls ``do`` with every statement before it runs, and with COMMIT before each commit."""

    def execute(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        do(statement)

    def commit(_connection: Connection) -> None:
        do("COMMIT")

    listeners = ((warehouse.engine, "before_cursor_execute", execute), (warehouse.engine, "commit", commit))
    for listener in listeners:
        event.listen(*listener)
    try:
        yield
    finally:
        for listener in listeners:
            event.remove(*listener)


def hold(database_url: str, name: str, held: Event) -> None:
    """Takes a lock and never lets go."""
    warehouse = open_warehouse(database_url)
    with warehouse.exclusive(name):
        held.set()
        threading.Event().wait()


def decide(database_url: str, who: str, times: int) -> None:
    """Records decisions one after the other."""
    warehouse = open_warehouse(database_url)
    actor = Actor(1000, who, How.COMMAND)
    for number in range(times):
        with warehouse.write() as connection:
            audit.record(connection, actor=actor, what=What.SETTING_CHANGED, subject=f"{number}", now=utc_now())
    warehouse.close()
