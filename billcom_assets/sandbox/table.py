"""The objects of one kind in one organization, found by id, by time and by vendor or customer."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
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


class Row:
    """One object. A draft keeps the object itself and is serialized when its body is asked for.

    Attributes:
        id: Its id.
        created: Seconds since the epoch.
        updated: Seconds since the epoch.
        hidden: Facts that v3 does not show in the object (v2 or other routes may).
    """

    __slots__ = ("_body", "_draft", "created", "hidden", "id", "updated")

    def __init__(
        self,
        object_id: str,
        created: int,
        updated: int,
        body: bytes,
        hidden: Doc | None = None,
        *,
        draft: Doc | None = None,
    ) -> None:
        self.id = object_id
        self.created = created
        self.updated = updated
        self.hidden = hidden
        self._body = body
        self._draft = draft

    @property
    def is_draft(self) -> bool:
        """Whether it is not serialized yet."""
        return self._draft is not None

    def change(self, doc: Doc, updated: int, hidden: Doc | None) -> None:
        """Put another object in the place of a draft; without ``hidden`` it keeps its own."""
        self._draft = doc
        self.updated = updated
        if hidden is not None:
            self.hidden = hidden

    @property
    def body(self) -> bytes:
        """The JSON object as v3 serves it."""
        self.finish()
        return self._body

    def finish(self) -> None:
        """Serialize a draft, with its two times as the last keys, in BILL's order."""
        doc = self._draft
        if doc is not None:
            doc["createdTime"] = created = stamp(self.created)
            doc["updatedTime"] = created if self.updated == self.created else stamp(self.updated)
            self._body = encode(doc)
            self._draft = None

    def doc(self) -> Doc:
        """A copy of the object to change and hand to ``Organization.write``; what is nested in it is to be replaced."""
        return self.look().copy() if self._draft is not None else self.look()

    def look(self) -> Doc:
        """The object, only to be looked at."""
        if self._draft is not None:
            return self._draft
        parsed: Doc = decode(self._body)
        return parsed

    def party(self) -> str:
        """The vendor or customer it names."""
        if self._draft is not None:
            return str(self._draft.get("vendorId") or self._draft.get("customerId") or "")
        found = _OWNER.decode(self._body)
        return found.vendorId or found.customerId


def make_draft(doc: Doc, created: int, updated: int, hidden: Doc | None = None) -> Row:
    """An object that may change again before it is served."""
    doc.pop("createdTime", None)
    doc.pop("updatedTime", None)
    return Row(doc["id"], created, updated, b"", hidden, draft=doc)


def make_row(doc: Doc, created: int, updated: int, hidden: Doc | None = None) -> Row:
    """An object, serialized."""
    row = make_draft(doc, created, updated, hidden)
    row.finish()
    return row


def _moment(row: Row, time_field: str) -> int:
    return row.created if time_field == "createdTime" else row.updated


class Table:
    """Rows of one kind, with sorted indexes on both times: made when first asked for, right under writes."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.ids: list[str] = []
        self.version = 0
        self._indexes: dict[str, list[Entry]] = {}
        self._owned: dict[str, list[str]] | None = None
        self._views: OrderedDict[Hashable, tuple[int, list[Entry]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def get(self, object_id: str) -> Row | None:
        """The row with this id (case-sensitive), or None."""
        return self.rows.get(object_id)

    def put(self, row: Row) -> None:
        """Add a row, or replace the one with its id."""
        old = self.rows.get(row.id)
        if old is None:
            self.ids.append(row.id)
            if self._owned is not None:
                self._owned.setdefault(row.party(), []).append(row.id)
        self.rows[row.id] = row
        self.version += 1
        for name, index in self._indexes.items():
            moment = _moment(row, name)
            if old is not None:
                if _moment(old, name) == moment:
                    continue
                del index[bisect_left(index, (_moment(old, name), old.id))]
            insort(index, (moment, row.id))

    def index(self, time_field: str) -> list[Entry]:
        """Entries (seconds, id) in ascending order of one of the two times; not to be changed."""
        if time_field not in self._indexes:
            self._indexes[time_field] = sorted((_moment(row, time_field), row.id) for row in self.rows.values())
        return self._indexes[time_field]

    def snapshot(self) -> list[Row]:
        """The rows as they are, in order of arrival."""
        return [self.rows[object_id] for object_id in self.ids]

    def restore(self, rows: list[Row]) -> None:
        """Go back to a snapshot, as if nothing had been written since."""
        self.rows = {row.id: row for row in rows}
        self.ids = list(self.rows)
        self._owned, self._indexes = None, {}
        self.version += 1

    def take_back(self, object_id: str, old: Row | None) -> None:
        """Put a row back as it was before its last write; None for one that was new, the last to arrive."""
        if old is not None:
            self.put(old)
            return
        new = self.rows.pop(object_id)
        self.ids.pop()
        if self._owned is not None:
            self._owned[new.party()].pop()
        for name, index in self._indexes.items():
            del index[bisect_left(index, (_moment(new, name), object_id))]
        self.version += 1

    def of_party(self, party_id: str) -> list[Row]:
        """The documents of this vendor or customer; a document never changes its party."""
        if self._owned is None:
            self._owned = {}
            for row in self.rows.values():
                self._owned.setdefault(row.party(), []).append(row.id)
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
