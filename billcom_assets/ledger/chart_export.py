"""The ledger's chart of accounts as the CSV that BILL's own account import takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from billcom_assets.ledger.account_types import AccountType, account_type
from billcom_assets.ledger.hierarchy import MAX_LEVELS
from billcom_assets.ledger.spreadsheets import csv_text, protected
from billcom_assets.warehouse.known_integrations import require_integration
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

_TYPES = {"COST_OF_GOODS_SOLD": "CostofGoodsSold"}
"""Spelled otherwise than by its words."""


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

    An account that BILL would refuse is left out together with the accounts below it, and reported. A name, number or
    description that a spreadsheet would run as a formula is marked with an apostrophe, and reported: BILL's import
    takes a file as it is and would show the mark, while whoever looks into the file before must not run it.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    chart = _chart(conn, integration)
    problems: list[ExportProblem] = []
    rows = list(_rows(chart, problems))
    return ChartExport(csv_text(COLUMNS, rows), len(rows), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Account:
    id: str
    number: str
    name: str
    type: AccountType | None
    """None for a type that is none of BILL's: the table may have been filled by plain SQL."""
    parent_id: str
    description: str


def _chart(conn: Connection, integration: str) -> dict[str, _Account]:
    t = ledger_accounts.c
    query = select(t.id, t.number, t.name, t.type, t.parent_id, t.description)
    rows = conn.execute(query.where(t.integration == integration, t.active).order_by(t.number, t.name, t.id))
    return {
        row.id: _Account(
            row.id, row.number or "", row.name, account_type(row.type), row.parent_id or "", row.description or ""
        )
        for row in rows
    }


def _rows(chart: Mapping[str, _Account], problems: list[ExportProblem]) -> Iterator[tuple[str, ...]]:
    written: set[str] = set()
    keys: set[tuple[str, str]] = set()
    # Parents first.
    for account in sorted(chart.values(), key=lambda account: _level(account, chart)):
        parent = chart.get(account.parent_id)
        reason = _refusal(account, parent, written)
        key = (account.name.casefold(), account.number.casefold())
        if reason is None and key in keys:
            reason = "BILL's import tells accounts apart by name and number, and another one has the same"
        if reason is not None:
            problems.append(ExportProblem(account.id, reason, left_out=True))
            continue
        written.add(account.id)
        keys.add(key)
        problems += [ExportProblem(account.id, note, left_out=False) for note in _changes(account)]
        yield _row(account, parent)


def _changes(account: _Account) -> Iterator[str]:
    """What is different in the file."""
    for what, text in (("name", account.name), ("number", account.number), ("description", account.description)):
        if protected(text) != text:
            yield (
                f"its {what} begins as a formula does, so an apostrophe was put before it, which BILL would show; "
                f"change the {what} in the ledger if it must not"
            )
    if len(protected(account.description)) > LONGEST_DESCRIPTION:
        yield f"the description is cut to {LONGEST_DESCRIPTION} characters"


def _row(account: _Account, parent: _Account | None) -> tuple[str, ...]:
    type_ = account.type.value if account.type else ""
    marks = len(protected(account.description)) - len(account.description)
    return (
        account.name,
        "Active",
        account.number,
        _TYPES.get(type_) or "".join(part.title() for part in type_.split("_")),
        account.description[: LONGEST_DESCRIPTION - marks],
        parent.name if parent else "",
        parent.number if parent else "",
        "",
    )


def _refusal(account: _Account, parent: _Account | None, written: set[str]) -> str | None:
    """Why BILL would refuse the account, or None."""
    reasons = (
        (account.type is None, "its type is none of BILL's account types"),
        (len(protected(account.name)) > LONGEST_NAME, f"the name is longer than {LONGEST_NAME} characters"),
        (len(protected(account.number)) > LONGEST_NUMBER, f"the number is longer than {LONGEST_NUMBER} characters"),
        (parent is not None and parent.id not in written, "its parent cannot be exported"),
        (
            parent is not None and len(protected(parent.name)) > LONGEST_PARENT_NAME,
            f"its parent's name is longer than the {LONGEST_PARENT_NAME} characters that BILL takes there",
        ),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _level(account: _Account, chart: Mapping[str, _Account]) -> int:
    level = 0
    parent = chart.get(account.parent_id)
    # Data brought in by plain SQL may go round in a circle; such accounts come last and find no parent.
    while parent is not None and level <= MAX_LEVELS:
        level += 1
        parent = chart.get(parent.parent_id)
    return level
