"""Products and services as typed records."""

from __future__ import annotations

from functools import partial

from billcom_assets.ledger.account_types import INCOME_TYPES
from billcom_assets.ledger.chart import Chart
from billcom_assets.ledger.entries import entries, report_double_ids
from billcom_assets.ledger.hierarchy import ReportLine
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.records import LedgerItem
from billcom_assets.ledger.tables import CsvRow, CsvTable


def items(table: CsvTable, problems: FileProblems, chart: Chart | None) -> list[LedgerItem]:
    """Products and services with the accounts that sales and purchases of them post to.

    Without a ``chart`` accounts are not looked for: a broken file of accounts is not reported once more per item.
    """
    report = partial(problems.add, table.file)
    found = entries(table, problems)
    report_double_ids(((one.line, one.id) for one in found), report)
    return [
        LedgerItem(
            id=entry.id,
            name=entry.name,
            description=entry.row["description"] or None,
            income_account_id=income,
            expense_account_id=expense,
            source_id=entry.source_id,
            number=entry.number or None,
            active=entry.active,
        )
        for entry in found
        for income, expense in [_accounts(entry.row, chart, report)]
    ]


def _accounts(row: CsvRow, chart: Chart | None, report: ReportLine) -> tuple[str | None, str | None]:
    """Ids of the income account and of the expense account."""
    if chart is None:
        return None, None
    income, expense, either = (
        chart.find(row[field], row.line, report) for field in ("income account", "expense account", "account")
    )
    if either is not None and either.type in INCOME_TYPES:
        income = income or either
    else:
        expense = expense or either
    return (income.id if income is not None else None), (expense.id if expense is not None else None)
