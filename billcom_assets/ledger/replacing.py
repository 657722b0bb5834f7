"""Making the stored lists equal to those of an import: renames are recognised, and losses are to be confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table

from billcom_assets.ledger.following import give_new_ids, mapped_to, move_mappings
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.identity import Known, known, renames
from billcom_assets.ledger.layouts import DIMENSION_LISTS
from billcom_assets.ledger.lists import LedgerList, TableChanges
from billcom_assets.ledger.parsing import TABLES
from billcom_assets.ledger.records import LedgerAccount, LedgerDimension, LedgerRecord
from billcom_assets.ledger.removals import DoubtfulRemovals, RemovalsRefused, doubtful_removals
from billcom_assets.redaction.display import one_line
from billcom_assets.warehouse.audit import Decision
from billcom_assets.warehouse.ledger_tables import ledger_dimensions

_MAPPED_AS = {"accounts": ("accounts", "funding_accounts")}
"""Kinds of BILL objects that are mapped to a list of another name."""
_ONE_OF = {"classes": "class"}
"""What one record is called, where it is not the list's name without its s."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A record that was recognised under its new number or name, or has another name under its number."""

    list: str
    old_id: str
    new_id: str
    before: str
    after: str
    """How people call it."""
    mappings: int
    """Mappings that follow it."""

    def __str__(self) -> str:
        one = _ONE_OF.get(self.list, self.list.removesuffix("s"))
        renamed = f"{one.capitalize()} {self.before} is now {self.after}"
        if not self.mappings:
            return renamed
        count = "1 mapping" if self.mappings == 1 else f"{self.mappings:,} mappings"
        does = ("follows" if self.mappings == 1 else "follow") if self.old_id != self.new_id else "on it, as before"
        return f"{renamed}: {count} {does}"


@dataclass(frozen=True, slots=True)
class Replaced:
    """What was done to the lists."""

    tables: tuple[TableChanges, ...]
    renamed: tuple[Renamed, ...]
    decisions: tuple[Decision, ...]
    """Each mapping that followed a record, for the audit log."""
    confirmed: int
    """Records taken out of use that would not have been without a confirmation."""


def replace_lists(
    conn: Connection,
    integration: str,
    records: Mapping[str, Sequence[LedgerRecord]],
    now: datetime,
    *,
    allow_removals: bool,
) -> Replaced:
    """Makes the stored lists those of ``records``.

    Raises:
        RemovalsRefused: too much, or something mapped, would be taken out of use, and nobody confirmed it; nothing was
            written.
    """
    plans = [_Plan.of(conn, integration, one) for kind, rows in records.items() for one in _lists(kind, rows)]
    doubtful = [plan.doubtful for plan in plans if plan.doubtful is not None]
    if doubtful and not allow_removals:
        raise RemovalsRefused(doubtful)
    moves: list[tuple[Renamed, Iterable[Decision]]] = [
        move for plan in plans if plan.ids for move in plan.move(conn, integration)
    ]
    moves += [(renamed, ()) for plan in plans for renamed in plan.renamed_in_place()]
    return Replaced(
        tables=tuple(_replace(conn, integration, kind, rows, now) for kind, rows in records.items()),
        renamed=tuple(renamed for renamed, _ in moves),
        decisions=tuple(decision for _, decisions in moves for decision in decisions),
        confirmed=sum(len(one.removals) for one in doubtful),
    )


@dataclass(frozen=True, slots=True)
class _List:
    """One list: a table, or one kind of dimension."""

    name: str
    table: Table
    scope: tuple[ColumnElement[bool], ...]
    kinds: tuple[str, ...]
    """Kinds of BILL objects that are mapped to its records."""
    records: tuple[LedgerRecord, ...]


def _lists(kind: str, records: Sequence[LedgerRecord]) -> Iterator[_List]:
    if kind != "dimensions":
        yield _List(kind, TABLES[kind], (), _MAPPED_AS.get(kind, (kind,)), tuple(records))
        return
    for name, dimension in DIMENSION_LISTS.items():
        own = tuple(one for one in records if isinstance(one, LedgerDimension) and one.kind == dimension)
        if own:
            yield _List(name, ledger_dimensions, (ledger_dimensions.c.kind == dimension,), (dimension,), own)


@dataclass(frozen=True, slots=True)
class _Plan:
    list: _List
    stored: Mapping[str, Known]
    wanted: Mapping[str, Known]
    ids: Mapping[str, str]
    """New ids by old ones."""
    mapped: Counter[str]
    """How many BILL objects are mapped to each record, by its old id."""
    doubtful: DoubtfulRemovals | None

    @classmethod
    def of(cls, conn: Connection, integration: str, one: _List) -> _Plan:
        stored = known(LedgerList(one.table, integration, one.scope).stored(conn).values())
        wanted = known(map(_values, one.records))
        ids = renames(stored, wanted)
        mapped = mapped_to(conn, integration, one.kinds)
        after = {ids.get(id_, id_): replace(row, id=ids.get(id_, id_)) for id_, row in stored.items()}
        doubtful = doubtful_removals(one.name, after, wanted, frozenset(ids.get(id_, id_) for id_ in mapped))
        return cls(one, stored, wanted, ids, mapped, doubtful)

    def move(self, conn: Connection, integration: str) -> Iterator[tuple[Renamed, Iterable[Decision]]]:
        give_new_ids(conn, integration, self.list.table, self.list.scope, self.ids)
        moved = move_mappings(conn, integration, self.list.kinds, self.ids)
        for old, new in sorted(self.ids.items()):
            before, after = one_line(self.stored[old].label), one_line(self.wanted[new].label)
            decisions = moved.get(old, [])
            yield Renamed(self.list.name, old, new, before, after, len(decisions)), decisions

    def renamed_in_place(self) -> Iterator[Renamed]:
        """Records in use that have another name under the same number: they may be something else by now."""
        for id_, before in sorted(self.stored.items()):
            after = self.wanted.get(id_)
            if after is not None and before.active and id_ not in self.ids and same(before.name) != same(after.name):
                labels = one_line(before.label), one_line(after.label)
                yield Renamed(self.list.name, id_, id_, *labels, self.mapped[id_])


def _replace(
    conn: Connection, integration: str, kind: str, records: Sequence[LedgerRecord], now: datetime
) -> TableChanges:
    kinds = {record.kind for record in records if isinstance(record, LedgerDimension)}
    scope = (ledger_dimensions.c.kind.in_(sorted(kinds)),) if kinds else ()
    return LedgerList(TABLES[kind], integration, scope).replace(conn, map(_values, records), now)


def _values(record: LedgerRecord) -> dict[str, Any]:
    values = {column.name: getattr(record, column.name) for column in fields(record)}
    if isinstance(record, LedgerAccount):
        values["type"] = record.type.value
    return values
