"""Writing changes to BILL one at a time, so that it can stop anywhere and go on: for applying and undoing alike.

Before a request is sent it is committed to the record; as BILL confirms it, the response and the mirrored account are
committed together. A request in the record without a response is looked up in BILL before anything is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection

from billcom_assets.alignment import lookup
from billcom_assets.alignment.errors import ChangeFailed, OutcomeUnknown
from billcom_assets.alignment.record import Columns, Record
from billcom_assets.alignment.state import AccountState, Chart, below, read_chart, sees_parents, writes
from billcom_assets.bill.chart_writes import AccountWrite, Confirmed, Declined, Verb, send
from billcom_assets.bill.errors import BillError, NotFound
from billcom_assets.entities.rows import Batch
from billcom_assets.sync.by_id import IDS_PER_REQUEST, read_by_ids
from billcom_assets.sync.run import Sync
from billcom_assets.sync.store import BatchWriter

PAUSES = (0.0, 2.0, 10.0)
_SENDS = 3
"""Times one request is sent, looking in between whether it was carried out after all."""
_NO_RIGHTS = frozenset({401, 403})


class Finish(Protocol):
    """Notes that a task is done."""

    def __call__(self, connection: Connection, *, account_id: str) -> None:
        """Within the transaction; ``account_id`` is that of the task's first account."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What one account is to become."""

    account_id: str | None
    """None for one that is to be created."""
    start: AccountState | None
    """What it must be before anything is sent; None for a new one."""
    end: AccountState


@dataclass(frozen=True, slots=True)
class Task:
    """One change, or the undoing of one."""

    position: int
    title: str
    goals: Sequence[Goal]
    sent: Sequence[Mapping[str, Any]] = ()
    """Requests that an earlier run has put on record."""
    confirmed: Sequence[Mapping[str, Any]] = ()
    """The responses to them."""
    may_be_between: bool = False
    """Some of it may have been done already."""

    @property
    def in_doubt(self) -> Mapping[str, Any] | None:
        """The request whose outcome nobody has recorded."""
        return self.sent[-1] if len(self.sent) > len(self.confirmed) else None


@dataclass
class Writer:
    """Writes tasks of one plan.

    Args:
        sync: The run; it holds the integration's lock.
        store: What writes accounts to the mirror.
        record: The plan's record.
        columns: Where in it requests and responses go.
        again: The command that goes on after an interruption.
        pauses: Seconds before each look for what a lost write has done: BILL may still be at it.
        sleep: Waits.
    """

    sync: Sync
    store: BatchWriter
    record: Record
    columns: Columns
    again: str
    pauses: Sequence[float] = PAUSES
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        with self.sync.warehouse.read() as connection:
            self.chart: Chart = read_chart(connection, self.sync.warehouse.mirror, self.sync.integration)

    @property
    def sees_parents(self) -> bool:
        """Whether BILL shows what stands above an account."""
        return sees_parents(self.chart)

    def carry_out(self, task: Task, begin: Callable[[Connection], None], finish: Finish) -> str:
        """Brings the accounts of a task where they are to be; returns the id of the first.

        Args:
            task: What to do.
            begin: Notes that it has begun, in the transaction of each request.
            finish: Notes that it is done, given that id, in the transaction of the last response.

        Raises:
            ChangeFailed: BILL refuses it, or the account is not what the task starts from.
            OutcomeUnknown: nobody can say whether BILL has done it.
            BillError: BILL cannot be asked.
        """
        settled = self._settle(task)
        first = task.goals[0].account_id or settled
        for place, goal in enumerate(task.goals):
            account_id = goal.account_id if place else first
            now = self.chart.get(account_id) if account_id else None
            if goal.account_id is not None:
                self._require_expected(goal, now, may_be_between=task.may_be_between)
            steps = list(writes(account_id, now, goal.end))
            for number, step in enumerate(steps):
                is_last = place == len(task.goals) - 1 and number == len(steps) - 1
                done = partial(finish, account_id=first) if is_last and first else finish if is_last else None
                account_id = self._write(task, replace(step, account_id=account_id), begin, done)
                first = first or account_id
            if not steps and place == len(task.goals) - 1 and first is not None:
                with self.sync.warehouse.write() as connection:
                    self.sync.fence.check(connection)
                    finish(connection, account_id=first)
        return str(first)

    def _require_expected(self, goal: Goal, now: AccountState | None, *, may_be_between: bool) -> None:
        """An account that is neither as before nor on the way to the goal was changed by somebody else."""
        if now is None:
            raise ChangeFailed("BILL no longer has the account.")
        strange = [
            name
            for name in now.differences(goal.start or goal.end, sees_parents=self.sees_parents)
            if not may_be_between or getattr(now, name) != getattr(goal.end, name)
        ]
        if strange:
            raise ChangeFailed(f"The account was changed in BILL meanwhile: it has {now.told(strange)}.")

    def _settle(self, task: Task) -> str | None:
        """Records what the request has done whose outcome an interrupted run left open; returns the account's id."""
        doubt = task.in_doubt
        if doubt is None:
            return None
        step = AccountWrite.of_document(doubt)
        found = self._carried_out(step, doubt)
        if found is not None:
            return self._keep(task, step, doubt, found, None)
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            self.record.add(connection, task.position, self.columns.response, {"not_carried_out": True})
        return None

    # One request ---------------------------------------------------------------------------------------------------

    def _write(self, task: Task, step: AccountWrite, begin: Callable[[Connection], None], finish: Finish | None) -> str:
        """Sends one request and records what came of it; returns the account's id."""
        request = step.document() | self._circumstances(step)
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            begin(connection)
            self.record.add(connection, task.position, self.columns.request, request)
        account = self._confirmed(task, step, request)
        return self._keep(task, step, request, account, finish)

    def _circumstances(self, step: AccountWrite) -> dict[str, Any]:
        """What must be known to find out later what a request has done."""
        if step.verb is Verb.CREATE:
            name = step.fields["name"]
            return {"known": sorted(one for one, state in self.chart.items() if state.name == name)}
        if step.verb is Verb.ARCHIVE and step.account_id is not None:
            living = [one for one in below(self.chart, step.account_id) if not self.chart[one].archived]
            return {"living_below": living}
        return {}

    def _confirmed(self, task: Task, step: AccountWrite, request: Mapping[str, Any]) -> dict[str, Any]:
        """The account as BILL has it after the request."""
        said: BillError | None = None
        for _ in range(_SENDS):
            outcome = send(self.sync.client, step)
            if isinstance(outcome, Confirmed):
                return outcome.account
            said = outcome.error
            if isinstance(outcome, Declined):
                rights = said.http_status in _NO_RIGHTS
                raise ChangeFailed(str(said), is_about_rights=rights)
            found = self._carried_out(step, request)
            if found is not None:
                return found
        raise OutcomeUnknown(task.title, str(said), self.again)

    def _carried_out(self, step: AccountWrite, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The account as a lost request has left it; None when BILL did not carry it out."""
        for pause in self.pauses:
            if pause:
                self.sleep(pause)
            found = self._look_up(step, request)
            if found is not None:
                return found
        return None

    def _look_up(self, step: AccountWrite, request: Mapping[str, Any]) -> dict[str, Any] | None:
        client = self.sync.client
        if step.account_id is not None:
            try:
                account = lookup.now_in_bill(client, step.account_id)
            except NotFound as missing:
                raise ChangeFailed(f"BILL no longer has the account: {missing}") from None
            return account if lookup.is_done(step, account) else None
        maker = self.store.maker
        made = lookup.created_by(client, maker, step.fields, {*request.get("known", ()), *self._made()})
        if len(made) > 1:
            ids = ", ".join(sorted(str(one["id"]) for one in made))
            raise ChangeFailed(f"BILL has several new accounts that this one may be: {ids}. Archive all but one.")
        return made[0] if made else None

    def _made(self) -> set[str]:
        """Accounts that other changes of the plan have created."""
        with self.sync.warehouse.read() as connection:
            return {one.bill_id for one in self.record.changes(connection) if one.bill_id}

    # Keeping what came of it ----------------------------------------------------------------------------------------

    def _keep(
        self,
        task: Task,
        step: AccountWrite,
        request: Mapping[str, Any],
        account: dict[str, Any],
        finish: Finish | None,
    ) -> str:
        """Stores the account and those that BILL changed with it, together with BILL's response."""
        account_id = str(account["id"])
        batches = [Batch(), *self._read_again(request.get("living_below", ()))]
        self.store.maker.add(batches[0], account)
        along = sorted(row.id for batch in batches[1:] for row in batch.rows if row.archived)
        response = {"account": account} | ({"archived_along": along} if along else {})

        def also(connection: Connection) -> None:
            self.record.add(connection, task.position, self.columns.response, response)
            if step.verb is Verb.CREATE:
                self.record.set(connection, task.position, bill_id=account_id)
            if finish is not None:
                finish(connection, account_id=account_id)

        self.store.write(batches, {}, also)
        self._follow([account_id, *along], step)
        return account_id

    def _read_again(self, ids: Sequence[str]) -> list[Batch]:
        parts = (ids[start : start + IDS_PER_REQUEST] for start in range(0, len(ids), IDS_PER_REQUEST))
        return [read_by_ids(self.sync.client, self.store.maker, part).batch for part in parts]

    def _follow(self, ids: Sequence[str], step: AccountWrite) -> None:
        """Takes what was stored into the chart at hand."""
        with self.sync.warehouse.read() as connection:
            self.chart |= read_chart(connection, self.sync.warehouse.mirror, self.sync.integration, ids)
        if step.verb in {Verb.CREATE, Verb.UPDATE} and (step.verb is Verb.CREATE or "parentId" in step.fields):
            # Where v3 hides parents, v2 is asked about them at the end.
            self.chart[ids[0]] = replace(self.chart[ids[0]], parent_id=step.fields.get("parentId"))
