"""Posting aside: temporary tables stand in for those of the books, so that a posting touches nothing that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, MetaData

from billcom_assets.warehouse.books_tables import (
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
    opening_applications,
    opening_documents,
    posting_state,
)
from billcom_assets.warehouse.merged import MERGED
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import SCHEMA, integration_errors, metadata

_BOOKS: Final = (
    ledger_documents,
    ledger_entries,
    ledger_lines,
    ledger_applications,
    integration_errors,
    opening_documents,
    opening_applications,
    posting_state,
)
"""What a posting writes."""


@contextmanager
def empty_books(connection: Connection, mirror: Mirror) -> Iterator[None]:
    """Lets every table of the books be empty and temporary while the context lasts; all others are what they are.

    Every table is reached in the schema of temporary ones: those of the books are made there, the others shown.

    Args:
        connection: In a transaction, which is to be rolled back: it leaves the temporary tables behind.
        mirror: Where BILL's documents are.
    """
    is_postgresql = connection.dialect.name == "postgresql"
    real, temporary = (SCHEMA, "pg_temp") if is_postgresql else ("main", "temp")
    before = connection.get_execution_options().get("schema_translate_map")
    for table in _BOOKS:
        table.to_metadata(MetaData(), schema=temporary).create(connection, checkfirst=False)
    written = {table.name for table in _BOOKS}
    known = {table.name for one in (metadata, mirror.metadata) for table in one.tables.values()}
    for name in sorted({*known, MERGED} - written):
        connection.exec_driver_sql(f"CREATE TEMPORARY VIEW {name} AS SELECT * FROM {real}.{name}")  # noqa: S608 - ours
    connection.execution_options(schema_translate_map={SCHEMA: temporary})
    try:
        yield
    finally:
        connection.execution_options(schema_translate_map=before)
