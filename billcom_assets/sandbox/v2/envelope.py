"""How v2 is spoken: credentials and one JSON document in a form, a status within the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from billcom_assets.sandbox.codec import Doc, decode
from billcom_assets.sandbox.errors import Refusal, no_api_access, no_such_object, wrong_dev_key, wrong_kind
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.kinds import Kind
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.settings import V2Access
from billcom_assets.sandbox.table import Row

_CLOSED: Mapping[V2Access, Callable[[], Refusal]] = {V2Access.NO_KEY: wrong_dev_key, V2Access.NO_API: no_api_access}


@dataclass(frozen=True, slots=True)
class V2Dialect:
    """Form fields carry the credentials, every response has status 200."""

    def credentials(self, request: Request, call: Call) -> tuple[str, str]:
        """Developer key and session id from the form; the staff library sends the session as cookie ``sid``.

        Raises:
            Refusal: The key has no access to v2.
        """
        refusal = _CLOSED.get(call.sandbox.settings.v2_access)
        if refusal is not None:
            raise refusal()
        return call.form.get("devKey", ""), call.form.get("sessionId") or request.cookies.get("sid", "")

    def organization_id(self, call: Call) -> str:
        """The organization that a login names."""
        return call.form.get("orgId", "")

    def refuse(self, refusal: Refusal, timestamp: str) -> ApiResponse:  # noqa: ARG002 - v2 errors carry no time
        """The envelope of a failure."""
        return ApiResponse(200, refusal.v2_body())

    def writes(self, operation: Operation) -> bool:  # noqa: ARG002 - there are none
        """Nothing does: every operation is a POST that reads."""
        return False


def success(data: Any) -> ApiResponse:
    """The envelope of a success."""
    return ApiResponse.json({"response_status": 0, "response_message": "Success", "response_data": data})


def unknown(problem: str) -> Refusal:
    """What v2 says to a parameter that it does not know, and to one that it cannot read."""
    return Refusal(200, "BDC_1002", f"Unknown error. {problem}")


def data_of(call: Call) -> Doc:
    """The JSON document of a call.

    Raises:
        Refusal: There is none, or it is no JSON object.
    """
    text = call.form.get("data")
    if text is None:
        raise unknown("data is missing.")
    try:
        data = decode(text.encode())
    except ValueError:
        raise unknown("data is no JSON.") from None
    if not isinstance(data, dict):
        raise unknown("data is no object.")
    return data


def text_of(data: Doc, name: str) -> str:
    """A text that a call must name.

    Raises:
        Refusal: It is not there.
    """
    value = data.get(name)
    if not isinstance(value, str):
        raise unknown(f"{name} is missing.")
    return value


def find(call: Call, kind: Kind, object_id: str) -> Row:
    """The object with this id.

    Raises:
        Refusal: BDC_1302 an id of another kind, BDC_1205 there is none.
    """
    if object_id[:3] != kind.prefix:
        raise wrong_kind(object_id, kind.noun)
    row = call.organization.table(kind).get(object_id)
    if row is None:
        raise no_such_object()
    return row
