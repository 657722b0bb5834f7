"""The v2 calls that a sync needs: form posts, responses in envelopes with status 200 whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request

from billcom_assets.sandbox.codec import Doc, decode
from billcom_assets.sandbox.errors import Refusal, missing, no_such_object, wrong_kind
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.table import Entry, Row
from billcom_assets.sandbox.v2_shapes import SHAPES, Shape

_HIGHEST_MAX = 999
_LONGEST_COUNT = 10
_LIST_KEYS = frozenset({"start", "max", "filters", "sort", "nested", "showAudit"})
_LOGIN_FIELDS = ("userName", "password", "orgId", "devKey")
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


@dataclass(frozen=True, slots=True)
class V2Dialect:
    """Form fields carry the credentials, every response has status 200."""

    def credentials(self, request: Request, call: Call) -> tuple[str, str]:
        """Developer key and session id from the form; the staff library sends the session as cookie ``sid``."""
        return call.form.get("devKey", ""), call.form.get("sessionId") or request.cookies.get("sid", "")

    def organization_id(self, call: Call) -> str:
        """The organization that a login names."""
        return call.form.get("orgId", "")

    def refuse(self, refusal: Refusal, timestamp: str) -> ApiResponse:  # noqa: ARG002 - v2 errors carry no time
        """The envelope of a failure."""
        return ApiResponse(200, refusal.v2_body())


def _unknown(problem: str) -> Refusal:
    return Refusal(200, "BDC_1002", f"Unknown error. {problem}")


def _success(data: Any) -> ApiResponse:
    return ApiResponse.json({"response_status": 0, "response_message": "Success", "response_data": data})


def log_in(call: Call) -> ApiResponse:
    """``Login.json``."""
    absent = [field for field in _LOGIN_FIELDS if not call.form.get(field)]
    if absent:
        raise missing(*absent)
    session = call.sandbox.sessions.open(
        username=call.form["userName"],
        password=call.form["password"],
        organization_id=call.form["orgId"],
        dev_key=call.form["devKey"],
        remember_me_id=call.form.get("mfaId"),
        device=call.form.get("deviceId"),
    )
    return _success(
        {
            "sessionId": session.id,
            "orgId": session.organization.id,
            "apiEndPoint": f"{call.base_url}/api/v2",
            "usersId": session.user_id,
        }
    )


def log_out(call: Call) -> ApiResponse:
    """``Logout.json``."""
    call.sandbox.sessions.end(call.open_session.id)
    return _success({})


def session_info(call: Call) -> ApiResponse:
    """``GetSessionInfo.json``; other names than the login's."""
    session = call.open_session
    return _success({"organizationId": session.organization.id, "userId": session.user_id})


def _data(call: Call) -> Doc:
    text = call.form.get("data")
    if text is None:
        raise _unknown("data is missing.")
    try:
        data = decode(text.encode())
    except ValueError:
        raise _unknown("data is no JSON.") from None
    if not isinstance(data, dict):
        raise _unknown("data is no object.")
    return data


def list_handler(shape: Shape) -> Handler:
    """``List/<Entity>.json``."""

    def serve_list(call: Call) -> ApiResponse:
        data = _data(call)
        stray = sorted(data.keys() - _LIST_KEYS)
        if stray:
            raise _unknown(f"Parameter {stray[0]} is not known.")
        start, rows = _count(data, "start", 0), _count(data, "max", _HIGHEST_MAX)
        if rows > _HIGHEST_MAX:
            raise _unknown(f"max is at most {_HIGHEST_MAX}.")
        ids = [entry[-1] for entry in _entries(call, shape, data)[start : start + rows]]
        table = call.organization.table(shape.kind)
        call.sandbox.stats.rows += len(ids)
        return _success([_record(call, shape, table.rows[object_id]) for object_id in ids])

    return serve_list


def _count(data: Doc, name: str, default: int) -> int:
    value = data.get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_COUNT:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _unknown(f"{name} is no count.")
    return value


def _array(data: Doc, name: str) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, list):
        raise _unknown(f"{name} is no array.")
    return value


def _record(call: Call, shape: Shape, row: Row) -> Doc:
    return shape.record(call.organization, row)


def _entries(call: Call, shape: Shape, data: Doc) -> list[Entry]:
    """The selected objects in order; creation order unless sorted, worked out once until something changes."""
    table = call.organization.table(shape.kind)
    filters = [_filter(shape, one) for one in _array(data, "filters")]
    orders = [_order(one) for one in _array(data, "sort")]
    if not filters and not orders:
        return table.index("createdTime")

    def build() -> list[Entry]:
        records = [_record(call, shape, table.rows[entry[-1]]) for entry in table.index("createdTime")]
        kept = [record for record in records if all(fits(record) for _, fits in filters)]
        for field, ascending in reversed(orders):
            if any(field not in record for record in kept):
                raise _unknown(f"Field {field} is not sortable.")
            kept.sort(key=lambda record: _sortable(record[field]), reverse=not ascending)
        return [(record["id"],) for record in kept]

    key = ("v2", tuple(mark for mark, _ in filters), tuple(orders))
    return table.view(key, build)


def _filter(shape: Shape, sent: Any) -> tuple[tuple[str, str, str], Callable[[Doc], bool]]:
    if not isinstance(sent, dict) or not {"field", "op", "value"} <= sent.keys():
        raise _unknown("A filter has field, op and value.")
    field, op, value = sent["field"], sent["op"], sent["value"]
    if not isinstance(field, str) or field not in shape.filterable:
        raise _unknown(f"Field {field} is not filterable.")
    if not isinstance(op, str) or op not in _OPERATORS:
        raise _unknown(f"Operator {op} is not known.")
    compare = _OPERATORS[op]

    def fits(record: Doc) -> bool:
        held = record[field]
        if held is None:
            return op in ("!=", "nin")
        if op in ("in", "nin"):
            members = value if isinstance(value, list) else str(value).split(",")
            return compare(_like(held, held), [_like(held, member) for member in members])
        return compare(_like(held, held), _like(held, value))

    return (field, op, str(value)), fits


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
        raise _unknown(f"{value} cannot be compared.") from None
    return str(value)


def _order(sent: Any) -> tuple[str, bool]:
    if not isinstance(sent, dict) or "field" not in sent:
        raise _unknown("A sort has field and asc.")
    return str(sent["field"]), str(sent.get("asc", "true")).lower() in ("true", "1")


def _sortable(value: Any) -> tuple[bool, Any]:
    if isinstance(value, list | dict):
        raise _unknown("Only plain fields are sortable.")
    return value is not None, value if value is not None else ""


def read_handler(shape: Shape) -> Handler:
    """``Crud/Read/<Entity>.json``."""

    def serve_one(call: Call) -> ApiResponse:
        object_id = _data(call).get("id")
        if not isinstance(object_id, str):
            raise _unknown("id is missing.")
        if object_id[:3] != shape.kind.prefix:
            raise wrong_kind(object_id, shape.kind.noun)
        row = call.organization.table(shape.kind).get(object_id)
        if row is None:
            raise no_such_object()
        return _success(_record(call, shape, row))

    return serve_one


def operations() -> Iterator[Operation]:
    """Every v2 operation."""
    yield Operation("POST", "/Login.json", log_in, session=False, login=True)
    yield Operation("POST", "/Logout.json", log_out)
    yield Operation("POST", "/GetSessionInfo.json", session_info)
    for entity, shape in SHAPES.items():
        yield Operation("POST", f"/List/{entity}.json", list_handler(shape))
        yield Operation("POST", f"/Crud/Read/{entity}.json", read_handler(shape))
