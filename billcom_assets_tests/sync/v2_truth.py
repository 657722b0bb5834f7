"""What BILL's v2 API adds to BILL's objects, read plainly from the organization.

Nothing here uses the code under test: every field is named once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from billcom_assets.sandbox import Organization
from billcom_assets.sandbox.v2.shapes import v2_rows

Doc = dict[str, Any]

_APPROVALS = {"0": "UNASSIGNED", "1": "ASSIGNED", "3": "APPROVED", "4": "APPROVING", "5": "DENIED"}
_LISTS = {
    "vendors": ["Vendor"],
    "funding_accounts": ["BankAccount", "CardAccount"],
    "accounts": ["ChartOfAccount"],
    "bills": ["Bill"],
    "vendor_credits": ["VendorCredit"],
    "vendor_payments": ["SentPay"],
    "customers": ["Customer"],
    "accounting_classes": ["ActgClass"],
    "employees": ["Employee"],
}
_PARENTS = {"accounts": "parentChartOfAccountId", "accounting_classes": "parentActgClassId"}
_APPROVERS = {
    "0": "WAITING",
    "1": "VIEWED",
    "2": "REROUTED",
    "3": "DENIED",
    "4": "APPROVED",
    "5": "UPCOMING",
    "6": "STALE",
}
_NOTHING = ("", None, "0" * 20)


def with_v2(organization: Organization, entity: str, docs: Sequence[Doc], *, is_asked: bool) -> Sequence[Doc]:
    """The objects as their columns must show them: v2's fields under ``v2``, and v2's values where v3 has none.

    Of bills that are decided no approver is expected: who decided it is known only where it was pending in a sync.
    """
    if entity not in _LISTS:
        return docs
    records = {row["id"]: row for name in _LISTS[entity] for row in v2_rows(organization, name)} if is_asked else {}
    both = [_both(entity, doc, records.get(doc["id"], {})) for doc in docs]
    return _with_approvers(organization, both) if entity == "bills" and is_asked else both


def approvers(organization: Organization) -> dict[str, list[Doc]]:
    """Who is asked to approve each bill, in their order, as v3 writes it; by the bill's id."""
    asked: dict[str, list[Doc]] = defaultdict(list)
    for one in sorted(v2_rows(organization, "BillApprover"), key=lambda one: int(one["sortOrder"])):
        asked[one["billId"]].append(
            {
                "userId": one["usersId"],
                "status": _APPROVERS[one["status"]],
                "approverOrder": one["sortOrder"],
                "statusChangedTime": one["statusChangedDate"],
            }
        )
    return asked


def _with_approvers(organization: Organization, bills: Sequence[Doc]) -> list[Doc]:
    asked = approvers(organization)
    pending = ("ASSIGNED", "APPROVING")
    return [bill | {"approvers": asked[bill["id"]] if bill["approvalStatus"] in pending else []} for bill in bills]


def _both(entity: str, doc: Doc, record: Doc) -> Doc:
    both: Doc = doc | {"v2": {key: None if value in _NOTHING else value for key, value in record.items()}}
    match entity:
        case "bills":
            return both | _approval(doc, record) | _otherwise(doc, "payFromChartOfAccountId", record)
        case "vendor_credits":
            both["v2"]["approvalStatus"] = _APPROVALS.get(record.get("approvalStatus", ""))
        case "vendor_payments":
            decided = [one["decisionDate"] for one in record.get("voidRequests", ()) if one["status"] == "1"]
            both["v2"]["voidedTime"] = decided[-1] if decided else None
        case "funding_accounts":
            return both | _otherwise(doc, "chartOfAccountId", record)
        case "accounts" | "accounting_classes":
            return both | _otherwise(doc, "parentId", record, _PARENTS[entity])
    return both


def _approval(doc: Doc, record: Doc) -> Doc:
    if doc.get("approvalStatus") in _APPROVALS.values():
        return {"approvalStatusSource": "v3"}
    return {"approvalStatus": _APPROVALS[record["approvalStatus"]], "approvalStatusSource": "v2"}


def _otherwise(doc: Doc, place: str, record: Doc, field: str | None = None) -> Doc:
    theirs = record.get(field or place)
    return {place: theirs} if doc.get(place) in _NOTHING and theirs not in _NOTHING else {}
