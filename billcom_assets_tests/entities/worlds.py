"""Objects as BILL sends them, invented: one of every kind, and one with every declared place filled."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

from billcom_assets.entities.model import Child, Column, ColumnType, Entity

_SAMPLES = Path(__file__).with_name("samples.json").read_text()

_FILLERS: dict[ColumnType, Any] = {
    ColumnType.TEXT: "text",
    ColumnType.MONEY: Decimal("12.34"),
    ColumnType.NUMBER: Decimal("1.5"),
    ColumnType.INTEGER: 7,
    ColumnType.BOOLEAN: True,
    ColumnType.DATE: "2026-12-15",
    ColumnType.TIMESTAMP: "2026-12-15T23:15:23.000+00:00",
    ColumnType.JSON: [{"id": "x"}],
}


def decode(text: str) -> Any:
    """JSON as the client decodes it: no floats."""
    return json.loads(text, parse_float=Decimal)


def sample(entity: str) -> dict[str, Any]:
    """A new copy of the sample of one entity."""
    return decode(_SAMPLES)[entity]


def full(entity: Entity) -> dict[str, Any]:
    """An object with something at every place the entity declares."""
    obj: dict[str, Any] = {
        "id": f"{entity.id_prefix or 'xyz'}02ABCDEFGHIJ1a2b3",
        "archived": False,
        "createdTime": "2026-01-05T18:02:11.000+00:00",
        "updatedTime": "2026-02-09T07:40:55.000+00:00",
    }
    for column in entity.columns:
        put(obj, column.keys, filler(column))
    for child in entity.children:
        put(obj, tuple(child.path.split(".")), [_element(child), _element(child)])
    return obj


def filler(column: Column) -> Any:
    """A value that fits the column."""
    return column.values[0] if column.values else deepcopy(_FILLERS[column.type])


def put(obj: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    """Sets the value at ``keys``, making the objects on the way."""
    for key in keys[:-1]:
        obj = obj.setdefault(key, {})
    obj[keys[-1]] = value


def _element(child: Child) -> dict[str, Any]:
    element: dict[str, Any] = {}
    for column in child.columns:
        put(element, column.keys, filler(column))
    return element
