"""Who may use which bank account, and what a payment could be made from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import invalid, missing
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.ids import derived_id
from billcom_assets.sandbox.kinds import BANK_ACCOUNTS, VENDORS
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v3.common import find

_UNDERWAY = timedelta(days=3)


def bank_users(call: Call) -> ApiResponse:
    """``GET /v3/funding-accounts/banks/users``: who may pay from which bank account; no filters, one page."""
    mine = call.query.get("currentUser") == "true"
    return ApiResponse.json(
        {"results": [one for one in _bank_users(call) if not mine or one["userId"] == call.open_session.user_id]}
    )


def _bank_users(call: Call) -> Iterator[Doc]:
    for row in call.organization.table(BANK_ACCOUNTS):
        bank = row.doc()
        yield {
            "id": derived_id("bau", bank["id"], bank["createdBy"]),
            "bankAccountId": bank["id"],
            "userId": bank["createdBy"],
            "archived": bank["archived"],
            "verificationStatus": "VERIFIED" if bank["status"] == "VERIFIED" else "UNVERIFIED",
            "createdTime": stamp(row.created),
            "updatedTime": stamp(row.updated),
        }


def payment_options(call: Call) -> ApiResponse:
    """``GET /v3/payments/options?vendorId&amount``: what the vendor could be paid from, and when it would arrive."""
    vendor_id, amount = call.query.get("vendorId"), call.query.get("amount")
    if not vendor_id or not amount:
        raise missing(*(name for name, value in (("vendorId", vendor_id), ("amount", amount)) if not value))
    find(call, VENDORS, vendor_id)
    if not amount.replace(".", "", 1).isdecimal():
        raise invalid("amount: must be a number")
    today = date.fromisoformat(call.organization.clock.today())
    banks = [
        {
            "id": bank["id"],
            "name": bank["bankName"],
            "available": bank["status"] == "VERIFIED",
            "processDate": today.isoformat(),
            "deliveryDate": (today + _UNDERWAY).isoformat(),
        }
        for bank in (row.doc() for row in call.organization.table(BANK_ACCOUNTS))
        if not bank["archived"]
    ]
    cards = [
        {"id": card["id"], "name": card["nameOnAccount"], "brand": card["brand"], "available": True}
        for card in call.organization.cards["VERIFIED"]
    ]
    return ApiResponse.json(
        {
            "vendorId": vendor_id,
            "amount": call.organization.money(cents(Decimal(amount))),
            "fundingOptions": {"banks": banks, "cards": cards},
        }
    )


def operations() -> Iterator[Operation]:
    """Reading them; before what takes their last word for an id."""
    yield Operation("GET", "/v3/funding-accounts/banks/users", bank_users)
    yield Operation("GET", "/v3/payments/options", payment_options)
