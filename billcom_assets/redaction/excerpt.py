"""What may be shown of a text of others in a sample, a check or a log: one bounded line without personal data."""

from __future__ import annotations

from typing import Final

from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.personal import mask_personal_data

_LONGEST: Final = 100


def excerpt(text: str, *, limit: int = _LONGEST) -> str:
    """``text`` masked, then brought onto one line of at most ``limit`` characters.

    It is for places that show text as text. Markdown needs more: keep text of others out of it.
    """
    return one_line(mask_personal_data(text), limit=limit)
