"""Deciding, integration by integration, what is launched now: nothing twice, nobody held up by the trouble of another.

A tick looks at the integrations in turn. What a launch was for stands in the tags of its run (reason, slot, attempt),
so the runs themselves are the record of what was launched; a run key of the same words is Dagster's own second lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import dagster as dg
import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from billcom_assets.assets.pulls import checks_of
from billcom_assets.assets.run_tags import REASON_TAG, owner_tag
from billcom_assets.automation.asking import Asking, requests_for_each
from billcom_assets.automation.dead_runs import DIED_TAG, close_dead
from billcom_assets.dagster_internals import MAX_RETRIES_TAG, PARTITION_NAME_TAG
from billcom_assets.environment import credential_check
from billcom_assets.partitions import PARTITION_SET
from billcom_assets.setup.prerequisites import SETUP_INCOMPLETE
from billcom_assets.status.integrations import IntegrationStatus, SyncStatus, every_integration, statuses_apart
from billcom_assets.status.readiness import gate
from billcom_assets.sync.probe import Question
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError, describe
from billcom_assets.warehouse.integrations import CredentialCheck

QUEUE_ROOM = 200
"""Runs that may wait to be started; what a tick cannot launch for lack of room, the next one does."""
INTERVAL_SECONDS = 30
"""How often a sensor looks, at most."""
LOOK_SECONDS = 30.0
"""How long a tick looks at integrations; Dagster ends one after 60 seconds."""
SLOT_TAG, ATTEMPT_TAG = "billcom/slot", "billcom/attempt"
_WAITS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
"""From the end of an attempt to the next; the last one for all that follow."""
_REASONS_SHOWN = 20

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True, slots=True)
class Launch:
    """A run that an integration needs."""

    reason: str
    slot: str
    """The occasion: an hour, a night, a change of settings. Attempts are counted within it."""
    entities: tuple[str, ...] = ()
    """Only these assets of the job; all when empty."""
    is_gated: bool = True
    """Only once setup is completed."""
    until_done: bool = False
    """Again in the same slot, after a growing wait, even when a run ended well and did not help."""
    only_if: Sequence[Question] | None = None
    """Only when BILL has something new, for the first attempt in the slot; without a question it was asked already."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Why an integration that needs a run gets none now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A run that is made when BILL has something new."""

    request: dg.RunRequest
    questions: Sequence[Question]


Decide = Callable[[SyncStatus, datetime], Launch | Skip | None]
"""What an integration needs at an instant; None for nothing."""


@dataclass(slots=True)
class Outcome:
    """What a tick came to."""

    requests: list[dg.RunRequest] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Why, by integration."""
    cursor: str | None = None
    """Where the next tick goes on; None when this one looked at every integration."""

    is_queue_full: bool = False
    """The tick ended because no more runs may wait."""

    def tell(self, log: Callable[[str], None]) -> None:
        """Says why others were skipped; of a tick that launches nothing the text is the result already."""
        if self.requests:
            for key, reason in self.skipped.items():
                log(f"{key}: {reason}")

    @property
    def text(self) -> str:
        """Why nothing was launched, one integration in a line."""
        lines = [f"{key}: {reason}" for key, reason in self.skipped.items()]
        more = len(lines) - _REASONS_SHOWN
        shown = [*lines[:_REASONS_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        if self.is_queue_full:
            shown.append(f"The queue is full ({QUEUE_ROOM} waiting); the next tick goes on.")
        return "\n".join(shown) or "No integration needs it now."


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One look at every integration."""

    instance: dg.DagsterInstance
    warehouse: Warehouse
    now: datetime
    look_seconds: float = LOOK_SECONDS

    @cached_property
    def _credentials(self) -> CredentialCheck:
        # Without the key here a run is launched all the same: where it runs the key may be known, and if not, it fails.
        return credential_check(self.warehouse)

    @cached_property
    def _unfinished(self) -> Sequence[dg.DagsterRun]:
        return self.instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED)))

    @cached_property
    def busy(self) -> Mapping[str, str]:
        """Integrations with a run that is queued or under way, and its id."""
        return {run.tags[PARTITION_NAME_TAG]: run.run_id for run in self._unfinished if PARTITION_NAME_TAG in run.tags}

    def integrations(self) -> list[IntegrationStatus]:
        """Every integration.

        Raises:
            DBAPIError: the database cannot be read; that says nothing of which integrations there are.
        """
        with self.warehouse.read() as connection:
            return every_integration(connection)

    def look(self, decide: Decide, cursor: str | None, *, new: Sequence[str] = ()) -> Outcome:
        """Decides for one integration after the other, from the cursor on, until the queue is full or time is up.

        Where a launch depends on it, BILL is asked meanwhile whether anything is new.

        Args:
            decide: What an integration needs.
            cursor: Where the last tick stopped.
            new: Integrations that become partitions in this tick.

        Raises:
            DBAPIError: the list of integrations cannot be read.
        """
        outcome = Outcome()
        room = QUEUE_ROOM - sum(run.status is dg.DagsterRunStatus.QUEUED for run in self._unfinished)
        known = {*self.instance.get_dynamic_partitions(PARTITION_SET), *new}
        deadline = time.monotonic() + self.look_seconds
        turn = list(in_turn(self.integrations(), read_cursor(cursor)))
        statuses = statuses_apart(self.warehouse, turn)
        asking, waiting = Asking(self.warehouse, requests_for_each(len(turn))), dict[str, dg.RunRequest]()
        for position, integration in enumerate(turn):
            outcome.is_queue_full = len(outcome.requests) >= room
            if outcome.is_queue_full or time.monotonic() > deadline:
                outcome.cursor = write_cursor(turn[position - 1].key) if position else cursor
                break
            found = self._one(integration, statuses[integration.key], decide, known)
            if isinstance(found, Ask):
                waiting[integration.key] = found.request
                asking.begin(integration.key, found.questions)
            elif isinstance(found, dg.RunRequest):
                outcome.requests.append(found)
            elif found is not None:
                outcome.skipped[integration.key] = found.reason
        for key, answer in asking.answers(deadline - time.monotonic()):
            if not answer.has_news:
                outcome.skipped[key] = answer.found
            elif len(outcome.requests) < room:
                outcome.requests.append(waiting[key])
            else:
                outcome.is_queue_full = True
        return outcome

    def _one(
        self, integration: IntegrationStatus, status: SyncStatus | Exception, decide: Decide, known: set[str]
    ) -> dg.RunRequest | Ask | Skip | None:
        if integration.left is not None:
            return Skip(integration.left)
        try:
            if isinstance(status, Exception):
                raise status
            wanted = decide(status, self.now)
            if not isinstance(wanted, Launch):
                return wanted
            key = integration.key
            with self.warehouse.read() as connection:
                return self._hindrance(connection, key, wanted, known) or self._requested(integration, wanted)
        except Exception as error:  # noqa: BLE001 - the trouble of one integration must not hold up the others
            return Skip(describe(error))

    def _hindrance(self, connection: Connection, key: str, wanted: Launch, known: set[str]) -> Skip | None:
        if key in self.busy and self.busy[key] not in close_dead(self.instance, self.warehouse, key):
            return Skip(f"its run {self.busy[key]} has not ended yet")
        if key not in known:
            return Skip("Dagster does not know it yet; the sensor new_integrations adds it")
        if refusal := self._credentials.refusal(connection, key):
            return Skip(refusal)
        missing = gate(connection, key) if wanted.is_gated else []
        if missing:
            first, more = missing[0], len(missing) - 1
            others = f"; {more} more: billcom status {key}" if more else ""
            return Skip(f"{SETUP_INCOMPLETE}: {first.prerequisite.title}: {first.found} ({first.fix}){others}")
        return None

    def _requested(self, integration: IntegrationStatus, wanted: Launch) -> dg.RunRequest | Ask | Skip | None:
        key = integration.key
        earlier = self.instance.get_run_records(
            dg.RunsFilter(tags={PARTITION_NAME_TAG: key, REASON_TAG: wanted.reason, SLOT_TAG: wanted.slot}), limit=100
        )
        if earlier:
            newest = earlier[0].dagster_run
            if newest.is_success and not wanted.until_done:
                return Skip(f"launched already for {wanted.slot}: run {newest.run_id}")
            again_at = _again_at(earlier)
            if self.now < again_at:
                return Skip(
                    f"run {newest.run_id} did not help; the next attempt is at "
                    f"{again_at:%Y-%m-%d %H:%M} UTC, or after billcom validate {key}"
                )
        attempt = 1 + max((int(one.dagster_run.tags.get(ATTEMPT_TAG, "1")) for one in earlier), default=0)
        request = _request(integration, wanted, attempt)
        # Where the run is carried out the key may be known.
        if earlier or wanted.only_if is None or self._credentials.unchecked:
            return request
        return Ask(request, wanted.only_if) if wanted.only_if else None


def _request(integration: IntegrationStatus, wanted: Launch, attempt: int) -> dg.RunRequest:
    assets = [dg.AssetKey(name) for name in wanted.entities]
    return dg.RunRequest(
        run_key=f"{integration.key}/{wanted.reason}/{wanted.slot}/{attempt}",
        partition_key=integration.key,
        tags={
            REASON_TAG: wanted.reason,
            SLOT_TAG: wanted.slot,
            ATTEMPT_TAG: str(attempt),
            # This is what launches it again; Dagster must not do so besides.
            MAX_RETRIES_TAG: "0",
            **owner_tag(integration.owner),
        },
        asset_selection=assets or None,
        asset_check_keys=checks_of(assets) if assets else None,
    )


def _again_at(earlier: Sequence[dg.RunRecord]) -> datetime:
    """When one more attempt may be made: each waits longer than the one before, up to a day."""
    newest = earlier[0]
    ended: datetime = newest.create_timestamp
    if DIED_TAG in newest.dagster_run.tags and len(earlier) == 1:
        # Nothing went wrong with it. One that dies again and again may be what kills the process.
        return ended
    if newest.end_time is not None:
        ended = datetime.fromtimestamp(newest.end_time, UTC)
    return ended + _WAITS[min(len(earlier), len(_WAITS)) - 1]


def in_turn(found: Sequence[IntegrationStatus], last: str) -> Iterator[IntegrationStatus]:
    """The integrations after ``last``, then those up to it."""
    yield from (one for one in found if one.key > last)
    yield from (one for one in found if one.key <= last)


def write_cursor(last: str) -> str:
    """A cursor behind the integration ``last``."""
    return msgspec.json.encode({"last": last}).decode()


def read_cursor(cursor: str | None) -> str:
    """The integration that the last tick looked at last; empty to begin with the first, as after an unreadable one."""
    try:
        content = msgspec.json.decode(cursor or "{}", type=dict[str, str])
    except msgspec.MsgspecError:
        return ""
    return content.get("last", "")


def unreadable(error: Exception) -> dg.SkipReason:
    """A tick that could not read the database: nothing is launched, nothing forgotten.

    Raises:
        dagster.Failure: the error is of another kind, which fails the tick; without the error's own text.
    """
    if isinstance(error, WarehouseError | SQLAlchemyError):
        return dg.SkipReason(f"Nothing was looked at: {describe(error)}")
    raise dg.Failure(describe(error)).with_traceback(error.__traceback__) from None
