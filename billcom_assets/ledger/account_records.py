"""The chart of accounts as typed records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from billcom_assets.ledger import flags
from billcom_assets.ledger.account_types import AccountType, account_type
from billcom_assets.ledger.csv_files import CsvRow, CsvTable
from billcom_assets.ledger.entries import Entry, arranged, currency, entries, names_parents
from billcom_assets.ledger.hierarchy import ReportLine, same
from billcom_assets.ledger.layouts import DIMENSION_KINDS, KIND_OF_DIMENSION
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.records import LedgerAccount

_CONTROL_TYPES = frozenset({AccountType.ACCOUNTS_PAYABLE, AccountType.ACCOUNTS_RECEIVABLE})
_BETWEEN_WORDS = re.compile(r"[,;|+]")


def accounts(table: CsvTable, problems: FileProblems, home: str) -> list[LedgerAccount]:
    """The chart of accounts; every account has a name and a type, numbers are unique, parents are known.

    ``home`` is the home currency: it decides what ``$`` means.
    """
    report = partial(problems.add, table.file)
    found = entries(table, problems)
    types = _types(found, report)
    return [
        LedgerAccount(
            id=one.id,
            number=one.number or None,
            name=one.name,
            type=types[entry.line],
            parent_id=one.parent_id,
            description=entry.row["description"] or None,
            source_id=entry.source_id,
            currency=currency(entry.row, home, report),
            postable=_is_postable(entry.row, report),
            control=_is_control(entry.row, types[entry.line], report),
            required_dimensions=_required_dimensions(entry.row, report),
            active=entry.active,
        )
        for entry, one in arranged(table, found, problems, colons_may_be_plain=names_parents(table))
    ]


def _types(found: Iterable[Entry], report: ReportLine) -> dict[int, AccountType]:
    """Account types by line; an unknown one is reported, with the accepted ones named once."""
    types: dict[int, AccountType] = {}
    advice = f"; use a common wording or one of {', '.join(AccountType)}"
    for entry in found:
        wording = entry.row["type"]
        known = account_type(wording)
        types[entry.line] = known or AccountType.UNSPECIFIED
        if known is None:
            what = f"the account type {quoted(wording)} is unknown" if wording else "the account type is missing"
            report(entry.line, what + advice)
            advice = ""
    return types


def _is_postable(row: CsvRow, report: ReportLine) -> bool:
    # An account with others below it takes postings in most programs, so only the file's own word makes a header.
    is_header = flags.is_header(row["header"], row.line, report)
    return not is_header and flags.is_posted_to(row["postable"], row.line, report) is not False


def _is_control(row: CsvRow, type_: AccountType, report: ReportLine) -> bool:
    by_hand = flags.is_so(row["direct posting"], row.line, report)
    return bool(flags.is_so(row["control"], row.line, report)) or by_hand is False or type_ in _CONTROL_TYPES


def _required_dimensions(row: CsvRow, report: ReportLine) -> str | None:
    required = {kind for kind in DIMENSION_KINDS if flags.is_so(row[f"requires {kind}"], row.line, report)}
    for word in filter(str.strip, _BETWEEN_WORDS.split(row["required dimensions"])):
        kind = KIND_OF_DIMENSION.get(same(word))
        if kind is None:
            report(row.line, f"{quoted(word.strip())} is no dimension; known are {', '.join(DIMENSION_KINDS)}")
        else:
            required.add(kind)
    return ",".join(kind for kind in DIMENSION_KINDS if kind in required) or None
