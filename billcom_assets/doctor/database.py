"""The database: it is there, it is of this version, this user may write it, and nobody keeps it locked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from billcom_assets.doctor.findings import Found, broken, ok, warning
from billcom_assets.doctor.place import Place, Unavailable
from billcom_assets.warehouse import parts, tables
from billcom_assets.warehouse.driver_errors import driver_failure
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import describe
from billcom_assets.warehouse.revisions import current, head
from billcom_assets.warehouse.tables import SCHEMA

OLDEST_POSTGRESQL: Final = 14
"""Major version; older ones get no corrections any more."""
_UPGRADE: Final = "Run billcom status, which upgrades it and keeps the data"
_AS_OWNER: Final = "as the owner of the tables where the user of every day may not change them"
_READ_ONLY_TABLES: Final = frozenset({"mirror_schema"})
"""A runner only reads them."""


def reached(place: Place) -> Iterator[Found]:
    """It can be reached, and its server is not too old."""
    warehouse = place.opened
    with warehouse.engine.connect() as connection:
        server = _server(connection)
        yield ok(f"{warehouse.description} answers ({server}).")
        if warehouse.is_postgresql and _major(connection) < OLDEST_POSTGRESQL:
            yield warning(
                f"{server} gets no corrections any more.",
                f"Upgrade the server to PostgreSQL {OLDEST_POSTGRESQL} or newer.",
            )


def migrated(place: Place) -> Iterator[Found]:
    """Its tables and views are those of this version."""
    warehouse = _reachable(place)
    with warehouse.engine.connect() as connection:
        schema = SCHEMA if warehouse.is_postgresql else None
        has_tables = inspect(connection).has_table("alembic_version", schema=schema)
        revision = current(connection) if has_tables else None
    if revision is None:
        yield broken(
            "The database has none of our tables.",
            "If BILLCOM_DATABASE_URL names the right one, run billcom connect KEY, which makes them.",
        )
    elif revision > head():
        yield broken(
            f"The tables are of a newer version of billcom-assets: revision {revision}, this one knows {head()}.",
            "Install the version that made them, here and wherever else an older one runs.",
        )
    elif revision < head():
        yield broken(
            f"The tables are of an older version: revision {revision}, this one needs {head()}.",
            f"{_UPGRADE}; on PostgreSQL {_AS_OWNER}.",
        )
    elif not place.is_up_to_date:
        yield broken("Columns or views are not those of this version.", f"{_UPGRADE}; on PostgreSQL {_AS_OWNER}.")
    else:
        with warehouse.read() as connection:
            left = parts.unfinished(connection)
        if left:
            names = ", ".join(part.name for part in left)
            yield warning(f"An upgrade is not finished: {names}.", "Run billcom status; it goes on where it stopped.")
        else:
            yield ok(f"The tables are those of this version (revision {revision}).")


def writable(place: Place) -> Iterator[Found]:
    """This user may write every table, and nobody else keeps one locked. Nothing is written."""
    warehouse = place.warehouse
    try:
        with warehouse.engine.connect() as opened:
            if warehouse.is_postgresql:
                _lock_on_postgresql(opened, warehouse)
            else:
                connection = opened.execution_options(begin_immediate=True)
                with connection.begin() as transaction:
                    # Takes the write lock, and meets a file system or file that is read-only.
                    connection.exec_driver_sql("PRAGMA user_version = 0")
                    transaction.rollback()
    except DBAPIError as error:
        failure = driver_failure(error)
        yield broken(
            f"{failure.says if failure else describe(error)}.",
            failure.trouble.next_step if failure else "Check the rights of the database user.",
        )
        return
    yield ok("Every table can be written, and none is locked.")


def _lock_on_postgresql(connection: Connection, warehouse: Warehouse) -> None:
    """The lock of whoever writes rows, which keeps no reader and no other writer waiting, given back at once."""
    names = {table.name for one in (tables.metadata, warehouse.mirror.metadata) for table in one.sorted_tables}
    quote = connection.dialect.identifier_preparer.quote
    wanted = ", ".join(f"{SCHEMA}.{quote(name)}" for name in sorted(names - _READ_ONLY_TABLES))
    with connection.begin() as transaction:
        connection.execute(text(f"LOCK TABLE {wanted} IN ROW EXCLUSIVE MODE NOWAIT"))
        transaction.rollback()


def _reachable(place: Place) -> Warehouse:
    try:
        return place.opened
    except Exception:  # noqa: BLE001 - the check before says why
        raise Unavailable("Not looked at: the database cannot be reached.") from None


def _server(connection: Connection) -> str:
    version = ".".join(str(number) for number in connection.dialect.server_version_info or ())
    return f"{'PostgreSQL' if connection.dialect.name == 'postgresql' else 'SQLite'} {version}"


def _major(connection: Connection) -> int:
    return int(connection.scalar(text("SHOW server_version_num"))) // 10_000
