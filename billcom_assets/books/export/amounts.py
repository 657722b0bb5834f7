"""Amounts as plain-text accounting has them: quantities of a currency, foreign ones with their value at home."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import NamedTuple

from billcom_assets.ledger.currencies import decimals

_ISO = re.compile(r"[A-Z]{3}")
_LETTERS = 12
_A = ord("A")
ZERO = Decimal(0)


class Units(NamedTuple):
    """A signed quantity of one currency: positive for debits."""

    currency: str
    quantity: Decimal
    value: Decimal | None = None
    """What a foreign quantity is worth in the home currency, of the same sign or zero; None at home."""


def units(currency: str, amount: Decimal, value: Decimal, home: str) -> tuple[Units, ...]:
    """A line of the books as quantities.

    A line without an amount of its own, such as an exchange difference, is a quantity of the home currency. Where
    rounding made the value's sign another than the amount's, which no price can express, the value stands beside it.

    Args:
        currency: The line's currency.
        amount: In that currency, positive for debits.
        value: In the home currency, positive for debits.
        home: The home currency.
    """
    if currency == home or not amount:
        return (Units(home, value),)
    if not value or (value > 0) == (amount > 0):
        return (Units(currency, amount, value),)
    return (Units(currency, amount, ZERO), Units(home, value))


def number(amount: Decimal, currency: str) -> str:
    """The amount with the decimals of its currency, or with all that it has where it has more."""
    rounded = amount.quantize(Decimal(1).scaleb(-decimals(currency)))
    if rounded != amount:
        return format(amount.normalize(), "f")
    return format(rounded if rounded else abs(rounded), "f")


def commodity(currency: str) -> str:
    """The currency's code as both programs take it; what is no code is replaced by letters made of it."""
    if _ISO.fullmatch(currency):
        return currency
    digest = hashlib.sha256(currency.encode("utf-8", "replace")).digest()
    return "X" + "".join(chr(_A + byte % 26) for byte in digest[:_LETTERS])
