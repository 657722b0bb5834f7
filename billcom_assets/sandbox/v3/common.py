"""What the operations of v3 share."""

from __future__ import annotations

from typing import Any

from billcom_assets.sandbox.errors import no_such_object, wrong_kind
from billcom_assets.sandbox.gateway import Call
from billcom_assets.sandbox.kinds import KINDS, Kind
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.table import Row


def find(call: Call, kind: Kind, object_id: Any) -> Row:
    """The row with this id.

    Raises:
        Refusal: 404 BDC_1205; or BDC_1302 for an id of another kind, where the sandbox reads BILL so.
    """
    row = call.organization.table(kind).get(object_id) if isinstance(object_id, str) else None
    if row is not None:
        return row
    known_prefixes = {other.prefix for other in KINDS}
    if isinstance(object_id, str) and object_id[:3] in known_prefixes - {kind.prefix}:
        status = call.sandbox.settings.wrong_prefix_status
        if status == 400:
            raise wrong_kind(object_id, kind.noun, status)
    raise no_such_object()


def served(call: Call, kind: Kind, row: Row, status: int = 200, *, approvals: bool = False) -> ApiResponse:
    """The response that carries one object."""
    return ApiResponse(status, call.organization.decorator.body(kind, row, approvals=approvals))


def actor(call: Call) -> str:
    """The user id behind a call."""
    return call.open_session.user_id
