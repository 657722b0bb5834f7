"""From BILL's object to the rows of its tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeGuard

from billcom_assets.entities.json_paths import at, each
from billcom_assets.entities.model import Column, Entity, Voids
from billcom_assets.entities.values import (
    LONGEST_ID,
    NO_ID,
    READERS,
    Unreadable,
    none_if_unset,
    read_boolean,
    read_id,
    read_timestamp,
)

__all__ = ["Extractor", "Identity", "Unreadable", "common", "identity", "is_id", "touched", "usable_id", "voided_on"]

_Field = tuple[int, str, Callable[[Any], Any]]


class Extractor:
    """Reads the declared columns out of one entity's objects; compiled once, used for every object."""

    def __init__(self, entity: Entity) -> None:
        self._row = _RowReader(entity.name, entity.columns)
        self._children = tuple(
            (child.table, child.path, tuple(child.path.split(".")), _RowReader(child.table, child.columns))
            for child in entity.children
        )

    def row(self, obj: dict[str, Any]) -> tuple[Any, ...]:
        """The values of the entity's columns, in their order; None where BILL sent nothing.

        Raises:
            Unreadable: A value does not fit its column.
            TypeError: The object holds a float.
        """
        return self._row.read(obj)

    def children(self, obj: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every child table, each with its position (from 0) before the values of its columns.

        Nulls in a list are skipped; an absent list has no rows. Raises what ``row`` raises.
        """
        return {table: _rows(at(obj, keys), path, reader) for table, path, keys, reader in self._children}


def is_id(value: Any) -> TypeGuard[str]:
    """True for a text that can be the id of an object."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value != NO_ID and value.isprintable()


def common(obj: dict[str, Any]) -> tuple[str, bool | None, datetime | None, datetime | None]:
    """Id, archived, created and updated time (UTC) of an object of any entity.

    Raises:
        Unreadable: There is no usable id, or one of the others does not fit.
    """
    identifier = usable_id(at(obj, ("id",)))
    if not identifier:
        raise Unreadable("object", "id", "id", at(obj, ("id",)))
    return (
        identifier,
        _common(obj, "archived", "archived", read_boolean),
        _common(obj, "created_time", "createdTime", read_timestamp),
        _common(obj, "updated_time", "updatedTime", read_timestamp),
    )


def usable_id(value: Any) -> str:
    """``value`` when it can be an id of BILL's, else an empty text."""
    return value if is_id(value) else ""


class Identity(NamedTuple):
    """What can be read of any object, however unreadable the rest of it is."""

    id: str
    created_time: datetime | None
    updated_time: datetime | None


def identity(obj: dict[str, Any]) -> Identity:
    """The object's id, or an empty text, and its two times in UTC, or None."""
    return Identity(usable_id(obj.get("id")), _time(obj.get("createdTime")), _time(obj.get("updatedTime")))


def _time(value: Any) -> datetime | None:
    try:
        return read_timestamp(value)
    except ValueError:
        return None


def touched(entity: Entity, obj: dict[str, Any]) -> set[tuple[str, str]]:
    """What the object names as changed together with it, as (entity, id); an id may be none of BILL's."""
    return {
        (name, identifier)
        for path, name in entity.touches
        for identifier in each(obj, path.split("."))
        if isinstance(identifier, str) and none_if_unset(identifier)
    }


def voided_on(voids: Voids, obj: dict[str, Any]) -> date | None:
    """The UTC day on which the last request to undo the object was accepted; None for one that stands."""
    place, undone = voids.status
    if at(obj, place.split(".")) not in undone:
        return None
    field, accepted = voids.accepted
    requests = (one for one in each(obj, voids.requests.split(".")) if isinstance(one, dict))
    times = [_first_time(one, voids.times) for one in requests if one.get(field) == accepted]
    return max((moment.date() for moment in times if moment is not None), default=None)


def _first_time(obj: dict[str, Any], fields: Sequence[str]) -> datetime | None:
    return next((moment for field in fields if (moment := _time(obj.get(field))) is not None), None)


def _common(obj: dict[str, Any], column: str, key: str, read: Callable[[Any], Any]) -> Any:
    value = obj.get(key)
    if value is None:
        return None
    try:
        return read(value)
    except ValueError:
        raise Unreadable("object", column, key, value) from None


def _rows(elements: Any, path: str, reader: _RowReader) -> list[tuple[Any, ...]]:
    if not isinstance(elements, list):
        return []
    present = [(place, element) for place, element in enumerate(elements) if element is not None]
    return [(position, *reader.read(element, f"{path}[{place}].")) for position, (place, element) in enumerate(present)]


class _RowReader:
    """Reads one table's columns, visiting each nested object once."""

    def __init__(self, table: str, columns: Sequence[Column]) -> None:
        self._table = table
        self._columns = tuple(columns)
        parents: dict[tuple[str, ...], list[_Field]] = {}
        for index, column in enumerate(columns):
            *parent, key = column.keys
            read = read_id if column.is_id else READERS[column.type]
            parents.setdefault(tuple(parent), []).append((index, key, read))
        self._parents = tuple((parent, tuple(fields)) for parent, fields in parents.items())
        self._absent = [(index, column.absent) for index, column in enumerate(columns) if column.absent]
        self._or_kind = [
            (index, tuple(column.or_kind[0].split(".")), column.or_kind[1])
            for index, column in enumerate(columns)
            if column.or_kind
        ]

    def read(self, node: Any, prefix: str = "") -> tuple[Any, ...]:
        values: list[Any] = [None] * len(self._columns)
        for parent, fields in self._parents:
            holder = at(node, parent) if parent else node
            if not isinstance(holder, dict):
                continue
            for index, key, read in fields:
                value = holder.get(key)
                if value is None:
                    continue
                try:
                    values[index] = read(value)
                except ValueError:
                    raise self._unreadable(index, prefix, value) from None
        for index, absent in self._absent:
            values[index] = values[index] or absent
        for index, keys, kind in self._or_kind:
            if values[index] is None and at(node, keys) == kind:
                values[index] = kind
        return tuple(values)

    def _unreadable(self, index: int, prefix: str, value: Any) -> Unreadable:
        column = self._columns[index]
        return Unreadable(self._table, column.name, f"{prefix}{column.path}", value, sensitive=column.sensitive)
