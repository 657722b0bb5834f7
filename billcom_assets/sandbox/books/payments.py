"""Payments to vendors, from their scheduling to their clearing, cancelling or voiding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from billcom_assets.sandbox.amounts import funding_cents
from billcom_assets.sandbox.books.bills import store_bill, sums_of
from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.books.vendor_credits import apply_credit, store_usage
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.errors import Refusal, bad_data
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDOR_CREDITS
from billcom_assets.sandbox.money import cents, total
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row


def pay(
    organization: Organization,
    parts: Sequence[tuple[str, int]],
    *,
    created_by: str,
    status: str = "SCHEDULED",
    online: bool = True,
    process_date: str | None = None,
    details: Mapping[str, Any] | None = None,
    gl_account: str | None = None,
    credit: tuple[str, int] | None = None,
) -> Row:
    """One payment over bills of one vendor.

    Args:
        organization: Where the bills are.
        parts: Bill id and cents of each.
        created_by: User id.
        status: SCHEDULED, APPROVING or PAID.
        online: False for a payment made elsewhere and recorded here.
        process_date: ``yyyy-MM-dd``; today when None.
        details: Further fields of the payment object.
        gl_account: Chart-of-account id that v2 shows; the clearing account when None.
        credit: Vendor credit id, and the cents of it that are used on the first bill beside its part.

    Raises:
        Refusal: 404 unknown bill, 422 BDC_1159 more than is due, 400 no bills or bills of several vendors.
    """
    bills = [doc_of(organization, BILLS, bill_id) for bill_id, _ in parts]
    if not bills or len({bill["vendorId"] for bill in bills}) != 1 or len({bill["id"] for bill in bills}) != len(bills):
        raise bad_data("billPayments")
    for bill, (_, amount) in zip(bills, parts, strict=True):
        if bill["recordStatus"] != "ACTIVE":
            raise bad_data(f"billId {bill['id']}")
        credited = credit[1] if credit is not None and bill is bills[0] else 0
        if amount <= 0 or amount + credited > cents(bill["dueAmount"]):
            raise Refusal(422, "BDC_1159", "Cannot overpay a bill.")
    doc = _payment(organization, bills, parts, status=status, online=online, process_date=process_date)
    doc |= {"createdBy": created_by, **(details or {})}
    if credit is not None:
        credit_id, amount = credit
        apply_credit(organization, credit_id, bills[0]["id"], amount, doc["id"])
        doc["billPayments"][0]["vendorCredits"] = [{"id": credit_id, "amount": organization.money(amount)}]
    hidden = {"chartOfAccountId": gl_account or organization.account_ids["1050" if online else "1000"]}
    row = organization.write(PAYMENTS, compact(doc), hidden=hidden)
    if status == "PAID":
        _move_parts(organization, doc, scheduled=0, paid=1)
    else:
        _move_parts(organization, doc, scheduled=1, paid=0)
    return row


def _payment(
    organization: Organization,
    bills: list[Doc],
    parts: Sequence[tuple[str, int]],
    *,
    status: str,
    online: bool,
    process_date: str | None,
) -> Doc:
    """The object of a payment that pays these parts of these bills."""
    process_date = process_date or organization.clock.today()
    money, settings = organization.money, organization.readings.settings
    amount = sum(part for _, part in parts)
    rate = bills[0].get("exchangeRate")
    payment_id = organization.ids.new(PAYMENTS.prefix)
    arrives = (date.fromisoformat(process_date) + timedelta(days=3)).isoformat()
    sent: Doc = {"checkDisbursement": {"sentDate": process_date, "arrivesByDate": arrives}} if online else {}
    return {
        "amount": money(amount),
        "id": payment_id,
        "vendorId": bills[0]["vendorId"],
        "vendorName": bills[0]["vendorName"],
        "billId": bills[0]["id"] if len(bills) == 1 else None,
        "billPayments": [
            {"id": organization.ids.new("blp"), "billId": bill_id, "amount": money(part)} for bill_id, part in parts
        ],
        "processDate": process_date,
        "fundingAccount": {"type": "BANK_ACCOUNT", "id": organization.default_bank},
        "processingOptions": {"requestPayFaster": False, "createBill": False},
        "transactionNumber": f"PMT-{payment_id[-5:]}",
        "confirmationNumber": f"P{process_date[2:].replace('-', '')}01 - {int(payment_id[-5:], 36) % 10_000_000:07d}",
        "status": status,
        "exchangeRate": rate if rate is not None else 1,
        "fundingAmount": money(funding_cents(amount, rate, settings.exchange_rate)),
        "onlinePayment": online,
        "disbursementType": "CHECK" if online else "OFFLINE",
        "createdBy": None,
        "voidInfo": [],
        "disbursementInfo": {"isVoidable": status == "PAID" and online, **sent},
        "cancelRequestSubmitted": False,
        "singleStatus": "CLEARED" if status == "PAID" else "SCHEDULED",
    }


def settle_payment(
    organization: Organization, payment_id: str, single_status: str = "PROCESSED", disbursed: str = "DONE"
) -> Row:
    """A scheduled payment is carried out, and is as far as ``single_status`` says: its bills count it as paid.

    Raises:
        Refusal: 404 unknown payment, 422 it is not waiting.
    """
    doc = doc_of(organization, PAYMENTS, payment_id)
    if doc["status"] not in ("SCHEDULED", "APPROVING"):
        raise Refusal(422, "BDC_1143", "Invalid entity data. The payment is not scheduled.")
    doc |= {"status": "PAID", "singleStatus": single_status, "disbursementStatus": disbursed}
    doc["disbursementInfo"] = {**doc["disbursementInfo"], "isVoidable": doc["onlinePayment"]}
    row = organization.write(PAYMENTS, doc)
    _move_parts(organization, doc, scheduled=-1, paid=1)
    return row


def advance_payment(organization: Organization, payment_id: str, single_status: str) -> Row:
    """A paid payment goes on its way (SENT, CLEARED, ...); sums stay.

    Raises:
        Refusal: 404 unknown payment.
    """
    doc = doc_of(organization, PAYMENTS, payment_id)
    doc["singleStatus"] = single_status
    return organization.write(PAYMENTS, doc)


def cancel_payment(organization: Organization, payment_id: str) -> Row:
    """Cancel a payment that is still scheduled: its bills are due again.

    Raises:
        Refusal: 404 unknown payment, 422 too late.
    """
    doc = doc_of(organization, PAYMENTS, payment_id)
    if doc["singleStatus"] != "SCHEDULED":
        raise Refusal(422, "BDC_1143", "Invalid entity data. Only a scheduled payment can be cancelled.")
    doc |= {"status": "CANCELLED", "singleStatus": "CANCELED", "cancelRequestSubmitted": True}
    row = organization.write(PAYMENTS, doc)
    _move_parts(organization, doc, scheduled=-1, paid=0)
    _unapply(organization, doc)
    return row


def void_payment(organization: Organization, payment_id: str, user_id: str, kind: str, reason: str) -> Row:
    """Void a payment that was made: its bills are due again.

    Raises:
        Refusal: 404 unknown payment, 422 it was not paid.
    """
    doc = doc_of(organization, PAYMENTS, payment_id)
    if doc["status"] != "PAID":
        raise Refusal(422, "BDC_1143", "Invalid entity data. Only a payment that was made can be voided.")
    now = stamp(organization.clock.seconds())
    doc["voidInfo"] = [
        *doc.get("voidInfo", ()),
        {
            "id": organization.ids.new("vrq"),
            "requestedBy": user_id,
            "type": kind,
            "status": "ACCEPTED",
            "reason": reason,
            "createdTime": now,
            "updatedTime": now,
        },
    ]
    doc |= {"status": "VOID", "singleStatus": "VOIDED"}
    doc["disbursementInfo"] = {**doc["disbursementInfo"], "isVoidable": False}
    row = organization.write(PAYMENTS, doc)
    _move_parts(organization, doc, scheduled=0, paid=-1)
    _unapply(organization, doc)
    return row


def _move_parts(organization: Organization, payment: Doc, *, scheduled: int, paid: int) -> None:
    """Add (1) or take (-1) each part of a payment to what its bill has scheduled and paid."""
    touch = organization.readings.settings.payment_touches_bill
    for part in payment["billPayments"]:
        bill = doc_of(organization, BILLS, part["billId"])
        sums, amount = sums_of(bill), cents(part["amount"])
        sums.scheduled += scheduled * amount
        sums.paid += paid * amount
        paid_on = payment["processDate"] if paid > 0 else None
        store_bill(organization, bill, sums, touch=touch, paid_on=paid_on)


def _unapply(organization: Organization, payment: Doc) -> None:
    """Credits used in a payment that came to nothing are open again."""
    touch = organization.readings.settings.payment_touches_bill
    for part in payment["billPayments"]:
        for used in part.get("vendorCredits", ()):
            credit = doc_of(organization, VENDOR_CREDITS, used["id"])
            usage = credit.get("usage", [])
            gone = [use for use in usage if use.get("paymentId") == payment["id"] and use["billId"] == part["billId"]]
            store_usage(organization, credit, [use for use in usage if use not in gone])
            bill = doc_of(organization, BILLS, part["billId"])
            sums = sums_of(bill)
            sums.credit -= total(gone)
            store_bill(organization, bill, sums, touch=touch)
