"""Departments, jobs, locations, accounting classes and employees as typed records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from billcom_assets.ledger.entries import Entry, arranged, entries, names_parents
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.layouts import DIMENSION_KINDS, KIND_OF_DIMENSION
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.records import LedgerDimension
from billcom_assets.ledger.tables import CsvTable


def dimensions(table: CsvTable, problems: FileProblems) -> list[LedgerDimension]:
    """Dimensions of several kinds, told apart by the file's kind column."""
    by_kind: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries(table, problems):
        wording = entry.row["kind"]
        kind = KIND_OF_DIMENSION.get(same(wording.replace("_", " ")))
        if kind is None:
            known = ", ".join(words[0] for words in DIMENSION_KINDS.values())
            problems.add(table.file, entry.line, f"{quoted(wording)} is no dimension; known are {known}")
        else:
            by_kind[kind].append(entry)
    return [dimension for kind, found in by_kind.items() for dimension in _of_kind(kind, found, table, problems)]


def dimensions_of_kind(kind: str, table: CsvTable, problems: FileProblems) -> list[LedgerDimension]:
    """Dimensions from a list of one kind."""
    return list(_of_kind(kind, entries(table, problems), table, problems))


def _of_kind(kind: str, found: list[Entry], table: CsvTable, problems: FileProblems) -> Iterator[LedgerDimension]:
    # Jobs are written below their customer ("Customer:Job"), who is no job.
    plain = kind == "jobs" or names_parents(table)
    for entry, one in arranged(table, found, problems, colons_may_be_plain=plain):
        yield LedgerDimension(
            kind=kind,
            id=one.id,
            number=one.number or None,
            name=one.name,
            parent_id=one.parent_id,
            email=entry.row["e-mail"] or None,
            source_id=entry.source_id,
            active=entry.active,
        )
