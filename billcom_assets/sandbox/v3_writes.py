"""The writing half of v3, with approvals and documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

from billcom_assets.sandbox.answers import Answer
from billcom_assets.sandbox.books import accounts, payables, receivables
from billcom_assets.sandbox.books.fields import amount_of, day_in, require
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, decode
from billcom_assets.sandbox.errors import Refusal, bad_data, dead_session, invalid, missing, no_such_object, wrong_kind
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.kinds import (
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    BILLS,
    CUSTOMERS,
    DEPARTMENTS,
    EMPLOYEES,
    INVOICES,
    ITEMS,
    JOBS,
    LOCATIONS,
    PAYMENTS,
    VENDOR_CREDITS,
    VENDORS,
    Kind,
)
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v3 import find
from billcom_assets.sandbox.world import Organization

_BULK_LIMIT = 50
_BULK_KEYS: dict[Kind, str] = {
    ACCOUNTS: "chartOfAccounts",
    ACCOUNTING_CLASSES: "accountingClasses",
    DEPARTMENTS: "departments",
    EMPLOYEES: "employees",
    ITEMS: "items",
    JOBS: "jobs",
    LOCATIONS: "locations",
}
"""Key that a bulk response of each classification is wrapped under."""
_VOID_TYPES = ("VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD")
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def _served(call: Call, kind: Kind, row: Row, status: int = 200, *, approvals: bool = False) -> Answer:
    return Answer(status, call.organization.decorator.body(kind, row, approvals=approvals))


def _actor(call: Call) -> str:
    return call.open_session.user_id


# Classifications


def _set_archived(organization: Organization, kind: Kind, object_id: str, *, archived: bool) -> Row:
    """Archive or restore; an account takes what is below it along when it is archived."""
    if kind is ACCOUNTS and archived:
        return accounts.archive_account(organization, object_id)[0]
    return payables.set_archived(organization, kind, object_id, archived=archived)


def _in_bulk(call: Call, kind: Kind, elements: list[Any], one: Callable[[Any], Row]) -> list[Row]:
    """Do it for every element, or for none.

    Raises:
        Refusal: 400 nothing or more than 50 elements, or what the first refused element is refused for.
    """
    if not 1 <= len(elements) <= _BULK_LIMIT:
        raise invalid(f"size must be between 1 and {_BULK_LIMIT}")
    table = call.organization.table(kind)
    before = table.snapshot()
    try:
        return [one(element) for element in elements]
    except Refusal:
        table.restore(before)
        raise


def _bulk_answer(call: Call, kind: Kind, rows: list[Row], status: int = 200) -> Answer:
    served = [decode(call.organization.decorator.body(kind, row)) for row in rows]
    return Answer.json({_BULK_KEYS[kind]: served}, status)


def _bulk_create(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        def one(body: Any) -> Row:
            return accounts.create_classification(call.organization, kind, _object(body))

        return _bulk_answer(call, kind, _in_bulk(call, kind, call.json_array(), one), 201)

    return handler


def _bulk_update(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        def one(body: Any) -> Row:
            require(_object(body), "id")
            return accounts.update_classification(call.organization, kind, body["id"], body)

        return _bulk_answer(call, kind, _in_bulk(call, kind, call.json_array(), one))

    return handler


def _bulk_archive(kind: Kind, *, archived: bool) -> Handler:
    def handler(call: Call) -> Answer:
        ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
        if not ids:
            raise missing("ids")

        def one(object_id: Any) -> Row:
            return _set_archived(call.organization, kind, object_id, archived=archived)

        return _bulk_answer(call, kind, _in_bulk(call, kind, ids, one))

    return handler


def _object(body: Any) -> Doc:
    if not isinstance(body, dict):
        raise invalid("Cannot construct instance of ClassificationRequestDto: expected an object")
    return body


def _create(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        row = accounts.create_classification(call.organization, kind, call.json_object())
        return _served(call, kind, row, 201)

    return handler


def _update(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        find(call, kind, call.params["id"])
        row = accounts.update_classification(call.organization, kind, call.params["id"], call.json_object())
        return _served(call, kind, row)

    return handler


def _archive(kind: Kind, *, archived: bool) -> Handler:
    def handler(call: Call) -> Answer:
        find(call, kind, call.params["id"])
        row = _set_archived(call.organization, kind, call.params["id"], archived=archived)
        return _served(call, kind, row)

    return handler


def _classification_operations() -> Iterator[Operation]:
    for kind in _BULK_KEYS:
        path = kind.path
        yield Operation("POST", path, _create(kind))
        yield Operation("POST", f"{path}/bulk", _bulk_create(kind))
        yield Operation("PATCH", f"{path}/bulk", _bulk_update(kind))
        yield Operation("POST", f"{path}/bulk/archive", _bulk_archive(kind, archived=True))
        yield Operation("POST", f"{path}/bulk/restore", _bulk_archive(kind, archived=False))
        yield Operation("PATCH", f"{path}/{{id}}", _update(kind))
        yield Operation("POST", f"{path}/{{id}}/archive", _archive(kind, archived=True))
        yield Operation("POST", f"{path}/{{id}}/restore", _archive(kind, archived=False))


# Payables


def create_vendor(call: Call) -> Answer:
    """``POST /v3/vendors``."""
    return _served(call, VENDORS, payables.create_vendor(call.organization, call.json_object()), 201)


def update_vendor(call: Call) -> Answer:
    """``PATCH /v3/vendors/{id}``."""
    find(call, VENDORS, call.params["id"])
    return _served(call, VENDORS, payables.update_vendor(call.organization, call.params["id"], call.json_object()))


def create_bill(call: Call) -> Answer:
    """``POST /v3/bills``; the answer lacks ``vendorName``, as BILL's does."""
    body = call.json_object()
    row = payables.create_bill(call.organization, body, _actor(call))
    shows = body.get("billApprovals") is True
    served: Doc = decode(call.organization.decorator.body(BILLS, row, approvals=shows))
    served.pop("vendorName", None)
    return Answer.json(served, 201)


def _change_bill(*, replace: bool) -> Handler:
    def handler(call: Call) -> Answer:
        find(call, BILLS, call.params["id"])
        body = call.json_object()
        row = payables.update_bill(call.organization, call.params["id"], body, replace=replace)
        return _served(call, BILLS, row, approvals=body.get("billApprovals") is True)

    return handler


def record_payment(call: Call) -> Answer:
    """``POST /v3/bills/record-payment``: a payment made outside BILL."""
    body = call.json_object()
    require(body, "vendorId", "processDate", "payments")
    find(call, VENDORS, body["vendorId"])
    parts = _parts(body["payments"])
    if any(find(call, BILLS, bill_id).doc()["vendorId"] != body["vendorId"] for bill_id, _ in parts):
        raise bad_data("vendorId")
    coding = body.get("classifications") or {}
    row = payables.pay(
        call.organization,
        parts,
        created_by=_actor(call),
        status="PAID",
        online=False,
        process_date=day_in(body, "processDate"),
        details={"description": body["description"]} if body.get("description") else None,
        gl_account=coding.get("chartOfAccountId"),
    )
    extra = {
        key: body[key] for key in ("toPrintCheck", "classifications", "syncReference", "allowExport") if key in body
    }
    return Answer.json(row.doc() | extra, 201)


def _parts(sent: Any) -> list[tuple[str, int]]:
    if not isinstance(sent, list):
        raise invalid("payments: must be an array")
    parts = []
    for part in sent:
        require(_object(part), "billId", "amount")
        parts.append((str(part["billId"]), amount_of(part, "amount") or 0))
    return parts


def create_payment(call: Call) -> Answer:
    """``POST /v3/payments`` for one existing bill."""
    body = call.json_object()
    require(body, "amount", "fundingAccount", "processingOptions", "billId")
    bill = find(call, BILLS, body["billId"])
    row = payables.pay(
        call.organization,
        [(bill.id, amount_of(body, "amount") or 0)],
        created_by=_actor(call),
        process_date=day_in(body, "processDate"),
        details={
            key: body[key]
            for key in ("fundingAccount", "processingOptions", "description", "transactionNumber")
            if key in body
        },
    )
    return _served(call, PAYMENTS, row, 201)


def cancel_payment(call: Call) -> Answer:
    """``POST /v3/payments/{id}/cancel``."""
    find(call, PAYMENTS, call.params["id"])
    return _served(call, PAYMENTS, payables.cancel_payment(call.organization, call.params["id"]))


def void_payment(call: Call) -> Answer:
    """``POST /v3/payments/{id}/void``."""
    find(call, PAYMENTS, call.params["id"])
    body = call.json_object()
    require(body, "reason", "type")
    if body["type"] not in _VOID_TYPES:
        raise invalid(f"type: {body['type']} is not a void type")
    row = payables.void_payment(
        call.organization, call.params["id"], _actor(call), str(body["type"]), str(body["reason"])
    )
    return _served(call, PAYMENTS, row)


def create_credit(call: Call) -> Answer:
    """``POST /v3/vendor-credits``."""
    return _served(call, VENDOR_CREDITS, payables.create_credit(call.organization, call.json_object()), 201)


def update_credit(call: Call) -> Answer:
    """``PATCH /v3/vendor-credits/{id}``."""
    find(call, VENDOR_CREDITS, call.params["id"])
    row = payables.update_credit(call.organization, call.params["id"], call.json_object())
    return _served(call, VENDOR_CREDITS, row)


# Receivables


def create_customer(call: Call) -> Answer:
    """``POST /v3/customers``."""
    return _served(call, CUSTOMERS, receivables.create_customer(call.organization, call.json_object()), 201)


def update_customer(call: Call) -> Answer:
    """``PATCH /v3/customers/{id}``."""
    find(call, CUSTOMERS, call.params["id"])
    row = receivables.update_customer(call.organization, call.params["id"], call.json_object())
    return _served(call, CUSTOMERS, row)


def create_invoice(call: Call) -> Answer:
    """``POST /v3/invoices``."""
    row = receivables.create_invoice(call.organization, call.json_object(), _actor(call))
    return _served(call, INVOICES, row, 201)


def _archive_invoice(*, archived: bool) -> Handler:
    def handler(call: Call) -> Answer:
        find(call, INVOICES, call.params["id"])
        row = receivables.set_invoice_archived(call.organization, call.params["id"], archived=archived)
        return _served(call, INVOICES, row)

    return handler


# Approvals


def approval_policies(call: Call) -> Answer:
    """``GET /v3/bill-approvals/policies``: a bare array."""
    organization = call.organization
    approver = organization.user_ids["APPROVER"]
    user = organization.rows("users")
    name = next(f"{one['firstName']} {one['lastName']}" for one in user if one["id"] == approver)
    return Answer.json(
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


def pending_approvals(call: Call) -> Answer:
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
    return Answer.json({"bills": pending})


def act_on_approvals(call: Call) -> Answer:
    """``POST /v3/bill-approvals/actions``."""
    actions = call.json_array()
    for action in actions:
        require(_object(action), "billId", "action")
        if action["action"] not in ("APPROVE", "DENY"):
            raise invalid(f"action: {action['action']} is not APPROVE or DENY")
    for action in actions:
        payables.decide_bill(call.organization, action["billId"], _actor(call), approve=action["action"] == "APPROVE")
    return Answer.json({"status": "SUCCESS"})


# Documents


def _documents(call: Call, bill_id: str) -> list[Doc]:
    """What is attached to a bill: nothing, one or two files, fixed by its id."""
    row = find(call, BILLS, bill_id)
    count = crc32(bill_id.encode()) % 3
    return [
        {
            "id": f"00h{bill_id[3:-1]}{index}",
            "name": f"{row.doc()['invoice']['invoiceNumber']}-{index + 1}.pdf",
            "createdTime": stamp(row.created),
            "downloadLink": f"{call.base_url}/connect/v3/download/00h{bill_id[3:-1]}{index}",
        }
        for index in range(count)
    ]


def bill_documents(call: Call) -> Answer:
    """``GET /v3/documents/bills/{billId}``; at most two, so always one page."""
    return Answer.json({"results": _documents(call, call.params["id"])})


def one_document(call: Call) -> Answer:
    """``GET /v3/documents/{documentId}``."""
    wanted = call.params["id"]
    for bill_id in call.organization.table(BILLS).ids:
        if bill_id[3:-1] == wanted[3:-1]:
            found = next((one for one in _documents(call, bill_id) if one["id"] == wanted), None)
            if found is not None:
                return Answer.json(found)
    raise no_such_object()


def download(call: Call) -> Answer:
    """What a ``downloadLink`` leads to; a session id suffices, without developer key."""
    if not call.sandbox.sessions.is_open(call.session_id):
        raise dead_session()
    return Answer(200, _PDF, "application/pdf")


def operations() -> Iterator[Operation]:
    """Every writing operation, and the reads that are no lists of the twenty kinds."""
    yield from _classification_operations()
    yield Operation("POST", "/v3/vendors", create_vendor)
    yield Operation("PATCH", "/v3/vendors/{id}", update_vendor)
    yield Operation("POST", "/v3/bills", create_bill)
    yield Operation("POST", "/v3/bills/record-payment", record_payment)
    yield Operation("PATCH", "/v3/bills/{id}", _change_bill(replace=False))
    yield Operation("PUT", "/v3/bills/{id}", _change_bill(replace=True))
    for kind in (VENDORS, BILLS, CUSTOMERS):
        yield Operation("POST", f"{kind.path}/{{id}}/archive", _archive(kind, archived=True))
        yield Operation("POST", f"{kind.path}/{{id}}/restore", _archive(kind, archived=False))
    yield Operation("POST", "/v3/vendor-credits", create_credit)
    yield Operation("PATCH", "/v3/vendor-credits/{id}", update_credit)
    yield Operation("POST", "/v3/vendor-credits/{id}/archive", _archive(VENDOR_CREDITS, archived=True))
    yield Operation("POST", "/v3/payments", create_payment, trusted=True)
    yield Operation("POST", "/v3/payments/{id}/cancel", cancel_payment, trusted=True)
    yield Operation("POST", "/v3/payments/{id}/void", void_payment, trusted=True)
    yield Operation("POST", "/v3/customers", create_customer)
    yield Operation("PATCH", "/v3/customers/{id}", update_customer)
    yield Operation("POST", "/v3/invoices", create_invoice)
    yield Operation("POST", "/v3/invoices/{id}/archive", _archive_invoice(archived=True))
    yield Operation("POST", "/v3/invoices/{id}/restore", _archive_invoice(archived=False))
    yield Operation("GET", "/v3/bill-approvals/policies", approval_policies)
    yield Operation("GET", "/v3/bill-approvals/pending-user-approvals", pending_approvals)
    yield Operation("POST", "/v3/bill-approvals/actions", act_on_approvals)
    yield Operation("GET", "/v3/documents/bills/{id}", bill_documents)
    yield Operation("GET", "/v3/documents/{id}", one_document)
    yield Operation("GET", "/v3/download/{id}", download, session=False)
