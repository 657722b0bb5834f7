"""Text of others as it may stand in logs, descriptions and Markdown: one bounded line that nothing interprets."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 200
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$:@/=\"'])")


def one_line(text: str, *, limit: int = _LONGEST) -> str:
    """``text`` on one line of at most ``limit`` characters, without control or direction-changing characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def escape_markdown(text: str, *, limit: int = _LONGEST) -> str:
    """``text`` as Markdown that renders as exactly its characters: no link, image, HTML or formatting."""
    return _MARKDOWN.sub(r"\\\1", one_line(text, limit=limit))
