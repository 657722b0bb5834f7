"""Reading CSV files as accounting programs and spreadsheets write them.

The header is found below title lines and matched by its words; comma, semicolon, tab and bar are told apart by which
of them yields the expected columns; line numbers stay right across quoted line breaks. A cell is its text without what
protects it in a spreadsheet: an apostrophe before what would run as a formula, or ="...".
"""

from __future__ import annotations

import csv
import os
import string
from collections.abc import Iterator, Sequence

from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.tables import (
    HEADER_WITHIN,
    CsvTable,
    Header,
    Layout,
    Record,
    possible_headers,
    read_table,
)
from billcom_assets.ledger.text_files import Malformed, TextFile, read_text_file

MAX_ROWS = 500_000
_DELIMITERS = (",", ";", "\t", "|")
_BLANK = "".join(_DELIMITERS) + string.whitespace


def read_csv(path: str | os.PathLike[str], layout: Layout, problems: FileProblems) -> CsvTable | None:
    """Reads a file of the given layout.

    Every problem found is added to ``problems``. None is returned when the file is unusable as a whole: absent, over
    50 MB, no text, empty, badly quoted or without a required column.
    """
    source = read_text_file(path, problems)
    return None if source is None else read_csv_text(source, (layout,), problems)


def read_csv_text(source: TextFile, layouts: Sequence[Layout], problems: FileProblems) -> CsvTable | None:
    """Reads a file in the layout that fits its header best, as :func:`read_csv` does."""
    try:
        header = _find_header(source, layouts)
        return read_table(source, header, _records(source, header.delimiter), problems, most=MAX_ROWS)
    except Malformed as error:
        problems.add(source.file, error.line, str(error))
        return None


def csv_records(source: TextFile) -> Iterator[Record]:
    """The records of a file without a known header, split at the delimiter of its first line.

    Raises:
        Malformed: a quotation mark is misplaced or never closed, or a line or cell is absurdly long.
    """
    first = next((line for line in source.lines() if line.strip(_BLANK)), "")
    return _records(source, max(_DELIMITERS, key=first.count))


def _find_header(source: TextFile, layouts: Sequence[Layout]) -> Header:
    """The record among the first 25 that fits one of the layouts best, over all delimiters.

    Raises:
        Malformed: no delimiter yields a single record.
    """
    possible = [header for mark in _DELIMITERS for header in _possible_headers(source, mark, layouts)]
    if not possible:
        next(_records(source, _DELIMITERS[0]), None)
        raise Malformed(1, "the file holds nothing but blank lines and delimiters")
    return max(possible, key=lambda header: header.rank)


def _possible_headers(source: TextFile, delimiter: str, layouts: Sequence[Layout]) -> Iterator[Header]:
    records = _records(source, delimiter)
    for _ in range(HEADER_WITHIN):
        try:
            record = next(records)
        except (StopIteration, Malformed):
            # Bad quoting is reported when the file is read with the delimiter that was chosen.
            return
        yield from possible_headers(record, layouts, delimiter)


def _records(source: TextFile, delimiter: str) -> Iterator[Record]:
    """The records that are not blank.

    Raises:
        Malformed: a quotation mark is misplaced or never closed, or a line or cell is absurdly long.
    """
    reader = csv.reader(source.lines(), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Malformed(line, _quoting_advice(str(error), delimiter)) from None
        if any(cell.strip(_BLANK) for cell in record):
            yield line, record
        line = reader.line_num + 1


def _quoting_advice(error: str, delimiter: str) -> str:
    if error.startswith("unexpected end"):
        return "a quotation mark opens here and is never closed"
    if "limit" in error:
        return "a cell is longer than 131,072 characters; is a quotation mark missing?"
    shown = "tab" if delimiter == "\t" else delimiter
    return (
        f"after a closing quotation mark comes neither {shown} nor the end of the line; double the marks inside a cell"
    )
