"""What a list request asks for: the filter grammar and the sort grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from billcom_assets.sandbox.errors import invalid
from billcom_assets.sandbox.kinds import BOOLEANS, TIME_SORTS, TIMES, Kind

_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d{3}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?", re.ASCII
)
_CLAUSE = re.compile(r"([A-Za-z0-9_.]+):([A-Za-z]+):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Clause:
    """One filter: field, operator and operand.

    Attributes:
        field: Filterable field.
        op: eq, ne, gt, gte, lt, lte, in, nin or sw.
        operand: Milliseconds since the epoch for times, a bool for flags, a tuple for in and nin, else text.
    """

    field: str
    op: str
    operand: int | bool | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """One sort criterion."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a list request selects and in which order.

    Attributes:
        filters_text: The filters as sent.
        sort_text: The sort as sent.
        clauses: Parsed filters, all of which must hold.
        orders: Parsed sort, never empty.
    """

    filters_text: str
    sort_text: str
    clauses: tuple[Clause, ...]
    orders: tuple[Order, ...]


DEFAULT_ORDER = (Order("createdTime"),)


def parse_query(kind: Kind, filters: str, sort: str, *, recurring_time_filter: bool = False) -> Query:
    """Read the ``filters`` and ``sort`` parameters of a list.

    Raises:
        Refusal: 400; a field, operator, value or direction that this list does not take.
    """
    timed = kind.timeless and recurring_time_filter
    allowed = {**kind.filters, **TIMES} if timed else kind.filters
    sorts = kind.sorts | TIME_SORTS if timed else kind.sorts
    clauses = tuple(_clause(kind, part, allowed) for part in split_clauses(filters))
    orders = tuple(_order(part, sorts) for part in sort.split(",") if sort)
    return Query(filters, sort, clauses, orders or DEFAULT_ORDER)


def split_clauses(text: str) -> list[str]:
    """Split at the commas outside double quotes.

    Raises:
        Refusal: 400; a quote is left open.
    """
    parts, current, quoted, escaped = [], "", False, False
    for char in text:
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
        if char == "," and not quoted:
            parts.append(current)
            current = ""
        else:
            current += char
    if quoted:
        raise invalid(f"filters: unbalanced quotes in {text}")
    if text:
        parts.append(current)
    return parts


def _clause(kind: Kind, text: str, allowed: Any) -> Clause:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        raise invalid(f"filters: {text!r} is not of the form field:operator:value")
    name, op, raw = match.groups()
    if name not in allowed:
        raise invalid(f"filters: field {name} is not supported")
    if op not in allowed[name]:
        raise invalid(f"filters: operator {op} is not supported for field {name}")
    value = _unquoted(raw)
    if name in TIMES:
        return Clause(name, op, _milliseconds(value))
    members = tuple(part.strip() for part in value.split(",")) if op in ("in", "nin") else (value,)
    for member in members:
        _check_value(kind, name, member)
    if op in ("in", "nin"):
        return Clause(name, op, members)
    return Clause(name, op, value == "true" if name in BOOLEANS else value)


def _unquoted(raw: str) -> str:
    if len(raw) >= 2 and raw[0] == raw[-1] == '"':
        return re.sub(r"\\(.)", r"\1", raw[1:-1])
    if '"' in raw or not raw:
        raise invalid(f"filters: malformed value {raw!r}")
    return raw


def _check_value(kind: Kind, name: str, value: str) -> None:
    if name in BOOLEANS and value not in ("true", "false"):
        raise invalid(f"filters: {value!r} is not a boolean for field {name}")
    if name in kind.values and value not in kind.values[name]:
        raise invalid(f"filters: value {value} is not supported for field {name}")
    if name in kind.dates:
        try:
            date.fromisoformat(value)
        except ValueError:
            raise invalid(f"filters: {value!r} is not a date for field {name}") from None


def _milliseconds(value: str) -> int:
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise invalid(f"filters: {value!r} is not a date-time")
    day, minutes, seconds, millis, zone = match.groups()
    spelled = f"{day}T{minutes or '00:00'}:{seconds or '00'}"
    try:
        instant = datetime.fromisoformat(spelled + (zone or "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(f"filters: {value!r} is not a date-time") from None
    return int(instant.timestamp()) * 1000 + int(millis or 0)


def _order(text: str, sorts: Iterable[str]) -> Order:
    name, _, direction = text.strip().partition(":")
    if name not in sorts:
        raise invalid(f"sort: field {name} is not supported")
    if direction not in ("", "asc", "desc"):
        raise invalid(f"sort: direction {direction} is not supported")
    return Order(name, direction == "desc")
