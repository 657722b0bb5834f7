"""Logins, lists, single objects and the organization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import Request

from billcom_assets.sandbox.errors import Refusal, no_such_object, out_of_scope, untrusted, wrong_dev_key
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.kinds import KINDS, Kind
from billcom_assets.sandbox.pages import Lister, ListRequest
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v3 import bodies
from billcom_assets.sandbox.v3.common import find
from billcom_assets.sandbox.v3.oauth import TOKEN_PATH

_LOGOUT = "/v3/logout"


@dataclass(frozen=True, slots=True)
class V3Dialect:
    """Headers carry the credentials, errors are arrays with a status of their own."""

    def credentials(self, request: Request, call: Call) -> tuple[str, str]:
        """Developer key and session id from the headers; a login carries its key in the body, OAuth a bearer token.

        Raises:
            Refusal: The key has no access to v3.
        """
        if not call.sandbox.settings.v3_access and "/v3/" in request.url.path:
            raise wrong_dev_key()
        if request.url.path.endswith("/v3/login"):
            return _login_field(call, "devKey"), ""
        if request.url.path.endswith(TOKEN_PATH):
            return call.form.get("client_id", ""), ""
        authorization = request.headers.get("authorization", "")
        if authorization:
            alone = not {"devkey", "sessionid"}.intersection(request.headers.keys())
            return call.sandbox.sessions.client_of(authorization) if alone else "", authorization
        return request.headers.get("devKey", ""), request.headers.get("sessionId", "")

    def organization_id(self, call: Call) -> str:
        """The organization that a login names, or whose OAuth client wants a token."""
        if call.form:
            client = call.sandbox.world.by_client.get(call.form.get("client_id", ""))
            return client.id if client else ""
        return _login_field(call, "organizationId")

    def refuse(self, refusal: Refusal, timestamp: str) -> ApiResponse:
        """An error array."""
        return ApiResponse(refusal.status, refusal.v3_body(timestamp))

    def writes(self, operation: Operation) -> bool:
        """Everything but reading and what belongs to sessions."""
        return operation.session and operation.method != "GET" and operation.path != _LOGOUT


def _login_field(call: Call, name: str) -> str:
    content = call.json()
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""


def log_in(call: Call) -> ApiResponse:
    """``POST /v3/login``."""
    body = call.content
    console_token = body.get("consoleApiToken")
    session = call.sandbox.sessions.open(
        username=body["username"],
        password=console_token or body["password"],
        organization_id=body["organizationId"],
        dev_key=body["devKey"],
        remember_me_id=body.get("rememberMeId"),
        device=body.get("device"),
        console=bool(console_token),
    )
    return ApiResponse.json(
        {
            "sessionId": session.id,
            "organizationId": session.organization.id,
            "userId": session.user_id,
            "trusted": session.trusted,
        }
    )


def log_out(call: Call) -> ApiResponse:
    """``POST /v3/logout``."""
    call.sandbox.sessions.end(call.open_session.id)
    return ApiResponse()


def session_info(call: Call) -> ApiResponse:
    """``GET /v3/login/session``."""
    session = call.open_session
    if session.is_oauth and not call.sandbox.settings.oauth_session_info:
        raise out_of_scope()
    return ApiResponse.json(
        {
            "organizationId": session.organization.id,
            "userId": session.user_id,
            "mfaStatus": "COMPLETE" if session.trusted else "DISABLED",
            "mfaBypass": False,
        }
    )


def step_up(call: Call) -> ApiResponse:
    """``POST /v3/mfa/step-up``: a remembered device makes the session trusted; never that of a sync token."""
    session, body = call.open_session, call.content
    organization = session.organization
    known = (body.get("rememberMeId"), body.get("device")) == (organization.remember_me_id, organization.device)
    if session.is_token or not known:
        raise untrusted()
    session.trusted = True
    return ApiResponse.json({"trusted": True})


def health(_call: Call) -> ApiResponse:
    """``GET /v3/health``."""
    return ApiResponse.json({"appId": "connect", "appEnv": "sandbox", "appVersion": "3", "bdcRegion": "local"})


def organization(call: Call) -> ApiResponse:
    """``GET /v3/organizations/{organizationId}``; only the session's own."""
    if call.params["id"] != call.organization.id:
        raise no_such_object()
    return ApiResponse.json(call.organization.profile)


def list_handler(kind: Kind) -> Handler:
    """The list of a kind."""

    def serve_list(call: Call) -> ApiResponse:
        lister = Lister(call.organization, call.sandbox.faults)
        body, rows = lister.page(kind, ListRequest.read(call.query))
        call.sandbox.stats.rows += rows
        return ApiResponse(200, body)

    return serve_list


def get_handler(kind: Kind) -> Handler:
    """One object of a kind by id."""

    def serve_one(call: Call) -> ApiResponse:
        row = find(call, kind, call.params["id"])
        approvals = call.query.get("billApprovals") == "true"
        return ApiResponse(200, call.organization.decorator.body(kind, row, approvals=approvals))

    return serve_one


def operations() -> Iterator[Operation]:
    """Every read operation of v3, lists first: they are called most."""
    for kind in KINDS:
        yield Operation("GET", kind.path, list_handler(kind))
    yield Operation("POST", "/v3/login", log_in, session=False, login=True, body=bodies.LOGIN)
    yield Operation("GET", "/v3/login/session", session_info)
    yield Operation("POST", _LOGOUT, log_out)
    yield Operation("POST", "/v3/mfa/step-up", step_up, body=bodies.STEP_UP)
    yield Operation("GET", "/v3/health", health, session=False)
    yield Operation("GET", "/v3/organizations/{id}", organization)
    for kind in KINDS:
        yield Operation("GET", f"{kind.path}/{{id}}", get_handler(kind))
