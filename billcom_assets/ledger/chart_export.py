"""The ledger's chart of accounts as the CSV that BILL's own account import takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.hierarchy import MAX_LEVELS
from billcom_assets.ledger.integrations import require_integration
from billcom_assets.ledger.records import LedgerAccount
from billcom_assets.warehouse.ledger_tables import ledger_accounts

COLUMNS = (
    "Name",
    "Active?",
    "Account Number",
    "Type",
    "Description",
    "Parent Name",
    "Parent Account Number",
    "1099 Category",
)
"""Fields of BILL's import page; the last is for the user to fill, as no ledger file states it."""

LONGEST_NAME = 250
LONGEST_NUMBER = 40
LONGEST_DESCRIPTION = 4000
LONGEST_PARENT_NAME = 100

_WORDS = {AccountType.COST_OF_GOODS_SOLD: "CostofGoodsSold"}


@dataclass(frozen=True, slots=True)
class ExportProblem:
    """An account that BILL's import would not take as it is."""

    ledger_id: str
    message: str
    left_out: bool
    """The account is not in the file; otherwise it is there, changed as the message says."""


@dataclass(frozen=True, slots=True)
class ChartExport:
    """The file, and what could not go into it."""

    csv: str
    accounts: int
    problems: tuple[ExportProblem, ...]


def chart_of_accounts(conn: Connection, integration: str) -> ChartExport:
    """The active accounts, parents before children, in the form of BILL's account import.

    An account that BILL would refuse is left out together with the accounts below it, and reported.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    chart = _chart(conn, integration)
    problems: list[ExportProblem] = []
    rows = list(_rows(chart, problems))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return ChartExport(text.getvalue(), len(rows), tuple(problems))


def _chart(conn: Connection, integration: str) -> dict[str, LedgerAccount]:
    t = ledger_accounts.c
    query = select(t.id, t.number, t.name, t.type, t.parent_id, t.description, t.active)
    rows = conn.execute(query.where(t.integration == integration, t.active).order_by(t.number, t.name, t.id))
    accounts = (LedgerAccount(**row._asdict()) for row in rows)
    return {account.id: replace(account, type=AccountType(account.type)) for account in accounts}


def _rows(chart: Mapping[str, LedgerAccount], problems: list[ExportProblem]) -> Iterator[tuple[str, ...]]:
    written: set[str] = set()
    keys: set[tuple[str, str]] = set()
    for account in _parents_first(chart):
        parent = chart.get(account.parent_id or "")
        reason = _refusal(account, parent, written)
        key = (account.name.casefold(), (account.number or "").casefold())
        if reason is None and key in keys:
            reason = "BILL's import tells accounts apart by name and number, and another one has the same"
        if reason is not None:
            problems.append(ExportProblem(account.id, reason, left_out=True))
            continue
        written.add(account.id)
        keys.add(key)
        description = account.description or ""
        if len(description) > LONGEST_DESCRIPTION:
            note = f"the description is cut to {LONGEST_DESCRIPTION} characters"
            problems.append(ExportProblem(account.id, note, left_out=False))
        yield _row(account, description[:LONGEST_DESCRIPTION], parent)


def _row(account: LedgerAccount, description: str, parent: LedgerAccount | None) -> tuple[str, ...]:
    return (
        account.name,
        "Active",
        account.number or "",
        _type_in_bill(account.type),
        description,
        parent.name if parent else "",
        (parent.number or "") if parent else "",
        "",
    )


def _refusal(account: LedgerAccount, parent: LedgerAccount | None, written: set[str]) -> str | None:
    """Why BILL would refuse the account, or None."""
    if len(account.name) > LONGEST_NAME:
        return f"the name is longer than {LONGEST_NAME} characters"
    if len(account.number or "") > LONGEST_NUMBER:
        return f"the number is longer than {LONGEST_NUMBER} characters"
    if parent is None:
        return None
    if parent.id not in written:
        return "its parent cannot be exported"
    if len(parent.name) > LONGEST_PARENT_NAME:
        return f"its parent's name is longer than the {LONGEST_PARENT_NAME} characters that BILL takes there"
    return None


def _type_in_bill(account_type: AccountType) -> str:
    return _WORDS.get(account_type) or "".join(part.title() for part in account_type.value.split("_"))


def _parents_first(chart: Mapping[str, LedgerAccount]) -> Sequence[LedgerAccount]:
    return sorted(chart.values(), key=lambda account: _level(account, chart))


def _level(account: LedgerAccount, chart: Mapping[str, LedgerAccount]) -> int:
    level = 0
    parent = chart.get(account.parent_id or "")
    # Data brought in by plain SQL may go round in a circle; such accounts come last and find no parent.
    while parent is not None and level <= MAX_LEVELS:
        level += 1
        parent = chart.get(parent.parent_id or "")
    return level
