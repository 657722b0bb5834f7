"""What BILL sends beyond what the catalog knows: new fields and new enum values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from billcom_assets.entities.json_paths import at
from billcom_assets.entities.model import Column, Entity
from billcom_assets.entities.values import clean, preview

_COMMON_KEYS = ("id", "archived", "createdTime", "updatedTime")

_Enum = tuple[str, tuple[str, ...], frozenset[str]]


@dataclass(slots=True)
class _Shape:
    """The declared members of an object."""

    values: set[str] = field(default_factory=set)
    objects: dict[str, _Shape] = field(default_factory=dict)
    lists: dict[str, _Shape] = field(default_factory=dict)

    def holder(self, keys: Sequence[str]) -> _Shape:
        """The shape of the object at ``keys``, declared on the way."""
        shape = self
        for key in keys:
            shape = shape.objects.setdefault(key, _Shape())
        return shape

    def declare(self, columns: Sequence[Column]) -> None:
        """Adds the columns' JSON paths."""
        for column in columns:
            self.holder(column.keys[:-1]).values.add(column.keys[-1])


class Contract:
    """Compares one entity's objects with its declaration; compiled once, cheap enough for every changed row."""

    def __init__(self, entity: Entity) -> None:
        self._shape = _Shape(values={*_COMMON_KEYS, *entity.repeats})
        self._shape.declare(entity.columns)
        self._enums = _enums("", entity.columns)
        self._child_enums: list[tuple[tuple[str, ...], tuple[_Enum, ...]]] = []
        for child in entity.children:
            *parent, key = keys = tuple(child.path.split("."))
            elements = self._shape.holder(parent).lists.setdefault(key, _Shape())
            elements.declare(child.columns)
            elements.values.update(child.repeats)
            enums = _enums(f"{child.table}.", child.columns)
            if enums:
                self._child_enums.append((keys, enums))

    def unknown_fields(self, obj: dict[str, Any]) -> set[str]:
        """JSON paths that hold something the catalog does not declare, for example ``billLineItems.newField``.

        A place that is declared as an object or a list and holds something else counts as unknown too.
        """
        return set(_undeclared(obj, self._shape, ""))

    def unknown_values(self, obj: dict[str, Any]) -> set[tuple[str, str]]:
        """(column, value) of enum values that the catalog does not list; child columns as ``table.column``."""
        found = set(_unlisted(obj, self._enums))
        for keys, enums in self._child_enums:
            elements = at(obj, keys)
            for element in elements if isinstance(elements, list) else ():
                found.update(_unlisted(element, enums))
        return found


def _enums(prefix: str, columns: Sequence[Column]) -> tuple[_Enum, ...]:
    return tuple(
        (f"{prefix}{column.name}", column.keys, frozenset(column.values)) for column in columns if column.values
    )


def _undeclared(node: dict[str, Any], shape: _Shape, prefix: str) -> Iterator[str]:
    for key, value in node.items():
        if key in shape.values or value is None or value == "":
            continue
        if key in shape.objects:
            if isinstance(value, dict):
                yield from _undeclared(value, shape.objects[key], f"{prefix}{key}.")
                continue
        elif key in shape.lists and isinstance(value, list):
            yield from _undeclared_elements(value, shape.lists[key], f"{prefix}{key}")
            continue
        yield f"{prefix}{clean(key)}"


def _undeclared_elements(elements: list[Any], shape: _Shape, place: str) -> Iterator[str]:
    for element in elements:
        if isinstance(element, dict):
            yield from _undeclared(element, shape, f"{place}.")
        elif element is not None:
            yield place


def _unlisted(node: Any, enums: Sequence[_Enum]) -> Iterator[tuple[str, str]]:
    for name, keys, known in enums:
        value = at(node, keys)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            yield name, preview(value)
        elif value not in known:
            yield name, clean(value)
