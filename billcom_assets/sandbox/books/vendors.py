"""Vendors and what is owed to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billcom_assets.sandbox.books.fields import changed
from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDORS
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row

_VENDOR_FIELDS = ("name", "shortName", "accountNumber", "accountType", "email", "phone", "address", "rppsId")


def create_vendor(organization: Organization, body: Mapping[str, Any], *, details: Doc | None = None) -> Row:
    """A new vendor, paid by check unless ``details``, further fields of the object, say otherwise."""
    currency = body.get("billCurrency", "USD")
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
        **(details or {}),
    }
    doc.setdefault("accountType", "NONE")
    return organization.write(VENDORS, doc)


def update_vendor(organization: Organization, vendor_id: str, body: Mapping[str, Any]) -> Row:
    """Change a vendor's own fields; its bank account is not among them.

    Raises:
        Refusal: 404 unknown vendor.
    """
    doc = doc_of(organization, VENDORS, vendor_id)
    old_name = doc["name"]
    doc = changed(doc, body, (*_VENDOR_FIELDS, "additionalInfo"))
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


def change_balance(organization: Organization, vendor_id: str, change: int, *, paid_on: str | None = None) -> None:
    """Add ``change`` cents to what is owed to a vendor; ``paid_on`` becomes its last payment date."""
    if not (change or paid_on):
        return
    doc = organization.tables[VENDORS].rows[vendor_id].doc()
    doc["balance"] = {
        "amount": organization.money(cents(doc["balance"]["amount"]) + change),
        "lastUpdatedDate": stamp(organization.clock.seconds()),
    }
    if paid_on:
        doc["paymentInformation"] = {**doc.get("paymentInformation", {}), "lastPaymentDate": paid_on}
    organization.write(VENDORS, doc, touch=organization.readings.settings.balances_touch)
