"""Writing vendors, bills, vendor credits and payments."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.books import bills, payments, vendor_credits, vendors
from billcom_assets.sandbox.codec import Doc, decode
from billcom_assets.sandbox.errors import bad_data
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.kinds import (
    BILLS,
    PAYMENTS,
    VENDOR_CREDITS,
    VENDORS,
)
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v3 import bodies
from billcom_assets.sandbox.v3.archiving import archiving
from billcom_assets.sandbox.v3.common import actor, find, served


def create_vendor(call: Call) -> ApiResponse:
    """``POST /v3/vendors``."""
    return served(call, VENDORS, vendors.create_vendor(call.organization, call.content), 201)


def update_vendor(call: Call) -> ApiResponse:
    """``PATCH /v3/vendors/{id}``."""
    find(call, VENDORS, call.params["id"])
    return served(call, VENDORS, vendors.update_vendor(call.organization, call.params["id"], call.content))


def create_bill(call: Call) -> ApiResponse:
    """``POST /v3/bills``; the response lacks ``vendorName``, as BILL's does."""
    body = call.content
    uses = vendor_credits.requested_uses(call.organization, body["vendorId"], body)
    row = bills.create_bill(call.organization, body, actor(call), credit_to_come=_sum(uses))
    row = _use_credits(call, row, uses)
    created: Doc = decode(call.organization.decorator.body(BILLS, row, approvals=body.get("billApprovals", False)))
    created.pop("vendorName", None)
    return ApiResponse.json(created, 201)


def _change_bill(*, replace: bool) -> Handler:
    def handler(call: Call) -> ApiResponse:
        bill, body = find(call, BILLS, call.params["id"]), call.content
        uses = vendor_credits.requested_uses(call.organization, bill.doc()["vendorId"], body)
        row = bills.update_bill(call.organization, bill.id, body, replace=replace, credit_to_come=_sum(uses))
        row = _use_credits(call, row, uses)
        return served(call, BILLS, row, approvals=body.get("billApprovals", False))

    return handler


def _sum(uses: list[tuple[str, int]]) -> int:
    return sum(amount for _, amount in uses)


def _use_credits(call: Call, bill: Row, uses: list[tuple[str, int]]) -> Row:
    for credit_id, amount in uses:
        bill = vendor_credits.apply_credit(call.organization, credit_id, bill.id, amount)
    return bill


def record_payment(call: Call) -> ApiResponse:
    """``POST /v3/bills/record-payment``: a payment made outside BILL."""
    body = call.content
    find(call, VENDORS, body["vendorId"])
    parts = [(part["billId"], cents(part["amount"])) for part in body["payments"]]
    if any(find(call, BILLS, bill_id).doc()["vendorId"] != body["vendorId"] for bill_id, _ in parts):
        raise bad_data("vendorId")
    coding = body.get("classifications") or {}
    row = payments.pay(
        call.organization,
        parts,
        created_by=actor(call),
        status="PAID",
        online=False,
        process_date=body.get("processDate"),
        details={"description": body["description"]} if body.get("description") else None,
        gl_account=coding.get("chartOfAccountId"),
    )
    extra = {
        key: body[key] for key in ("toPrintCheck", "classifications", "syncReference", "allowExport") if key in body
    }
    return ApiResponse.json(row.doc() | extra, 201)


def create_payment(call: Call) -> ApiResponse:
    """``POST /v3/payments`` for one existing bill."""
    body = call.content
    bill = find(call, BILLS, body["billId"])
    row = payments.pay(
        call.organization,
        [(bill.id, cents(body["amount"]))],
        created_by=actor(call),
        process_date=body.get("processDate"),
        details={
            key: body[key]
            for key in ("fundingAccount", "processingOptions", "description", "transactionNumber")
            if key in body
        },
    )
    return served(call, PAYMENTS, row, 201)


def cancel_payment(call: Call) -> ApiResponse:
    """``POST /v3/payments/{id}/cancel``."""
    find(call, PAYMENTS, call.params["id"])
    return served(call, PAYMENTS, payments.cancel_payment(call.organization, call.params["id"]))


def void_payment(call: Call) -> ApiResponse:
    """``POST /v3/payments/{id}/void``."""
    find(call, PAYMENTS, call.params["id"])
    body = call.content
    row = payments.void_payment(call.organization, call.params["id"], actor(call), body["type"], body["reason"])
    return served(call, PAYMENTS, row)


def create_credit(call: Call) -> ApiResponse:
    """``POST /v3/vendor-credits``."""
    return served(call, VENDOR_CREDITS, vendor_credits.create_credit(call.organization, call.content), 201)


def update_credit(call: Call) -> ApiResponse:
    """``PATCH /v3/vendor-credits/{id}``."""
    find(call, VENDOR_CREDITS, call.params["id"])
    row = vendor_credits.update_credit(call.organization, call.params["id"], call.content)
    return served(call, VENDOR_CREDITS, row)


def operations() -> Iterator[Operation]:
    """Writing vendors, bills, vendor credits and payments."""
    yield Operation("POST", "/v3/vendors", create_vendor, body=bodies.VENDOR)
    yield Operation("PATCH", "/v3/vendors/{id}", update_vendor, body=bodies.VENDOR_CHANGES)
    yield from archiving(VENDORS)
    yield Operation("POST", "/v3/bills", create_bill, body=bodies.BILL)
    yield Operation("POST", "/v3/bills/record-payment", record_payment, body=bodies.RECORDED_PAYMENT)
    yield Operation("PATCH", "/v3/bills/{id}", _change_bill(replace=False), body=bodies.BILL_CHANGES)
    yield Operation("PUT", "/v3/bills/{id}", _change_bill(replace=True), body=bodies.BILL_CHANGES)
    yield from archiving(BILLS)
    yield Operation("POST", "/v3/vendor-credits", create_credit, body=bodies.CREDIT)
    yield Operation("PATCH", "/v3/vendor-credits/{id}", update_credit, body=bodies.CREDIT_CHANGES)
    yield from archiving(VENDOR_CREDITS, final=True)
    yield Operation("POST", "/v3/payments", create_payment, trusted=True, body=bodies.PAYMENT)
    yield Operation("POST", "/v3/payments/{id}/cancel", cancel_payment, trusted=True)
    yield Operation("POST", "/v3/payments/{id}/void", void_payment, trusted=True, body=bodies.VOID)
