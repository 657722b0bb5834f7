"""The half of an upgrade that this version cannot work without: every table and every column is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Column, Connection, Dialect, Engine, Table, inspect

from billcom_assets.warehouse import parts, tables
from billcom_assets.warehouse.analysts import ANALYST_SCHEMA, shown
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.locked import persistently
from billcom_assets.warehouse.managed_views import ManagedView, exists, put_in_place
from billcom_assets.warehouse.mirror import BOOKKEEPING, Mirror
from billcom_assets.warehouse.ownership import act_as_owner, refresh_analyst_views
from billcom_assets.warehouse.parts import Part, PartKind
from billcom_assets.warehouse.revisions import MIGRATIONS, current
from billcom_assets.warehouse.short import short_transaction
from billcom_assets.warehouse.tables import SCHEMA, mirror_schema
from billcom_assets.warehouse.waits import Waits

Result = TypeVar("Result")


def schema_of(dialect: Dialect) -> str | None:
    """Where our tables are, as SQLAlchemy's inspector and Alembic want it."""
    return SCHEMA if dialect.name == "postgresql" else None


def alembic_config() -> Config:
    """Where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@dataclass(frozen=True)
class Structure:
    """Brings tables and columns in place, and notes what is left to be finished."""

    engine: Engine
    mirror: Mirror
    views: tuple[ManagedView, ...]
    waits: Waits

    def bring_in_place(self, fingerprint: str) -> list[str]:
        """Adds what is missing; the caller holds the lock against others who do.

        Args:
            fingerprint: Of the structure, noted when it is in place.

        Returns:
            In words, what stays in the database although this version has no use for it.

        Raises:
            Busy: a table stays locked; what is done so far is kept, and no data was touched.
            WarehouseError: the database user may not change the tables.
        """
        ours = [table.name for table in tables.metadata.sorted_tables]
        before = self._change("bring its own tables up to date", ours, self._make_tables)
        notices = [notice for name, part in before.items() for notice in self._follow(name, part)]
        views = [view.name for view in self.views]
        theirs = [f"{ANALYST_SCHEMA}.{name}" for name in (*views, *(one.table for one in shown(self.mirror)))]
        return notices + self._change("make its views", [*views, *theirs, *ours], partial(self._note, fingerprint))

    def _change(self, doing: str, relations: Collection[str], change: Callable[[Connection], Result]) -> Result:
        def once() -> Result:
            with short_transaction(self.engine, self.waits) as connection:
                if connection.dialect.name == "postgresql":
                    act_as_owner(connection)
                return change(connection)

        doing = f"The upgrade cannot {doing}"
        return persistently(self.engine, once, seconds=self.waits.upgrade_seconds, doing=doing, relations=relations)

    # Tables -----------------------------------------------------------------------------------------------------------

    def _make_tables(self, connection: Connection) -> dict[str, Part | None]:
        """Makes the tables that are missing; returns what is known of each of the mirror's that was there before."""
        _run_revisions(connection)
        existing = set(inspect(connection).get_table_names(schema=schema_of(connection.dialect)))
        known = _parts_of(connection, PartKind.TABLE)
        missing = [table for table in self.mirror.metadata.sorted_tables if table.name not in existing]
        with _unanswered(connection):
            self.mirror.metadata.create_all(connection, tables=missing, checkfirst=False)
        made = [
            self._part(table.name, complete=not self._has_rows_to_derive(table.name, existing)) for table in missing
        ]
        if not known:
            # Made by a version that noted nothing: what has every column that is derived was filled then.
            kept = [name for name in self.mirror.definitions if name in existing]
            derived = [name for name in kept if not set(self._missing(connection, name)) - set(BOOKKEEPING)]
            made += [self._part(name, complete=True) for name in derived]
        parts.save(connection, made)
        known |= {part.name: part for part in made}
        return {name: known.get(name) for name in self.mirror.definitions if name in existing}

    def _has_rows_to_derive(self, table: str, existing: Collection[str]) -> bool:
        """True for a new list of objects that are stored already."""
        return any(table in entity.tables() and entity.name in existing for entity in self.mirror.entities)

    def _part(self, table: str, *, complete: bool) -> Part:
        return Part(PartKind.TABLE, table, self.mirror.definitions[table], complete)

    # Columns ----------------------------------------------------------------------------------------------------------

    def _follow(self, table: str, part: Part | None) -> list[str]:
        """Adds the columns that a table is missing, empty, and notes that they are to be filled."""
        with self.engine.connect() as connection:
            missing = self._missing(connection, table)
            unused = _columns(connection, table) - set(self.mirror.table(table).columns.keys())
        is_changed = part is None or part.definition != self.mirror.definitions[table]
        if missing or is_changed:
            # Nullable and without default, so no row is rewritten: the table is locked for a moment only.
            self._change(
                f"add columns to {SCHEMA}.{table}",
                [table],
                partial(self._add, self.mirror.table(table), missing, to_fill=is_changed),
            )
        return [_told_unused(table, sorted(unused))] if unused and is_changed else []

    def _missing(self, connection: Connection, table: str) -> list[str]:
        present = _columns(connection, table)
        return [name for name in self.mirror.table(table).columns.keys() if name not in present]  # noqa: SIM118 - SQLAlchemy's collection

    def _add(self, table: Table, names: list[str], connection: Connection, *, to_fill: bool) -> None:
        operations = Operations(MigrationContext.configure(connection))
        for name in names:
            column = table.columns[name]
            added: Column[Any] = Column(name, column.type, comment=column.comment)
            operations.add_column(table.name, added, schema=schema_of(connection.dialect))
        if to_fill:
            parts.save(connection, [self._part(table.name, complete=False)])

    # What is left -----------------------------------------------------------------------------------------------------

    def _note(self, fingerprint: str, connection: Connection) -> list[str]:
        """Makes views that are new, notes what is to be finished, and that the structure is in place.

        The analysts' views do not wait for the second half: what they may no longer show is to be gone.
        """
        notices = self._drop_from_notes(connection, PartKind.TABLE, self.mirror.definitions)
        notices += self._drop_from_notes(connection, PartKind.VIEW, {view.name for view in self.views})
        parts.save(connection, [*self._noted_views(connection), *self._missing_indexes(connection)])
        connection.execute(mirror_schema.delete())
        connection.execute(mirror_schema.insert().values(fingerprint=fingerprint, built_at=datetime.now(UTC)))
        if connection.dialect.name == "postgresql":
            refresh_analyst_views(connection, self.mirror)
        return notices

    def _drop_from_notes(self, connection: Connection, kind: PartKind, wanted: Collection[str]) -> list[str]:
        gone = [name for name in _parts_of(connection, kind) if name not in wanted]
        if not gone:
            return []
        parts.remove(connection, kind, gone)
        listed = ", ".join(f"{SCHEMA}.{name}" for name in gone)
        return [
            f"This version of billcom-assets no longer keeps the {kind.value}(s) {listed}: they stay as they are, with "
            f"their data. Drop them when nobody reads them any more."
        ]

    def _noted_views(self, connection: Connection) -> Iterator[Part]:
        known = _parts_of(connection, PartKind.VIEW)
        for view in self.views:
            before = known.get(view.name)
            is_new = not exists(connection, view)
            if is_new:
                put_in_place(connection, view)
            if is_new or before is None or before.definition != view.definition:
                yield Part(PartKind.VIEW, view.name, view.definition, complete=is_new)

    def _missing_indexes(self, connection: Connection) -> Iterator[Part]:
        found = inspect(connection).get_multi_indexes(schema=schema_of(connection.dialect))
        present = {index["name"] for indexes in found.values() for index in indexes}
        for table in self.mirror.metadata.sorted_tables:
            for index in table.indexes:
                if index.name not in present:
                    yield Part(PartKind.INDEX, str(index.name), definition="", complete=False)


def _told_unused(table: str, columns: Iterable[str]) -> str:
    drops = ", ".join(f"DROP COLUMN {name}" for name in columns)
    return (
        f"The table {SCHEMA}.{table} has columns that this version of billcom-assets does not fill: "
        f"{', '.join(columns)}. They stay with their data. When nobody reads them any more: "
        f"ALTER TABLE {SCHEMA}.{table} {drops}"
    )


def _columns(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table, schema=schema_of(connection.dialect))}


def _parts_of(connection: Connection, kind: PartKind) -> dict[str, Part]:
    return {part.name: part for part in parts.load(connection).values() if part.kind is kind}


def _run_revisions(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        with _tables_made_again(connection):
            command.upgrade(config, "head")
    except CommandError:
        raise WarehouseError(
            f"The tables were made by another version of billcom-assets, whose revision {current(connection)} this one "
            "does not know.",
            "Install the version that made them, or a newer one.",
        ) from None


@contextmanager
def _tables_made_again(connection: Connection) -> Iterator[None]:
    """Lets SQLite's tables be replaced under views of others, which it would otherwise take for broken meanwhile."""
    if connection.dialect.name == "postgresql":
        yield
        return
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")


@contextmanager
def _unanswered(connection: Connection) -> Iterator[None]:
    """Sends statements without waiting for the answer to each: hundreds of comments cost one round trip."""
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        with driver.pipeline():
            yield
    else:
        yield
