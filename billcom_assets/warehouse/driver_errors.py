"""What a database driver's error means, in words of ours: its own quote statements, parameters, rows and addresses.

Nothing of the driver's text is passed on. What is known of an error is its SQLSTATE on PostgreSQL, SQLite's name for
it, or, where there is neither, some well-known wording; and which constraint, table or column it names.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from sqlalchemy import exc

DRIVER_ERRORS: Final[tuple[type[Exception], ...]] = (exc.SQLAlchemyError, psycopg.Error)
"""What statements raise."""


@dataclass(frozen=True)
class Trouble:
    """A kind of failure."""

    says: str
    next_step: str
    is_setting: bool = False
    """Cured by another setting or right, not by another attempt."""


_AGAIN: Final = "Run it again: what was committed is kept."
_REPORT: Final = f"{_AGAIN} If it happens again, look at the database server's own log and report it."

READ_ONLY: Final = Trouble(
    "The database cannot be written",
    "Check BILLCOM_DATABASE_URL and the rights of the user or file.",
    is_setting=True,
)
FULL: Final = Trouble("The database has no room left", f"Free or add disk space. {_AGAIN}")
NO_MEMORY: Final = Trouble("The database has not enough memory", f"Free or add memory on its machine. {_AGAIN}")
LOST: Final = Trouble(
    "The connection to the database was lost or refused", f"Check that the server runs and can be reached. {_AGAIN}"
)
UNKNOWN_HOST: Final = Trouble(
    "The database's host is not known", "Check the host in BILLCOM_DATABASE_URL and the network.", is_setting=True
)
NOT_ENCRYPTED: Final = Trouble(
    "No protected connection to the database could be made",
    "Check sslmode and the certificates that BILLCOM_DATABASE_URL names against what the server offers.",
    is_setting=True,
)
SIGN_IN: Final = Trouble(
    "The database refused the sign-in",
    "Check user, password and database in BILLCOM_DATABASE_URL, and that the server lets them in from here.",
    is_setting=True,
)
NO_DATABASE: Final = Trouble(
    "There is no such database", "Create it, or correct its name in BILLCOM_DATABASE_URL.", is_setting=True
)
WRONG_OPTION: Final = Trouble(
    "BILLCOM_DATABASE_URL has an option that cannot be used",
    "Check what stands behind its question mark.",
    is_setting=True,
)
TOO_MANY: Final = Trouble(
    "The database takes no more connections",
    f"Close other programs that use it, or raise its limit of connections. {_AGAIN}",
)
LOCKED: Final = Trouble(
    "The database was locked by somebody else for too long", f"Wait until other programs have ended. {_AGAIN}"
)
TIMED_OUT: Final = Trouble(
    "The database ended the statement: it took too long or was cancelled",
    f"{_AGAIN} If it happens again, raise statement_timeout for this user.",
)
CONFLICT: Final = Trouble("Another transaction got in the way", _AGAIN)
UNIQUE: Final = Trouble("A row would be there twice", _REPORT)
CHECK: Final = Trouble("A row breaks a rule of its table", _REPORT)
REFERENCE: Final = Trouble("A row refers to another that is not there", _REPORT)
NOT_NULL: Final = Trouble("A row lacks a value that its table asks for", _REPORT)
VALUE: Final = Trouble("A value does not fit its column", _REPORT)
TRIGGER: Final = Trouble(
    "A trigger in the database refused the change",
    f"Ask whoever put the trigger on the table; its message is not shown, it may quote rows. {_AGAIN}",
)
NO_TABLES: Final = Trouble(
    "A table or column is missing",
    "The tables are not those of this version: use the version that made them, or run any billcom command to upgrade.",
    is_setting=True,
)
CORRUPT: Final = Trouble(
    "The database is damaged, or is no database",
    "Check that BILLCOM_DATABASE_URL names the right file; restore it from a backup if it does.",
    is_setting=True,
)
NO_FILE: Final = Trouble(
    "The database file cannot be opened",
    "Check that its folder exists and that you may read and write there.",
    is_setting=True,
)
DISK: Final = Trouble("The database cannot read or write its disk", f"Check the disk and its room. {_AGAIN}")
OTHER: Final = Trouble("The database refused to go on", f"Check that it runs and has room. {_REPORT}")

_BY_SQLSTATE: Final = {
    "08": LOST,
    "22": VALUE,
    "23": CHECK,
    "23502": NOT_NULL,
    "23503": REFERENCE,
    "23505": UNIQUE,
    "25006": READ_ONLY,
    "28": SIGN_IN,
    "3D000": NO_DATABASE,
    "3F000": NO_TABLES,
    "40": CONFLICT,
    "42501": READ_ONLY,
    "42703": NO_TABLES,
    "42P01": NO_TABLES,
    "53100": FULL,
    "53200": NO_MEMORY,
    "53300": TOO_MANY,
    "55P03": LOCKED,
    "57014": TIMED_OUT,
    "57": LOST,
    "58": DISK,
    "58030": DISK,
    "P0": TRIGGER,
    "XX001": CORRUPT,
    "XX002": CORRUPT,
}
"""By SQLSTATE, or by its class where that is all that matters.

See https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_BY_SQLITE_NAME: Final = {
    "SQLITE_AUTH": READ_ONLY,
    "SQLITE_BUSY": LOCKED,
    "SQLITE_CANTOPEN": NO_FILE,
    "SQLITE_CONSTRAINT": CHECK,
    "SQLITE_CONSTRAINT_FOREIGNKEY": REFERENCE,
    "SQLITE_CONSTRAINT_NOTNULL": NOT_NULL,
    "SQLITE_CONSTRAINT_PRIMARYKEY": UNIQUE,
    "SQLITE_CONSTRAINT_ROWID": UNIQUE,
    "SQLITE_CONSTRAINT_TRIGGER": TRIGGER,
    "SQLITE_CONSTRAINT_UNIQUE": UNIQUE,
    "SQLITE_CORRUPT": CORRUPT,
    "SQLITE_FULL": FULL,
    "SQLITE_INTERRUPT": TIMED_OUT,
    "SQLITE_IOERR": DISK,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_MISMATCH": VALUE,
    "SQLITE_NOMEM": NO_MEMORY,
    "SQLITE_NOTADB": CORRUPT,
    "SQLITE_PERM": READ_ONLY,
    "SQLITE_PROTOCOL": LOCKED,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_TOOBIG": VALUE,
}
"""By SQLite's name or its beginning. See https://www.sqlite.org/rescode.html"""

_BY_KIND: Final[tuple[tuple[type[Exception], Trouble], ...]] = (
    (exc.TimeoutError, TOO_MANY),
    (exc.StatementError, VALUE),
    (exc.SQLAlchemyError, OTHER),
)
"""Errors in which the driver has no part; the first that fits."""

_BY_WORDING: Final = (
    (re.compile(r"no such (table|column)", re.I), NO_TABLES),
    (re.compile(r"too many (clients|connections)|remaining connection slots", re.I), TOO_MANY),
    (re.compile(r"authentication failed|no password supplied|pg_hba|role .* does not exist", re.I), SIGN_IN),
    (re.compile(r"database .* does not exist", re.I), NO_DATABASE),
    (re.compile(r"translate host name|name or service not known|resolve host|getaddrinfo", re.I), UNKNOWN_HOST),
    (re.compile(r"invalid \w+ value|invalid (connection|uri|integer)|invalid port", re.I), WRONG_OPTION),
    (re.compile(r"closed unexpectedly|syscall|consuming input|\beof\b", re.I), LOST),
    (re.compile(r"\bssl\b|certificate|\btls\b", re.I), NOT_ENCRYPTED),
    (re.compile(r"connection|server|timeout|terminat|\bconninfo\b", re.I), LOST),
)
"""For errors of connecting, to which drivers give no code, and SQLite's general error; read, never shown."""

_RAISED_BY_A_PROGRAM: Final = "exec_stmt_raise"
"""The place in PostgreSQL's source of every RAISE; what such an error names may be data."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_SQLITE_NAMES: Final = re.compile(r"(?:UNIQUE|NOT NULL) constraint failed: (\w+\.\w+(?:, \w+\.\w+)*)")


@dataclass(frozen=True)
class DriverFailure:
    """One failure of the database, ready to be shown."""

    trouble: Trouble
    code: str = ""
    """SQLSTATE or SQLite's name."""
    names: str = ""
    """What it is about: constraint, table, columns."""

    @property
    def says(self) -> str:
        """What happened, without a full stop."""
        details = ", ".join(one for one in (self.names, self.code) if one)
        return f"{self.trouble.says} ({details})" if details else self.trouble.says

    def __str__(self) -> str:
        return f"{self.says}. {self.trouble.next_step}"


def driver_failure(error: BaseException) -> DriverFailure | None:
    """What an error of SQLAlchemy, Alembic or a driver means; None for any other."""
    raw = _drivers_own(error)
    if isinstance(raw, sqlite3.Error):
        return _of_sqlite(raw)
    if isinstance(raw, psycopg.Error) or hasattr(raw, "pgcode"):  # psycopg2, which Dagster's storage uses
        return _of_postgresql(raw)
    trouble = next((trouble for kind, trouble in _BY_KIND if isinstance(error, kind)), None)
    return DriverFailure(trouble, type(raw).__name__) if trouble else None


def is_there_already(error: BaseException) -> bool:
    """True when a row was refused because one of the same key is stored."""
    failure = driver_failure(error)
    return failure is not None and failure.trouble is UNIQUE


def _drivers_own(error: BaseException) -> Any:
    """The driver's error inside SQLAlchemy's."""
    for _ in range(5):
        inner = getattr(error, "orig", None)
        if inner is None and isinstance(error, exc.DisconnectionError):
            inner = error.__cause__
        if inner is None:
            break
        error = inner
    return error


def _of_postgresql(error: Any) -> DriverFailure:
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if not code:
        return DriverFailure(_by_wording(error))
    trouble = _BY_SQLSTATE.get(code) or _BY_SQLSTATE.get(code[:2]) or OTHER
    return DriverFailure(trouble, f"SQLSTATE {code}", ", ".join(_postgresql_names(error)))


def _postgresql_names(error: Any) -> Iterator[str]:
    diagnosis = getattr(error, "diag", None)
    if diagnosis is None or diagnosis.source_function == _RAISED_BY_A_PROGRAM:
        return
    for kind in ("constraint", "table", "column"):
        name = getattr(diagnosis, f"{kind}_name", None)
        if name and _NAME.fullmatch(name):
            yield f"{kind} {name}"


def _of_sqlite(error: sqlite3.Error) -> DriverFailure:
    name = getattr(error, "sqlite_errorname", "")
    trouble = next(
        (known for begin, known in sorted(_BY_SQLITE_NAME.items(), reverse=True) if name.startswith(begin)), None
    )
    if trouble is None:
        return DriverFailure(_by_wording(error), name)
    columns = _SQLITE_NAMES.fullmatch(str(error)) if trouble in (UNIQUE, NOT_NULL) else None
    return DriverFailure(trouble, name, columns[1] if columns else "")


def _by_wording(error: BaseException) -> Trouble:
    said = str(error)
    return next((trouble for wording, trouble in _BY_WORDING if wording.search(said)), OTHER)
