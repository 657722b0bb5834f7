"""Runs the migrations on the connection that ``warehouse.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from billcom_assets.warehouse import alignment_tables, books_tables, ledger_tables, tables

_ = alignment_tables, books_tables, ledger_tables  # their tables register themselves in the metadata

connection = context.config.attributes["connection"]
schema = tables.SCHEMA if connection.dialect.name == "postgresql" else None

context.configure(
    connection=connection,
    target_metadata=tables.metadata,
    version_table_schema=schema,
    include_schemas=schema is not None,
    transactional_ddl=True,
    render_as_batch=schema is None,
)
with context.begin_transaction():
    context.run_migrations()
