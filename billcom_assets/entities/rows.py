"""From BILL's objects to rows that can be stored: typed, or rejected with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from billcom_assets.entities.canonical import canonical, digest
from billcom_assets.entities.extract import Extractor, Unreadable, common, identity, touched, voided_on
from billcom_assets.entities.model import ColumnType, Entity
from billcom_assets.entities.v2 import combined
from billcom_assets.redaction.personal import mask_personal_data

Values = tuple[Any, ...]
"""Values of declared columns, in their order."""


@dataclass(slots=True)
class MirrorRow:
    """One BILL object as it is stored: one row of its entity's table and the rows of its child tables."""

    id: str
    archived: bool | None
    created_time: datetime | None
    updated_time: datetime | None
    values: Values
    children: dict[str, list[Values]]
    payload: str = field(repr=False)
    digest: str
    obj: dict[str, Any] = field(repr=False)
    """What the row was made of."""
    is_before_cutoff: bool = False
    """It is dated before the cutoff and was not undone since then."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One object that cannot be stored."""

    record_id: str
    """Empty when not even its id can be read: then nobody can say which object was seen."""
    message: str
    created_time: datetime | None = None
    updated_time: datetime | None = None


@dataclass(slots=True)
class Batch:
    """The objects of one page."""

    rows: list[MirrorRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def fetched(self) -> int:
        """Objects that BILL returned."""
        return len(self.rows) + len(self.rejections)

    @property
    def ids(self) -> list[str]:
        """Of every object; empty texts where none can be read."""
        return [*(row.id for row in self.rows), *(one.record_id for one in self.rejections)]

    @property
    def updated_times(self) -> list[datetime]:
        """When the objects last changed, unreadable ones too where that much can be read."""
        times = (*(row.updated_time for row in self.rows), *(one.updated_time for one in self.rejections))
        return [moment for moment in times if moment is not None]

    def undated_ids(self) -> set[str]:
        """Ids of the objects that have no created time."""
        readable = {row.id for row in self.rows if row.created_time is None}
        return readable | {one.record_id for one in self.rejections if one.created_time is None}


class RowMaker:
    """Turns objects of one entity into rows; compiled once, used for every object."""

    def __init__(self, entity: Entity, cutoff: date | None = None) -> None:
        self.entity = entity
        self._extractor = Extractor(entity)
        self._json_positions = _json_positions(entity)
        self._cutoff = cutoff
        names = [column.name for column in entity.columns]
        self._cutoff_position = names.index(entity.cutoff) if entity.cutoff and cutoff else None

    def add(self, batch: Batch, obj: dict[str, Any]) -> None:
        """Adds the object to the batch, as a row or as a rejection that says why."""
        try:
            batch.rows.append(self.row(obj))
        except Unreadable as problem:
            known = identity(obj)
            message = mask_personal_data(str(problem))
            batch.rejections.append(Rejection(known.id, message, known.created_time, known.updated_time))

    def row(self, obj: dict[str, Any]) -> MirrorRow:
        """The row of one object; raises ``Unreadable`` naming what cannot be stored."""
        identifier, archived, created, updated = common(obj)
        payload = canonical(obj)
        values, children = self.derived(obj)
        return MirrorRow(
            identifier,
            archived,
            created,
            updated,
            values,
            children,
            payload.decode(),
            digest(payload),
            obj,
            self._is_before_cutoff(values, obj),
        )

    def derived(
        self, obj: dict[str, Any], record: dict[str, Any] | None = None
    ) -> tuple[Values, dict[str, list[Values]]]:
        """The values of the declared columns, and the rows of the child tables.

        Args:
            obj: What v3 sent.
            record: What v2 knows of the same object; None for nothing.

        Raises:
            Unreadable: something cannot be what its column holds.
        """
        if self.entity.v2 is not None:
            obj = combined(self.entity.v2, obj, record)
        values = _with_json(self._extractor.row(obj), self._json_positions[""])
        children = self._extractor.children(obj)
        for table, positions in self._json_positions.items():
            if positions and table in children:
                children[table] = [_with_json(line, positions) for line in children[table]]
        return values, children

    def touched(self, row: MirrorRow) -> set[tuple[str, str]]:
        """The objects that BILL may have changed together with this one, as (entity, id)."""
        return touched(self.entity, row.obj)

    def _is_before_cutoff(self, values: Values, obj: dict[str, Any]) -> bool:
        if self._cutoff_position is None or self._cutoff is None:
            return False
        dated = values[self._cutoff_position]
        if dated is None or dated >= self._cutoff:
            return False
        voided = voided_on(self.entity.voids, obj) if self.entity.voids is not None else None
        return voided is None or voided < self._cutoff


def _json_positions(entity: Entity) -> dict[str, tuple[int, ...]]:
    """Where JSON values stand in the rows of each child table, and under "" in the entity's own."""
    own = tuple(at for at, column in enumerate(entity.columns) if column.type is ColumnType.JSON)
    # Position comes first in a child row.
    children = {
        child.table: tuple(at for at, column in enumerate(child.columns, 1) if column.type is ColumnType.JSON)
        for child in entity.children
    }
    return {"": own, **children}


def _with_json(row: Values, positions: tuple[int, ...]) -> Values:
    if not positions:
        return row
    values = list(row)
    for at in positions:
        if values[at] is not None:
            values[at] = canonical(values[at]).decode()
    return tuple(values)
