"""Ranges of account numbers, and what type the accounts in them have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from billcom_assets.ledger.account_types import AccountType

_RANGE = re.compile(r"(\d+)\s*(?:-|\N{EN DASH}|to)\s*(\d+)", re.IGNORECASE)
_PREFIX = re.compile(r"(\d[\d.]*-?|\S+(?=\*))\*?")
_LEADING_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers from one to another (``1000-1999``), or all that begin alike (``4-``, ``52``)."""

    text: str
    type: AccountType
    low: int | None
    high: int | None
    width: int
    """Digits of the upper end, or characters of the beginning."""

    def holds(self, number: str) -> bool:
        """Whether an account's number is in it; what stands behind the digits makes no difference to a range."""
        if self.low is None or self.high is None:
            return number.casefold().startswith(self.text.casefold())
        digits = _LEADING_DIGITS.match(number)
        return digits is not None and len(digits[0]) <= self.width and self.low <= int(digits[0]) <= self.high

    @property
    def breadth(self) -> tuple[bool, int]:
        """Smaller is more specific."""
        if self.low is None or self.high is None:
            return True, -self.width
        return False, self.high - self.low


def number_range(text: str, type_: AccountType) -> NumberRange | None:
    """The range that ``text`` states, or None when it states none."""
    text = text.strip()
    if bounds := _RANGE.fullmatch(text):
        low, high = bounds.groups()
        return NumberRange(text, type_, int(low), int(high), len(high)) if int(low) <= int(high) else None
    if prefix := _PREFIX.fullmatch(text):
        return NumberRange(prefix[1], type_, None, None, len(prefix[1]))
    return None


def range_of(number: str, ranges: Iterable[NumberRange]) -> NumberRange | None:
    """The most specific range that holds the number."""
    return min((one for one in ranges if one.holds(number)), key=lambda one: one.breadth, default=None)
