"""Takes secrets out of text that others wrote, such as BILL's messages, before it reaches an error or a log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from billcom_assets.redaction.personal import MASK, mask_personal_data

_SHORTEST: Final = 4
"""A shorter secret is only masked as a word of its own, or every message would be riddled with masks."""

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
                text = text.replace(secret, MASK)
            elif secret:
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
        return mask_personal_data(_NAMED_SECRET.sub(rf"\1{MASK}", text))
