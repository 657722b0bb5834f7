"""Deriving the rows of changed tables again from the stored payloads, while others read and write them.

No request to BILL is made. Rows are written in short transactions, and how far it is gets noted after each batch, so
that a fill which was killed goes on from there. A row that a pull has written meanwhile has the new columns already and
is left as it is; the digests of its payloads show it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import TypeVar

import msgspec
import psycopg
from sqlalchemy import Engine, Text, cast, null, select, tuple_
from sqlalchemy.exc import DBAPIError

from billcom_assets.entities.extract import Unreadable
from billcom_assets.entities.model import Entity
from billcom_assets.entities.rows import RowMaker
from billcom_assets.warehouse.bulk import Derived, MirrorTable
from billcom_assets.warehouse.locked import busy, is_about_rows, persistently
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.parts import Part, advance
from billcom_assets.warehouse.short import short_transaction
from billcom_assets.warehouse.waits import Waits

_ROWS = 1000
_PAUSE_SECONDS = 0.05
_SQLITE_BREATH_SECONDS = 0.02
"""Between two batches on SQLite, whose waiting writers look only now and then whether the file is free."""
_decode = msgspec.json.Decoder(float_hook=Decimal).decode

_Stored = tuple[str, str, str, str, str | None]
"""Integration, id, payload, version, and what v2 adds."""
Result = TypeVar("Result")


@dataclass
class Fill:
    """Derives every column and child row of some of an entity's tables, for all integrations.

    Times of first sight, writing and deletion stay as they are.
    """

    engine: Engine
    mirror: Mirror
    entity: Entity
    parts: Sequence[Part]
    """Those of the entity's tables whose rows are to be derived again."""
    waits: Waits
    refused: list[str] = field(default_factory=list)
    """Objects whose derived values the database refused, as integration and id; their rows stay as they were."""

    @property
    def tables(self) -> list[str]:
        """Their names."""
        return [part.name for part in self.parts]

    def run(self) -> None:
        """Fills the rows from where it was left, and notes the tables as complete.

        Raises:
            Busy: somebody keeps rows or tables locked; what is filled so far is kept.
        """
        entity = self._changed()
        maker = RowMaker(entity)
        # A table that is further than another one is filled again from there, which changes nothing.
        after = min(part.after for part in self.parts)
        while batch := self._read(after):
            for integration, rows in groupby(batch, key=lambda row: row[0]):
                self._fill(MirrorTable(self.mirror, entity, integration), maker, list(rows))
            after = batch[-1][:2]
            self._advance(after)
            if self.engine.dialect.name == "sqlite":
                time.sleep(_SQLITE_BREATH_SECONDS)
        self._advance(None)

    def _changed(self) -> Entity:
        """The entity with nothing declared but what is to be derived."""
        names = set(self.tables)
        columns = self.entity.columns if self.entity.name in names else ()
        children = tuple(child for child in self.entity.children if child.table in names)
        return replace(self.entity, columns=columns, children=children)

    def _read(self, after: tuple[str, str]) -> list[_Stored]:
        mine = MirrorTable(self.mirror, self.entity, "")
        t = mine.table.c
        v2_payload = cast(t.v2_payload if self.entity.v2 else null(), Text)
        query = (
            select(t.integration, t.id, cast(t.payload, Text), mine.version, v2_payload)
            .where(tuple_(t.integration, t.id) > after)
            .order_by(t.integration, t.id)
            .limit(_ROWS)
        )
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def _advance(self, after: tuple[str, str] | None) -> None:
        def note() -> None:
            with short_transaction(self.engine, self.waits) as connection:
                advance(connection, self.parts, after)

        self._persistently(note)

    def _fill(self, table: MirrorTable, maker: RowMaker, stored: Sequence[_Stored]) -> None:
        derived = {}
        for _, identifier, payload, digest, record in stored:
            obj, v2 = _decode(payload), _decode(record) if record else None
            try:
                derived[identifier] = (Derived(identifier, *maker.derived(obj, v2)), digest)
            except Unreadable:
                # It was readable under the old declaration: what that gave stays; the next pull reports it.
                continue
        self._write(table, derived)

    def _write(self, table: MirrorTable, derived: dict[str, tuple[Derived, str]]) -> None:
        try:
            self._write_unlocked(table, derived)
        except (DBAPIError, psycopg.Error) as error:
            if not is_about_rows(error):
                raise
            if len(derived) == 1:
                self.refused += [f"{table.integration} {identifier}" for identifier in derived]
                return
            # One row that the database does not take must not keep the others from being filled.
            items = list(derived.items())
            for half in (items[: len(items) // 2], items[len(items) // 2 :]):
                self._write(table, dict(half))

    def _write_unlocked(self, table: MirrorTable, derived: dict[str, tuple[Derived, str]]) -> None:
        """Writes the rows that nobody works on at once, and the others when they are free."""
        deadline = time.monotonic() + self.waits.lock_seconds
        while derived:
            taken = self._persistently(partial(self._write_free, table, derived))
            derived = {identifier: derived[identifier] for identifier in taken}
            if derived and time.monotonic() >= deadline:
                raise busy(self.engine, self._doing, self.waits.lock_seconds, self._relations)
            if derived:
                time.sleep(_PAUSE_SECONDS)

    def _write_free(self, table: MirrorTable, derived: dict[str, tuple[Derived, str]]) -> set[str]:
        """Writes the rows that nobody works on; returns the ids of the others.

        Rows are never waited for: a fill that waits for a pull's rows could be what that pull waits for.
        """
        with short_transaction(self.engine, self.waits) as connection:
            free, taken = table.claim(connection, {one: digest for one, (_, digest) in derived.items()})
            table.rewrite(connection, [derived[one][0] for one in free])
            if self.entity.v2 is not None:
                table.forget_v2_read(connection, free)
        return taken

    @property
    def _doing(self) -> str:
        return f"The upgrade cannot fill {', '.join(self.tables)}"

    @property
    def _relations(self) -> list[str]:
        return [*self.entity.tables(), "mirror_parts"]

    def _persistently(self, action: Callable[[], Result]) -> Result:
        limit = self.waits.lock_seconds
        return persistently(self.engine, action, seconds=limit, doing=self._doing, relations=self._relations)
