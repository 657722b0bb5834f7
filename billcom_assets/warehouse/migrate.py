"""Bringing a database up to date without losing data.

Two steps in one transaction under a lock: Alembic revisions for the tables that are ours, then additions for the
mirror, whose tables and columns follow the entity catalog. A column added to the catalog is filled from the stored
payloads,
with no request to BILL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Inspector, Table, inspect, select

from billcom_assets.warehouse import locks
from billcom_assets.warehouse.analysts import fingerprint
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.ownership import act_as_owner, refresh_analyst_views
from billcom_assets.warehouse.replay import replay
from billcom_assets.warehouse.tables import SCHEMA, mirror_schema
from billcom_assets.warehouse.views import create_views, drop_views

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_WAIT_SECONDS = 120


def migrate(engine: Engine, mirror: Mirror) -> None:
    """Creates or upgrades every table and view; does nothing when they are up to date.

    Raises:
        WarehouseError: they are not, and the database user may not change them.
    """
    if _is_current(engine, mirror):
        return
    with locks.exclusive(engine, "migration", wait_seconds=_LOCK_WAIT_SECONDS):
        if _is_current(engine, mirror):
            return
        with engine.connect() as opened:
            connection = opened.execution_options(begin_immediate=True)
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    act_as_owner(connection)
                _run_revisions(connection)
                _follow_catalog(connection, mirror)
                if engine.dialect.name == "postgresql":
                    refresh_analyst_views(connection, mirror)


def _schema(connection: Connection) -> str | None:
    return SCHEMA if connection.dialect.name == "postgresql" else None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _is_current(engine: Engine, mirror: Mirror) -> bool:
    with engine.connect() as connection:
        if not inspect(connection).has_table("mirror_schema", schema=_schema(connection)):
            return False
        context = MigrationContext.configure(connection, opts={"version_table_schema": _schema(connection)})
        if context.get_current_revision() != ScriptDirectory.from_config(_config()).get_current_head():
            return False
        return connection.scalar(select(mirror_schema.c.fingerprint)) == fingerprint(mirror)


def _run_revisions(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _follow_catalog(connection: Connection, mirror: Mirror) -> None:
    drop_views(connection)
    inspector = inspect(connection)
    existing = set(inspector.get_table_names(schema=_schema(connection)))
    grown = []
    for entity in mirror.entities:
        if entity.name not in existing:
            continue
        changed = [
            name not in existing or _add_missing_columns(connection, inspector, mirror.table(name))
            for name in entity.tables()
        ]
        if any(changed):
            grown.append(entity)
    with _unanswered(connection):
        missing = [table for table in mirror.metadata.sorted_tables if table.name not in existing]
        mirror.metadata.create_all(connection, tables=missing, checkfirst=False)
    for entity in grown:
        replay(connection, mirror, entity)
    create_views(connection, mirror)
    connection.execute(mirror_schema.delete())
    connection.execute(mirror_schema.insert().values(fingerprint=fingerprint(mirror), built_at=datetime.now(UTC)))


@contextmanager
def _unanswered(connection: Connection) -> Iterator[None]:
    """Sends statements without waiting for the answer to each: hundreds of comments cost one round trip."""
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        with driver.pipeline():
            yield
    else:
        yield


def _add_missing_columns(connection: Connection, inspector: Inspector, table: Table) -> bool:
    present = {column["name"] for column in inspector.get_columns(table.name, schema=_schema(connection))}
    missing = [column for column in table.columns if column.name not in present]
    operations = Operations(MigrationContext.configure(connection))
    for column in missing:
        added = Column(column.name, column.type, comment=column.comment)
        operations.add_column(table.name, added, schema=_schema(connection))
    return bool(missing)
