"""Connections that PostgreSQL closed in the meantime are replaced before anybody notices."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text

from billcom_assets.warehouse import engine
from billcom_assets.warehouse.engine import Warehouse

KILL_OTHERS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_connection_that_died_while_idle_is_replaced(
    warehouse: Warehouse, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_TRUSTED_SECONDS", 0)
    with warehouse.read() as connection:
        before = connection.scalar(text("SELECT pg_backend_pid()"))
    other = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    with other.connect() as connection:
        assert connection.scalar(text(KILL_OTHERS)) >= 1
    other.dispose()
    with warehouse.read() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != before
