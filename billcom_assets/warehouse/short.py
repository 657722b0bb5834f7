"""Transactions that keep nobody waiting for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from billcom_assets.warehouse.waits import Waits, milliseconds


@contextmanager
def short_transaction(engine: Engine, waits: Waits) -> Iterator[Connection]:
    """One transaction whose statements wait only for a moment for each lock; see ``locked.persistently``."""
    with engine.connect() as opened:
        connection = opened.execution_options(begin_immediate=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                limit = milliseconds(waits.upgrade_lock_seconds)
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit}")
            yield connection
