"""The ordered selections of rows that list queries ask for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from typing import Any

import msgspec

from billcom_assets.sandbox.kinds import TIME_SORTS, TIMES
from billcom_assets.sandbox.query import Clause, Order, Query
from billcom_assets.sandbox.table import Entry, Row, Table


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
