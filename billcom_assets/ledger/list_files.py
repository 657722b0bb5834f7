"""Reading one of the company's lists in whatever form its program writes it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from billcom_assets.ledger.beancount_files import beancount_records, is_beancount
from billcom_assets.ledger.csv_files import MAX_ROWS, read_csv_text
from billcom_assets.ledger.hierarchy import SEPARATOR, same
from billcom_assets.ledger.hledger_files import hledger_records, is_hledger
from billcom_assets.ledger.iif_files import iif_records, is_iif
from billcom_assets.ledger.layouts import Rules, layouts, list_in_form, rules_of
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.tables import CsvRow, CsvTable, LeftOut, Record, possible_headers, read_table
from billcom_assets.ledger.text_files import Malformed, TextFile, read_text_file
from billcom_assets.redaction.display import one_line

_DELETED = re.compile(r"\s*\(deleted( \d+)?\)\s*(?=:|$)", re.IGNORECASE)

_FORMS: dict[str, tuple[Callable[[TextFile], bool], Callable[[TextFile, str], Iterator[Record]]]] = {
    "iif": (is_iif, iif_records),
    "beancount": (is_beancount, beancount_records),
    "hledger": (is_hledger, hledger_records),
}
"""Files that are no CSV: how they are recognised and read."""


def read_list(
    path: str | os.PathLike[str], kind: str, problems: FileProblems, *, typed_elsewhere: bool = False
) -> CsvTable | None:
    """The records of a file; None when it is unusable as a whole, which is added to ``problems``.

    With ``typed_elsewhere`` a chart of accounts needs no column of types.
    """
    source = read_text_file(path, problems)
    if source is None:
        return None
    try:
        form = next((form for form, (is_it, _) in _FORMS.items() if is_it(source)), None)
        if form is None:
            table = read_csv_text(source, layouts(kind, typed_elsewhere=typed_elsewhere), problems)
        else:
            table = _read_form(source, kind, form, problems)
    except Malformed as error:
        problems.add(source.file, error.line, str(error))
        return None
    return None if table is None else _as_written(table, rules_of(table.layout))


def _read_form(source: TextFile, kind: str, form: str, problems: FileProblems) -> CsvTable | None:
    own = list_in_form(kind, form)
    records = list(_FORMS[form][1](source, own.rules.records)) if own is not None else []
    if own is None or not records:
        problems.add(source.file, None, f"the file holds no {kind}")
        return None
    (header,) = possible_headers(records[0], [replace(own.layout, recognised_by=((),))])
    return read_table(source, replace(header, layout=own.layout), records[1:], problems, most=MAX_ROWS)


def _as_written(table: CsvTable, rules: Rules) -> CsvTable:
    """The table as the rules of its program mean it."""
    rows = [_without_fillers(row, rules) for row in table.rows]
    kept = [row for row in rows if _is_record(row, rules)]
    left_out = [LeftOut(row.line, one_line(row["name"])) for row in rows if not _is_record(row, rules)]
    kept = _without_deletion_marks([_named(row, rules) for row in kept])
    if rules.makes_parents:
        kept = list(_with_parents(kept))
    return replace(table, rows=tuple(kept), left_out=(*table.left_out, *left_out))


def _without_fillers(row: CsvRow, rules: Rules) -> CsvRow:
    if not rules.empty:
        return row
    return CsvRow(row.line, {name: "" if cell in rules.empty else cell for name, cell in row.cells.items()})


def _is_record(row: CsvRow, rules: Rules) -> bool:
    nested = SEPARATOR in row["name"]
    if rules.nested_names and nested != (rules.nested_names == "only"):
        return False
    return all(same(row[name]) not in words for name, words in rules.left_out.items())


def _named(row: CsvRow, rules: Rules) -> CsvRow:
    if row["name"] or not rules.name_from:
        return row
    return _with(row, name=next((row[name] for name in rules.name_from if row[name]), ""))


def _without_deletion_marks(rows: list[CsvRow]) -> list[CsvRow]:
    """Deleted records without the mark in their names, unless another has the name that is left."""
    names = Counter(same(_DELETED.sub("", row["name"])) for row in rows)

    def plain(row: CsvRow) -> CsvRow:
        name = _DELETED.sub("", row["name"])
        if name == row["name"]:
            return row
        is_deleted = "yes" if _DELETED.search(row["name"].split(SEPARATOR)[-1]) else ""
        return _with(row, name=name if name and names[same(name)] == 1 else row["name"], deleted=is_deleted)

    return [plain(row) for row in rows]


def _with_parents(rows: Collection[CsvRow]) -> Iterator[CsvRow]:
    """The records, and before them the parents that have none: those are headers."""
    known = {same(row["name"]) for row in rows}
    for row in rows:
        parts = row["name"].split(SEPARATOR)
        for depth in range(1, len(parts)):
            parent = SEPARATOR.join(parts[:depth])
            if same(parent) not in known:
                known.add(same(parent))
                yield CsvRow(row.line, {"name": parent, "header": "yes"})
        yield row


def _with(row: CsvRow, **cells: str) -> CsvRow:
    return CsvRow(row.line, {**row.cells, **cells})
