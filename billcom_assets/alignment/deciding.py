"""Approving and rejecting plans: whole ones or single changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.alignment.changes import Change
from billcom_assets.alignment.plans import (
    UNDECIDED,
    AlignmentRefused,
    Plan,
    StoredChange,
    load_plan,
    newest_plan,
    set_changes,
    set_plan,
    supersede,
)
from billcom_assets.redaction.close_matches import listed
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_modes import SourceOfTruth
from billcom_assets.warehouse.alignment_settings import alignment_settings
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.known_integrations import lock_integration

_WHAT = {ChangeStatus.APPROVED: What.ALIGNMENT_APPROVED, ChangeStatus.REJECTED: What.ALIGNMENT_REJECTED}


def approve(
    connection: Connection,
    integration: str,
    actor: Actor,
    now: datetime,
    *,
    number: int | None = None,
    positions: Collection[int] = (),
    max_changes: int | None = None,
) -> Plan:
    """Approves a plan, or single changes of it; nothing is written to BILL by that.

    Args:
        connection: Connection in a transaction of the caller's.
        integration: Integration key.
        actor: Who approves.
        now: When.
        number: The plan; None for the newest.
        positions: The changes; none for all that are not rejected.
        max_changes: How many changes this approval may cover; None for what the plan says.

    Raises:
        AlignmentRefused: the plan cannot be approved so; nothing was changed.
    """
    plan = _open_plan(connection, integration, number, now)
    settings = alignment_settings(connection, integration)
    if settings.source_of_truth is SourceOfTruth.BILL:
        raise AlignmentRefused(
            f"BILL's chart of accounts is the one to follow for {integration}, so nothing is written to BILL. "
            f"See what the ledger should adopt: billcom align {integration} adopt"
        )
    if settings.second_approver and plan.run_id is None and not is_somebody_else(actor, plan.made_by):
        raise AlignmentRefused(
            f"Plan {plan.number} was made by {plan.made_by}, and {integration} wants somebody else to approve it. "
            "People who share one user of the system give their names with --as, when they plan and when they approve."
        )
    wanted = _chosen(plan, positions, ChangeStatus.REJECTED)
    new = [one for one in wanted if one.status is not ChangeStatus.APPROVED]
    _refuse_too_many(plan, new, max_changes)
    approved = {one.change.position for one in plan.writable if one.status is ChangeStatus.APPROVED}
    _refuse_missing_needs(plan, wanted, approved | {one.change.position for one in wanted})
    set_plan(
        connection,
        integration,
        plan.number,
        status=PlanStatus.APPROVED.value,
        decided_at=now,
        decided_by=actor.name,
    )
    # What was approved before and not written is part of this plan, where it is still to be done.
    supersede(connection, integration, approved_before=plan.number)
    _decide(connection, plan, new, ChangeStatus.APPROVED, actor=actor, now=now)
    return load_plan(connection, integration, plan.number)


def reject(
    connection: Connection,
    integration: str,
    actor: Actor,
    now: datetime,
    *,
    number: int | None = None,
    positions: Collection[int] = (),
) -> Plan:
    """Rejects a plan, or single changes of it; see :func:`approve`."""
    plan = _open_plan(connection, integration, number, now)
    wanted = _chosen(plan, positions, ChangeStatus.APPROVED if positions else None)
    rejected = {one.change.position for one in wanted}
    for one in plan.writable:
        if one.status is ChangeStatus.APPROVED and rejected.intersection(one.change.needs):
            if one.change.position in rejected:
                continue
            raise AlignmentRefused(
                f"Change {one.change.position} of plan {plan.number} is approved and needs change "
                f"{min(rejected.intersection(one.change.needs))}. Reject both: "
                f"billcom align {integration} reject {plan.number} --change "
                f"{' --change '.join(map(str, sorted({*rejected, one.change.position})))}"
            )
    left = [one for one in plan.writable if one.change.position not in rejected]
    if not any(one.status is not ChangeStatus.REJECTED for one in left):
        status = PlanStatus.REJECTED
    else:
        is_approved = any(one.status is ChangeStatus.APPROVED for one in left)
        status = PlanStatus.APPROVED if is_approved else PlanStatus.PROPOSED
    set_plan(connection, integration, plan.number, status=status.value, decided_at=now, decided_by=actor.name)
    _decide(connection, plan, wanted, ChangeStatus.REJECTED, actor=actor, now=now)
    return load_plan(connection, integration, plan.number)


def is_somebody_else(actor: Actor, name: str) -> bool:
    """Whether a name in a plan is another person's than who acts now, as far as names tell.

    Under one user of the system two people are told apart only where both have given their names.
    """
    user = f" ({actor.user_name})"
    if name != actor.user_name and not name.endswith(user):
        return True
    own = name.removesuffix(user)
    return actor.as_name is not None and name.endswith(user) and own.casefold() != actor.as_name.casefold()


def _open_plan(connection: Connection, integration: str, number: int | None, now: datetime) -> Plan:
    lock_integration(connection, integration)
    again = f"Make a new one with: billcom align {integration} plan"
    plan = newest_plan(connection, integration) if number is None else load_plan(connection, integration, number)
    if plan is None:
        raise AlignmentRefused(f"{integration} has no plan yet. Make one with: billcom align {integration} plan")
    if plan.status not in UNDECIDED:
        raise AlignmentRefused(
            f"Plan {plan.number} of {integration} is {plan.status} and cannot be decided about any more. {again}"
        )
    if plan.is_expired(now):
        raise AlignmentRefused(
            f"Plan {plan.number} of {integration} expired on {plan.expires_at:%Y-%m-%d %H:%M} UTC: BILL's chart may "
            f"have changed since. {again}"
        )
    if not plan.writable:
        raise AlignmentRefused(
            f"Plan {plan.number} of {integration} has no change to decide about: what differs is left to you. "
            f"See the advice with: billcom align {integration} show {plan.number}"
        )
    return plan


def _chosen(plan: Plan, positions: Collection[int], without: ChangeStatus | None) -> list[StoredChange]:
    """The changes that are meant; without any all, except those of the status."""
    by_position = {one.change.position: one for one in plan.changes}
    if not positions:
        return [one for one in plan.writable if one.status is not without]
    unknown = sorted(set(positions) - by_position.keys())
    if unknown:
        raise AlignmentRefused(
            f"Plan {plan.number} has no change {_listed(unknown)}; it has 1 to {len(plan.changes)}. "
            f"See them with: billcom align {plan.integration} show {plan.number}"
        )
    conflicts = sorted(one for one in set(positions) if by_position[one].is_conflict)
    if conflicts:
        raise AlignmentRefused(
            f"Change {_listed(conflicts)} of plan {plan.number} is a conflict: it is left to you and cannot be "
            f"approved or rejected. See the advice with: billcom align {plan.integration} show {plan.number}"
        )
    return [by_position[one] for one in sorted(set(positions))]


def _refuse_too_many(plan: Plan, new: Sequence[StoredChange], max_changes: int | None) -> None:
    limit = plan.max_changes if max_changes is None else max_changes
    if len(new) > limit:
        command = f"billcom align {plan.integration} approve {plan.number}"
        raise AlignmentRefused(
            f"That would approve {counted(len(new), 'change', 'changes')} of plan {plan.number} at once, and one "
            f"approval covers {limit}. Approve single ones with {command} --change N, or all with "
            f"{command} --max-changes {len(new)}"
        )


def _refuse_missing_needs(plan: Plan, wanted: Iterable[StoredChange], approved: Collection[int]) -> None:
    """What has to be written before must be approved as well."""
    by_position = {one.change.position: one.change for one in plan.changes}
    for one in wanted:
        missing = sorted(_all_needs(by_position, one.change.position) - set(approved))
        if missing:
            parent = one.change.parent_position
            why = (
                f"its parent is created by change {parent}"
                if parent in missing
                else f"change {_listed(missing)} has to be written before"
            )
            options = " ".join(f"--change {position}" for position in sorted({*missing, one.change.position}))
            raise AlignmentRefused(
                f"Change {one.change.position} of plan {plan.number} cannot be approved alone: {why}, which is not "
                f"approved. Approve both: billcom align {plan.integration} approve {plan.number} {options}"
            )


def _all_needs(by_position: dict[int, Change], position: int) -> set[int]:
    found: set[int] = set()
    pending = [position]
    while pending:
        new = set(by_position[pending.pop()].needs) - found
        found |= new
        pending += new
    return found


def _decide(
    connection: Connection,
    plan: Plan,
    changes: Sequence[StoredChange],
    status: ChangeStatus,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Notes on every change what was decided, and all of it in the audit log."""
    positions = [one.change.position for one in changes]
    decided = {"status": status.value, "decided_at": now, "decided_by": actor.name}
    set_changes(connection, plan.integration, plan.number, positions, **decided)
    audit.record(
        connection,
        actor=actor,
        what=_WHAT[status],
        integration=plan.integration,
        subject=f"plan {plan.number}",
        before={"status": plan.status},
        after={"changes": "all" if len(positions) == len(plan.writable) else positions},
        now=now,
    )


def _listed(positions: Iterable[int]) -> str:
    return listed(map(str, positions))
