"""The lists of cards, which differ from all others: no pages, no filters, no sort, and envelopes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billcom_assets.sandbox.errors import invalid
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.responses import ApiResponse

_RATES = {"creditCardRate": Decimal("2.9"), "debitCardRate": Decimal("1.5")}


def list_cards(call: Call) -> ApiResponse:
    """``GET /v3/funding-accounts/cards``: those that the signed-in user may use, or has been nominated for."""
    standing = call.query.get("cardUserStatus")
    cards = call.organization.cards
    if standing not in cards:
        raise invalid(f"cardUserStatus: must be one of {', '.join(cards)}")
    call.sandbox.stats.rows += len(cards[standing])
    return ApiResponse.json({"rates": {"funding": _RATES}, "cards": cards[standing]})


def list_ap_cards(call: Call) -> ApiResponse:
    """``GET /v3/funding-accounts/ap-cards``: a bare array."""
    call.sandbox.stats.rows += len(call.organization.ap_cards)
    return ApiResponse.json(call.organization.ap_cards)


def operations() -> Iterator[Operation]:
    """Every operation on cards."""
    yield Operation("GET", "/v3/funding-accounts/cards", list_cards)
    yield Operation("GET", "/v3/funding-accounts/ap-cards", list_ap_cards)
