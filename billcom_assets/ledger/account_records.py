"""The chart of accounts as typed records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from billcom_assets.ledger import flags
from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.account_typing import AccountTyping, TypesFound
from billcom_assets.ledger.currencies import iso_code
from billcom_assets.ledger.entries import arranged, currency, entries, names_parents
from billcom_assets.ledger.hierarchy import ReportLine, same
from billcom_assets.ledger.layouts import DIMENSION_KINDS, KIND_OF_DIMENSION, Rules, rules_of
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.records import LedgerAccount
from billcom_assets.ledger.tables import CsvRow, CsvTable
from billcom_assets.ledger.type_map import TypeMap

_CONTROL_TYPES = frozenset({AccountType.ACCOUNTS_PAYABLE, AccountType.ACCOUNTS_RECEIVABLE})
_BETWEEN_WORDS = re.compile(r"[,;|+]")


@dataclass(frozen=True, slots=True)
class ChartOfAccounts:
    """The accounts of a file, and where their types are known from."""

    accounts: list[LedgerAccount]
    types: TypesFound


def accounts(table: CsvTable, problems: FileProblems, home: str, type_map: TypeMap) -> ChartOfAccounts:
    """The chart of accounts; every account has a name and a type, numbers are unique, parents are known.

    ``home`` is the home currency: it decides what ``$`` means.
    """
    report = partial(problems.add, table.file)
    rules = rules_of(table.layout)
    typing = AccountTyping(rules, type_map, report)
    found = entries(table, problems)
    types = {id(entry): typing.of(entry) for entry in found}
    read = [
        LedgerAccount(
            id=one.id,
            number=one.number or None,
            name=one.name,
            type=types[id(entry)],
            parent_id=one.parent_id,
            description=entry.row["description"] or None,
            source_id=entry.source_id,
            currency=_currency(entry.row, home, rules, report),
            postable=_is_postable(entry.row, report),
            control=_is_control(entry.row, types[id(entry)], report),
            required_dimensions=_required_dimensions(entry.row, report),
            active=entry.active,
        )
        for entry, one in arranged(table, found, problems, colons_may_be_plain=names_parents(table))
    ]
    return ChartOfAccounts(read, typing.found())


def _currency(row: CsvRow, home: str, rules: Rules, report: ReportLine) -> str | None:
    if rules.foreign_currencies:
        # What an account may hold need not be money, nor one thing alone.
        return iso_code(row["currency"], home)
    return currency(row, home, report)


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
