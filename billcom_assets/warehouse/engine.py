"""Opening the company's database: one place that knows how SQLite and PostgreSQL differ in connecting and locking."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import psycopg.types.json
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.warehouse import locks
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.locked import explained
from billcom_assets.warehouse.migrate import migrate
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.sqlite_file import sqlite_file
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.waits import Waits, milliseconds

_log = logging.getLogger(__name__)
_TRUSTED_SECONDS = 5
"""For so long a connection that was in use is believed to be alive."""
_RETURNED = "billcom_returned"


@dataclass(frozen=True)
class Warehouse:
    """An open database whose tables are up to date."""

    engine: Engine
    mirror: Mirror
    waits: Waits = field(default_factory=Waits)
    notices: tuple[str, ...] = ()
    """What the opening has to say of an upgrade: what it left as it was, and what is still to be done."""

    @property
    def is_postgresql(self) -> bool:
        """True on PostgreSQL, False on SQLite."""
        return self.engine.dialect.name == "postgresql"

    @property
    def description(self) -> str:
        """The database's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; nothing done on it is kept.

        Raises:
            Busy: somebody keeps a table locked.
        """
        with self._explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is committed at the end, none of it after an exception.

        Raises:
            Busy: somebody keeps a table or a row locked.
        """
        with self._explained(), self.engine.connect() as opened:
            # A write lock taken at the start cannot meet the deadlock of two readers that both want to write.
            connection = opened.execution_options(begin_immediate=True)
            with connection.begin():
                yield connection

    def _explained(self) -> AbstractContextManager[None]:
        return explained(self.engine, self.waits)

    @contextmanager
    def exclusive(self, name: str, *, wait_seconds: float = 0) -> Iterator[None]:
        """Holds the lock ``name`` across processes; it is freed when the process ends, however it ends.

        Raises:
            Busy: somebody else still holds it after ``wait_seconds``.
        """
        with locks.exclusive(self.engine, name, wait_seconds=wait_seconds):
            yield

    def qualified(self, table: str) -> str:
        """The table's name as plain SQL needs it on this database."""
        return f"{SCHEMA}.{table}" if self.is_postgresql else table

    def close(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()


def open_warehouse(
    url: str | URL, *, entities: tuple[Entity, ...] | None = None, waits: Waits | None = None
) -> Warehouse:
    """Opens the database and brings its tables up to date; data is kept.

    Args:
        url: SQLAlchemy URL of a SQLite file or a PostgreSQL database.
        entities: The catalog's entities unless others are given.
        waits: How long to wait for locks, instead of what ``BILLCOM_LOCK_SECONDS`` sets.

    Raises:
        WarehouseError: the URL is not understood, the database cannot be reached or written, or a migration failed.
        Busy: tables that have to change stay locked.
    """
    waits = waits or Waits.from_environment()
    engine = connect(url, waits)
    mirror = Mirror.of(entities if entities is not None else tuple(CATALOG))
    try:
        with explained(engine, waits):
            notices = migrate(engine, mirror, waits)
    except DBAPIError as error:
        engine.dispose()
        shown = engine.url.render_as_string(hide_password=True)
        raise WarehouseError(
            f"The database {shown} cannot be used: {_driver_words(error)}.",
            "Check BILLCOM_DATABASE_URL, that the server runs and that the user may create tables (or that the file's "
            "folder exists and is writable).",
        ) from None
    except WarehouseError:
        engine.dispose()
        raise
    for notice in notices:
        _log.warning("%s", notice)
    return Warehouse(engine, mirror, waits, notices)


def _driver_words(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split()).rstrip(".")


def connect(url: str | URL, waits: Waits | None = None) -> Engine:
    """An engine for the URL, without touching the database.

    Args:
        url: SQLAlchemy URL of a SQLite file or a PostgreSQL database.
        waits: How long its statements wait for locks.

    Raises:
        WarehouseError: the URL is malformed or names a database that is neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise WarehouseError(
            "BILLCOM_DATABASE_URL is not a database URL.",
            "Use sqlite:///path/to/file.db or postgresql://user:password@host/database.",
        ) from None
    waits = waits or Waits()
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, waits)
        case "postgresql" | "postgres":
            return _postgresql(parsed, waits)
    raise WarehouseError(
        f"{parsed.get_backend_name()} databases are not supported.", "Use a sqlite:/// or a postgresql:// URL."
    )


def _postgresql(url: URL, waits: Waits) -> Engine:
    # Whatever driver the URL names: COPY needs psycopg 3.
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=4,
        max_overflow=4,
        connect_args={"connect_timeout": 10, "application_name": "billcom-assets"},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: psycopg.Connection[Any], _record: object) -> None:
        psycopg.types.json.set_json_loads(partial(json.loads, parse_float=Decimal), connection)
        # Not as an option of the connection itself, which poolers such as PgBouncer refuse.
        connection.execute(f"SET lock_timeout = {milliseconds(waits.lock_seconds)}")
        connection.commit()

    _check_when_idle(engine)
    return engine


def _check_when_idle(engine: Engine) -> None:
    """Lets the pool replace connections that the server closed, as its own pre-ping does.

    Only those that lay idle for a while are looked at: a pull takes one for every few pages.
    """

    @event.listens_for(engine, "checkin")
    def returned(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get(_RETURNED, math.inf) < _TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.OperationalError as error:
            raise DisconnectionError from error


def _sqlite(url: URL, waits: Waits) -> Engine:
    if not url.database or url.database == ":memory:":
        raise WarehouseError(
            "An in-memory SQLite database would be gone with the process.", "Name a file: sqlite:///path/to/file.db."
        )
    path = sqlite_file(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"The folder {path.parent} cannot be made: {error.strerror}.", "Choose a folder that you may write to."
        ) from None
    engine = create_engine(url, connect_args={"timeout": waits.upgrade_seconds}).execution_options(
        schema_translate_map={SCHEMA: None}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # SQLAlchemy begins transactions itself (below), so that DDL is transactional too.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
