"""Opening the company's database: one place that knows how SQLite and PostgreSQL differ in connecting and locking."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import psycopg.types.json
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from billcom_assets import private_files
from billcom_assets.entities.model import Entity
from billcom_assets.warehouse import locks
from billcom_assets.warehouse.address import read_address, shown_address
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.driver_errors import driver_failure
from billcom_assets.warehouse.errors import Busy, WarehouseError, describe
from billcom_assets.warehouse.library_logs import LOGGING_NAME, keep_data_out_of_logs
from billcom_assets.warehouse.locked import explained
from billcom_assets.warehouse.migrate import migrate
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.sqlite_file import keep_private, sqlite_file
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.tls import refusal, with_tls
from billcom_assets.warehouse.waits import Waits, milliseconds

_log = logging.getLogger(__name__)
_TRUSTED_SECONDS = 5
"""For so long a connection that was in use is believed to be alive."""
_RETURNED = "billcom_returned"
_DISCREET: dict[str, Any] = {
    "hide_parameters": True,
    "logging_name": LOGGING_NAME,
    "pool_logging_name": LOGGING_NAME,
}
"""Neither errors nor logs show what statements carry."""


@dataclass(frozen=True)
class Warehouse:
    """An open database whose tables are up to date."""

    engine: Engine = field(repr=False)  # its own text may show a password
    mirror: Mirror
    waits: Waits = field(default_factory=Waits)
    notices: tuple[str, ...] = ()
    """What the opening has to say of an upgrade: what it left as it was, and what is still to be done."""

    @property
    def is_postgresql(self) -> bool:
        """True on PostgreSQL, False on SQLite."""
        return self.engine.dialect.name == "postgresql"

    @property
    def may_insert_unseen(self) -> bool:
        """Rows may be inserted without looking for them first; the database refuses one that is there."""
        # SQLite tells an insert from an update only by looking.
        return self.is_postgresql

    @property
    def file(self) -> Path | None:
        """The file of a database that is one; None on a server."""
        database = None if self.is_postgresql else self.engine.url.database
        return Path(database) if database else None

    @property
    def description(self) -> str:
        """The database's address, without anything secret."""
        return shown_address(self.engine.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; nothing done on it is kept.

        Raises:
            Busy: somebody keeps a table locked.
        """
        with self._explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection for reading whose statements all see what the first one saw, whatever others commit meanwhile.

        Raises:
            Busy: somebody keeps a table locked.
        """
        with self._explained(), self.engine.connect() as opened:
            # On SQLite every transaction is like that.
            yield opened.execution_options(isolation_level="REPEATABLE READ") if self.is_postgresql else opened

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

    def persist(self) -> None:
        """Lets everything committed outlive a power failure; PostgreSQL sees to that itself.

        Raises:
            Busy: readers held it up for too long.
        """
        if self.is_postgresql:
            return
        with self.read() as connection:
            (is_busy, *_) = connection.exec_driver_sql("PRAGMA wal_checkpoint(FULL)").one()
        if is_busy:
            raise Busy("The database file is in use.", "Wait until other processes have ended, then try again.")

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

    def discard_deleted(self, *, rewrite: bool) -> bool:
        """Takes what was deleted out of a SQLite database's files; True when nothing of it is left in them.

        On PostgreSQL that is the server's business: False.

        Args:
            rewrite: Write the whole file again, so that also what was deleted long ago goes; else only the log beside
                it is emptied.
        """
        if self.is_postgresql:
            return False
        # Not as a connection of SQLAlchemy's: neither statement may stand in a transaction.
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            if rewrite:
                cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            is_busy, *_ = cursor.fetchone() or (True,)
        except sqlite3.OperationalError:
            # Somebody else is reading, or the disk has no room for a second copy.
            return False
        finally:
            connection.close()
        return not is_busy

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
    mirror = catalog_mirror() if entities is None else Mirror.of(entities)
    try:
        with explained(engine, waits):
            notices = migrate(engine, mirror, waits)
    except (SQLAlchemyError, psycopg.Error) as error:
        engine.dispose()
        raise unusable(engine, error) from None
    except WarehouseError:
        engine.dispose()
        raise
    for notice in notices:
        _log.warning("%s", notice)
    return Warehouse(engine, mirror, waits, notices)


def unusable(engine: Engine, error: Exception) -> WarehouseError:
    """What a driver's error at opening a database means to whoever set it up."""
    shown = shown_address(engine.url)
    refused = refusal(error, "BILLCOM_DATABASE_URL") if isinstance(error, DBAPIError) else None
    if refused is not None:
        return WarehouseError(f"The server of {shown} cannot be trusted: {refused[0]}.", refused[1])
    failure = driver_failure(error)
    return WarehouseError(
        f"The database {shown} cannot be used: {failure.says if failure else describe(error)}.",
        failure.trouble.next_step if failure else "Check BILLCOM_DATABASE_URL.",
    )


def connect(url: str | URL, waits: Waits | None = None) -> Engine:
    """An engine for the URL, without touching the database.

    Args:
        url: SQLAlchemy URL of a SQLite file or a PostgreSQL database.
        waits: How long its statements wait for locks.

    Raises:
        WarehouseError: the URL is malformed or names a database that is neither SQLite nor PostgreSQL.
    """
    keep_data_out_of_logs()
    parsed = read_address(url)
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
        with_tls(url.set(drivername="postgresql+psycopg")),
        pool_size=4,
        max_overflow=4,
        **_DISCREET,
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
        private_files.make_folder(path.parent)
    except OSError as error:
        raise WarehouseError(
            f"The folder {path.parent} cannot be made: {error.strerror}.", "Choose a folder that you may write to."
        ) from None
    engine = create_engine(url, connect_args={"timeout": waits.upgrade_seconds}, **_DISCREET).execution_options(
        schema_translate_map={SCHEMA: None}
    )

    @event.listens_for(engine, "do_connect")
    def before_opening(*_: object) -> None:
        keep_private(url)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # SQLAlchemy begins transactions itself (below), so that DDL is transactional too.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        # What is deleted is overwritten, also by builds of SQLite that do not do so by themselves.
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
