"""Filters and sorts of BILL's lists.

Grammar: https://developer.bill.com/docs/search-op-with-lists. Fields that may be used:
https://developer.bill.com/docs/filterable-fields and https://developer.bill.com/docs/sortable-fields
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final
from urllib.parse import quote

Scalar = str | bool | int | Decimal | date | datetime
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
_BARE: Final = re.compile(r"[A-Za-z0-9_]+")


class Op(StrEnum):
    """BILL's filter operators."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NIN = "nin"
    STARTS_WITH = "sw"


V2_LIST: Final = re.compile(r"/api/v2/List/([A-Za-z]+)\.json")
"""Path of a list of v2's, with the entity's name in it."""
_V2_OPERATORS: Final = {
    Op.EQ: "=",
    Op.NE: "!=",
    Op.GT: ">",
    Op.GTE: ">=",
    Op.LT: "<",
    Op.LTE: "<=",
    Op.IN: "in",
    Op.NIN: "nin",
    Op.STARTS_WITH: "sw",
}
_LISTS: Final = frozenset({Op.IN, Op.NIN})


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a list; several are all required.

    Args:
        field: BILL's field name, for example ``updatedTime`` or ``classifications.itemId``.
        op: ``eq ne gt gte lt lte in nin sw``.
        value: Text, bool, int, Decimal, date or aware datetime; for ``in`` and ``nin`` a non-empty sequence of them.

    Raises:
        ValueError: Something that BILL's grammar cannot express.
    """

    field: str
    op: Op | str
    value: Scalar | Sequence[Scalar]

    def __post_init__(self) -> None:
        object.__setattr__(self, "op", Op(self.op))
        if not _FIELD.fullmatch(self.field):
            raise ValueError(f"{self.field!r} is no field name")
        if isinstance(self.value, Sequence) and not isinstance(self.value, str):
            object.__setattr__(self, "value", tuple(self.value))
        if self.op in _LISTS:
            _require_members(self.field, self._members())
        elif isinstance(self.value, tuple):
            raise ValueError(f"{self.field}: several values need the operator in or nin")
        self.render().encode()

    def _members(self) -> tuple[Scalar, ...]:
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def render(self) -> str:
        """The clause as v3 reads it, not yet percent-encoded."""
        if self.op in _LISTS:
            value = _quoted(",".join(_text(member) for member in self._members()))
        else:
            value = _rendered(self._members()[0])
        return f"{self.field}:{self.op}:{value}"

    def v2(self) -> dict[str, str]:
        """The condition as v2 reads it; see https://developer.bill.com/v2/docs/search-ops-with-lists."""
        value = ",".join(_v2_text(member) for member in self._members())
        return {"field": self.field, "op": _V2_OPERATORS[Op(self.op)], "value": value}


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list."""

    field: str
    descending: bool = False

    def __post_init__(self) -> None:
        if not _FIELD.fullmatch(self.field):
            raise ValueError(f"{self.field!r} is no field name")

    def render(self) -> str:
        """``field:asc`` or ``field:desc``."""
        return f"{self.field}:{'desc' if self.descending else 'asc'}"

    def v2(self) -> dict[str, str]:
        """The order as v2 reads it: text, not a boolean."""
        return {"field": self.field, "asc": "false" if self.descending else "true"}


def list_params(
    *, filters: Iterable[Filter], sort: Sort | Iterable[Sort] | None, cursor: str | None, max_rows: int
) -> dict[str, str]:
    """Query parameters of a v3 list. The cursor goes into ``page``, beside the unchanged other parameters.

    Raises:
        ValueError: ``max_rows`` is outside 1..100, which BILL refuses.
    """
    if not 1 <= max_rows <= 100:
        raise ValueError("BILL's pages hold 1 to 100 rows")
    sorts = (sort,) if isinstance(sort, Sort) else tuple(sort or ())
    params = {
        "max": str(max_rows),
        "filters": ",".join(one.render() for one in filters),
        "sort": ",".join(one.render() for one in sorts),
        "page": cursor or "",
    }
    return {name: value for name, value in params.items() if value}


def query_string(params: Iterable[tuple[str, Scalar]]) -> str:
    """``params`` percent-encoded whole: a space is ``%20``, never ``+``, and a literal ``+`` is ``%2B``."""
    return "&".join(f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in params)


def item_path(path: str, item_id: str, *more: str) -> str:
    """``path`` of one object: ``item_path("/v3/bills", id)`` or ``item_path("/v3/bills", id, "archive")``.

    Raises:
        ValueError: An id that would name another path.
    """
    if any(part in {"", ".", ".."} for part in (item_id, *more)):
        raise ValueError(f"{item_id!r} is no id")
    return "/".join((path.rstrip("/"), *(quote(part, safe="") for part in (item_id, *more))))


def timestamp(moment: datetime) -> str:
    """An instant as BILL's filters take it: UTC, milliseconds, ``Z``.

    Raises:
        ValueError: ``moment`` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone means nothing to BILL")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _require_members(name: str, members: tuple[Scalar, ...]) -> None:
    if not members:
        raise ValueError(f"{name}: BILL cannot match against an empty list")
    if any("," in _text(member) for member in members):
        raise ValueError(f"{name}: a value with a comma cannot be a member of a list")


def _rendered(value: Scalar) -> str:
    """``value`` quoted where it holds more than letters, digits and underscores."""
    text = _text(value)
    return text if _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    # BILL publishes no way to escape a quote inside a value; the backslash is what its quoting is modelled on
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(value: Scalar) -> str:
    """``value`` as plain text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Enum):
        return str(value.value)
    return str(value)


def _v2_text(value: Scalar) -> str:
    """``value`` as v2 takes it: instants carry ``+0000``."""
    return timestamp(value).replace("Z", "+0000") if isinstance(value, datetime) else _text(value)
