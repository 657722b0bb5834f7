"""Vendors, bills, vendor credits and the payments that join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.amounts import BillSums, bill_payment_status, credit_status, funding_cents
from billcom_assets.sandbox.books.fields import (
    amount_of,
    changed,
    check_lengths,
    day_in,
    line_doc,
    require,
)
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.errors import Refusal, bad_data, invalid, no_such_object
from billcom_assets.sandbox.generate.vocabulary import RATES
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDOR_CREDITS, VENDORS, Kind
from billcom_assets.sandbox.money import cents, total
from billcom_assets.sandbox.query import prober
from billcom_assets.sandbox.settings import ExchangeRate
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.world import Organization

_VENDOR_LENGTHS = {"name": 100, "shortName": 40, "email": 100, "phone": 40, "accountNumber": 100}
_VENDOR_FIELDS = ("name", "shortName", "accountNumber", "accountType", "email", "phone", "address", "rppsId")
_BILL_FIELDS = ("description", "payFromChartOfAccountId", "classifications", "purchaseOrderNumber")
_CREDIT_FIELDS = ("referenceNumber", "description", "applyToChartOfAccountId", "applyToBankAccountId")
_LIVE_PAYMENTS = ("PAID", "SCHEDULED", "APPROVING")


def doc_of(organization: Organization, kind: Kind, object_id: Any) -> Doc:
    """An object to change.

    Raises:
        Refusal: 404; there is none.
    """
    row = organization.table(kind).get(object_id) if isinstance(object_id, str) else None
    if row is None:
        raise no_such_object()
    return row.doc()


# Vendors


def create_vendor(organization: Organization, body: Mapping[str, Any]) -> Row:
    """A new vendor, paid by check until more is known.

    Raises:
        Refusal: 400; name or address missing, or a text too long.
    """
    require(body, "name", "address")
    check_lengths(body, _VENDOR_LENGTHS)
    currency = body.get("billCurrency") or "USD"
    doc = {
        "archived": False,
        "id": organization.ids.new(VENDORS.prefix),
        **{name: body[name] for name in _VENDOR_FIELDS if body.get(name) is not None},
        "paymentInformation": {
            "payeeName": body["name"],
            "payByType": "CHECK" if currency == "USD" else "INTERNATIONAL_E_PAYMENT",
        },
        "additionalInfo": {"track1099": False, "combinePayments": True, **(body.get("additionalInfo") or {})},
        "bankAccountStatus": "NO_ACCOUNT",
        "networkStatus": "NOT_CONNECTED",
        "recurringPayments": False,
        "billCurrency": currency,
        "balance": {"amount": organization.money(0), "lastUpdatedDate": stamp(organization.clock.seconds())},
        "autoPay": {"enabled": False},
    }
    doc.setdefault("accountType", "NONE")
    return organization.write(VENDORS, doc)


def update_vendor(organization: Organization, vendor_id: str, body: Mapping[str, Any]) -> Row:
    """Change a vendor's own fields; its bank account is not among them.

    Raises:
        Refusal: 404 unknown vendor, 400 a text too long.
    """
    check_lengths(body, _VENDOR_LENGTHS)
    doc = doc_of(organization, VENDORS, vendor_id)
    old_name = doc["name"]
    doc = changed(doc, body, (*_VENDOR_FIELDS, "additionalInfo"))
    if "name" not in doc:
        raise invalid("name: must not be blank")
    row = organization.write(VENDORS, doc)
    if doc["name"] != old_name and organization.readings.settings.vendor_name_follows:
        _rename_in_documents(organization, vendor_id, doc["name"])
    return row


def _rename_in_documents(organization: Organization, vendor_id: str, name: str) -> None:
    for kind in (BILLS, PAYMENTS):
        for row in organization.table(kind).of_party(vendor_id):
            doc = row.doc()
            doc["vendorName"] = name
            organization.write(kind, doc, touch=False)


def _balance(organization: Organization, vendor_id: str, change: int, *, paid_on: str | None = None) -> None:
    row = organization.table(VENDORS).get(vendor_id)
    if row is None or not (change or paid_on):
        return
    doc = row.doc()
    doc["balance"] = {
        "amount": organization.money(cents(doc["balance"]["amount"]) + change),
        "lastUpdatedDate": stamp(organization.clock.seconds()),
    }
    if paid_on:
        doc["paymentInformation"] = {**doc.get("paymentInformation", {}), "lastPaymentDate": paid_on}
    organization.write(VENDORS, doc, touch=organization.readings.settings.balances_touch)


# Bills


def sums_of(bill: Mapping[str, Any]) -> BillSums:
    """The sums of a bill in cents."""
    return BillSums(
        amount=cents(bill["amount"]),
        paid=cents(bill["paidAmount"]),
        scheduled=cents(bill["scheduledAmount"]),
        credit=cents(bill["creditAmount"]),
    )


def _store_bill(
    organization: Organization,
    doc: Doc,
    sums: BillSums,
    *,
    touch: bool = True,
    hidden: Doc | None = None,
    paid_on: str | None = None,
) -> Row:
    """Write a bill with its sums, and carry the change of what is due into the vendor's balance."""
    old = organization.table(BILLS).get(doc["id"])
    before = open_due(old.doc()) if old else 0
    money = organization.money
    doc |= {
        "amount": money(sums.amount),
        "paidAmount": money(sums.paid),
        "dueAmount": money(sums.due),
        "scheduledAmount": money(sums.scheduled),
        "creditAmount": money(sums.credit),
        "paymentStatus": bill_payment_status(sums),
    }
    if doc.get("exchangeRate") is not None:
        meaning = organization.readings.settings.exchange_rate
        doc["fundingAmount"] = money(funding_cents(sums.amount, doc["exchangeRate"], meaning))
    row = organization.write(BILLS, doc, touch=touch, hidden=hidden)
    _balance(organization, doc["vendorId"], open_due(doc) - before, paid_on=paid_on)
    return row


def open_due(bill: Mapping[str, Any]) -> int:
    """What a bill adds to its vendor's balance: nothing unless it is active."""
    return cents(bill["dueAmount"]) if bill["recordStatus"] == "ACTIVE" else 0


def create_bill(organization: Organization, body: Mapping[str, Any], created_by: str) -> Row:
    """A new bill, unassigned for approval; ``vendorCredits`` of the body are applied to it.

    Raises:
        Refusal: 400 missing or malformed fields, 404 unknown vendor, 422 BDC_1171 a number used already.
    """
    require(body, "vendorId", "dueDate", "billLineItems", "invoice")
    invoice = body["invoice"]
    require(invoice, "invoiceNumber", "invoiceDate")
    vendor = doc_of(organization, VENDORS, body["vendorId"])
    _refuse_duplicate_number(organization, vendor["id"], str(invoice["invoiceNumber"]))
    lines = [line_doc(organization, line, "bli") for line in body["billLineItems"]]
    rate = _rate(organization, vendor.get("billCurrency", "USD"))
    doc = {
        "id": organization.ids.new(BILLS.prefix),
        "archived": False,
        "recordStatus": "ACTIVE",
        "vendorId": vendor["id"],
        "vendorName": vendor["name"],
        "amount": None,
        "fundingAmount": None,
        "exchangeRate": rate,
        "paidAmount": None,
        "dueAmount": None,
        "scheduledAmount": None,
        "creditAmount": None,
        "description": body.get("description"),
        "dueDate": day_in(body, "dueDate"),
        "invoice": {
            "invoiceNumber": str(invoice["invoiceNumber"]),
            "invoiceDate": day_in(invoice, "invoiceDate"),
        },
        "billLineItems": lines,
        "payFromChartOfAccountId": body.get("payFromChartOfAccountId"),
        "classifications": body.get("classifications"),
        "paymentStatus": None,
        "approvalStatus": "UNASSIGNED",
        "purchaseOrderNumber": body.get("purchaseOrderNumber"),
        "createdBy": created_by,
    }
    row = _store_bill(organization, _without_absent(doc), BillSums(total(lines)))
    for credit in body.get("vendorCredits") or ():
        row = apply_credit(organization, credit["id"], row.id, amount_of(credit, "amount") or 0)
    return row


def _without_absent(doc: Doc) -> Doc:
    """Drop what is absent but keep the places of the sums, which are filled in later, in BILL's key order."""
    later = {"amount", "paidAmount", "dueAmount", "scheduledAmount", "creditAmount", "paymentStatus"}
    if doc["exchangeRate"] is not None:
        later.add("fundingAmount")
    return {key: value for key, value in doc.items() if value is not None or key in later}


def _refuse_duplicate_number(organization: Organization, vendor_id: str, number: str) -> None:
    if organization.readings.settings.duplicate_invoice_numbers:
        return
    probe = prober(("invoice.invoiceNumber",))
    if any(probe(row.body)[0] == number for row in organization.table(BILLS).of_party(vendor_id)):
        raise Refusal(422, "BDC_1171", f"Invoice number {number} already exists.")


def _rate(organization: Organization, currency: str) -> Decimal | None:
    if currency not in RATES:
        return None
    usd_per_unit = Decimal(RATES[currency][1])
    if organization.readings.settings.exchange_rate is ExchangeRate.USD_PER_UNIT:
        return usd_per_unit
    return (1 / usd_per_unit).quantize(Decimal("0.0001"))


def update_bill(organization: Organization, bill_id: str, body: Mapping[str, Any], *, replace: bool = False) -> Row:
    """Change a bill. Lines are addressed by id: an unnamed id is a new line, a named one is overwritten as a whole.

    A line sent without its classifications loses them, as BILL does it.

    Args:
        organization: Where the bill is.
        bill_id: Its id.
        body: The fields to change.
        replace: PUT: lines that the body does not name are removed.

    Raises:
        Refusal: 404 unknown bill, 400 malformed fields, 422 BDC_1159 less than what is paid already.
    """
    doc = doc_of(organization, BILLS, bill_id)
    doc = changed(doc, body, _BILL_FIELDS)
    if body.get("dueDate") is not None:
        doc["dueDate"] = day_in(body, "dueDate")
    if isinstance(body.get("invoice"), dict):
        doc["invoice"] = doc["invoice"] | {name: value for name, value in body["invoice"].items() if value}
    if body.get("billLineItems") is not None:
        doc["billLineItems"] = _merged_lines(organization, doc["billLineItems"], body["billLineItems"], replace=replace)
    sums = sums_of(doc)
    sums.amount = total(doc["billLineItems"])
    if sums.due < 0:
        raise Refusal(422, "BDC_1159", "The bill is paid with more than this amount.")
    row = _store_bill(organization, doc, sums)
    for credit in body.get("vendorCredits") or ():
        row = apply_credit(organization, credit["id"], bill_id, amount_of(credit, "amount") or 0)
    return row


def _merged_lines(organization: Organization, old: list[Doc], sent: Any, *, replace: bool) -> list[Doc]:
    if not isinstance(sent, list) or not sent:
        raise invalid("billLineItems: must not be empty")
    known = {line["id"] for line in old}
    unknown = [line["id"] for line in sent if isinstance(line, dict) and line.get("id") not in (None, *known)]
    if unknown:
        raise bad_data(f"billLineItems.id {unknown[0]}")
    made = [line_doc(organization, line, "bli") for line in sent]
    by_id = {line["id"]: line for line in made}
    if replace:
        return made
    kept = [by_id.pop(line["id"], line) for line in old]
    return kept + list(by_id.values())


def set_archived(organization: Organization, kind: Kind, object_id: str, *, archived: bool) -> Row:
    """Archive or restore an object; a no-op in the state it is in already.

    Raises:
        Refusal: 404 unknown object.
    """
    doc = doc_of(organization, kind, object_id)
    if doc["archived"] == archived:
        return organization.table(kind).rows[object_id]
    doc["archived"] = archived
    if kind is BILLS:
        doc["recordStatus"] = "INACTIVE" if archived else "ACTIVE"
        return _store_bill(organization, doc, sums_of(doc))
    return organization.write(kind, doc)


def decide_bill(organization: Organization, bill_id: str, user_id: str, *, approve: bool) -> Row:
    """The user approves or denies: a first approval of two leaves the bill in APPROVING.

    Raises:
        Refusal: 404 unknown bill, 403 the user is not among the approvers that are asked.
    """
    doc = doc_of(organization, BILLS, bill_id)
    row = organization.table(BILLS).rows[bill_id]
    approvers = [dict(entry) for entry in (row.hidden or {}).get("approvers", ())]
    mine = next((entry for entry in approvers if entry["userId"] == user_id and entry["status"] == "WAITING"), None)
    if mine is None:
        raise Refusal(403, None, f"User {user_id} is not an approver of this bill.")
    mine["status"] = "APPROVED" if approve else "DENIED"
    mine["statusChangedTime"] = stamp(organization.clock.seconds())
    if not approve:
        doc["approvalStatus"] = "DENIED"
    elif any(entry["status"] == "WAITING" for entry in approvers):
        doc["approvalStatus"] = "APPROVING"
    else:
        doc["approvalStatus"] = "APPROVED"
    return organization.write(BILLS, doc, hidden={**(row.hidden or {}), "approvers": approvers})


def assign_approvers(organization: Organization, bill_id: str, user_ids: Sequence[str]) -> Row:
    """Ask these users, in this order, to approve a bill.

    Raises:
        Refusal: 404 unknown bill.
    """
    doc = doc_of(organization, BILLS, bill_id)
    doc["approvalStatus"] = "ASSIGNED"
    approvers = [
        {"userId": user_id, "status": "WAITING", "approverOrder": order} for order, user_id in enumerate(user_ids)
    ]
    return organization.write(BILLS, doc, hidden={"approvers": approvers})


# Vendor credits


def create_credit(organization: Organization, body: Mapping[str, Any]) -> Row:
    """A new vendor credit, not applied to anything.

    Raises:
        Refusal: 400 missing fields, 404 unknown vendor.
    """
    require(body, "vendorId", "referenceNumber", "creditDate", "vendorCreditLineItems")
    doc_of(organization, VENDORS, body["vendorId"])
    lines = [line_doc(organization, line, "vci") for line in body["vendorCreditLineItems"]]
    amount = total(lines)
    doc = {
        "id": organization.ids.new(VENDOR_CREDITS.prefix),
        "vendorId": body["vendorId"],
        "referenceNumber": str(body["referenceNumber"]),
        "creditDate": day_in(body, "creditDate"),
        "description": body.get("description"),
        "archived": False,
        "applyToChartOfAccountId": body.get("applyToChartOfAccountId"),
        "applyToBankAccountId": body.get("applyToBankAccountId"),
        "amount": organization.money(amount),
        "appliedAmount": organization.money(0),
        "status": credit_status(amount, 0),
        "vendorCreditLineItems": lines,
    }
    return organization.write(VENDOR_CREDITS, compact(doc))


def update_credit(organization: Organization, credit_id: str, body: Mapping[str, Any]) -> Row:
    """Change a vendor credit; its lines are replaced when the body has lines.

    Raises:
        Refusal: 404 unknown credit, 422 less than what is applied already.
    """
    doc = changed(doc_of(organization, VENDOR_CREDITS, credit_id), body, _CREDIT_FIELDS)
    if body.get("creditDate") is not None:
        doc["creditDate"] = day_in(body, "creditDate")
    if body.get("vendorCreditLineItems"):
        doc["vendorCreditLineItems"] = [line_doc(organization, line, "vci") for line in body["vendorCreditLineItems"]]
    amount, applied = total(doc["vendorCreditLineItems"]), cents(doc["appliedAmount"])
    if amount < applied:
        raise Refusal(422, "BDC_1159", "More than this amount of the credit is applied.")
    doc["amount"] = organization.money(amount)
    doc["status"] = credit_status(amount, applied)
    return organization.write(VENDOR_CREDITS, doc)


def apply_credit(
    organization: Organization, credit_id: str, bill_id: str, amount: int, payment_id: str | None = None
) -> Row:
    """Use ``amount`` cents of a vendor credit on a bill of the same vendor; gives the bill.

    Raises:
        Refusal: 404 unknown credit or bill, 422 BDC_1159 more than is open on either.
    """
    credit, bill = doc_of(organization, VENDOR_CREDITS, credit_id), doc_of(organization, BILLS, bill_id)
    applied, sums = cents(credit["appliedAmount"]), sums_of(bill)
    if credit["archived"] or bill["vendorId"] != credit["vendorId"]:
        raise bad_data(f"vendorCredits.id {credit_id}")
    if amount <= 0 or amount > min(cents(credit["amount"]) - applied, sums.due):
        raise Refusal(422, "BDC_1159", "The credit or the bill has less than this amount open.")
    use = compact({"billId": bill_id, "paymentId": payment_id, "amount": organization.money(amount)})
    _store_usage(organization, credit, [*credit.get("usage", ()), use])
    sums.credit += amount
    return _store_bill(organization, bill, sums, touch=organization.readings.settings.payment_touches_bill)


def _store_usage(organization: Organization, credit: Doc, usage: list[Doc]) -> None:
    applied = total(usage)
    credit["appliedAmount"] = organization.money(applied)
    credit["status"] = credit_status(cents(credit["amount"]), applied)
    credit.pop("usage", None)
    if usage:
        credit["usage"] = usage
    organization.write(VENDOR_CREDITS, credit, touch=organization.readings.settings.usage_touches_credit)


# Payments


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

    Raises:
        Refusal: 404 unknown bill, 422 BDC_1159 more than is due, 400 no bills or bills of several vendors.
    """
    bills = [doc_of(organization, BILLS, bill_id) for bill_id, _ in parts]
    if not bills or len({bill["vendorId"] for bill in bills}) != 1 or len({bill["id"] for bill in bills}) != len(bills):
        raise bad_data("billPayments")
    for bill, (_, amount) in zip(bills, parts, strict=True):
        if bill["recordStatus"] != "ACTIVE":
            raise bad_data(f"billId {bill['id']}")
        if amount <= 0 or amount > sums_of(bill).due:
            raise Refusal(422, "BDC_1159", "Cannot overpay a bill.")
    process_date = process_date or organization.clock.now().date().isoformat()
    row = _store_payment(
        organization,
        bills,
        parts,
        status=status,
        created_by=created_by,
        process_date=process_date,
        online=online,
        details=details,
        gl=gl_account,
    )
    touch = organization.readings.settings.payment_touches_bill
    for bill, (_, amount) in zip(bills, parts, strict=True):
        sums = sums_of(bill)
        if status == "PAID":
            sums.paid += amount
        else:
            sums.scheduled += amount
        _store_bill(organization, bill, sums, touch=touch, paid_on=process_date if status == "PAID" else None)
    return row


def _store_payment(
    organization: Organization,
    bills: list[Doc],
    parts: Sequence[tuple[str, int]],
    *,
    status: str,
    created_by: str,
    process_date: str,
    online: bool,
    details: Mapping[str, Any] | None,
    gl: str | None,
) -> Row:
    money, settings = organization.money, organization.readings.settings
    amount = sum(part for _, part in parts)
    rate = bills[0].get("exchangeRate")
    payment_id = organization.ids.new(PAYMENTS.prefix)
    arrives = (date.fromisoformat(process_date) + timedelta(days=3)).isoformat()
    sent: Doc = {"checkDisbursement": {"sentDate": process_date, "arrivesByDate": arrives}} if online else {}
    doc: Doc = {
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
        "createdBy": created_by,
        "voidInfo": [],
        "disbursementInfo": {"isVoidable": status == "PAID" and online, **sent},
        "cancelRequestSubmitted": False,
        "singleStatus": "CLEARED" if status == "PAID" else "SCHEDULED",
        **(details or {}),
    }
    hidden = {"chartOfAccountId": gl or organization.account_ids["1050" if online else "1000"]}
    return organization.write(PAYMENTS, compact(doc), hidden=hidden)


def settle_payment(organization: Organization, payment_id: str) -> Row:
    """A scheduled payment is carried out: its bills count it as paid.

    Raises:
        Refusal: 404 unknown payment, 422 it is not waiting.
    """
    doc = doc_of(organization, PAYMENTS, payment_id)
    if doc["status"] not in ("SCHEDULED", "APPROVING"):
        raise Refusal(422, "BDC_1143", "Invalid entity data. The payment is not scheduled.")
    doc |= {"status": "PAID", "singleStatus": "PROCESSED", "disbursementStatus": "DONE"}
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
        _store_bill(organization, bill, sums, touch=touch, paid_on=paid_on)


def _unapply(organization: Organization, payment: Doc) -> None:
    """Credits used in a payment that came to nothing are open again."""
    touch = organization.readings.settings.payment_touches_bill
    for part in payment["billPayments"]:
        for used in part.get("vendorCredits", ()):
            credit = doc_of(organization, VENDOR_CREDITS, used["id"])
            usage = credit.get("usage", [])
            gone = [use for use in usage if use.get("paymentId") == payment["id"] and use["billId"] == part["billId"]]
            _store_usage(organization, credit, [use for use in usage if use not in gone])
            bill = doc_of(organization, BILLS, part["billId"])
            sums = sums_of(bill)
            sums.credit -= total(gone)
            _store_bill(organization, bill, sums, touch=touch)


def is_live(payment: Mapping[str, Any]) -> bool:
    """Whether a payment counts in the sums of its bills."""
    return payment["status"] in _LIVE_PAYMENTS
