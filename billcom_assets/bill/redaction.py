"""Takes secrets out of text that others wrote, such as BILL's messages, before it reaches an error or a log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_MASK: Final = "***"
_SHORTEST: Final = 4
"""A shorter secret is only masked as a word of its own, or every message would be riddled with masks."""
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


_NAMED_SECRET: Final = re.compile(
    r"""
    ((?:session.?id|dev.?key|password|api.?token)      # the name
    (?:\s*=\s*["']? | ["']\s*:\s*["']?))              # name=value or "name": "value", not "name: explanation"
    [^\s"',;&}]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A credential that a message quotes with its name, for example of another session than ours."""


class Redactor:
    """Masks known secrets and anything that looks like a tax id or bank number."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str, *more: str) -> str:
        """``text`` without the known secrets and without ``more``."""
        for secret in (*self._secrets, *more):
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, _MASK)
            elif secret:
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _MASK, text)
        text = _NAMED_SECRET.sub(rf"\1{_MASK}", text)
        return _BANK_AND_TAX.sub(lambda found: f"{found['said'] or ''}{_MASK}", text)
