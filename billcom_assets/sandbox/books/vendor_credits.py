"""Vendor credits and their use on bills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billcom_assets.sandbox.amounts import credit_status
from billcom_assets.sandbox.books.bills import store_bill, sums_of, usd_rate
from billcom_assets.sandbox.books.fields import changed, line_doc, merged_lines
from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.errors import Refusal, bad_data
from billcom_assets.sandbox.kinds import BILLS, VENDOR_CREDITS, VENDORS
from billcom_assets.sandbox.money import cents, total
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row

_CREDIT_FIELDS = ("referenceNumber", "creditDate", "description", "applyToChartOfAccountId", "applyToBankAccountId")


def create_credit(organization: Organization, body: Mapping[str, Any], *, hidden: Doc | None = None) -> Row:
    """A new vendor credit, not applied to anything.

    Args:
        organization: Where.
        body: The fields of the credit.
        hidden: What v3 does not show of it, instead of today's exchange rate.

    Raises:
        Refusal: 400 missing fields, 404 unknown vendor.
    """
    vendor = doc_of(organization, VENDORS, body["vendorId"])
    lines = [line_doc(organization, line, "vci") for line in body["vendorCreditLineItems"]]
    amount = total(lines)
    if amount < 0:
        raise bad_data("amount")
    doc = {
        "id": organization.ids.new(VENDOR_CREDITS.prefix),
        "vendorId": body["vendorId"],
        "referenceNumber": body["referenceNumber"],
        "creditDate": body["creditDate"],
        "description": body.get("description"),
        "archived": False,
        "applyToChartOfAccountId": body.get("applyToChartOfAccountId"),
        "applyToBankAccountId": body.get("applyToBankAccountId"),
        "amount": organization.money(amount),
        "appliedAmount": organization.money(0),
        "status": credit_status(amount, 0),
        "vendorCreditLineItems": lines,
    }
    if hidden is None:
        hidden = compact({"exchangeRate": usd_rate(organization, vendor["billCurrency"])})
    return organization.write(VENDOR_CREDITS, compact(doc), hidden=hidden)


def update_credit(organization: Organization, credit_id: str, body: Mapping[str, Any]) -> Row:
    """Change a vendor credit; its lines are replaced when the body has lines.

    Raises:
        Refusal: 404 unknown credit, 422 less than what is applied already.
    """
    doc = changed(doc_of(organization, VENDOR_CREDITS, credit_id), body, _CREDIT_FIELDS)
    if "vendorCreditLineItems" in body:
        old, sent = doc["vendorCreditLineItems"], body["vendorCreditLineItems"]
        doc["vendorCreditLineItems"] = merged_lines(organization, old, sent, "vci", replace=True)
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
    sums = sums_of(bill)
    _refuse_unusable(credit, bill["vendorId"], amount)
    if amount > sums.due:
        raise Refusal(422, "BDC_1159", "The bill has less than this amount due.")
    use = compact({"billId": bill_id, "paymentId": payment_id, "amount": organization.money(amount)})
    store_usage(organization, credit, [*credit.get("usage", ()), use])
    sums.credit += amount
    return store_bill(organization, bill, sums, touch=organization.readings.settings.payment_touches_bill)


def store_usage(organization: Organization, credit: Doc, usage: list[Doc]) -> None:
    """Write a credit with another usage, from which its applied amount and status follow."""
    applied = total(usage)
    credit["appliedAmount"] = organization.money(applied)
    credit["status"] = credit_status(cents(credit["amount"]), applied)
    credit.pop("usage", None)
    if usage:
        credit["usage"] = usage
    organization.write(VENDOR_CREDITS, credit, touch=organization.readings.settings.usage_touches_credit)


def requested_uses(organization: Organization, vendor_id: str, body: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Credit ids and cents that a bill's ``vendorCredits`` ask for, each of them possible on the credit's side.

    Raises:
        Refusal: 400 malformed or of another vendor, 404 unknown credit, 422 BDC_1159 more than is open.
    """
    uses = []
    for wanted in body.get("vendorCredits") or ():
        credit, amount = doc_of(organization, VENDOR_CREDITS, wanted["id"]), cents(wanted["amount"])
        _refuse_unusable(credit, vendor_id, amount)
        uses.append((str(credit["id"]), amount))
    if len({credit_id for credit_id, _ in uses}) != len(uses):
        raise bad_data("vendorCredits")
    return uses


def _refuse_unusable(credit: Doc, vendor_id: str, amount: int) -> None:
    if credit["archived"] or credit["vendorId"] != vendor_id:
        raise bad_data(f"vendorCredits.id {credit['id']}")
    if amount <= 0 or amount > cents(credit["amount"]) - cents(credit["appliedAmount"]):
        raise Refusal(422, "BDC_1159", "The credit has less than this amount open.")
