"""The chart of accounts and the other classifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billcom_assets.sandbox.books.fields import changed
from billcom_assets.sandbox.books.objects import doc_of, set_archived
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import Refusal, invalid, no_such_object
from billcom_assets.sandbox.kinds import ACCOUNTS, EMPLOYEES, ITEMS, Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row

_FIELDS: dict[Kind, tuple[str, ...]] = {
    ITEMS: (
        "type",
        "name",
        "shortName",
        "description",
        "parentId",
        "price",
        "chartOfAccountId",
        "expenseChartOfAccountId",
        "purchaseDescription",
        "purchaseCost",
        "taxable",
        "percentage",
    ),
    EMPLOYEES: ("firstName", "lastName", "shortName", "parentId"),
}
_DIMENSION_FIELDS = ("name", "shortName", "description", "parentId")


def create_classification(organization: Organization, kind: Kind, body: Mapping[str, Any]) -> Row:
    """A new account, department, item and so on.

    Raises:
        Refusal: 400 missing or malformed fields, 404 unknown parent, 422 a duplicate where they are refused.
    """
    if kind is ACCOUNTS:
        return _create_account(organization, body)
    _check_parent(organization, kind, None, body.get("parentId"))
    fields = _FIELDS.get(kind, _DIMENSION_FIELDS)
    doc: Doc = {"id": organization.ids.new(kind.prefix), "archived": False}
    return organization.write(kind, changed(doc, {name: body.get(name) for name in fields}, fields))


def update_classification(organization: Organization, kind: Kind, object_id: str, body: Mapping[str, Any]) -> Row:
    """Change an account, department, item and so on; null removes a field, a null parent detaches.

    Raises:
        Refusal: 404 unknown object or parent, 400 malformed fields or a cycle, 422 a duplicate.
    """
    if kind is ACCOUNTS:
        return _update_account(organization, object_id, body)
    _check_parent(organization, kind, object_id, body.get("parentId"))
    doc = doc_of(organization, kind, object_id)
    return organization.write(kind, changed(doc, body, _FIELDS.get(kind, _DIMENSION_FIELDS)))


def _create_account(organization: Organization, body: Mapping[str, Any]) -> Row:
    account = {"type": "UNSPECIFIED"} | body.get("account", {})
    _refuse_duplicate(organization, None, body["name"], account.get("number"))
    parent = body.get("parentId") or None
    _check_parent(organization, ACCOUNTS, None, parent)
    doc: Doc = {"id": organization.ids.new(ACCOUNTS.prefix), "archived": False, "name": body["name"]}
    if body.get("description"):
        doc["description"] = body["description"]
    if parent and organization.readings.settings.parent_visible:
        doc["parentId"] = parent
    doc["account"] = account
    return organization.write(ACCOUNTS, doc, hidden={"parentId": parent} if parent else None)


def _update_account(organization: Organization, account_id: str, body: Mapping[str, Any]) -> Row:
    doc = doc_of(organization, ACCOUNTS, account_id)
    hidden = organization.table(ACCOUNTS).rows[account_id].hidden or {}
    doc = changed(doc, body, ("name", "description"))
    doc["account"] = changed(doc["account"], body.get("account") or {}, ("type", "number"))
    _refuse_duplicate(organization, account_id, doc["name"], doc["account"].get("number"))
    if "parentId" in body:
        parent = body["parentId"] or None
        _check_parent(organization, ACCOUNTS, account_id, parent)
        hidden = {"parentId": parent} if parent else {}
        doc.pop("parentId", None)
        if parent and organization.readings.settings.parent_visible:
            doc["parentId"] = parent
    return organization.write(ACCOUNTS, doc, hidden=hidden)


def _refuse_duplicate(organization: Organization, own_id: str | None, name: str, number: str | None) -> None:
    if organization.readings.settings.duplicate_accounts:
        return
    for row in organization.table(ACCOUNTS):
        other = row.doc()
        if row.id == own_id:
            continue
        if other["name"] == name:
            raise Refusal(422, "BDC_1171", f"Account name {name} already exists.")
        if number and other["account"].get("number") == number:
            raise Refusal(422, "BDC_1171", f"Account number {number} already exists.")


def parent_of(organization: Organization, kind: Kind, object_id: str) -> str | None:
    """The parent of a classification, whether or not v3 shows it."""
    row = organization.table(kind).get(object_id)
    if row is None:
        return None
    if kind is ACCOUNTS:
        return (row.hidden or {}).get("parentId")
    parent = row.doc().get("parentId")
    return parent if isinstance(parent, str) else None


def _check_parent(organization: Organization, kind: Kind, own_id: str | None, parent: str | None) -> None:
    if not parent:
        return
    if parent not in organization.table(kind).rows:
        raise no_such_object()
    step: str | None = parent
    while step is not None:
        if step == own_id:
            raise invalid("parentId: an account cannot be below itself")
        step = parent_of(organization, kind, step)


def archive_account(organization: Organization, account_id: str) -> list[Row]:
    """Archive an account and everything below it; gives the account first, then what fell with it.

    Raises:
        Refusal: 404 unknown account.
    """
    doc_of(organization, ACCOUNTS, account_id)
    children: dict[str, list[str]] = {}
    for row in organization.table(ACCOUNTS):
        parent = (row.hidden or {}).get("parentId")
        if parent:
            children.setdefault(parent, []).append(row.id)
    written, pending = [], [account_id]
    while pending:
        current = pending.pop(0)
        pending += children.get(current, [])
        written.append(set_archived(organization, ACCOUNTS, current, archived=True))
    return written


def restore_account(organization: Organization, account_id: str) -> Row:
    """Restore one account; what is below it stays archived.

    Raises:
        Refusal: 404 unknown account.
    """
    return set_archived(organization, ACCOUNTS, account_id, archived=False)
