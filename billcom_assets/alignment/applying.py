"""Applying an approved plan: what it says and nothing else, and whether BILL then shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from billcom_assets.alignment import guards
from billcom_assets.alignment.drift import Drift, Situation
from billcom_assets.alignment.errors import ChangeFailed, NotWritten
from billcom_assets.alignment.linking import ChangeMapping
from billcom_assets.alignment.plans import Plan
from billcom_assets.alignment.reading import read_charts
from billcom_assets.alignment.record import APPLYING, Change, Record, newest_of
from billcom_assets.alignment.state import read_chart
from billcom_assets.alignment.tasks import to_apply
from billcom_assets.alignment.verifying import differences
from billcom_assets.alignment.work import Work, Written
from billcom_assets.alignment.writing import Writer
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_settings import alignment_settings, keep_other_accounting_system
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus
from billcom_assets.warehouse.audit import Decision, What

_READY = (PlanStatus.APPROVED, PlanStatus.APPLYING)
_UNWRITTEN = frozenset({ChangeStatus.APPROVED, ChangeStatus.WRITING})
_SHOWN = 10
"""Drifted changes that are named."""


def apply_plan(work: Work, number: int | None = None) -> Written:
    """Writes the newest approved plan (or the one of a number), or goes on with it; the caller holds ``sync.alone()``.

    Raises:
        NotWritten: it may not be written, or BILL or the ledger are no longer what it was made from.
        OutcomeUnknown: BILL was sent a change and nobody knows what became of it.
        BillError: BILL cannot be reached, lets nobody in or has no allowance left; applying again goes on.
    """
    return _Applying(work, _approved(work, number)).run()


def _approved(work: Work, number: int | None) -> Plan:
    sync, command = work.sync, f"billcom align {work.key}"
    with sync.warehouse.read() as connection:
        plan = newest_of(connection, work.key, _READY, number)
    if plan is None:
        what = "There is no approved plan." if number is None else f"Plan {number} is not approved, or written already."
        raise NotWritten(work.key, what, f"{command} show, then {command} approve")
    if plan.is_expired(sync.clock()):
        expired = f"Plan {plan.number} has expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC."
        raise NotWritten(work.key, expired, f"{command} plan")
    return plan


@dataclass
class _Applying:
    work: Work
    plan: Plan
    changes: dict[int, Change] = field(default_factory=dict)
    no_rights: str | None = None
    """What BILL said when it let this login change nothing."""

    def __post_init__(self) -> None:
        self.sync = self.work.sync
        self.record = Record(self.work.key, self.plan.number)

    def run(self) -> Written:
        """All of it."""
        self._guard()
        self.work.refresh()
        self._require_no_drift()
        self._begin()
        self.work.write(self.record, APPLYING, f"billcom align {self.work.key} apply", self._write_all)
        self.work.refresh()
        return self._conclude()

    # Before anything is written --------------------------------------------------------------------------------------

    def _guard(self) -> None:
        key, client = self.work.key, self.sync.client
        with self.sync.warehouse.read() as connection:
            settings = alignment_settings(connection, key)
            guards.require_settings(key, settings)
            if self.plan.status == PlanStatus.APPROVED:
                guards.require_consent(connection, key, settings, self.plan, self.work.consent)
        guards.require_rights(client, key)
        said = guards.require_no_other_sync(client, key, settings, self.work.consent)
        if said is not None:
            with self.sync.warehouse.write() as connection:
                keep_other_accounting_system(connection, key, said, self.work.actor, self.sync.clock())

    def _require_no_drift(self) -> None:
        mirror, key = self.sync.warehouse.mirror, self.work.key
        with self.sync.warehouse.read() as connection:
            changes = self.record.changes(connection)
            chart = read_chart(connection, mirror, key)
            unchanged = read_chart(connection, mirror, key, unchanged_since=self.plan.made_at)
            charts = read_charts(connection, key)
        found = Situation(chart, charts, self.plan.ledger_hash, frozenset(unchanged)).drifts(changes)
        if not found:
            return
        if self.plan.status == PlanStatus.APPLYING:
            self._give_up(changes, found)
            return
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        shown = "; ".join(map(str, found[:_SHOWN])) + more
        what = f"Plan {self.plan.number} is no longer what BILL and the ledger need: {shown}."
        raise NotWritten(key, what, f"billcom align {key} plan")

    def _give_up(self, changes: Sequence[Change], drifts: Sequence[Drift]) -> None:
        """Leaves what was not begun of a half-written plan, so that the rest can be planned again."""
        reasons = {one.position: f"Not written: {one.found}." for one in reversed(drifts)}
        others = f"Not written, because {drifts[0].title} is no longer what BILL and the ledger need."
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            for one in changes:
                if one.status == ChangeStatus.APPROVED:
                    error = reasons.get(one.position, others)
                    self.record.set_status(connection, one.position, ChangeStatus.FAILED, error=error)

    def _begin(self) -> None:
        first = {"started_at": self.sync.clock(), "started_by": self.work.actor.name}
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            self.record.set_plan(
                connection,
                status=PlanStatus.APPLYING.value,
                apply_run_id=self.sync.run_id,
                **(first if self.plan.started_at is None else {}),
            )

    # Writing ---------------------------------------------------------------------------------------------------------

    def _write_all(self, writer: Writer) -> None:
        self._load()
        for position in sorted(self.changes):
            if self.changes[position].status in _UNWRITTEN:
                self._write(writer, self.changes[position])
                self._load()

    def _load(self) -> None:
        with self.sync.warehouse.read() as connection:
            self.changes = {one.position: one for one in self.record.changes(connection)}

    def _write(self, writer: Writer, change: Change) -> None:
        try:
            if self.no_rights is not None:
                raise ChangeFailed(self.no_rights)
            task = to_apply(change, self.changes)
            begin = partial(self.record.set_status, position=change.position, status=ChangeStatus.WRITING)
            writer.carry_out(task, begin, partial(self._finish, change, task.goals[0].end.document()))
        except ChangeFailed as failure:
            if failure.is_about_rights:
                self.no_rights = f"Not tried, because of an earlier change: {failure.reason}"
            with self.sync.warehouse.write() as connection:
                self.sync.fence.check(connection)
                self.record.set_status(connection, change.position, ChangeStatus.FAILED, error=failure.reason)

    def _finish(self, change: Change, after: Mapping[str, object], connection: Connection, *, account_id: str) -> None:
        now, key = self.sync.clock(), self.work.key
        done = {"bill_id": account_id, "written_at": now, "error": None}
        self.record.set_status(connection, change.position, ChangeStatus.DONE, **done)
        mapped = ChangeMapping(connection, key, self.plan.number, change).store(account_id, self.work.actor.name, now)
        subject = f"plan {self.plan.number}, {change.title}: account {account_id}"
        written = Decision(What.ACCOUNT_WRITTEN, subject, key, change.before, after)
        audit.record_all(connection, self.work.actor, [written, *mapped], now)

    # Afterwards ------------------------------------------------------------------------------------------------------

    def _conclude(self) -> Written:
        """Holds BILL against the plan once more and says how far it came."""
        now, key = self.sync.clock(), self.work.key
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            chart = read_chart(connection, self.sync.warehouse.mirror, key)
            for position, found in differences(self.record.changes(connection), chart).items():
                self.record.set_status(connection, position, ChangeStatus.FAILED, error=found)
            written = self._outcome(connection)
            status = PlanStatus.APPLIED if written.is_complete else PlanStatus.FAILED
            self.record.set_plan(connection, status=status.value, finished_at=now)
            audit.record(
                connection,
                actor=self.work.actor,
                what=What.ALIGNMENT_APPLIED,
                integration=key,
                subject=f"plan {self.plan.number}",
                after={"status": status.value, "done": written.done, "failed": len(written.failed)},
                now=now,
            )
        return written

    def _outcome(self, connection: Connection) -> Written:
        changes, errors = self.record.changes(connection), self.record.errors(connection)
        failed = {one.title: errors.get(one.position, "") for one in changes if one.status == ChangeStatus.FAILED}
        done = sum(one.status == ChangeStatus.DONE for one in changes)
        return Written(self.plan.number, done, failed)
