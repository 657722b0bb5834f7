"""Text cells that a spreadsheet shows and never runs."""

from __future__ import annotations

ENCODING = "utf-8-sig"
"""Write files for spreadsheets with this: without the byte order mark Excel garbles accents."""

_STARTS_FORMULA = frozenset(
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_MARK = "'"


def protected(text: str) -> str:
    """The text, marked with an apostrophe when a spreadsheet would take it for a formula."""
    return f"{_MARK}{text}" if _needs_mark(text) else text


def unprotected(text: str) -> str:
    """The text as it was before :func:`protected`; what a user typed without the mark stays as it is."""
    return text[1:] if text[:1] == _MARK and _needs_mark(text[1:]) else text


def _needs_mark(text: str) -> bool:
    # Marking what begins with a mark lets one be taken off without asking whose it is.
    return text[:1] == _MARK or text[:1] in _STARTS_FORMULA or text.lstrip()[:1] in _STARTS_FORMULA
