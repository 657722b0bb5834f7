"""What the database keeps of writing: which request was about to be sent, and what BILL said to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from billcom_assets.alignment.plans import Plan, load_plan, numbers, set_changes, set_plan
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus, alignment_changes

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a plan, as it is stored."""

    position: int
    action: str
    bill_id: str | None
    ledger_id: str | None
    parent_bill_id: str | None
    parent_ledger_id: str | None
    parent_position: int | None
    needs: tuple[int, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    cascades: tuple[str, ...]
    status: ChangeStatus
    request: tuple[Mapping[str, Any], ...]
    response: tuple[Mapping[str, Any], ...]
    undo_request: tuple[Mapping[str, Any], ...]
    undo_response: tuple[Mapping[str, Any], ...]
    undo_note: str | None

    @property
    def title(self) -> str:
        """What it is about, for people."""
        known = self.after or self.before or {}
        number = f"{known.get('number')} " if known.get("number") else ""
        return f"change {self.position} ({self.action} {number}{known.get('name')})"

    @property
    def archived_along(self) -> list[str]:
        """Ids of the accounts that BILL archived with this one."""
        return [one for said in self.response for one in said.get("archived_along", ())]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the requests and responses of one direction of writing are kept."""

    request: str
    response: str


APPLYING = Columns("request", "response")
UNDOING = Columns("undo_request", "undo_response")


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one plan; the caller owns the transaction."""

    integration: str
    number: int

    def changes(self, connection: Connection) -> list[Change]:
        """Every change in its place; conflicts are none."""
        c = alignment_changes.c
        mine = (c.integration == self.integration, c.plan == self.number, c.action != "conflict")
        query = select(alignment_changes).where(*mine).order_by(c.position)
        return [_change(row._asdict()) for row in connection.execute(query)]

    def errors(self, connection: Connection) -> dict[int, str]:
        """Why changes were not written, or not as planned, by their places."""
        c = alignment_changes.c
        mine = (c.integration == self.integration, c.plan == self.number, c.error.is_not(None))
        return {row.position: row.error for row in connection.execute(select(c.position, c.error).where(*mine))}

    def set_plan(self, connection: Connection, **values: Any) -> None:
        """Changes the plan's own row."""
        set_plan(connection, self.integration, self.number, **values)

    def set(self, connection: Connection, position: int, **values: Any) -> None:
        """Changes the row of one change."""
        set_changes(connection, self.integration, self.number, [position], **values)

    def add(self, connection: Connection, position: int, column: str, document: Mapping[str, Any]) -> None:
        """Adds to the list of requests or responses of one change."""
        c = alignment_changes.c
        mine = (c.integration == self.integration, c.plan == self.number, c.position == position)
        known = connection.scalar(select(c[column]).where(*mine)) or []
        self.set(connection, position, **{column: to_json([*known, document])})

    def set_status(self, connection: Connection, position: int, status: ChangeStatus, **values: Any) -> None:
        """Says how far one change is."""
        self.set(connection, position, status=status.value, **values)


def to_json(value: object) -> str:
    """As the columns of the tables take it."""
    return _ENCODER.encode(value).decode()


def _change(row: Mapping[str, Any]) -> Change:
    def listed(name: str) -> tuple[Any, ...]:
        return tuple(row[name] or ())

    return Change(
        position=row["position"],
        action=row["action"],
        bill_id=row["bill_id"],
        ledger_id=row["ledger_id"],
        parent_bill_id=row["parent_bill_id"],
        parent_ledger_id=row["parent_ledger_id"],
        parent_position=row["parent_position"],
        needs=listed("needs"),
        before=row["before"],
        after=row["after"],
        cascades=listed("cascades"),
        status=ChangeStatus(row["status"]),
        request=listed("request"),
        response=listed("response"),
        undo_request=listed("undo_request"),
        undo_response=listed("undo_response"),
        undo_note=row["undo_note"],
    )


def newest_of(
    connection: Connection, integration: str, statuses: Collection[PlanStatus], number: int | None = None
) -> Plan | None:
    """The newest plan that is this far, or the one of a number if it is; None when there is none.

    Raises:
        AlignmentRefused: there is no plan of this number.
    """
    for one in reversed(numbers(connection, integration)) if number is None else (number,):
        plan = load_plan(connection, integration, one)
        if plan.status in statuses:
            return plan
    return None
