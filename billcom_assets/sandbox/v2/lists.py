"""``List/<Entity>.json`` and ``Crud/Read/<Entity>.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import no_such_object, wrong_kind
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.table import Entry
from billcom_assets.sandbox.v2 import readings
from billcom_assets.sandbox.v2.envelope import data_of, success, text_of, unknown
from billcom_assets.sandbox.v2.shapes import SHAPES, Shape
from billcom_assets.sandbox.v2.subject import Subject

_HIGHEST_MAX = 999
_LONGEST_COUNT = 10
_KEYS = frozenset({"start", "max", "filters", "sort", "nested", "showAudit"})
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, operand: value == operand,
    "!=": lambda value, operand: value != operand,
    "<": lambda value, operand: value < operand,
    ">": lambda value, operand: value > operand,
    "<=": lambda value, operand: value <= operand,
    ">=": lambda value, operand: value >= operand,
    "in": lambda value, operand: value in operand,
    "nin": lambda value, operand: value not in operand,
}


def list_handler(shape: Shape) -> Handler:
    """``List/<Entity>.json``."""

    def serve_list(call: Call) -> ApiResponse:
        data = data_of(call)
        stray = sorted(data.keys() - _KEYS)
        if stray:
            raise unknown(f"Parameter {stray[0]} is not known.")
        start, rows = _count(data, "start", 0), _count(data, "max", _HIGHEST_MAX)
        if rows > _HIGHEST_MAX:
            raise unknown(f"max is at most {_HIGHEST_MAX}.")
        settings, nested = call.sandbox.settings, str(data.get("nested", "")).lower() == "true"
        if settings.v2_refuses_filters and (data.get("filters") or data.get("sort")):
            raise unknown("filters and sort are not known.")
        page = _entries(call.organization, shape, data)[start : start + min(rows, settings.v2_page_limit)]
        call.sandbox.stats.rows += len(page)
        subjects = (_subject(call.organization, shape, entry) for entry in page)
        return success([readings.listed(shape, subject, settings, nested=nested) for subject in subjects])

    return serve_list


def _count(data: Doc, name: str, default: int) -> int:
    value = data.get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_COUNT:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise unknown(f"{name} is no count.")
    return value


def _array(data: Doc, name: str) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, list):
        raise unknown(f"{name} is no array.")
    return value


def _subject(organization: Organization, shape: Shape, entry: Entry) -> Subject:
    """What an entry stands for: its last element is the object's id, of parts the one before it their place."""
    subjects = shape.subjects(organization, organization.table(shape.kind).rows[entry[-1]])
    return subjects[entry[-2]] if shape.parts else subjects[0]


def _entries(organization: Organization, shape: Shape, data: Doc) -> list[Entry]:
    """What is selected, in order; creation order unless sorted, worked out once until something changes."""
    table = organization.table(shape.kind)
    takes_many = organization.readings.settings.v2_takes_many
    filters = [_filter(shape, one, takes_many=takes_many) for one in _array(data, "filters")]
    orders = [_order(shape, one) for one in _array(data, "sort")]
    if not filters and not orders and not shape.parts:
        return table.index("createdTime")

    def build() -> list[Entry]:
        found: list[tuple[Subject, Entry]] = []
        for _, object_id in table.index("createdTime"):
            subjects = enumerate(shape.subjects(organization, table.rows[object_id]))
            found += [
                (subject, (place, object_id))
                for place, subject in subjects
                if all(clause.fits(shape, subject) for clause in filters)
            ]
        for field, ascending in reversed(orders):
            found.sort(key=lambda one: _sortable(shape.value(field, one[0])), reverse=not ascending)
        return [entry for _, entry in found]

    # What an object looks like in v2 may depend on objects of other kinds.
    age = sum(one.version for one in organization.tables.values())
    key = ("v2", shape.entity, tuple(clause.key for clause in filters), tuple(orders), age)
    return table.view(key, build)


@dataclass(frozen=True, slots=True)
class _Filter:
    field: str
    op: str
    value: Any
    takes_many: bool

    @property
    def key(self) -> tuple[str, str, str]:
        return self.field, self.op, str(self.value)

    def fits(self, shape: Shape, subject: Subject) -> bool:
        held = shape.value(self.field, subject)
        if held is None:
            return self.op in ("!=", "nin")
        operand = self.value
        if self.op in ("in", "nin"):
            members = operand if isinstance(operand, list) else str(operand).split("," if self.takes_many else None)
            return _OPERATORS[self.op](_like(held, held), [_like(held, member) for member in members])
        return _OPERATORS[self.op](_like(held, held), _like(held, operand))


def _filter(shape: Shape, sent: Any, *, takes_many: bool) -> _Filter:
    if not isinstance(sent, dict) or not {"field", "op", "value"} <= sent.keys():
        raise unknown("A filter has field, op and value.")
    field, op = sent["field"], sent["op"]
    if not isinstance(field, str) or field not in shape.filterable:
        raise unknown(f"Field {field} is not filterable.")
    if not isinstance(op, str) or op not in _OPERATORS:
        raise unknown(f"Operator {op} is not known.")
    return _Filter(field, op, sent["value"], takes_many)


def _like(held: Any, value: Any) -> Any:
    """``value`` in a form that compares with ``held``: numbers, flags, instants and dates by meaning."""
    try:
        if isinstance(held, bool):
            return str(value).lower() in ("true", "1")
        if isinstance(held, Decimal | int):
            number = Decimal(str(value))
            if number.is_finite():
                return number
            raise ValueError(value)
        if "T" in str(held) and str(held).endswith("+0000"):
            instant = datetime.fromisoformat(str(value))
            return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    except (ValueError, InvalidOperation, OverflowError):
        raise unknown(f"{value} cannot be compared.") from None
    return str(value)


def _order(shape: Shape, sent: Any) -> tuple[str, bool]:
    if not isinstance(sent, dict) or "field" not in sent:
        raise unknown("A sort has field and asc.")
    field = str(sent["field"])
    if field not in shape.fields:
        raise unknown(f"Field {field} is not sortable.")
    return field, str(sent.get("asc", "true")).lower() in ("true", "1")


def _sortable(value: Any) -> tuple[bool, Any]:
    if isinstance(value, list | dict):
        raise unknown("Only plain fields are sortable.")
    return value is not None, value if value is not None else ""


def read_handler(shape: Shape) -> Handler:
    """``Crud/Read/<Entity>.json``."""

    def serve_one(call: Call) -> ApiResponse:
        object_id = text_of(data_of(call), "id")
        if object_id[:3] != shape.prefix:
            raise wrong_kind(object_id, shape.entity)
        return success(readings.alone(shape, _find(call.organization, shape, object_id), call.sandbox.settings))

    return serve_one


def _find(organization: Organization, shape: Shape, object_id: str) -> Subject:
    table = organization.table(shape.kind)
    rows = table if shape.parts else filter(None, [table.get(object_id)])
    for row in rows:
        for subject in shape.subjects(organization, row):
            if shape.value("id", subject) == object_id:
                return subject
    raise no_such_object()


_LIST_NAMES = {"User": ("User", "Users")}
"""Where clients and documents name a list differently."""


def operations() -> Iterator[Operation]:
    """Every operation that lists or reads."""
    for entity, shape in SHAPES.items():
        if shape.listed:
            for name in _LIST_NAMES.get(entity, (entity,)):
                yield Operation("POST", f"/List/{name}.json", list_handler(shape))
        yield Operation("POST", f"/Crud/Read/{entity}.json", read_handler(shape))
