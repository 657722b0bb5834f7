"""The half of an upgrade that goes on while others work: views replaced, rows filled, indexes made.

Every part is finished by itself. What is in the way of one is put in words and left for the next opening.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
from sqlalchemy import Connection, Engine, Index, Table
from sqlalchemy.exc import DBAPIError

from billcom_assets.entities.model import Entity
from billcom_assets.redaction.display import one_line
from billcom_assets.warehouse import parts
from billcom_assets.warehouse.driver_errors import driver_failure
from billcom_assets.warehouse.errors import Busy, WarehouseError, describe
from billcom_assets.warehouse.fills import Fill
from billcom_assets.warehouse.indexes import make_concurrently
from billcom_assets.warehouse.locked import busy, is_lock_timeout, persistently
from billcom_assets.warehouse.managed_views import InUse, ManagedView, put_in_place
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.ownership import act_as_owner, acting_as_owner
from billcom_assets.warehouse.parts import Part, PartKind
from billcom_assets.warehouse.short import short_transaction
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.waits import Waits

_SHOWN = 10
_LATER = "It is tried again the next time the database is opened."


@dataclass(frozen=True)
class Finishing:
    """Finishes an upgrade as far as it can be now; one process at a time."""

    engine: Engine
    mirror: Mirror
    views: tuple[ManagedView, ...]
    waits: Waits

    def run(self) -> list[str]:
        """Does what ``mirror_parts`` says is left; returns in words what still is."""
        with self.engine.connect() as connection:
            left = parts.unfinished(connection)
        notices = []
        # Indexes last: filling a column costs more when it has one already.
        for what, action in [*self._replacements(left), *self._fills(left), *self._indexes(left)]:
            notices += self._attempt(what, action)
        return notices

    def _attempt(self, what: str, action: Callable[[], list[str]]) -> list[str]:
        try:
            return action()
        except Busy as error:
            return [f"{error} {_LATER}"]
        except WarehouseError as error:
            return [f"The upgrade cannot {what} yet. {error}"]
        except (DBAPIError, psycopg.Error) as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            failure = driver_failure(error)
            return [
                f"The upgrade cannot {what}. {failure.says if failure else describe(error)}. {_LATER} If it is refused "
                "again, let a user who owns the tables run billcom status."
            ]

    @contextmanager
    def _as_owner(self) -> Iterator[Connection]:
        """A short transaction that may change tables and views."""
        with short_transaction(self.engine, self.waits) as connection:
            if connection.dialect.name == "postgresql":
                act_as_owner(connection)
            yield connection

    # Views ------------------------------------------------------------------------------------------------------------

    def _replacements(self, left: list[Part]) -> Iterator[tuple[str, Callable[[], list[str]]]]:
        names = {part.name for part in left if part.kind is PartKind.VIEW}
        for view in self.views:
            if view.name in names:
                yield f"replace the view {view.name}", partial(self._replace, view)

    def _replace(self, view: ManagedView) -> list[str]:
        def once() -> None:
            with self._as_owner() as connection:
                put_in_place(connection, view)
                parts.save(connection, [Part(PartKind.VIEW, view.name, view.definition, complete=True)])

        doing = f"The upgrade cannot replace the view {view.name}"
        limit = self.waits.finishing_seconds
        try:
            persistently(self.engine, once, seconds=limit, doing=doing, relations=[view.name])
        except InUse as use:
            readers = _listed(use.dependents)
            return [
                f"The view {SCHEMA}.{view.name} has a new definition, which waits because others read the view: "
                f"{readers}. Until then it stays as it was. Drop them, run billcom status, and make them again on the "
                f"new view."
            ]
        return []

    # Rows -------------------------------------------------------------------------------------------------------------

    def _fills(self, left: list[Part]) -> Iterator[tuple[str, Callable[[], list[str]]]]:
        by_name = {part.name: part for part in left if part.kind is PartKind.TABLE}
        for entity in self.mirror.entities:
            mine = [by_name[name] for name in entity.tables() if name in by_name]
            if mine:
                yield f"fill {', '.join(part.name for part in mine)}", partial(self._fill, entity, mine)

    def _fill(self, entity: Entity, mine: list[Part]) -> list[str]:
        fill = Fill(self.engine, self.mirror, entity, mine, self.waits)
        fill.run()
        if not fill.refused:
            return []
        return [
            f"The database does not take what new columns of {entity.name} would hold for {_listed(fill.refused)}: "
            "these rows stay as they were. Correct the records in BILL; the next sync writes them."
        ]

    # Indexes ----------------------------------------------------------------------------------------------------------

    def _indexes(self, left: list[Part]) -> Iterator[tuple[str, Callable[[], list[str]]]]:
        names = {part.name for part in left if part.kind is PartKind.INDEX}
        for table in self.mirror.metadata.sorted_tables:
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                if index.name in names:
                    yield f"make the index {index.name}", partial(self._index, table, index)

    def _index(self, table: Table, index: Index) -> list[str]:
        if self.engine.dialect.name == "postgresql":
            try:
                with (
                    self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
                    acting_as_owner(connection),
                ):
                    make_concurrently(connection, table, index, self.waits)
            except DBAPIError as error:
                if not is_lock_timeout(error):
                    raise
                doing, limit = f"The upgrade cannot make the index {index.name}", self.waits.finishing_seconds
                raise busy(self.engine, doing, limit, [table.name]) from None
        with self._as_owner() as connection:
            if self.engine.dialect.name != "postgresql":
                index.create(connection, checkfirst=True)
            parts.remove(connection, PartKind.INDEX, [str(index.name)])
        return []


def _listed(names: list[str]) -> str:
    shown = ", ".join(one_line(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
