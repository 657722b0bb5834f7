"""CSV for spreadsheets: every CSV that we write is written here, with cells that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

ENCODING = "utf-8-sig"
"""Write files for spreadsheets with this: without the byte order mark Excel garbles accents."""

_MARK = "'"
_NEEDS_MARK = re.compile(
    r"""
    '*                                       # marks: marking what is marked lets one be taken off exactly
    [\s\x00-\x1f\x7f-\x9f\ufeff\u200b-\u200f\u2028-\u202e\u2060-\u2069]*   # what is not seen, and may be dropped
    (?: [=+\-@\uff1d\uff0b\uff0d\uff20]      # what begins a formula, also in full width
    | (?<=[\t\r\n]) )                        # a tab or line break before anything else
    """,
    re.VERBOSE,
)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A header and rows as CSV with line feeds; see :func:`csv_lines`."""
    return "".join(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]], *, end: str = "\n") -> Iterator[str]:
    """A header and rows as CSV, line by line.

    Args:
        columns: The header.
        rows: Cells in the order of the columns. Texts are :func:`protected`; None is an empty cell; numbers and dates
            stay as they are, minus sign and all.
        end: What ends a line.
    """
    # With its own line end the writer puts every line break in a cell into quotation marks, carriage returns too.
    line = csv.writer(_Echo()).writerow
    yield str(line(columns)).removesuffix("\r\n") + end
    for row in rows:
        cells = [protected(cell) if isinstance(cell, str) else cell for cell in row]
        yield str(line(cells)).removesuffix("\r\n") + end


class _Echo:
    """Lets a CSV writer return its lines instead of writing them somewhere."""

    def write(self, line: str) -> str:
        return line


def protected(text: str) -> str:
    """The text, marked with an apostrophe when a spreadsheet would take it for a formula."""
    return f"{_MARK}{text}" if _NEEDS_MARK.match(text) else text


def unprotected(text: str) -> str:
    """The text as it was before :func:`protected`; what a user typed without the mark stays as it is."""
    return text[1:] if text[:1] == _MARK and _NEEDS_MARK.match(text) else text
