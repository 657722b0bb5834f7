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
    """The total split in proportion to the amounts, which make up the whole; nothing is lost.

    Amounts that make up nothing are worth what the rate makes of them. The largest amount, the earliest of equals,
    takes what rounding leaves.
    """
    if not amounts:
        return []
    of_nothing = rate or Decimal(0)
    found = [rounded(total * amount / whole if whole else amount * of_nothing) for amount in amounts]
    largest = max(range(len(amounts)), key=lambda at: (abs(amounts[at]), -at))
    found[largest] += total - sum(found)
    return found
