"""Undoing a plan that was written: its changes in reverse order, as far as BILL allows and nobody relies on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from billcom_assets.alignment import guards
from billcom_assets.alignment.errors import ChangeFailed, NotWritten
from billcom_assets.alignment.linking import ChangeMapping
from billcom_assets.alignment.plans import Plan
from billcom_assets.alignment.record import UNDOING, Change, Record, newest_of
from billcom_assets.alignment.state import below
from billcom_assets.alignment.tasks import to_undo
from billcom_assets.alignment.uses import account_uses
from billcom_assets.alignment.work import Work, Written
from billcom_assets.alignment.writing import Writer
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_settings import alignment_settings
from billcom_assets.warehouse.alignment_tables import Action, ChangeStatus, PlanStatus
from billcom_assets.warehouse.audit import Decision, What

_READY = (PlanStatus.APPLIED, PlanStatus.FAILED, PlanStatus.APPLYING, PlanStatus.UNDOING)
_ARCHIVES = frozenset({Action.CREATE, Action.RESTORE})
"""What is undone by archiving."""


def undo_plan(work: Work, number: int | None = None) -> Written:
    """Takes back the newest plan that was written (or the one of a number), or goes on with that.

    The caller holds ``sync.alone()``. What cannot be undone stays, and the plan says why.

    Raises:
        NotWritten: there is nothing to undo, or it may not be.
        OutcomeUnknown: BILL was sent a change and nobody knows what became of it.
        BillError: BILL cannot be reached, lets nobody in or has no allowance left; undoing again goes on.
    """
    return _Undoing(work, _written(work, number)).run()


def _written(work: Work, number: int | None) -> Plan:
    with work.sync.warehouse.read() as connection:
        plan = newest_of(connection, work.key, _READY, number)
    if plan is None:
        what = "No plan was written that could be undone." if number is None else f"Plan {number} was not written."
        raise NotWritten(work.key, what, f"billcom align {work.key} history")
    return plan


@dataclass
class _Undoing:
    work: Work
    plan: Plan
    changes: dict[int, Change] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """Why an account stays as the plan has made it, by BILL's id."""

    def __post_init__(self) -> None:
        self.sync = self.work.sync
        self.record = Record(self.work.key, self.plan.number)

    def run(self) -> Written:
        """All of it."""
        key = self.work.key
        with self.sync.warehouse.read() as connection:
            guards.require_settings(key, alignment_settings(connection, key))
            self._require_no_doubt(connection)
        guards.require_rights(self.sync.client, key)
        self.work.refresh()
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            self.record.set_plan(connection, status=PlanStatus.UNDOING.value, apply_run_id=self.sync.run_id)
        self.work.write(self.record, UNDOING, f"billcom align {key} undo", self._undo_all)
        self.work.refresh()
        return self._conclude()

    def _require_no_doubt(self, connection: Connection) -> None:
        doubtful = [one.title for one in self.record.changes(connection) if one.status == ChangeStatus.WRITING]
        if doubtful:
            what = f"Whether BILL has taken {doubtful[0]} of plan {self.plan.number} is not known yet."
            raise NotWritten(self.work.key, what, f"billcom align {self.work.key} apply finds it out and goes on")

    def _undo_all(self, writer: Writer) -> None:
        with self.sync.warehouse.read() as connection:
            self.changes = {one.position: one for one in self.record.changes(connection)}
        for position in sorted(self.changes, reverse=True):
            if _is_there(self.changes[position]):
                self._undo(writer, self.changes[position])

    def _undo(self, writer: Writer, change: Change) -> None:
        account_id = change.bill_id or ""
        try:
            if account_id in self.kept:
                raise ChangeFailed(f"A later change of the account was not undone: {self.kept[account_id]}")
            if not change.undo_request:
                self._require_unused(change, writer)
            task = to_undo(change, self.changes, writer.chart)
            finish = partial(self._finish, change, task.goals[0].end.document())
            writer.carry_out(task, lambda _connection: None, finish)
        except ChangeFailed as failure:
            self.kept[account_id] = failure.reason
            with self.sync.warehouse.write() as connection:
                self.sync.fence.check(connection)
                note = {"undo_note": failure.reason}
                self.record.set_status(connection, change.position, ChangeStatus.NOT_UNDONE, **note)

    def _finish(self, change: Change, after: Mapping[str, object], connection: Connection, *, account_id: str) -> None:
        now, key = self.sync.clock(), self.work.key
        self.record.set_status(connection, change.position, ChangeStatus.UNDONE, undone_at=now, undo_note=None)
        unmapped = ChangeMapping(connection, key, self.plan.number, change).take_back()
        subject = f"undoing plan {self.plan.number}, {change.title}: account {account_id}"
        undone = Decision(What.ACCOUNT_WRITTEN, subject, key, change.after, after)
        audit.record_all(connection, self.work.actor, [undone, *unmapped], now)

    def _require_unused(self, change: Change, writer: Writer) -> None:
        """Nobody relies on an account that undoing would archive.

        Raises:
            ChangeFailed: somebody does.
        """
        if change.action not in _ARCHIVES or change.bill_id is None:
            return
        living = [one for one in below(writer.chart, change.bill_id) if not writer.chart[one].archived]
        if living:
            names = ", ".join(repr(writer.chart[one].name) for one in living)
            raise ChangeFailed(f"Archiving it would archive {names} below it as well.")
        if change.action == Action.RESTORE:
            return
        with self.sync.warehouse.read() as connection:
            uses = account_uses(connection, self.work.key).get(change.bill_id)
            mapped_to = ChangeMapping(connection, self.work.key, self.plan.number, change).by_others()
        if uses:
            raise ChangeFailed(f"It is in use by now: {', '.join(sorted(uses))} name it.")
        if mapped_to is not None:
            raise ChangeFailed(f"Somebody has mapped it to the ledger's account {mapped_to} since.")

    def _conclude(self) -> Written:
        now = self.sync.clock()
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            changes = self.record.changes(connection)
            undone = sum(one.status == ChangeStatus.UNDONE for one in changes)
            kept = {one.title: one.undo_note or "" for one in changes if one.status == ChangeStatus.NOT_UNDONE}
            ended = {"undone_at": now, "undone_by": self.work.actor.name}
            self.record.set_plan(connection, status=PlanStatus.UNDONE.value, **ended)
            audit.record(
                connection,
                actor=self.work.actor,
                what=What.ALIGNMENT_UNDONE,
                integration=self.work.key,
                subject=f"plan {self.plan.number}",
                after={"undone": undone, "kept": len(kept)},
                now=now,
            )
        return Written(self.plan.number, undone, kept)


def _is_there(change: Change) -> bool:
    """Whether BILL has taken anything of the change that was not undone yet."""
    if change.status == ChangeStatus.DONE:
        return True
    return change.status == ChangeStatus.FAILED and any("account" in one for one in change.response)
