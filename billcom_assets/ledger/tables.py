"""Lists as tables, whatever form their file has: columns known by their headers, records with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.spreadsheets import unprotected
from billcom_assets.ledger.text_files import Malformed, TextFile
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.display import one_line

HEADER_WITHIN = 25
"""Records among which the header must be."""
_SHOWN_COLUMNS = 30
_HEADER_WORD = re.compile(r"[^\W_]+|#")
_CAMEL_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBER_WORDS = frozenset({"#", "no", "nr", "num"})
_EXCEL_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_STAMP = re.compile(r"(accrual basis|cash basis)?\s*(mon|tues|wednes|thurs|fri|satur|sun)day, .*\d:\d\d", re.IGNORECASE)
_TOTAL = re.compile(r"totals?", re.IGNORECASE)
_SURE_TOTAL = re.compile(r"(grand|report) totals?|totals? for .*", re.IGNORECASE)
_FOOTER = re.compile(
    r"""(accrual|cash)\ basis | page\ \d+(\ of\ \d+)? | \W*end\ of\ (report|list)\W*
    | (generated|printed|exported|created)\ (on|by)\ .*""",
    re.IGNORECASE | re.VERBOSE,
)
_AMOUNT = re.compile(r"[-+(]?\W?\s*[\d.,' ]*\d[\d.,' ]*\s*\W?[)-]?")

Record = tuple[int, list[str]]
"""A record's first line and its cells."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column that a file may have, and the headers by which it is known."""

    name: str
    headers: tuple[str, ...]
    """Accepted headers, the preferred one first; case, spaces and punctuation make no difference, # means number."""
    required: bool = False
    instead: tuple[str, ...] = ()
    """Other fields, any of which makes up for this one when it is required."""
    advice: str = ""
    """What else helps when there is no such column."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of file, as one program writes it or as any does."""

    kind: str
    fields: tuple[Field, ...]
    program: str | None = None
    recognised_by: tuple[tuple[str, ...], ...] = ()
    """Headers that the program alone has together; any of the tuples suffices."""

    def recognition(self, headers: frozenset[str]) -> int | None:
        """How many of its own headers a file has; None when it is not of this program."""
        if self.program is None:
            return 0
        found = [len(own) for own in self.recognised_by if headers.issuperset(map(squeezed, own))]
        return max(found, default=None)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record: its first line in the file and its cells by field, trimmed; a missing cell is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read."""

    header: str
    field: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line below the header that is no record, such as a total."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file's records and which of the layout's fields it has columns for."""

    file: str
    sha256: str
    """Of the file's bytes."""
    codec: str
    layout: Layout
    columns: tuple[Column, ...]
    ignored: tuple[str, ...]
    """Headers of the columns that are not read."""
    rows: tuple[CsvRow, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """Fields that have a column."""
        return frozenset(column.field for column in self.columns)

    @property
    def origin(self) -> dict[str, str]:
        """Which file this was, for the audit log: its name without the folder, and its SHA-256."""
        return {"name": one_line(Path(self.file).name), "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Header:
    """A record read as the header of a layout."""

    layout: Layout
    recognition: int
    line: int
    cells: tuple[str, ...]
    positions: Mapping[str, int]
    """Columns by field."""
    delimiter: str = ""

    @property
    def missing(self) -> tuple[Field, ...]:
        """Required fields that have no column."""
        return tuple(
            field
            for field in self.layout.fields
            if field.required and self.positions.keys().isdisjoint((field.name, *field.instead))
        )

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Higher is better: few required columns missing, surely recognised, many columns known, many columns."""
        return -len(self.missing), self.recognition, len(self.positions), len(self.cells)


def possible_headers(record: Record, layouts: Iterable[Layout], delimiter: str = "") -> Iterator[Header]:
    """The record as the header of each layout whose program it may be of."""
    line, cells = record
    positions: dict[str, int] = {}
    for position, cell in enumerate(cells):
        positions.setdefault(squeezed(cell), position)
    headers = frozenset(positions)
    for layout in layouts:
        recognition = layout.recognition(headers)
        if recognition is not None:
            yield Header(layout, recognition, line, tuple(cells), _positions(positions, layout), delimiter)


def _positions(headers: Mapping[str, int], layout: Layout) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in layout.fields:
        fitting = (headers[key] for key in map(squeezed, one.headers) if key in headers)
        position = next((at for at in fitting if at not in found.values()), None)
        if position is not None:
            found[one.name] = position
    return found


@lru_cache(maxsize=10_000)
def squeezed(header: str) -> str:
    """The header's letters and digits; "AccountNo", "Account No." and "Account #" all become "accountnumber"."""
    words = _HEADER_WORD.findall(_CAMEL_BOUNDARY.sub(" ", header))
    return "".join("number" if word in _NUMBER_WORDS else word for word in map(str.casefold, words))


def read_table(
    source: TextFile, header: Header, records: Iterable[Record], problems: FileProblems, *, most: int
) -> CsvTable | None:
    """The records below the header; None when the header lacks something or there are none, which is reported.

    Raises:
        Malformed: there are more than ``most`` records.
    """
    if not _accept_header(header, source.file, problems):
        return None
    reader = _RecordReader(source.file, header, problems, most)
    rows = tuple(reader.rows(records))
    if not rows:
        problems.add(source.file, None, "the file has a header but no rows")
        return None
    taken = frozenset(header.positions.values())
    return CsvTable(
        source.file,
        source.sha256,
        source.codec,
        header.layout,
        tuple(Column(one_line(header.cells[at]), name) for name, at in header.positions.items()),
        tuple(one_line(cell) for at, cell in enumerate(header.cells) if at not in taken and cell.strip()),
        rows,
        tuple(sorted(reader.left_out, key=lambda one: one.line)),
    )


def _accept_header(header: Header, file: str, problems: FileProblems) -> bool:
    for one in header.missing:
        problems.add(
            file,
            header.line,
            f"there is no column for the {one.name}. Found: {_listed(header.cells)}. "
            f"Accepted headers: {', '.join(one.headers)}. {one.advice}".rstrip(),
        )
    names = [squeezed(cell) for cell in header.cells]
    for position in sorted(set(header.positions.values())):
        if names.count(names[position]) > 1:
            problems.add(
                file, header.line, f"the column {quoted(header.cells[position].strip())} appears more than once"
            )
            return False
    return not header.missing


def _listed(cells: Sequence[str]) -> str:
    named = [quoted(cell.strip()) for cell in cells if cell.strip()]
    return ", ".join(named[:_SHOWN_COLUMNS]) + (", ..." if len(named) > _SHOWN_COLUMNS else "")


@dataclass(slots=True)
class _RecordReader:
    """Tells the records below a header from totals and footers."""

    file: str
    header: Header
    problems: FileProblems
    most: int
    left_out: list[LeftOut] = field(default_factory=list)

    def rows(self, records: Iterable[Record]) -> Iterator[CsvRow]:
        """The records, in order."""
        taken = 0
        held: list[Record] = []
        for record in records:
            if record[0] <= self.header.line or not any(map(_cell, record[1])):
                continue
            if self._is_stamp(record) or self._sums_up(record, _SURE_TOTAL):
                self._leave_out(record)
                continue
            if self._is_footer(record) or self._sums_up(record, _TOTAL):
                # Only at the end of the file: in the midst of vendors one may be called Total.
                held.append(record)
                continue
            for one in (*held, record):
                taken += 1
                if taken > self.most:
                    raise Malformed(one[0], f"the file has more than {self.most:,} rows")
                if (row := self._row(one)) is not None:
                    yield row
            held.clear()
        for record in held:
            self._leave_out(record)

    def _row(self, record: Record) -> CsvRow | None:
        line, cells = record
        width = len(self.header.cells)
        if any(cell.strip() for cell in cells[width:]):
            self.problems.add(
                self.file,
                line,
                f"the line has {counted(len(cells), 'cell', 'cells')}, the header {width}; "
                "is a cell with a delimiter in it not quoted?",
            )
            return None
        return CsvRow(line, {name: _cell(cells[at]) for name, at in self.header.positions.items() if at < len(cells)})

    def _is_stamp(self, record: Record) -> bool:
        filled = [cell.strip() for cell in record[1] if cell.strip()]
        return len(filled) == 1 and _STAMP.match(filled[0]) is not None

    def _is_footer(self, record: Record) -> bool:
        filled = [cell.strip() for cell in record[1] if cell.strip()]
        return len(self.header.cells) > 1 and len(filled) == 1 and _FOOTER.fullmatch(filled[0]) is not None

    def _sums_up(self, record: Record, wording: re.Pattern[str]) -> bool:
        """True for a total of that wording: nothing that is read but one cell, and amounts beside it."""
        filled = {at: cell.strip() for at, cell in enumerate(record[1]) if cell.strip()}
        first, *others = filled
        read = set(self.header.positions.values())
        beside = all(at not in read and _AMOUNT.fullmatch(filled[at]) for at in others)
        return len(self.header.cells) > 1 and beside and wording.fullmatch(filled[first]) is not None

    def _leave_out(self, record: Record) -> None:
        text = next(cell for cell in record[1] if cell.strip())
        self.left_out.append(LeftOut(record[0], one_line(text)))


def _cell(text: str) -> str:
    text = text.strip()
    wrapped = _EXCEL_TEXT.fullmatch(text)
    return (wrapped.group(1) if wrapped else unprotected(text)).strip()
