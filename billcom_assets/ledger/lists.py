"""Making one of the company's stored lists equal to a new one, without removing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, insert, select, update

_Key = tuple[Any, ...]
_Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What an import did to one table, in rows; every row of the file is counted once."""

    table: str
    inserted: int
    updated: int
    unchanged: int
    deactivated: int
    """Gone from the file, or marked inactive in it."""
    reactivated: int


@dataclass(frozen=True)
class LedgerList:
    """The rows of one ledger table that belong to an integration, or the part of them that ``scope`` selects."""

    table: Table
    integration: str
    scope: tuple[ColumnElement[bool], ...] = ()

    def replace(self, conn: Connection, rows: Iterable[Mapping[str, Any]], now: datetime) -> TableChanges:
        """Inserts and updates ``rows`` (column values by name) and deactivates active rows that are not among them."""
        stored = self.stored(conn)
        wanted = {self._key_of(row): dict(row) for row in rows}
        new = {key: values for key, values in wanted.items() if key not in stored}
        changed = {key: values for key, values in wanted.items() if key in stored and values != stored[key]}
        gone = sorted(key for key, values in stored.items() if values["active"] and key not in wanted)
        self._insert(conn, list(new.values()), now)
        self._update(conn, changed, now)
        self._update(conn, {key: {"active": False} for key in gone}, now)
        turned = Counter((stored[key]["active"], values["active"]) for key, values in changed.items())
        return TableChanges(
            self.table.name,
            inserted=len(new),
            updated=turned[True, True] + turned[False, False],
            unchanged=len(wanted) - len(new) - len(changed),
            deactivated=turned[True, False] + len(gone),
            reactivated=turned[False, True],
        )

    @property
    def _key(self) -> list[str]:
        return [column.name for column in self.table.primary_key if column.name != "integration"]

    def _key_of(self, row: Mapping[str, Any]) -> _Key:
        return tuple(row[name] for name in self._key)

    def stored(self, conn: Connection) -> dict[_Key, _Values]:
        """Its rows by key, without what only the database needs."""
        columns = [column for column in self.table.c if column.name not in {"integration", "imported_at"}]
        query = select(*columns).where(self.table.c.integration == self.integration, *self.scope)
        rows = [row._asdict() for row in conn.execute(query)]
        return {self._key_of(row): row for row in rows}

    def _insert(self, conn: Connection, rows: list[_Values], now: datetime) -> None:
        if rows:
            bookkeeping = {"integration": self.integration, "imported_at": now}
            conn.execute(insert(self.table), [row | bookkeeping for row in rows])

    def _update(self, conn: Connection, rows: Mapping[_Key, _Values], now: datetime) -> None:
        if not rows:
            return
        # The key's parameters need names of their own: SQLAlchemy keeps the columns' names for the new values.
        matched = [self.table.c[name] == bindparam(f"key_{name}") for name in self._key]
        names = [f"key_{name}" for name in self._key]
        conn.execute(
            update(self.table).where(self.table.c.integration == self.integration, *matched),
            [{**values, "imported_at": now, **dict(zip(names, key, strict=True))} for key, values in rows.items()],
        )
