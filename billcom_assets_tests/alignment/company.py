"""A company whose ledger and BILL have drifted apart: what its accounting program exports, and BILL written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from billcom_assets.alignment.changes import Change
from billcom_assets.alignment.plans import Plan
from billcom_assets.ledger.spreadsheets import csv_text
from billcom_assets.sandbox import Organization
from billcom_assets.sandbox.books.accounts import (
    archive_account,
    create_classification,
    restore_account,
    update_classification,
)
from billcom_assets.sandbox.kinds import ACCOUNTS
from billcom_assets.warehouse.alignment_tables import Action, ChangeStatus

COLUMNS = ("Account Number", "Account Name", "Account Type", "Parent Number", "Description", "Active")
HOSTILE = "=cmd|' /C calc'!A0 \x1b[31m<script>alert(1)</script>"


def chart_of(organization: Organization) -> dict[str, list[Any]]:
    """BILL's chart as a ledger has it, by number: parents too, whether or not v3 shows them."""
    rows = {row.id: (row.doc(), (row.hidden or {}).get("parentId")) for row in organization.table(ACCOUNTS)}
    numbers = {id_: doc["account"].get("number", "") for id_, (doc, _) in rows.items()}
    return {
        numbers[id_] or doc["name"]: [
            numbers[id_],
            doc["name"],
            doc["account"]["type"],
            numbers.get(parent or "", ""),
            doc.get("description", ""),
            "No" if doc["archived"] else "Yes",
        ]
        for id_, (doc, parent) in rows.items()
        if numbers[id_] or doc["name"] == "Ask My Accountant"
    }


def write_accounts(organization: Organization, path: Path) -> str:
    """The file of a ledger that has gone on without BILL: renamed, moved, created, deactivated.

    BILL gets an account of its own, whose name would steer a terminal or run in a spreadsheet.
    """
    chart = chart_of(organization)
    create_classification(organization, ACCOUNTS, {"name": HOSTILE, "account": {"type": "EXPENSE", "number": "9999"}})
    chart["6300"][1] = "Utilities and power"
    chart["6600"][3] = "6300"
    chart["1600"][5] = "No"
    chart["8500"] = ["8500", "Cars", "EXPENSE", "", "What moves us", "Yes"]
    chart["8510"] = ["8510", "Fuel", "EXPENSE", "8500", "", "Yes"]
    path.write_text(csv_text(COLUMNS, chart.values()))
    return str(path)


class Refused(AssertionError):
    """A change does not say what can be done to BILL."""


def write_by_hand(organization: Organization, plan: Plan) -> int:
    """What a person would do in BILL who follows the approved changes; returns how many there were."""
    created: dict[int, str] = {}
    done = 0
    for one in plan.changes:
        if one.status is ChangeStatus.APPROVED:
            created[one.change.position] = _write(organization, one.change, created)
            done += 1
    return done


def _write(organization: Organization, change: Change, created: dict[int, str]) -> str:
    after = change.after
    if after is None:
        raise Refused(change)
    parent = created[change.parent_position] if change.parent_position else change.parent_bill_id
    body = dict(_body(change, parent))
    match change.action, change.bill_id:
        case Action.CREATE, None:
            return str(create_classification(organization, ACCOUNTS, body).id)
        case Action.UPDATE, str(id_):
            update_classification(organization, ACCOUNTS, id_, body)
        case Action.ARCHIVE, str(id_):
            archive_account(organization, id_)
        case Action.RESTORE, str(id_):
            restore_account(organization, id_)
        case _:
            raise Refused(change)
    return str(change.bill_id)


def _body(change: Change, parent: str | None) -> Iterator[tuple[str, Any]]:
    assert change.after is not None
    yield "name", change.after.name
    yield "description", change.after.description
    yield "account", {"type": change.after.type, **({"number": change.after.number} if change.after.number else {})}
    if change.action is Action.CREATE or change.is_move:
        yield "parentId", parent
