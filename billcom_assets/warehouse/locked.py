"""What to do and what to say when somebody else has locked what we need."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from billcom_assets.redaction.display import one_line
from billcom_assets.warehouse.analysts import ANALYST_SCHEMA
from billcom_assets.warehouse.errors import Busy
from billcom_assets.warehouse.sqlite_file import sqlite_file
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.waits import Waits

_LOCK_TIMEOUT: Final = "55P03"
_DRIVER_ERRORS: Final = (DBAPIError, psycopg.Error, sqlite3.Error)
_DEADLOCK: Final = "40P01"
_ABOUT_ROWS: Final = {"22", "23", "54"}
"""SQLSTATE classes: data exceptions, broken constraints, limits exceeded."""
_SQLITE_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_LONGEST_PAUSE: Final = 2.0
_KEEPS_ROWS_LOCKED = ("RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock")
_KEEPS_WRITERS_OUT = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_ANY = ("AccessShareLock", *_KEEPS_ROWS_LOCKED, *_KEEPS_WRITERS_OUT)
_HOLDERS = text("""
    SELECT n.nspname, c.relname, a.pid, a.usename, a.application_name, a.state, min(a.xact_start) AS since
    FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'v', 'm')
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN (:schema, :analyst_schema)
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
    WHERE l.granted AND l.pid <> pg_backend_pid() AND l.mode = ANY(:modes)
        AND (
            CAST(:relations AS text[]) IS NULL
            OR CASE WHEN n.nspname = :schema THEN c.relname ELSE n.nspname || '.' || c.relname END
                = ANY(CAST(:relations AS text[]))
        )
    GROUP BY n.nspname, c.relname, a.pid, a.usename, a.application_name, a.state
    ORDER BY since NULLS LAST, c.relname
    LIMIT 3
""")

Result = TypeVar("Result")


def is_lock_timeout(error: BaseException) -> bool:
    """True when a statement has waited for a lock as long as it may."""
    return _sqlstate(error) == _LOCK_TIMEOUT or _is_sqlite_busy(error)


def is_about_rows(error: BaseException) -> bool:
    """True when the database does not take what rows were to hold; others may be written all the same."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    return (_sqlstate(error) or "")[:2] in _ABOUT_ROWS or isinstance(driver, sqlite3.IntegrityError | sqlite3.DataError)


def persistently(
    engine: Engine, action: Callable[[], Result], *, seconds: float, doing: str, relations: Collection[str]
) -> Result:
    """What ``action`` returns, which is tried again while locks are in its way.

    Args:
        engine: The database.
        action: One short transaction, whose attempts to lock wait only for a moment.
        seconds: For this long it is tried.
        doing: What cannot be done, as a sentence without its end.
        relations: Tables and views that it locks; those of analysts with their schema.

    Raises:
        Busy: somebody had them locked for all this time; says who.
    """
    deadline, pause = time.monotonic() + seconds, 0.05
    while True:
        try:
            return action()
        except _DRIVER_ERRORS as error:
            if not (is_lock_timeout(error) or _sqlstate(error) == _DEADLOCK):
                raise
            if time.monotonic() >= deadline:
                raise busy(engine, doing, seconds, relations) from None
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


@contextmanager
def explained(engine: Engine, waits: Waits) -> Iterator[None]:
    """Turns the end of a wait for a lock into words.

    Raises:
        Busy: a statement waited for as long as it may.
    """
    try:
        yield
    except _DRIVER_ERRORS as error:
        if not is_lock_timeout(error):
            raise
        # SQLite's busy timeout is the longer one.
        limit = waits.lock_seconds if engine.dialect.name == "postgresql" else waits.upgrade_seconds
        raise busy(engine, "The database cannot be used", limit) from None


def busy(engine: Engine, what: str, seconds: float, relations: Collection[str] | None = None) -> Busy:
    """The error that says who has locked what.

    Args:
        engine: The database.
        what: What could not be done, as a sentence without its end.
        seconds: How long it was waited for.
        relations: Tables and views that were to be changed, where any lock is in the way; None: all of ours, where
            only locks that keep others from writing are.
    """
    waited = f"{seconds:.3g} s"
    if engine.dialect.name != "postgresql":
        return Busy(
            f"{what}: another program has had the file {sqlite_file(engine.url)} locked for longer than {waited}.",
            "Close what has it open, such as a database browser or a backup, then run again; what was committed is "
            "kept.",
        )
    modes = _KEEPS_WRITERS_OUT if relations is None else _ANY
    found = _holders(engine, modes, relations) or _holders(engine, _KEEPS_ROWS_LOCKED, relations)
    if not found:
        return Busy(
            f"{what}: a table was locked for longer than {waited}, by somebody who has let go since.",
            "Run again; what was committed is kept.",
        )
    pids = sorted({row.pid for row in found})
    end_them = "; ".join(f"SELECT pg_terminate_backend({pid})" for pid in pids)
    return Busy(
        f"{what}: after {waited} there is still a lock on {'; '.join(map(_in_words, found))}.",
        f"Let that transaction be ended, or have a database administrator end the session ({end_them}), then run "
        "again; what was committed is kept.",
    )


def _holders(engine: Engine, modes: Collection[str], relations: Collection[str] | None) -> list[Any]:
    """Who has locked tables of ours, as far as PostgreSQL shows it to this user; never what they run."""
    given = {
        "schema": SCHEMA,
        "analyst_schema": ANALYST_SCHEMA,
        "modes": list(modes),
        "relations": None if relations is None else list(relations),
    }
    try:
        with engine.connect() as connection:
            return list(connection.execute(_HOLDERS, given))
    except DBAPIError:
        return []


def _in_words(row: Any) -> str:
    who = [f"session {row.pid}", f"user {one_line(row.usename or 'unknown', limit=63)}"]
    if row.application_name:
        who.append(one_line(row.application_name, limit=63))
    if row.state:
        who.append(row.state)
    if row.since:
        who.append(f"since {row.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    return f"{row.nspname}.{one_line(row.relname, limit=63)} by {', '.join(who)}"


def _sqlstate(error: BaseException) -> str | None:
    driver = error.orig if isinstance(error, DBAPIError) else error
    return driver.sqlstate if isinstance(driver, psycopg.Error) else None


def _is_sqlite_busy(error: BaseException) -> bool:
    driver = error.orig if isinstance(error, DBAPIError) else error
    # The low byte is the kind; the others say more.
    return isinstance(driver, sqlite3.Error) and (getattr(driver, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_BUSY
