"""IIF, the exchange format of QuickBooks Desktop: lines of cells between tabs, each with the keyword of its list.

A line that begins with an exclamation mark is the header of the lines of that keyword below it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from billcom_assets.ledger.tables import Record
from billcom_assets.ledger.text_files import Malformed, TextFile

_FIRST_LINE = re.compile(r'"?![A-Z]+"?(\t|\s*$)')


def is_iif(source: TextFile) -> bool:
    """Whether the file begins as IIF does."""
    first = next((line for line in source.lines() if line.strip()), "")
    return _FIRST_LINE.match(first) is not None


def iif_records(source: TextFile, keyword: str) -> Iterator[Record]:
    """The header of a keyword, then its records; later headers of the same list are brought into the first's order.

    Raises:
        Malformed: a line or cell is absurdly long.
    """
    first: list[str] | None = None
    columns: list[str] = []
    for line, (word, *cells) in _lines(source):
        if word == f"!{keyword}":
            columns = cells
            if first is None:
                first = cells
                yield line, cells
        elif word == keyword and first is not None:
            values = dict(zip(columns, cells, strict=False))
            yield line, [values.get(name, "") for name in first]


def _lines(source: TextFile) -> Iterator[Record]:
    reader = csv.reader(source.lines(), delimiter="\t")
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Malformed(line, f"the line cannot be read: {error}") from None
        if any(cell.strip() for cell in cells):
            yield line, [cells[0].strip().upper(), *cells[1:]]
        line = reader.line_num + 1
