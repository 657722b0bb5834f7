"""Texts of others as the journals' lines take them."""

from __future__ import annotations

from typing import Final

from billcom_assets.redaction.display import one_line

_LONGEST: Final = 1_000


def on_one_line(text: str) -> str:
    """The text on one line, without characters that are not seen; cut only where it is absurdly long."""
    if text.isprintable() and len(text) <= _LONGEST:
        return " ".join(text.split())
    return one_line(text, limit=_LONGEST)
