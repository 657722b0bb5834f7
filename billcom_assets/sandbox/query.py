"""List queries: the filter grammar, the sort grammar, and the ordered views they select."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import total_ordering
from typing import Any

import msgspec

from billcom_assets.sandbox.errors import invalid
from billcom_assets.sandbox.kinds import BOOLEANS, TIME_SORTS, TIMES, Kind
from billcom_assets.sandbox.table import Entry, Row, Table

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


@total_ordering
class _Down:
    """A sort component that compares the other way round."""

    __slots__ = ("component",)

    def __init__(self, component: Any) -> None:
        self.component = component

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and self.component == other.component

    def __lt__(self, other: _Down) -> bool:
        return bool(other.component < self.component)

    def __hash__(self) -> int:
        return hash(self.component)


def _one_way(orders: tuple[Order, ...]) -> bool:
    return len({order.descending for order in orders}) == 1


def entry_for(orders: tuple[Order, ...], values: Iterable[Any], object_id: str) -> Entry:
    """The sort entry of an object from its values in sort order; absent values come first."""
    mixed = not _one_way(orders)
    components: list[Any] = []
    for order, value in zip(orders, values, strict=True):
        component = value if order.field in TIME_SORTS else (value is not None, value)
        components.append(_Down(component) if mixed and order.descending else component)
    return (*components, object_id)


def values_of(entry: Entry) -> list[Any]:
    """The sort values of an entry and its id, as a cursor carries them."""
    bare = [part.component if isinstance(part, _Down) else part for part in entry]
    return [part[1] if isinstance(part, tuple) else part for part in bare]


@dataclass(frozen=True, slots=True)
class View:
    """An ordered selection of rows: a slice of sorted entries, walked in one direction."""

    entries: list[Entry]
    low: int
    high: int
    descending: bool

    def __len__(self) -> int:
        return max(0, self.high - self.low)

    def after(self, entry: Entry) -> int:
        """How many rows come up to and including ``entry``."""
        if self.descending:
            return self.high - bisect_left(self.entries, entry, self.low, self.high)
        return bisect_right(self.entries, entry, self.low, self.high) - self.low

    def before(self, entry: Entry) -> int:
        """How many rows come before ``entry``."""
        if self.descending:
            return self.high - bisect_right(self.entries, entry, self.low, self.high)
        return bisect_left(self.entries, entry, self.low, self.high) - self.low

    def part(self, start: int, stop: int) -> list[Entry]:
        """The entries at positions ``start`` to ``stop`` (exclusive), in the order served."""
        start, stop = max(0, start), min(len(self), stop)
        if start >= stop:
            return []
        if self.descending:
            return self.entries[self.high - stop : self.high - start][::-1]
        return self.entries[self.low + start : self.low + stop]


def select(table: Table, query: Query) -> View:
    """The rows of ``table`` that ``query`` selects, in its order."""
    descending = _one_way(query.orders) and query.orders[0].descending
    only_order = query.orders[0].field if len(query.orders) == 1 else ""
    if only_order in TIME_SORTS and all(clause.field == only_order for clause in query.clauses):
        entries = table.index(only_order)
        low, high = _bounds(entries, query.clauses, only_order)
        return View(entries, low, high, descending)
    entries = table.view((query.clauses, query.orders), lambda: _sorted_entries(table, query))
    return View(entries, 0, len(entries), descending)


def _bounds(entries: list[Entry], clauses: Iterable[Clause], time_field: str) -> tuple[int, int]:
    low, high = 0, len(entries)
    for clause in clauses:
        if clause.field != time_field or not isinstance(clause.operand, int):
            continue
        # Rows have whole seconds, operands milliseconds: compare with the next whole second on the right side.
        up = -(-clause.operand // 1000)
        down = clause.operand // 1000
        if clause.op == "gte":
            low = max(low, bisect_left(entries, (up,)))
        elif clause.op == "gt":
            low = max(low, bisect_left(entries, (down + 1,)))
        elif clause.op == "lt":
            high = min(high, bisect_left(entries, (up,)))
        else:
            high = min(high, bisect_left(entries, (down + 1,)))
    return low, high


def _sorted_entries(table: Table, query: Query) -> list[Entry]:
    tests = [_test(clause) for clause in query.clauses if clause.field not in ("id", *TIMES)]
    looked_at = [clause.field for clause in query.clauses if clause.field not in ("id", *TIMES)]
    sorted_by = [order.field for order in query.orders]
    paths = [table.kind.paths.get(name, name) for name in looked_at + [f for f in sorted_by if f not in TIME_SORTS]]
    probe = prober(tuple(paths))
    entries = []
    for row in _candidates(table, query.clauses):
        values = probe(row.body)
        if not all(test(value) for test, value in zip(tests, values, strict=False)):
            continue
        rest = iter(values[len(looked_at) :])
        sort_values = (_time(row, name) if name in TIME_SORTS else next(rest) for name in sorted_by)
        entries.append(entry_for(query.orders, sort_values, row.id))
    entries.sort()
    return entries


def _time(row: Row, name: str) -> int:
    return row.created if name == "createdTime" else row.updated


def _candidates(table: Table, clauses: tuple[Clause, ...]) -> Iterable[Row]:
    ids: Iterable[str] | None = None
    for time_field in TIMES:
        if any(clause.field == time_field for clause in clauses):
            entries = table.index(time_field)
            low, high = _bounds(entries, clauses, time_field)
            found = [entry[-1] for entry in entries[low:high]]
            ids = found if ids is None else set(ids).intersection(found)
    for clause in clauses:
        if clause.field != "id":
            continue
        named = set(clause.operand) if isinstance(clause.operand, tuple) else {str(clause.operand)}
        if clause.op == "ne":
            ids = [object_id for object_id in (table.rows if ids is None else ids) if object_id not in named]
        else:
            ids = named & table.rows.keys() if ids is None else named.intersection(ids)
    return table.rows.values() if ids is None else (table.rows[object_id] for object_id in ids)


def _test(clause: Clause) -> Callable[[Any], bool]:
    operand = clause.operand
    tests: dict[str, Callable[[Any], bool]] = {
        "eq": lambda value: value == operand,
        "ne": lambda value: value != operand,
        "in": lambda value: value in operand,  # type: ignore[operator]
        "nin": lambda value: value not in operand,  # type: ignore[operator]
        "sw": lambda value: value is not None and value.startswith(operand),
        "gt": lambda value: value is not None and value > operand,
        "gte": lambda value: value is not None and value >= operand,
        "lt": lambda value: value is not None and value < operand,
        "lte": lambda value: value is not None and value <= operand,
    }
    return tests[clause.op]


def prober(paths: tuple[str, ...]) -> Callable[[bytes], list[Any]]:
    """A function that reads only these dotted paths of an object's JSON, None where absent."""
    if not paths:
        return lambda _body: []
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        *parents, leaf = path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node.setdefault(leaf, {})
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_probe_type(tree), float_hook=Decimal)
    split = [path.split(".") for path in paths]

    def probe(body: bytes) -> list[Any]:
        found = decoder.decode(body)
        values = []
        for names in split:
            value = found
            for name in names:
                value = getattr(value, name) if value is not None else None
            values.append(value)
        return values

    return probe


def _probe_type(tree: dict[str, Any]) -> Any:
    if not tree:
        return Any
    return msgspec.defstruct(
        "Probe", [(name, _probe_type(sub) | None if sub else Any, None) for name, sub in tree.items()]
    )
