"""Who approves bills and vendor credits; of the latter only v2 knows it."""

from __future__ import annotations

from collections.abc import Sequence

from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.kinds import BILLS, Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row


def assign_approvers(organization: Organization, kind: Kind, object_id: str, user_ids: Sequence[str]) -> Row:
    """Ask these users, in this order, to approve a bill or vendor credit.

    Raises:
        Refusal: 404 there is none.
    """
    waiting = [{"userId": one, "status": "WAITING", "approverOrder": order} for order, one in enumerate(user_ids)]
    return _store(organization, kind, object_id, waiting, "ASSIGNED")


def decide(organization: Organization, kind: Kind, object_id: str, user_id: str, *, approve: bool) -> Row:
    """The user approves or denies: a first approval of two leaves it in APPROVING.

    Raises:
        Refusal: 404 no such bill or vendor credit, 403 the user is not among the approvers that are asked.
    """
    doc_of(organization, kind, object_id)
    hidden = organization.table(kind).rows[object_id].hidden or {}
    approvers = [dict(entry) for entry in hidden.get("approvers", ())]
    mine = next((entry for entry in approvers if entry["userId"] == user_id and entry["status"] == "WAITING"), None)
    if mine is None:
        raise Refusal(403, None, f"User {user_id} is not an approver of this {kind.noun}.")
    mine["status"] = "APPROVED" if approve else "DENIED"
    mine["statusChangedTime"] = stamp(organization.clock.seconds())
    if not approve:
        status = "DENIED"
    elif any(entry["status"] == "WAITING" for entry in approvers):
        status = "APPROVING"
    else:
        status = "APPROVED"
    return _store(organization, kind, object_id, approvers, status)


def waiting_users(row: Row) -> list[str]:
    """Ids of the users who have yet to decide on a bill or vendor credit; nobody once somebody has denied it."""
    approvers = (row.hidden or {}).get("approvers", ())
    if any(entry["status"] == "DENIED" for entry in approvers):
        return []
    return [entry["userId"] for entry in approvers if entry["status"] == "WAITING"]


def _store(organization: Organization, kind: Kind, object_id: str, approvers: list[Doc], status: str) -> Row:
    doc = doc_of(organization, kind, object_id)
    hidden = (organization.table(kind).rows[object_id].hidden or {}) | {"approvers": approvers}
    (doc if kind is BILLS else hidden)["approvalStatus"] = status
    return organization.write(kind, doc, hidden=hidden)
