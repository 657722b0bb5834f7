"""Text of others as it may stand in logs and descriptions: one bounded line that steers no terminal.

Dagster's UI makes links of addresses in Markdown however they are escaped, so texts of others never go into Markdown:
only into text and table metadata.
"""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 200


def one_line(text: str, *, limit: int = _LONGEST) -> str:
    """``text`` on one line of at most ``limit`` characters, without control or direction-changing characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
