"""Making one of the company's stored lists equal to a new one, without removing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
        changes = _Differences(self._stored(conn))
        for row in rows:
            changes.take(self._key_of(row), dict(row))
        self._insert(conn, changes.inserts, now)
        self._update(conn, [(self._key_of(values), values) for values in changes.updates], now)
        self._update(conn, [(key, {"active": False}) for key in sorted(changes.gone)], now)
        return changes.counted(self.table.name)

    @property
    def _key(self) -> list[str]:
        return [column.name for column in self.table.primary_key if column.name != "integration"]

    def _key_of(self, row: Mapping[str, Any]) -> _Key:
        return tuple(row[name] for name in self._key)

    def _stored(self, conn: Connection) -> dict[_Key, _Values]:
        columns = [column for column in self.table.c if column.name not in {"integration", "imported_at"}]
        query = select(*columns).where(self.table.c.integration == self.integration, *self.scope)
        rows = [row._asdict() for row in conn.execute(query)]
        return {self._key_of(row): row for row in rows}

    def _insert(self, conn: Connection, rows: list[_Values], now: datetime) -> None:
        if rows:
            bookkeeping = {"integration": self.integration, "imported_at": now}
            conn.execute(insert(self.table), [row | bookkeeping for row in rows])

    def _update(self, conn: Connection, rows: list[tuple[_Key, _Values]], now: datetime) -> None:
        if not rows:
            return
        # The key's parameters need names of their own: SQLAlchemy keeps the columns' names for the new values.
        matched = [self.table.c[name] == bindparam(f"key_{name}") for name in self._key]
        names = [f"key_{name}" for name in self._key]
        conn.execute(
            update(self.table).where(self.table.c.integration == self.integration, *matched),
            [{**values, "imported_at": now, **dict(zip(names, key, strict=True))} for key, values in rows],
        )


@dataclass
class _Differences:
    stored: Mapping[_Key, _Values]
    inserts: list[_Values] = field(default_factory=list)
    updates: list[_Values] = field(default_factory=list)
    gone: set[_Key] = field(init=False)
    counts: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.gone = {key for key, values in self.stored.items() if values["active"]}
        self.counts = dict.fromkeys(("updated", "unchanged", "deactivated", "reactivated"), 0)

    def take(self, key: _Key, values: _Values) -> None:
        before = self.stored.get(key)
        self.gone.discard(key)
        if before is None:
            self.inserts.append(values)
        elif before == values:
            self.counts["unchanged"] += 1
        else:
            self.updates.append(values)
            self.counts[_change(before["active"], values["active"])] += 1

    def counted(self, table: str) -> TableChanges:
        counts = self.counts | {"deactivated": self.counts["deactivated"] + len(self.gone)}
        return TableChanges(table, inserted=len(self.inserts), **counts)


def _change(was_active: bool, is_active: bool) -> str:
    if was_active == is_active:
        return "updated"
    return "reactivated" if is_active else "deactivated"
