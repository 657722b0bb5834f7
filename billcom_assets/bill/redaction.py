"""Takes secrets out of text that others wrote, such as BILL's messages, before it reaches an error or a log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_MASK: Final = "***"
_SHORTEST: Final = 4
"""A shorter secret is only masked as a word of its own, or every message would be riddled with masks."""
_NUMBERS: Final = re.compile(r"(?<![\w.])(?:\d{3}-\d{2}-\d{4}|\d{2}-\d{7}|\d{9,19})(?![\w.]*\w)")
"""Tax ids and bank account, routing and card numbers, which validation messages may quote."""


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
        return _NUMBERS.sub(_MASK, text)
