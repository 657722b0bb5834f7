"""Money: integer cents inside, JSON numbers in major units outside. A float never occurs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any

CENT = Decimal("0.01")


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


@lru_cache(maxsize=65_536)
def money(cents: int, style: NumberStyle = NumberStyle.SHORT) -> Decimal:
    """The JSON number for an amount in cents; ``str()`` of it is what is printed."""
    if style is NumberStyle.MIXED:
        style = _MIXTURE[cents % 3]
    sign, whole, rest = "-" if cents < 0 else "", abs(cents) // 100, abs(cents) % 100
    if style is NumberStyle.PADDED or rest % 10:
        return Decimal(f"{sign}{whole}.{rest:02d}")
    if style is NumberStyle.PLAIN and rest == 0:
        return Decimal(f"{sign}{whole}")
    return Decimal(f"{sign}{whole}.{rest // 10}")


def cents(amount: Decimal | int | str | None) -> int:
    """The cents of an amount in major units, rounded half up; absent is zero.

    Raises:
        ValueError: ``amount`` is no finite number.
    """
    if amount is None:
        return 0
    try:
        number = Decimal(amount)
    except InvalidOperation as cause:
        raise ValueError(f"{amount!r} is no amount") from cause
    if not number.is_finite():
        raise ValueError(f"{amount!r} is no amount")
    return int((number * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def times(amount_cents: int, factor: Decimal) -> int:
    """An amount in cents times a rate or quantity, rounded half up to the cent."""
    return int((amount_cents * factor).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def total(elements: list[dict[str, Any]] | None, key: str = "amount") -> int:
    """The sum in cents of one money key over the elements of a list."""
    return sum(cents(element.get(key)) for element in elements or ())
