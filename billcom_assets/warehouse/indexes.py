"""Making indexes on tables that are in use: concurrently on PostgreSQL, where readers and writers go on meanwhile."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Index, Table, text

from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.waits import Waits, milliseconds

_IS_INVALID: Final = text("""
    SELECT NOT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(:place)
""")


def make_concurrently(connection: Connection, table: Table, index: Index, waits: Waits) -> None:
    """Makes an index where there is none, or where a process that was killed has left half of one.

    Args:
        connection: One on PostgreSQL that commits each statement by itself; nobody else makes this index.
        table: Its table.
        index: Which.
        waits: For how long to wait for transactions that began before.
    """
    quote = connection.dialect.identifier_preparer.quote
    name = quote(str(index.name))
    place = f"{SCHEMA}.{name}"
    connection.exec_driver_sql(f"SET lock_timeout = {milliseconds(waits.finishing_seconds)}")
    try:
        if connection.scalar(_IS_INVALID, {"place": place}):
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {place}")
        columns = ", ".join(quote(column.name) for column in index.columns)
        condition = index.dialect_options["postgresql"]["where"]
        which = "" if condition is None else f" WHERE {condition}"
        connection.exec_driver_sql(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {SCHEMA}.{quote(table.name)} ({columns}){which}"
        )
    finally:
        connection.exec_driver_sql(f"SET lock_timeout = {milliseconds(waits.lock_seconds)}")
