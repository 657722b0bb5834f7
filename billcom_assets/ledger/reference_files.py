"""From the records of a CSV file to typed ledger records; everything that is wrong is reported with its line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from billcom_assets.ledger.account_types import AccountType, account_type
from billcom_assets.ledger.csv_files import CsvRow, CsvTable
from billcom_assets.ledger.hierarchy import ArrangedEntry, ListEntry, ReportLine, arrange, full_names, same
from billcom_assets.ledger.layouts import DIMENSION_KINDS
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.records import LedgerAccount, LedgerCustomer, LedgerDimension, LedgerItem

_LONGEST_NUMBER = 100
_LONGEST_NAME = 500
_LONGEST_ID_BYTES = 2000  # Longer keys do not fit PostgreSQL's indexes.

_PLAIN_YES = frozenset({"yes", "y", "true", "t", "1", "x"})
_PLAIN_NO = frozenset({"no", "n", "false", "f", "0"})
_SAYS_ACTIVE = frozenset({"active", "enabled", "open", "current", "approved", "on hold"})
_SAYS_INACTIVE = frozenset(
    {"inactive", "not active", "not-active", "archived", "disabled", "closed", "deleted", "hidden"}
)
P = TypeVar("P", bound=LedgerCustomer)
_KIND_OF = {word: kind for kind, words in DIMENSION_KINDS.items() for word in words}


@dataclass(frozen=True, slots=True)
class _Checked:
    """A record whose name, number and state are readable."""

    row: CsvRow
    name: str
    number: str
    active: bool

    @property
    def id(self) -> str:
        """The number, or the name without one."""
        return self.number or self.name


def accounts(table: CsvTable, problems: FileProblems) -> list[LedgerAccount]:
    """The chart of accounts; every account has a name and a type, numbers and names are unique, parents are known."""
    checked = _checked(table, problems)
    types = _types(checked, partial(problems.add, table.file))
    return [
        LedgerAccount(
            id=one.id,
            number=one.number or None,
            name=one.name,
            type=types[one.entry.line],
            parent_id=one.parent_id,
            description=record.row["description"] or None,
            active=record.active,
        )
        for record, one in _arranged(table, checked, problems, colons_may_be_plain=_names_parents(table))
    ]


def parties(table: CsvTable, problems: FileProblems, record: type[P]) -> list[P]:
    """Vendors or customers, as ``record`` says: every one has a name; numbers (or names, without them) are unique."""
    checked = _checked(table, problems)
    _report_double_ids(((record.row.line, record.id) for record in checked), partial(problems.add, table.file))
    return [
        record(
            id=one.id,
            name=one.name,
            number=one.number or None,
            tax_id=one.row["tax id"] or None,
            email=one.row["e-mail"] or None,
            currency=one.row["currency"].upper() or None,
            active=one.active,
        )
        for one in checked
    ]


def items(table: CsvTable, problems: FileProblems, chart: Iterable[LedgerAccount] | None) -> list[LedgerItem]:
    """Products and services; the account of each is one of ``chart``, given by number, name or full name.

    Without a ``chart`` accounts are not looked for: a broken file of accounts is not reported once more per item.
    """
    checked = _checked(table, problems)
    _report_double_ids(((record.row.line, record.id) for record in checked), partial(problems.add, table.file))
    directory = None if chart is None else _directory(chart)
    report = partial(problems.add, table.file)
    return [
        LedgerItem(
            id=record.id,
            name=record.name,
            description=record.row["description"] or None,
            number=record.number or None,
            expense_account_id=_account_of(record, directory, report),
            active=record.active,
        )
        for record in checked
    ]


def dimensions(table: CsvTable, problems: FileProblems) -> list[LedgerDimension]:
    """Departments, jobs, locations, accounting classes and employees, told apart by the file's kind column."""
    by_kind: dict[str, list[_Checked]] = defaultdict(list)
    for record in _checked(table, problems):
        wording = record.row["kind"]
        kind = _KIND_OF.get(same(wording.replace("_", " ")))
        if kind is None:
            known = ", ".join(words[0] for words in DIMENSION_KINDS.values())
            problems.add(table.file, record.row.line, f"{quoted(wording)} is no dimension; known are {known}")
        else:
            by_kind[kind].append(record)
    return [dimension for kind, records in by_kind.items() for dimension in _of_kind(kind, records, table, problems)]


def _of_kind(kind: str, records: list[_Checked], table: CsvTable, problems: FileProblems) -> Iterator[LedgerDimension]:
    # Jobs are written below their customer ("Customer:Job"), who is no job.
    plain = kind == "jobs" or _names_parents(table)
    for record, one in _arranged(table, records, problems, colons_may_be_plain=plain):
        yield LedgerDimension(
            kind=kind,
            id=one.id,
            number=one.number or None,
            name=one.name,
            parent_id=one.parent_id,
            email=record.row["e-mail"] or None,
            active=record.active,
        )


def _names_parents(table: CsvTable) -> bool:
    return not table.fields.isdisjoint(("parent", "parent number"))


def _checked(table: CsvTable, problems: FileProblems) -> list[_Checked]:
    report = partial(problems.add, table.file)
    return [record for row in table.rows if (record := _check(row, report)) is not None]


def _check(row: CsvRow, report: ReportLine) -> _Checked | None:
    name = " ".join(row["name"].split())
    number = " ".join(row["number"].split())
    if not name:
        report(row.line, "the name is missing")
        return None
    for what, text, longest in (("name", name, _LONGEST_NAME), ("number", number, _LONGEST_NUMBER)):
        if len(text) > longest:
            report(row.line, f"the {what} {quoted(text)} is longer than {longest} characters")
            return None
    return _Checked(row, name, number, _is_active(row, report))


def _is_active(row: CsvRow, report: ReportLine) -> bool:
    stated, hidden = same(row["active"]), same(row["inactive"])
    known = _PLAIN_YES | _PLAIN_NO | _SAYS_ACTIVE | _SAYS_INACTIVE | {""}
    for word in (stated, hidden):
        if word not in known:
            report(row.line, f"{quoted(word)} does not say whether it is active; use yes or no")
    # A word such as "archived" means the same in a column called "Archived" as in one called "Status".
    return stated not in _PLAIN_NO | _SAYS_INACTIVE and hidden not in _PLAIN_YES | _SAYS_INACTIVE


def _types(records: Iterable[_Checked], report: ReportLine) -> dict[int, AccountType]:
    """Account types by line; an unknown one is reported, with the accepted ones named once."""
    types: dict[int, AccountType] = {}
    advice = f"; use a common wording or one of {', '.join(AccountType)}"
    for record in records:
        wording = record.row["type"]
        known = account_type(wording)
        types[record.row.line] = known or AccountType.UNSPECIFIED
        if known is None:
            what = f"the account type {quoted(wording)} is unknown" if wording else "the account type is missing"
            report(record.row.line, what + advice)
            advice = ""
    return types


def _arranged(
    table: CsvTable, records: list[_Checked], problems: FileProblems, *, colons_may_be_plain: bool
) -> list[tuple[_Checked, ArrangedEntry]]:
    report = partial(problems.add, table.file)
    entries = [
        ListEntry(record.row.line, record.number, record.name, record.row["parent number"] or record.row["parent"])
        for record in records
    ]
    arranged = arrange(entries, report, colons_may_be_plain=colons_may_be_plain)
    # Ids may clash although numbers do not, which are reported already: a name may look like another's number.
    numbers = {same(one.number): one for one in arranged if one.number}
    clashing = [(numbers[same(one.id)], one) for one in arranged if not one.number and same(one.id) in numbers]
    _report_double_ids(((one.entry.line, one.id) for pair in clashing for one in pair), report)
    for one in arranged:
        if len(one.id.encode()) > _LONGEST_ID_BYTES:
            report(one.entry.line, f"the full name {quoted(one.id)} is too long; give it a number")
    by_line = {record.row.line: record for record in records}
    return [(by_line[one.entry.line], one) for one in arranged]


def _report_double_ids(ids: Iterable[tuple[int, str]], report: ReportLine) -> None:
    first_lines: dict[str, int] = {}
    for line, id_ in ids:
        first = first_lines.setdefault(same(id_), line)
        if first != line:
            report(line, f"{quoted(id_)} is on line {first} already; give each a number of its own")


def _directory(chart: Iterable[LedgerAccount]) -> dict[str, list[str]]:
    """Ids of accounts by number, full name and name."""
    chart = list(chart)
    paths = full_names({account.id: (account.name, account.parent_id) for account in chart})
    directory: dict[str, list[str]] = {}
    for account in chart:
        if account.number:
            directory[same(account.number)] = [account.id]
    for account in chart:
        directory.setdefault(same(paths[account.id]), [account.id])
    names: dict[str, list[str]] = defaultdict(list)
    for account in chart:
        names[same(account.name)].append(account.id)
    return {**names, **directory}


def _account_of(record: _Checked, directory: dict[str, list[str]] | None, report: ReportLine) -> str | None:
    reference = record.row["account"]
    if not reference or directory is None:
        return None
    found = directory.get(same(reference), [])
    if len(found) == 1:
        return found[0]
    reason = "may mean several accounts; give its number" if found else "is not in the chart of accounts"
    report(record.row.line, f"the account {quoted(reference)} {reason}")
    return None
