"""From BILL's JSON to a row that can be stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from billcom_assets.entities.canonical import canonical
from billcom_assets.entities.extract import Extractor, common
from billcom_assets.entities.model import ColumnType, Entity
from billcom_assets.warehouse.bulk import MirrorRow, Row


@dataclass(frozen=True)
class RowMaker:
    """Turns objects of one entity into mirror rows."""

    entity: Entity
    extractor: Extractor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extractor", Extractor(self.entity))

    @cached_property
    def _json_places(self) -> tuple[int, ...]:
        return tuple(at for at, column in enumerate(self.entity.columns) if column.type is ColumnType.JSON)

    @cached_property
    def _child_json_places(self) -> dict[str, tuple[int, ...]]:
        # Position comes first in a child row.
        return {
            child.table: tuple(at + 1 for at, c in enumerate(child.columns) if c.type is ColumnType.JSON)
            for child in self.entity.children
        }

    def row(self, obj: dict[str, Any]) -> MirrorRow:
        """The row for one object; raises ``Unreadable`` naming what cannot be stored."""
        identifier, archived, created, updated = common(obj)
        payload = canonical(obj)
        return MirrorRow(
            identifier,
            archived,
            created,
            updated,
            self.values(obj),
            self.children(obj),
            payload.decode(),
            hashlib.blake2b(payload, digest_size=16).hexdigest(),
        )

    def values(self, obj: dict[str, Any]) -> Row:
        """The values of the declared columns alone; raises ``Unreadable``."""
        return _with_json(self.extractor.row(obj), self._json_places)

    def children(self, obj: dict[str, Any]) -> dict[str, list[Row]]:
        """The rows of the child tables alone; raises ``Unreadable``."""
        children = self.extractor.children(obj)
        for table, places in self._child_json_places.items():
            if places and table in children:
                children[table] = [_with_json(line, places) for line in children[table]]
        return children


def _with_json(row: Row, places: tuple[int, ...]) -> Row:
    if not places:
        return row
    values = list(row)
    for at in places:
        if values[at] is not None:
            values[at] = canonical(values[at]).decode()
    return tuple(values)
