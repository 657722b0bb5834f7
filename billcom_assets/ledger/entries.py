"""What every kind of record has: a name, a number, the program's own id, and whether it is in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from billcom_assets.ledger import flags
from billcom_assets.ledger.currencies import iso_code
from billcom_assets.ledger.hierarchy import ArrangedEntry, ListEntry, ReportLine, arrange, same
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.tables import CsvRow, CsvTable

_LONGEST_NUMBER = 100
_LONGEST_NAME = 500
_LONGEST_ID_BYTES = 2000  # Longer keys do not fit PostgreSQL's indexes.


@dataclass(frozen=True, slots=True)
class Entry:
    """A record whose name, number and state are readable."""

    row: CsvRow
    name: str
    number: str
    active: bool

    @property
    def line(self) -> int:
        """Its first line in the file."""
        return self.row.line

    @property
    def id(self) -> str:
        """The number, or the name without one."""
        return self.number or self.name

    @property
    def source_id(self) -> str | None:
        """The id that the accounting program gave it."""
        return self.row["source id"] or None


def entries(table: CsvTable, problems: FileProblems) -> list[Entry]:
    """The readable records of a file; the others are reported."""
    report = partial(problems.add, table.file)
    return [entry for row in table.rows if (entry := _entry(row, report)) is not None]


def _entry(row: CsvRow, report: ReportLine) -> Entry | None:
    name = " ".join(row["name"].split()) or " ".join(f"{row['first name']} {row['last name']}".split())
    number = " ".join(row["number"].split())
    if not name:
        report(row.line, "the name is missing")
        return None
    for what, text, longest in (
        ("name", name, _LONGEST_NAME),
        ("number", number, _LONGEST_NUMBER),
        ("program's own id", row["source id"], _LONGEST_NUMBER),
    ):
        if len(text) > longest:
            report(row.line, f"the {what} {quoted(text)} is longer than {longest} characters")
            return None
    is_active = flags.is_active(row["active"], row["inactive"], row.line, report) and not row["deleted"]
    return Entry(row, name, number, is_active)


def arranged(
    table: CsvTable, found: list[Entry], problems: FileProblems, *, colons_may_be_plain: bool
) -> list[tuple[Entry, ArrangedEntry]]:
    """The entries with their parents."""
    report = partial(problems.add, table.file)
    listed = [ListEntry(one.line, one.number, one.name, one.row["parent number"] or one.row["parent"]) for one in found]
    placed = arrange(listed, report, colons_may_be_plain=colons_may_be_plain)
    # Ids may clash although numbers do not, which are reported already: a name may look like another's number.
    numbers = {same(one.number): one for one in placed if one.number}
    clashing = [(numbers[same(one.id)], one) for one in placed if not one.number and same(one.id) in numbers]
    report_double_ids(((one.entry.line, one.id) for pair in clashing for one in pair), report)
    for one in placed:
        if len(one.id.encode()) > _LONGEST_ID_BYTES:
            report(one.entry.line, f"the full name {quoted(one.id)} is too long; give it a number")
    # A record and the parents that were made for it are on one line.
    stated = {id(entry): one for entry, one in zip(listed, found, strict=True)}
    return [(stated[id(one.entry)], one) for one in placed]


def names_parents(table: CsvTable) -> bool:
    """Whether parents have a column of their own."""
    return not table.fields.isdisjoint(("parent", "parent number"))


def report_double_ids(ids: Iterable[tuple[int, str]], report: ReportLine) -> None:
    """Reports each id that occurs on a second line."""
    first_lines: dict[str, int] = {}
    for line, id_ in ids:
        first = first_lines.setdefault(same(id_), line)
        if first != line:
            report(line, f"{quoted(id_)} is on line {first} already; give each a number of its own")


def currency(row: CsvRow, home: str, report: ReportLine) -> str | None:
    """The ISO 4217 code of a record's currency; None where the file states none."""
    stated = row["currency"]
    if not stated:
        return None
    code = iso_code(stated, home)
    if code is None:
        report(row.line, f"{quoted(stated)} is no currency, or may mean several; use the ISO code, such as USD")
    return code
