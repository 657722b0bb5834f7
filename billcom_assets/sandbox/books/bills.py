"""Bills: entering, changing and archiving them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.amounts import BillSums, bill_payment_status, funding_cents
from billcom_assets.sandbox.books.fields import changed, line_doc, merged_lines
from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.books.vendors import change_balance
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.kinds import BILLS, VENDORS
from billcom_assets.sandbox.money import cents, total
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.settings import ExchangeRate
from billcom_assets.sandbox.table import Row

_USD_PER_UNIT = {"EUR": (10_612, 11_284), "CAD": (7_188, 7_544)}
"""Ten-thousandths of a US dollar per unit, at the beginning of the history and at its end."""
_SUMS = {
    "amount", "fundingAmount", "paidAmount", "dueAmount", "scheduledAmount", "creditAmount", "paymentStatus",
}  # fmt: skip
_BILL_FIELDS = ("description", "dueDate", "payFromChartOfAccountId", "classifications", "purchaseOrderNumber")


def sums_of(bill: Mapping[str, Any]) -> BillSums:
    """The sums of a bill in cents."""
    return BillSums(
        amount=cents(bill["amount"]),
        paid=cents(bill["paidAmount"]),
        scheduled=cents(bill["scheduledAmount"]),
        credit=cents(bill["creditAmount"]),
    )


def store_bill(
    organization: Organization,
    doc: Doc,
    sums: BillSums,
    *,
    touch: bool = True,
    paid_on: str | None = None,
) -> Row:
    """Write a bill with its sums, and carry the change of what is due into the vendor's balance."""
    old = organization.tables[BILLS].rows.get(doc["id"])
    before = open_due(old.look()) if old else 0
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
    row = organization.write(BILLS, doc, touch=touch)
    due = sums.due if doc["recordStatus"] == "ACTIVE" else 0
    change_balance(organization, doc["vendorId"], due - before, paid_on=paid_on)
    return row


def open_due(bill: Mapping[str, Any]) -> int:
    """What a bill adds to its vendor's balance: nothing unless it is active."""
    return cents(bill["dueAmount"]) if bill["recordStatus"] == "ACTIVE" else 0


def create_bill(
    organization: Organization,
    body: Mapping[str, Any],
    created_by: str,
    *,
    credit_to_come: int = 0,
    details: Doc | None = None,
) -> Row:
    """A new bill.

    Args:
        organization: Where.
        body: The fields of the bill.
        created_by: User id.
        credit_to_come: Cents of vendor credits that will be used on it.
        details: Further fields of the object.

    Raises:
        Refusal: 400 a line without an amount, 404 unknown vendor, 422 BDC_1171 a number used already,
            BDC_1159 more credit than the bill is worth.
    """
    vendor = doc_of(organization, VENDORS, body["vendorId"])
    _refuse_duplicate_number(organization, vendor["id"], body["invoice"]["invoiceNumber"])
    lines = [line_doc(organization, line, "bli") for line in body["billLineItems"]]
    if total(lines) < credit_to_come:
        raise _overpaid()
    rate = usd_rate(organization, vendor["billCurrency"])
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
        "dueDate": body["dueDate"],
        "invoice": body["invoice"],
        "billLineItems": lines,
        "payFromChartOfAccountId": body.get("payFromChartOfAccountId"),
        "classifications": body.get("classifications"),
        "paymentStatus": None,
        "approvalStatus": "UNASSIGNED",
        "purchaseOrderNumber": body.get("purchaseOrderNumber"),
        "createdBy": created_by,
        **(details or {}),
    }
    return store_bill(organization, _without_absent(doc), BillSums(total(lines)))


def _overpaid() -> Refusal:
    return Refusal(422, "BDC_1159", "The bill would be paid with more than its amount.")


def _without_absent(doc: Doc) -> Doc:
    """Drop what is absent but keep the places of the sums, which are filled in later, in BILL's key order."""
    if doc["exchangeRate"] is None:
        del doc["fundingAmount"]
    return {key: value for key, value in doc.items() if value is not None or key in _SUMS}


def _refuse_duplicate_number(organization: Organization, vendor_id: str, number: str) -> None:
    if organization.readings.settings.duplicate_invoice_numbers:
        return
    others = organization.table(BILLS).of_party(vendor_id)
    if any(row.look()["invoice"]["invoiceNumber"] == number for row in others):
        raise Refusal(422, "BDC_1171", f"Invoice number {number} already exists.")


def usd_rate(organization: Organization, currency: str, when: float = 1.0) -> Decimal | None:
    """The exchange rate of a currency, moving from its first (0) to its last (1); None for US dollars."""
    if currency not in _USD_PER_UNIT:
        return None
    first, last = _USD_PER_UNIT[currency]
    usd_per_unit = Decimal(first + int((last - first) * when)) / 10_000
    if organization.readings.settings.exchange_rate is ExchangeRate.USD_PER_UNIT:
        return usd_per_unit
    return (1 / usd_per_unit).quantize(Decimal("0.0001"))


def update_bill(
    organization: Organization,
    bill_id: str,
    body: Mapping[str, Any],
    *,
    replace: bool = False,
    credit_to_come: int = 0,
) -> Row:
    """Change a bill. Lines are addressed by id: an unnamed id is a new line, a named one is overwritten as a whole.

    A line sent without its classifications loses them, as BILL does it.

    Args:
        organization: Where the bill is.
        bill_id: Its id.
        body: The fields to change.
        replace: PUT: lines that the body does not name are removed.
        credit_to_come: Cents of vendor credits that will be used on it.

    Raises:
        Refusal: 404 unknown bill, 400 malformed fields, 422 BDC_1159 less than what is paid already.
    """
    doc = doc_of(organization, BILLS, bill_id)
    doc = changed(doc, body, _BILL_FIELDS)
    doc["invoice"] = doc["invoice"] | body.get("invoice", {})
    if "billLineItems" in body:
        old, sent = doc["billLineItems"], body["billLineItems"]
        doc["billLineItems"] = merged_lines(organization, old, sent, "bli", replace=replace)
    sums = sums_of(doc)
    sums.amount = total(doc["billLineItems"])
    if sums.due < credit_to_come:
        raise _overpaid()
    return store_bill(organization, doc, sums)


def set_bill_archived(organization: Organization, bill_id: str, *, archived: bool) -> Row:
    """Archive or restore a bill; a no-op in the state it is in already.

    Raises:
        Refusal: 404 unknown bill.
    """
    doc = doc_of(organization, BILLS, bill_id)
    if doc["archived"] == archived:
        return organization.table(BILLS).rows[bill_id]
    doc |= {"archived": archived, "recordStatus": "INACTIVE" if archived else "ACTIVE"}
    return store_bill(organization, doc, sums_of(doc))
