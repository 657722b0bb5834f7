"""Vendors and customers as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from billcom_assets.ledger import flags
from billcom_assets.ledger.chart import Chart
from billcom_assets.ledger.entries import Entry, currency, entries, report_double_ids
from billcom_assets.ledger.hierarchy import ReportLine, same
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.records import LedgerCustomer, LedgerVendor
from billcom_assets.ledger.tables import CsvRow, CsvTable

_NO_BOX = flags.NO | {"none", "n/a", "not applicable"}


def vendors(table: CsvTable, problems: FileProblems, home: str, chart: Chart | None) -> list[LedgerVendor]:
    """Vendors; every one has a name; numbers (or names, without them) are unique.

    ``home`` is the home currency; without a ``chart`` default accounts are not looked for.
    """
    report = partial(problems.add, table.file)
    return [
        LedgerVendor(**_common(entry, home, chart, report), **_form_1099(entry.row, report))
        for entry in _unique(table, problems)
    ]


def customers(table: CsvTable, problems: FileProblems, home: str, chart: Chart | None) -> list[LedgerCustomer]:
    """Customers, as :func:`vendors`."""
    report = partial(problems.add, table.file)
    return [LedgerCustomer(**_common(entry, home, chart, report)) for entry in _unique(table, problems)]


def _unique(table: CsvTable, problems: FileProblems) -> list[Entry]:
    found = entries(table, problems)
    report_double_ids(((one.line, one.id) for one in found), partial(problems.add, table.file))
    return found


def _common(entry: Entry, home: str, chart: Chart | None, report: ReportLine) -> dict[str, Any]:
    row = entry.row
    account = chart.find(row["default account"], entry.line, report) if chart is not None else None
    held = flags.is_held(row["on hold"], entry.line, report)
    return {
        "id": entry.id,
        "name": entry.name,
        "tax_id": row["tax id"] or None,
        "email": row["e-mail"] or None,
        "currency": currency(row, home, report),
        "source_id": entry.source_id,
        "number": entry.number or None,
        "terms": " ".join(f"{row['terms']} {row['terms count from']}".split()) or None,
        "on_hold": bool(held) or same(row["active"]) == "on hold",
        "default_account_id": account.id if account is not None else None,
        "active": entry.active,
    }


def _form_1099(row: CsvRow, report: ReportLine) -> Mapping[str, Any]:
    """Whether payments are reported and in which box; a box without a word on it says that they are."""
    eligible = flags.is_so(row["1099"], row.line, report)
    stated = row["1099 box"]
    box = stated if same(stated) not in _NO_BOX else ""
    if eligible is None and stated:
        eligible = bool(box)
    return {"eligible_1099": eligible, "box_1099": box or None}
