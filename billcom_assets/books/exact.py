"""Amounts in the home currency, exact to its smallest unit.

Only books in US dollars hold foreign documents, because BILL converts into no other currency; so the unit is the cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

TOLERANCE: Final = 0.00005
"""Sums of floating-point numbers, which SQLite makes, differ by less from those that they stand for."""
CONVERTS_INTO: Final = "USD"
_CENT: Final = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    """To the cent, halves to the even one."""
    return amount.quantize(_CENT, ROUND_HALF_EVEN)


def home_total(amount: Decimal | None, funding_amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """What a foreign document is worth in US dollars: BILL's own figure, else by its rate; None where it gives none."""
    if amount is None:
        return None
    if funding_amount is not None:
        return rounded(funding_amount)
    return None if rate is None else rounded(amount * rate)


def shares(total: Decimal, whole: Decimal, amounts: Sequence[Decimal], *, rate: Decimal | None = None) -> list[Decimal]:
    """What amounts of a whole are of its total, in proportion.

    Amounts of a whole that is nothing are worth what the rate makes of them. Where they make up the whole, the largest
    of them, the earliest of equals, takes what rounding leaves, so that nothing is lost.
    """
    of_nothing = rate or Decimal(0)
    found = [rounded(total * amount / whole if whole else amount * of_nothing) for amount in amounts]
    if amounts and sum(amounts) == whole:
        largest = max(range(len(amounts)), key=lambda at: (abs(amounts[at]), -at))
        found[largest] += total - sum(found)
    return found
