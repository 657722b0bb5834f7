"""Bill approvals."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.books import approvals
from billcom_assets.sandbox.errors import wrong_kind
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.kinds import (
    BILLS,
)
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v3 import bodies
from billcom_assets.sandbox.v3.common import actor


def approval_policies(call: Call) -> ApiResponse:
    """``GET /v3/bill-approvals/policies``: a bare array."""
    organization = call.organization
    approver = organization.user_ids["APPROVER"]
    user = organization.rows("users")
    name = next(f"{one['firstName']} {one['lastName']}" for one in user if one["id"] == approver)
    return ApiResponse.json(
        [
            {
                "id": f"{organization.id}-77120",
                "policyName": "Over 1000",
                "status": "ACTIVE",
                "rules": [{"key": "BILL_AMOUNT", "op": "gte", "values": [{"value": "1000", "displayName": "1000"}]}],
                "approvers": {"users": [{"userId": approver, "fullName": name}], "groups": []},
            }
        ]
    )


def pending_approvals(call: Call) -> ApiResponse:
    """``GET /v3/bill-approvals/pending-user-approvals`` of the signed-in user; a sync token is none."""
    session = call.open_session
    if session.is_token:
        raise wrong_kind(session.user_id, "User")
    pending = []
    for row in call.organization.table(BILLS):
        asked = (row.hidden or {}).get("approvers", ())
        if any((entry["userId"], entry["status"]) == (session.user_id, "WAITING") for entry in asked):
            doc = row.doc()
            pending.append(
                {"billId": row.id, "vendorId": doc["vendorId"], "amount": doc["amount"], "dueDate": doc["dueDate"]}
            )
    return ApiResponse.json({"bills": pending})


def act_on_approvals(call: Call) -> ApiResponse:
    """``POST /v3/bill-approvals/actions``."""
    for action in call.content:
        approvals.decide(call.organization, BILLS, action["billId"], actor(call), approve=action["action"] == "APPROVE")
    return ApiResponse.json({"status": "SUCCESS"})


def operations() -> Iterator[Operation]:
    """Approval policies, what waits for the signed-in user, and deciding it."""
    yield Operation("GET", "/v3/bill-approvals/policies", approval_policies)
    yield Operation("GET", "/v3/bill-approvals/pending-user-approvals", pending_approvals)
    yield Operation("POST", "/v3/bill-approvals/actions", act_on_approvals, body=bodies.APPROVAL_ACTIONS)
