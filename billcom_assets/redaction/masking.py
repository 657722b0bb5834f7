"""Covering stretches of a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MASK: Final = "***"

Span = tuple[int, int]
"""Where a stretch of a text begins and ends."""


def masked(text: str, spans: Iterable[Span]) -> str:
    """``text`` with one mask in place of every stretch; stretches that overlap or touch share theirs."""
    parts: list[str] = []
    shown_from = 0
    for start, end in _merged(spans):
        parts += (text[shown_from:start], MASK)
        shown_from = end
    return "".join((*parts, text[shown_from:]))


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged
