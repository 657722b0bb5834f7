"""A user's own table of account types: a wording of the program or a range of numbers, and BILL's type."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from billcom_assets.ledger.account_types import AccountType, account_type
from billcom_assets.ledger.csv_files import csv_records
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.number_ranges import NumberRange, number_range
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.text_files import Malformed, read_text_file


@dataclass(frozen=True, slots=True)
class TypeMap:
    """Types by wording and by number."""

    wordings: tuple[tuple[str, AccountType], ...] = ()
    ranges: tuple[NumberRange, ...] = ()

    def of_wording(self, wording: str) -> AccountType | None:
        """The type of a wording; case and spaces make no difference."""
        return dict(self.wordings).get(same(wording))


def read_type_map(path: str | os.PathLike[str], problems: FileProblems) -> TypeMap:
    """The table in a CSV file of two columns, with or without a header; what is wrong is added to ``problems``."""
    source = read_text_file(path, problems)
    if source is None:
        return TypeMap()
    wordings: dict[str, AccountType] = {}
    ranges: dict[str, NumberRange] = {}
    try:
        for line, (key, type_) in _pairs(csv_records(source), source.file, problems):
            if wordings.setdefault(same(key), type_) is not type_:
                problems.add(source.file, line, f"{quoted(key)} is {wordings[same(key)]} on a line before")
            if (one := number_range(key, type_)) is not None:
                ranges.setdefault(one.text, one)
    except Malformed as error:
        problems.add(source.file, error.line, str(error))
    return TypeMap(tuple(wordings.items()), tuple(ranges.values()))


def _pairs(
    records: Iterator[tuple[int, list[str]]], file: str, problems: FileProblems
) -> Iterator[tuple[int, tuple[str, AccountType]]]:
    is_first = True
    for line, cells in records:
        key, type_, *_ = (*(cell.strip() for cell in cells), "", "")
        known = account_type(type_)
        if key and known is not None:
            yield line, (key, known)
        elif not is_first:  # where it may be a header
            known_types = ", ".join(AccountType)
            problems.add(file, line, f"{quoted(type_)} is no account type; use one of {known_types}")
        is_first = False
