"""Which revision a database has and which one it should have, read without Alembic: importing that takes a while."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, Table, Text, select

from billcom_assets.warehouse.tables import SCHEMA

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION: Final = Table("alembic_version", MetaData(schema=SCHEMA), Column("version_num", Text))


def head() -> str:
    """The newest revision; files are named after theirs."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current(connection: Connection) -> str | None:
    """The revision of a database that has our tables."""
    return connection.scalar(select(_VERSION.c.version_num))
