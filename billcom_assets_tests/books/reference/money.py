"""Rounding and sharing out amounts of money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
_WITHOUT_DECIMALS = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_WITH_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905


def smallest_unit(currency: str) -> Decimal:
    """A cent, or what stands for one in the currency (ISO 4217)."""
    if currency in _WITHOUT_DECIMALS:
        return Decimal(1)
    return Decimal("0.001") if currency in _WITH_THREE_DECIMALS else Decimal("0.01")


def half_even(value: Decimal, currency: str) -> Decimal:
    return value.quantize(smallest_unit(currency), ROUND_HALF_EVEN)


def half_up(value: Decimal, currency: str) -> Decimal:
    return value.quantize(smallest_unit(currency), ROUND_HALF_UP)


def largest(amounts: Sequence[Decimal]) -> int:
    """Place of the amount with the largest absolute value, the first of equals; raises ValueError without any."""
    return max(range(len(amounts)), key=lambda place: (abs(amounts[place]), -place))


def home_shares(
    home_total: Decimal, amounts: Sequence[Decimal], total: Decimal, currency: str, *, rate: Decimal | None = None
) -> list[Decimal]:
    """What each amount of a foreign document is in the home ``currency``; all of it together are ``home_total``.

    Args:
        home_total: The document's total in the home currency.
        amounts: The parts, in the document's currency.
        total: The document's total, in its currency.
        currency: The home currency.
        rate: Used where the total is zero and its parts are not.
    """
    shares = [
        half_even(home_total * amount / total if total else amount * (rate or ZERO), currency) for amount in amounts
    ]
    if amounts and sum(amounts) == total:
        shares[largest(amounts)] += home_total - sum(shares)
    return shares
