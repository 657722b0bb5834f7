"""Reading CSV files as accounting programs and spreadsheets write them.

The header is found below title lines and matched by its words; comma, semicolon, tab and bar are told apart by which
of them yields the expected columns; line numbers stay right across quoted line breaks. A cell is its text without what
protects it in a spreadsheet: an apostrophe before what would run as a formula, or ="...".
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import os
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from billcom_assets.ledger.encodings import NotText, encoding_of
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.spreadsheets import unprotected
from billcom_assets.redaction.display import one_line

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 500_000
_LONGEST_LINE = 256 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_BLANK = "".join(_DELIMITERS) + string.whitespace
_HEADER_WITHIN = 25
_SHOWN_COLUMNS = 30
_HEADER_WORD = re.compile(r"[^\W_]+|#")
_CAMEL_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBER_WORDS = frozenset({"#", "no", "nr", "num"})
_EXCEL_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_REPORT_FOOTER = re.compile(r"(mon|tues|wednes|thurs|fri|satur|sun)day, .*\d:\d\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """One column that a file may have, and the headers by which it is known."""

    name: str
    headers: tuple[str, ...]
    """Accepted headers, the preferred one first; case, spaces and punctuation make no difference, # means number."""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of file."""

    kind: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record: its first line in the file and its cells by field, trimmed; a missing cell is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file's records and which of the layout's fields it has columns for."""

    file: str
    sha256: str
    """Of the file's bytes."""
    fields: frozenset[str]
    rows: tuple[CsvRow, ...]

    @property
    def origin(self) -> dict[str, str]:
        """Which file this was, for the audit log: its name without the folder, and its SHA-256."""
        return {"name": one_line(Path(self.file).name), "sha256": self.sha256}


class _Malformed(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class _Header:
    delimiter: str
    line: int
    cells: tuple[str, ...]
    columns: Mapping[str, int]
    missing: tuple[Field, ...]

    @property
    def rank(self) -> tuple[int, int, int]:
        """Higher is better: fewest required columns missing, most columns known, most columns at all."""
        return -len(self.missing), len(self.columns), len(self.cells)


def read_csv(path: str | os.PathLike[str], layout: Layout, problems: FileProblems) -> CsvTable | None:
    """Reads a file of the given layout.

    Every problem found is added to ``problems``. None is returned when the file is unusable as a whole: absent, over
    50 MB, no text, empty, badly quoted or without a required column.
    """
    file = os.fspath(path)
    raw = _read(Path(path), file, problems)
    if raw is None:
        return None
    try:
        codec = encoding_of(raw)
    except NotText as error:
        problems.add(file, error.line, f"the file {error}")
        return None
    try:
        return _parse(raw, codec, file, layout, problems)
    except _Malformed as error:
        problems.add(file, error.line, str(error))
        return None


def _read(path: Path, file: str, problems: FileProblems) -> bytes | None:
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                problems.add(file, None, _too_large())
                return None
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problems.add(file, None, f"the file cannot be read: {error.strerror}")
        return None
    if len(raw) > MAX_BYTES:
        problems.add(file, None, _too_large())
        return None
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        problems.add(file, None, "the file is empty")
        return None
    return raw


def _too_large() -> str:
    return (
        f"the file is larger than {MAX_BYTES // 1024 // 1024} MB, far more than any ledger's list; is it the right one?"
    )


def _parse(raw: bytes, codec: str, file: str, layout: Layout, problems: FileProblems) -> CsvTable | None:
    header = _find_header(raw, codec, layout)
    if not _accept_header(header, file, problems):
        return None
    rows = tuple(_rows(_records(raw, codec, header.delimiter), header, file, problems))
    if not rows:
        problems.add(file, None, "the file has a header but no rows")
        return None
    return CsvTable(file, hashlib.sha256(raw).hexdigest(), frozenset(header.columns), rows)


def _records(raw: bytes, codec: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with its first line.

    Raises:
        _Malformed: a quotation mark is misplaced or never closed, or a line or cell is absurdly long.
    """
    reader = csv.reader(_lines(raw, codec), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _Malformed(line, _quoting_advice(str(error), delimiter)) from None
        if any(cell.strip(_BLANK) for cell in record):
            yield line, record
        line = reader.line_num + 1


def _lines(raw: bytes, codec: str) -> Iterator[str]:
    stream = io.TextIOWrapper(io.BytesIO(raw), encoding=codec, newline="")
    for number in itertools.count(1):
        line = stream.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE:
            raise _Malformed(
                number, f"the line is longer than {_LONGEST_LINE:,} characters; this is no list of records"
            )
        yield line


def _quoting_advice(error: str, delimiter: str) -> str:
    if error.startswith("unexpected end"):
        return "a quotation mark opens here and is never closed"
    if "limit" in error:
        return "a cell is longer than 131,072 characters; is a quotation mark missing?"
    shown = "tab" if delimiter == "\t" else delimiter
    return (
        f"after a closing quotation mark comes neither {shown} nor the end of the line; double the marks inside a cell"
    )


def _find_header(raw: bytes, codec: str, layout: Layout) -> _Header:
    """The record among the first 25 that fits the layout best, over all delimiters.

    Raises:
        _Malformed: no delimiter yields a single record.
    """
    possible = [header for mark in _DELIMITERS for header in _possible_headers(raw, codec, mark, layout)]
    if not possible:
        next(_records(raw, codec, _DELIMITERS[0]), None)
        raise _Malformed(1, "the file holds nothing but blank lines and delimiters")
    return max(possible, key=lambda header: header.rank)


def _possible_headers(raw: bytes, codec: str, delimiter: str, layout: Layout) -> Iterator[_Header]:
    records = _records(raw, codec, delimiter)
    for _ in range(_HEADER_WITHIN):
        try:
            line, record = next(records)
        except (StopIteration, _Malformed):
            # Bad quoting is reported when the file is read with the delimiter that was chosen.
            return
        columns = _columns(record, layout)
        missing = tuple(field for field in layout.fields if field.required and field.name not in columns)
        yield _Header(delimiter, line, tuple(record), columns, missing)
        if not missing:
            return


def _columns(record: Sequence[str], layout: Layout) -> dict[str, int]:
    positions: dict[str, int] = {}
    for position, cell in enumerate(record):
        positions.setdefault(_squeezed(cell), position)
    columns = {}
    for field in layout.fields:
        found = [positions[key] for key in map(_squeezed, field.headers) if key in positions]
        if found:
            columns[field.name] = found[0]
    return columns


def _squeezed(header: str) -> str:
    """The header's letters and digits; "AccountNo", "Account No." and "Account #" all become "accountnumber"."""
    words = _HEADER_WORD.findall(_CAMEL_BOUNDARY.sub(" ", header))
    return "".join("number" if word in _NUMBER_WORDS else word for word in map(str.casefold, words))


def _accept_header(header: _Header, file: str, problems: FileProblems) -> bool:
    for field in header.missing:
        problems.add(
            file,
            header.line,
            f"there is no column for the {field.name}. Found: {_listed(header.cells)}. "
            f"Accepted headers: {', '.join(field.headers)}.",
        )
    squeezed = [_squeezed(cell) for cell in header.cells]
    for position in sorted(set(header.columns.values())):
        if squeezed.count(squeezed[position]) > 1:
            problems.add(
                file, header.line, f"the column {quoted(header.cells[position].strip())} appears more than once"
            )
            return False
    return not header.missing


def _listed(cells: Sequence[str]) -> str:
    named = [quoted(cell.strip()) for cell in cells if cell.strip()]
    return ", ".join(named[:_SHOWN_COLUMNS]) + (", ..." if len(named) > _SHOWN_COLUMNS else "")


def _rows(
    records: Iterator[tuple[int, list[str]]], header: _Header, file: str, problems: FileProblems
) -> Iterator[CsvRow]:
    width = len(header.cells)
    taken = 0
    for line, record in records:
        if line <= header.line or _is_footer(record):
            continue
        taken += 1
        if taken > MAX_ROWS:
            raise _Malformed(line, f"the file has more than {MAX_ROWS:,} rows")
        if any(cell.strip() for cell in record[width:]):
            problems.add(
                file,
                line,
                f"the line has {len(record)} cells, the header {width}; is a cell with a delimiter in it not quoted?",
            )
            continue
        cells = {name: _cell(record[position]) for name, position in header.columns.items() if position < len(record)}
        yield CsvRow(line, cells)


def _is_footer(record: Sequence[str]) -> bool:
    """True for the time stamp that reports end with."""
    filled = [cell for cell in record if cell.strip()]
    return len(filled) == 1 and _REPORT_FOOTER.match(filled[0].strip()) is not None


def _cell(text: str) -> str:
    text = text.strip()
    wrapped = _EXCEL_TEXT.fullmatch(text)
    return (wrapped.group(1) if wrapped else unprotected(text)).strip()
