"""Masks numbers that look like personal, tax or bank data, wherever in a text they stand."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
_BANK_AND_TAX: Final = re.compile(
    r"""
    (?<!\w)(?:
        \d{3}-\d{2}-\d{4} | \d{2}-\d{7}        # social security and employer numbers
        | \d{9,19}                              # account, routing and card numbers
        | \d{4}(?:[ -]\d{4}){2,4}               # the same in groups
        | (?-i:[A-Z]{2}\d{2}[A-Z0-9]{11,30})    # IBAN
    )(?!\w)
    | (?P<said>\b(?:bank.?account|routing|tax.?id|ssn|ein|iban)\w*\W{1,3}(?:\w+\W{1,3}){0,2}?)\d[\d-]{3,}
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What validation messages may quote of a bank account or tax record."""


def mask_personal_data(text: str) -> str:
    """``text`` with everything masked that has the shape of a tax id, bank account, card number or IBAN."""
    return _BANK_AND_TAX.sub(lambda found: f"{found['said'] or ''}{MASK}", text)
