"""Money: integer cents inside, JSON numbers in major units outside. A float never occurs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

CENT = Decimal("0.01")
_TENTH = Decimal("0.1")


class NumberStyle(StrEnum):
    """How a whole or one-digit amount is printed; clients must read all of them alike."""

    SHORT = "short"
    """149.0 and 228.9, as most samples of BILL show."""
    PLAIN = "plain"
    """149 and 228.9."""
    PADDED = "padded"
    """149.00 and 228.90."""
    MIXED = "mixed"
    """Each amount in one of the three, fixed by the amount."""


_MIXTURE = (NumberStyle.SHORT, NumberStyle.PLAIN, NumberStyle.PADDED)
_REMEMBERED = 65_536
_cents: dict[Any, int] = {}


class Amounts(dict[int, Decimal]):
    """Cents to JSON numbers in one style, remembered; ``str()`` of a number is what is printed."""

    def __init__(self, style: NumberStyle) -> None:
        super().__init__()
        self._style = style

    def __missing__(self, amount: int) -> Decimal:
        if len(self) >= _REMEMBERED:
            self.clear()
            _cents.clear()
        made = self[amount] = _number(amount, self._style)
        _cents[made] = amount
        return made


def _number(amount: int, style: NumberStyle) -> Decimal:
    if style is NumberStyle.MIXED:
        style = _MIXTURE[amount % 3]
    if style is NumberStyle.PADDED or amount % 10:
        return Decimal(amount) * CENT
    if style is NumberStyle.PLAIN and amount % 100 == 0:
        return Decimal(amount // 100)
    return Decimal(amount // 10) * _TENTH


def cents(amount: Decimal | int | str | None) -> int:
    """The cents of an amount in major units, rounded half up; absent is zero."""
    known = _cents.get(amount)
    if known is not None:
        return known
    if amount is None:
        return 0
    if len(_cents) >= _REMEMBERED:
        _cents.clear()
    made = _cents[amount] = int((Decimal(amount) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return made


def times(amount_cents: int, factor: Decimal) -> int:
    """An amount in cents times a rate or quantity, rounded half up to the cent."""
    return int((amount_cents * factor).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def total(elements: list[dict[str, Any]] | None, key: str = "amount") -> int:
    """The sum in cents of one money key over the elements of a list."""
    return sum(cents(element.get(key)) for element in elements or ())
