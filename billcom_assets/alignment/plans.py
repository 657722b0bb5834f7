"""Plans as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, insert, or_, select, update

from billcom_assets.alignment.changes import Change
from billcom_assets.alignment.chart import Charts, State
from billcom_assets.alignment.findings import Finding
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_tables import (
    Action,
    ChangeStatus,
    PlanStatus,
    alignment_changes,
    alignment_plans,
)
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.known_integrations import lock_integration

MAX_CHANGES: Final = 50
"""That one approval covers, unless somebody says otherwise."""
EXPIRES_AFTER: Final = timedelta(days=7)
UNDECIDED: Final = (PlanStatus.PROPOSED, PlanStatus.APPROVED)
"""Of plans that may still be decided about."""
UNDER_WAY: Final = (PlanStatus.APPLYING, PlanStatus.UNDOING)


class AlignmentRefused(UserFacingError):
    """What somebody wants of a plan cannot be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change with what became of it: a row of ``alignment_changes``."""

    change: Change
    status: ChangeStatus
    decided_at: datetime | None
    decided_by: str | None
    request: Any
    response: Any
    written_at: datetime | None
    error: str | None
    undo_request: Any
    undo_response: Any
    undone_at: datetime | None
    undo_note: str | None

    @property
    def is_conflict(self) -> bool:
        """Nothing that could be written."""
        return self.change.action is Action.CONFLICT


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its changes: a row of ``alignment_plans``."""

    integration: str
    number: int
    status: PlanStatus
    made_at: datetime
    made_by: str
    run_id: str | None
    expires_at: datetime
    max_changes: int
    ledger_hash: str
    bill_hash: str
    decided_at: datetime | None
    decided_by: str | None
    apply_run_id: str | None
    started_at: datetime | None
    started_by: str | None
    finished_at: datetime | None
    undone_at: datetime | None
    undone_by: str | None
    changes: tuple[StoredChange, ...]

    def is_expired(self, now: datetime) -> bool:
        """Whether it waited too long to be approved or applied."""
        return self.status in UNDECIDED and now >= self.expires_at

    @property
    def writable(self) -> tuple[StoredChange, ...]:
        """The changes that are no conflicts."""
        return tuple(one for one in self.changes if not one.is_conflict)

    @property
    def conflicts(self) -> tuple[StoredChange, ...]:
        """What is left to a person."""
        return tuple(one for one in self.changes if one.is_conflict)


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of planning."""

    plan: Plan | None
    """None where the charts agree."""
    is_new: bool
    """False for a plan that is there already and says the same."""


def numbers(connection: Connection, integration: str) -> list[int]:
    """The numbers of all plans, oldest first."""
    p = alignment_plans.c
    return list(connection.scalars(select(p.number).where(p.integration == integration).order_by(p.number)))


def newest_plan(connection: Connection, integration: str) -> Plan | None:
    """The plan that was made last."""
    known = numbers(connection, integration)
    return load_plan(connection, integration, known[-1]) if known else None


def load_plan(connection: Connection, integration: str, number: int) -> Plan:
    """A plan with its changes.

    Raises:
        AlignmentRefused: there is no such plan.
    """
    p = alignment_plans.c
    mine = select(alignment_plans).where(p.integration == integration, p.number == number)
    row = connection.execute(mine).mappings().first()
    if row is None:
        known = numbers(connection, integration)
        there = f"There is: {', '.join(map(str, known[-10:]))}." if known else "There is none yet."
        raise AlignmentRefused(
            f"{integration} has no plan {number}. {there} Make one with: billcom align {integration} plan"
        )
    c = alignment_changes.c
    of_plan = select(alignment_changes).where(c.integration == integration, c.plan == number).order_by(c.position)
    changes = tuple(_stored_change(one) for one in connection.execute(of_plan).mappings())
    values = {field.name: row[field.name] for field in fields(Plan) if field.name != "changes"}
    return Plan(**{**values, "status": PlanStatus(row["status"])}, changes=changes)


def save_plan(
    connection: Connection,
    charts: Charts,
    changes: Sequence[Change],
    actor: Actor,
    now: datetime,
    *,
    run_id: str | None = None,
    max_changes: int = MAX_CHANGES,
    again: bool = False,
) -> Planned:
    """Stores a plan as proposed; the one that was proposed before becomes superseded.

    A plan that says the same as the newest one, which is still open or was rejected, is not stored once more.

    Args:
        connection: Connection in a transaction of the caller's.
        charts: What the plan was made from.
        changes: The plan.
        actor: Who made it.
        now: When.
        run_id: The Dagster run that made it.
        max_changes: How many changes one approval covers.
        again: Whether a plan that was rejected may be proposed once more.

    Raises:
        AlignmentRefused: an earlier plan is being written or undone.
    """
    lock_integration(connection, charts.integration)
    newest = newest_plan(connection, charts.integration)
    if newest is not None and newest.status in UNDER_WAY:
        raise AlignmentRefused(
            f"Plan {newest.number} of {charts.integration} is {newest.status}, so there is nothing to plan before it "
            f"ends. Look at it with: billcom align {charts.integration} show"
        )
    made = {
        "made_at": now,
        "made_by": actor.name,
        "run_id": run_id,
        "expires_at": now + EXPIRES_AFTER,
        "max_changes": max_changes,
    }
    if newest is not None and changes and _says_the_same(newest, charts, changes, now, again=again):
        is_other_limit = newest.status is PlanStatus.PROPOSED and newest.max_changes != max_changes
        if not is_other_limit:
            return Planned(newest, is_new=False)
    supersede(connection, charts.integration)
    if not changes:
        return Planned(None, is_new=False)
    number = (newest.number if newest is not None else 0) + 1
    _insert(connection, charts, number, changes, made)
    counts = {action.value: sum(one.action is action for one in changes) for action in Action}
    audit.record(
        connection,
        actor=actor,
        what=What.ALIGNMENT_PLANNED,
        integration=charts.integration,
        subject=f"plan {number}",
        after={name: count for name, count in counts.items() if count},
        now=now,
    )
    return Planned(load_plan(connection, charts.integration, number), is_new=True)


def supersede(connection: Connection, integration: str, *, approved_before: int = 0) -> None:
    """Ends plans that nobody has decided about, and those approved ones whose number is lower."""
    p = alignment_plans.c
    is_old = and_(p.status == PlanStatus.APPROVED.value, p.number < approved_before)
    open_ = (p.integration == integration, or_(p.status == PlanStatus.PROPOSED.value, is_old))
    connection.execute(update(alignment_plans).where(*open_).values(status=PlanStatus.SUPERSEDED.value))


def set_plan(connection: Connection, integration: str, number: int, **values: Any) -> None:
    """Changes columns of a plan."""
    p = alignment_plans.c
    connection.execute(update(alignment_plans).where(p.integration == integration, p.number == number).values(**values))


def set_changes(connection: Connection, integration: str, number: int, positions: Iterable[int], **values: Any) -> None:
    """Changes columns of some changes of a plan."""
    c = alignment_changes.c
    mine = (c.integration == integration, c.plan == number, c.position.in_(list(positions)))
    connection.execute(update(alignment_changes).where(*mine).values(**values))


def _says_the_same(newest: Plan, charts: Charts, changes: Sequence[Change], now: datetime, *, again: bool) -> bool:
    reusable = (*UNDECIDED,) if again else (*UNDECIDED, PlanStatus.REJECTED)
    return (
        newest.status in reusable
        and now < newest.expires_at
        and newest.ledger_hash == charts.ledger_hash
        and newest.bill_hash == charts.bill_hash
        and [one.change for one in newest.changes] == list(changes)
    )


def _insert(
    connection: Connection, charts: Charts, number: int, changes: Sequence[Change], made: Mapping[str, Any]
) -> None:
    values = {
        "integration": charts.integration,
        "number": number,
        "status": PlanStatus.PROPOSED.value,
        "ledger_hash": charts.ledger_hash,
        "bill_hash": charts.bill_hash,
    }
    connection.execute(insert(alignment_plans).values(**values, **made))
    key = {"integration": charts.integration, "plan": number, "status": ChangeStatus.PROPOSED.value}
    connection.execute(insert(alignment_changes), [key | _row(one) for one in changes])


def _row(change: Change) -> dict[str, Any]:
    """A change as columns."""
    return {
        "position": change.position,
        "action": change.action.value,
        "bill_id": change.bill_id,
        "ledger_id": change.ledger_id,
        "parent_bill_id": change.parent_bill_id,
        "parent_ledger_id": change.parent_ledger_id,
        "parent_position": change.parent_position,
        "needs": json.dumps(change.needs),
        "reason": change.reason,
        "advice": change.advice,
        "before": _state_json(change.before),
        "after": _state_json(change.after),
        "risks": json.dumps([asdict(one) for one in change.risks]),
        "cascades": json.dumps(change.cascades),
        "bill_hash": change.bill_hash,
    }


def _state_json(state: State | None) -> str | None:
    return None if state is None else json.dumps(asdict(state))


def _stored_change(row: RowMapping) -> StoredChange:
    change = Change(
        position=row["position"],
        action=Action(row["action"]),
        bill_id=row["bill_id"],
        ledger_id=row["ledger_id"],
        parent_bill_id=row["parent_bill_id"],
        parent_ledger_id=row["parent_ledger_id"],
        parent_position=row["parent_position"],
        needs=tuple(row["needs"]),
        reason=row["reason"],
        advice=row["advice"],
        before=State(**row["before"]) if row["before"] else None,
        after=State(**row["after"]) if row["after"] else None,
        risks=tuple(Finding(**one) for one in row["risks"]),
        cascades=tuple(row["cascades"]),
        bill_hash=row["bill_hash"],
    )
    kept = {field.name: row[field.name] for field in fields(StoredChange) if field.name not in {"change", "status"}}
    return StoredChange(change=change, status=ChangeStatus(row["status"]), **kept)
