"""The objects of one kind in one organization: serialized once, found by id and by time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, decode, encode
from billcom_assets.sandbox.kinds import Kind

Entry = tuple[Any, ...]
"""A sort key that ends with the object's id."""

_VIEWS_KEPT = 16


class _Owner(msgspec.Struct):
    vendorId: str = ""  # noqa: N815 - BILL's spelling
    customerId: str = ""  # noqa: N815


_OWNER = msgspec.json.Decoder(_Owner)


def _owner(row: Row) -> str:
    found = _OWNER.decode(row.body)
    return found.vendorId or found.customerId


@dataclass(slots=True)
class Row:
    """One object.

    Attributes:
        id: Its id.
        created: Seconds since the epoch.
        updated: Seconds since the epoch.
        body: The JSON object as v3 serves it.
        hidden: Facts that v3 does not show in the object (v2 or other routes may).
    """

    id: str
    created: int
    updated: int
    body: bytes
    hidden: Doc | None = None

    def doc(self) -> Doc:
        """The object, parsed anew: the caller may change it and hand it to ``Table.write``."""
        parsed: Doc = decode(self.body)
        return parsed


def make_row(doc: Doc, created: int, updated: int, hidden: Doc | None = None) -> Row:
    """Serialize an object with its two times as the last keys, in BILL's order."""
    doc["createdTime"] = stamp(created)
    doc["updatedTime"] = stamp(updated)
    return Row(doc["id"], created, updated, encode(doc), hidden)


class Table:
    """Rows of one kind, with sorted indexes on both times that stay right under writes."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.ids: list[str] = []
        self.version = 0
        self._indexes: dict[str, list[Entry]] = {"createdTime": [], "updatedTime": []}
        self._owned: dict[str, list[str]] | None = None
        self._views: OrderedDict[Hashable, tuple[int, list[Entry]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def get(self, object_id: str) -> Row | None:
        """The row with this id (case-sensitive), or None."""
        return self.rows.get(object_id)

    def load(self, rows: Iterable[Row]) -> None:
        """Add many new rows at once."""
        for row in rows:
            self.rows[row.id] = row
            self.ids.append(row.id)
        self._indexes = {
            "createdTime": sorted((row.created, row.id) for row in self.rows.values()),
            "updatedTime": sorted((row.updated, row.id) for row in self.rows.values()),
        }
        self.version += 1

    def put(self, row: Row) -> None:
        """Add a row, or replace the one with its id."""
        old = self.rows.get(row.id)
        if old is None:
            self.ids.append(row.id)
            if self._owned is not None:
                self._owned.setdefault(_owner(row), []).append(row.id)
            insort(self._indexes["createdTime"], (row.created, row.id))
            insort(self._indexes["updatedTime"], (row.updated, row.id))
        elif old.updated != row.updated:
            index = self._indexes["updatedTime"]
            del index[bisect_left(index, (old.updated, old.id))]
            insort(index, (row.updated, row.id))
        self.rows[row.id] = row
        self.version += 1

    def index(self, time_field: str) -> list[Entry]:
        """Entries (seconds, id) in ascending order of one of the two times; not to be changed."""
        return self._indexes[time_field]

    def snapshot(self) -> list[Row]:
        """The rows as they are, in order of arrival."""
        return [self.rows[object_id] for object_id in self.ids]

    def take_back(self, object_id: str, old: Row | None) -> None:
        """Put a row back as it was before its last write; None for one that was new, the last to arrive."""
        if old is not None:
            self.put(old)
            return
        new = self.rows.pop(object_id)
        self.ids.pop()
        if self._owned is not None:
            self._owned[_owner(new)].pop()
        for name, moment in (("createdTime", new.created), ("updatedTime", new.updated)):
            index = self._indexes[name]
            del index[bisect_left(index, (moment, object_id))]
        self.version += 1

    def of_party(self, party_id: str) -> list[Row]:
        """The documents of this vendor or customer; a document never changes its party."""
        if self._owned is None:
            self._owned = {}
            for row in self.rows.values():
                self._owned.setdefault(_owner(row), []).append(row.id)
        return [self.rows[object_id] for object_id in self._owned.get(party_id, ())]

    def view(self, key: Hashable, build: Callable[[], list[Entry]]) -> list[Entry]:
        """Sorted entries under ``key``, built again only after a change of the table."""
        kept = self._views.get(key)
        if kept is not None and kept[0] == self.version:
            self._views.move_to_end(key)
            return kept[1]
        entries = build()
        self._views[key] = self.version, entries
        self._views.move_to_end(key)
        while len(self._views) > _VIEWS_KEPT:
            self._views.popitem(last=False)
        return entries
