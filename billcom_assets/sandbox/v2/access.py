"""Logging in and out, and where one is."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.errors import missing
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v2.envelope import success

_PERSON = ("userName", "password", "devKey")


def _require(call: Call, *fields: str) -> None:
    absent = [field for field in fields if not call.form.get(field)]
    if absent:
        raise missing(*absent)


def log_in(call: Call) -> ApiResponse:
    """``Login.json``."""
    _require(call, *_PERSON, "orgId")
    session = call.sandbox.sessions.open(
        username=call.form["userName"],
        password=call.form["password"],
        organization_id=call.form["orgId"],
        dev_key=call.form["devKey"],
        remember_me_id=call.form.get("mfaId"),
        device=call.form.get("deviceId"),
    )
    return success(
        {
            "sessionId": session.id,
            "orgId": session.organization.id,
            "apiEndPoint": f"{call.base_url}/api/v2",
            "usersId": session.user_id,
        }
    )


def list_organizations(call: Call) -> ApiResponse:
    """``ListOrgs.json``: those that a user name and password reach."""
    _require(call, *_PERSON)
    form = call.form
    call.sandbox.limits.count_login(form["devKey"], "ListOrgs")
    reached = call.sandbox.sessions.organizations_of(form["userName"], form["password"], form["devKey"])
    return success([{"orgId": one.id, "orgName": one.name} for one in reached])


def log_out(call: Call) -> ApiResponse:
    """``Logout.json``."""
    call.sandbox.sessions.end(call.open_session.id)
    return success({})


def session_info(call: Call) -> ApiResponse:
    """``GetSessionInfo.json``; other names than the login's."""
    session = call.open_session
    return success({"organizationId": session.organization.id, "userId": session.user_id})


def operations() -> Iterator[Operation]:
    """Every operation on sessions."""
    yield Operation("POST", "/Login.json", log_in, session=False, login=True)
    yield Operation("POST", "/ListOrgs.json", list_organizations, session=False)
    yield Operation("POST", "/Logout.json", log_out)
    yield Operation("POST", "/GetSessionInfo.json", session_info)
