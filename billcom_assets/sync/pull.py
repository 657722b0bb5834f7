"""Bringing one entity's mirror up to date: which walk it needs, and carrying it out with checkpoints."""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from billcom_assets.bill.client import BillClient, Page
from billcom_assets.bill.errors import BillError, QueryRefused
from billcom_assets.bill.limits import AT_ONCE
from billcom_assets.bill.meter import Calls
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity, Walk
from billcom_assets.sync import beginnings, sweeps
from billcom_assets.sync.ahead import ReadAhead
from billcom_assets.sync.beginnings import CREATED, UPDATED, Query
from billcom_assets.sync.by_id import IDS_PER_REQUEST, read_by_ids
from billcom_assets.sync.fence import Fence
from billcom_assets.sync.lanes import Lanes
from billcom_assets.sync.reading import Batch, ListWalk, PageReader
from billcom_assets.sync.report import WHOLE, Counts, Kind, Progress, PullReport
from billcom_assets.sync.state import EntityState, RunRow, StateStore
from billcom_assets.sync.windows import Window, Windows, complete_from, is_in_order, rows_per_second
from billcom_assets.sync.writing import BatchWriter
from billcom_assets.warehouse.bulk import MirrorRow, MirrorTable
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import describe

OVERLAP = timedelta(minutes=5)
"""How far before the watermark an incremental pull begins: BILL's times have whole seconds, and what is written at one
may become visible a little later."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far BILL's times may run ahead of BILL's clock; what is later yet says nothing about when something changed."""
_BEFORE_BILL = datetime(2000, 1, 1, tzinfo=UTC)
"""No object of BILL's is older; an earlier time is none."""
_OBJECTS_BETWEEN_LOOKS = 50_000


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def lock_name(integration: str) -> str:
    """The lock that a run holds while it pulls; it ends with the process."""
    return f"sync of {integration}"


@dataclass
class Sync:
    """The pulls of one integration in one run."""

    warehouse: Warehouse
    client: BillClient
    catalog: Catalog
    integration: str
    cutoff: date | None = None
    history_start: date | None = None
    run_id: str | None = None
    clock: Callable[[], datetime] = utc_now
    on_progress: Callable[[Progress], None] = lambda _progress: None
    confirm_deletions: bool = False
    """A sweep's misses count at once, not only when a sweep on another day misses them too."""
    walked_from: dict[str, datetime | None] = field(default_factory=dict)
    """Entities read from end to end in this run, with a time that BILL's clock had passed when that began."""
    bill_time: datetime | None = None
    """The newest updated time seen in this run: BILL's clock has passed it."""
    left_over: set[str] = field(default_factory=set)
    """Entities with objects that an earlier run was to read again and did not."""
    reported_calls: dict[str, Calls] = field(default_factory=dict)
    """Calls to each list that are in a report already."""
    planned: Sequence[str] = ()
    """Entities that this run pulls, in their order."""
    changes: dict[str, set[str] | None] = field(default_factory=dict)
    """Ids of the rows that this run has written by entity; None where it read a whole list or went on with one."""

    def __post_init__(self) -> None:
        self.fence = Fence(self.integration)
        self.pages = ReadAhead(
            self.client,
            [self.catalog[name] for name in self.planned],
            self.earliest,
            self._is_first_pull,
            lambda: self.bill_time,
        )

    @property
    def earliest(self) -> datetime | None:
        """The history start as an instant."""
        start = self.history_start
        return datetime(start.year, start.month, start.day, tzinfo=UTC) if start else None

    @property
    def states(self) -> StateStore:
        """The stored state of this integration."""
        return StateStore(self.integration)

    def state(self, entity: str) -> EntityState:
        """How far ``entity`` is."""
        with self.warehouse.read() as connection:
            return self.states.load(connection, entity)

    @contextmanager
    def alone(self, wait_seconds: float = 0) -> Iterator[None]:
        """Keeps other runs of this integration out; raises Busy when one is going on."""
        with self.warehouse.exclusive(lock_name(self.integration), wait_seconds=wait_seconds), _calm_collector():
            with self.warehouse.write() as connection:
                self.fence.raise_up(connection, self.clock())
                self.left_over = set(self.states.waiting_for_second_looks(connection))
            try:
                yield
            finally:
                self.pages.close()

    def bill_now(self) -> datetime:
        """BILL's clock: what its responses say, else ours."""
        return self.client.bill_clock or self.clock()

    def is_plausible(self, moment: datetime) -> bool:
        """False for a time before there was BILL, or beyond BILL's clock by more than a little.

        As a watermark, the first would be none, and the second would hide every change until then.
        """
        return _BEFORE_BILL < moment <= self.bill_now() + CLOCK_SKEW

    def _is_first_pull(self, entity: Entity) -> bool:
        return self.state(entity.name) == EntityState()


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Lets the garbage collector look less often: pulls make many objects and no cycles, so its looks find nothing."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass
class EntityPull:
    """One pull of one entity."""

    sync: Sync
    entity: Entity
    kind: Kind
    state: EntityState
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        sync = self.sync
        self.reader = PageReader(self.entity, sync.cutoff)
        checkpoint = self.state.walk or {}
        # A sweep that goes on where an interrupted one stopped goes on with its sightings.
        self.sweep = checkpoint.get("sweep", self.id) if self.kind is Kind.SWEEP else None
        self.writer = BatchWriter(
            warehouse=sync.warehouse,
            states=sync.states,
            table=MirrorTable(sync.warehouse.mirror, self.entity, sync.integration),
            reader=self.reader,
            pull_id=self.id,
            clock=sync.clock,
            fence=sync.fence.check,
            sweep=self.sweep,
            believes=self.kind is not Kind.INCREMENTAL,
            wants_second_look=self._wants_second_look,
            # What an interrupted run has written before is not known.
            changed_ids=None if self.kind in WHOLE or self.state.walk else set(),
            # SQLite tells an insert from an update only by looking.
            expects_new=sync.warehouse.is_postgresql and self.state == EntityState(),
        )
        self.writer.unidentified = checkpoint.get("unidentified", 0)
        self.watermark = self._stored_watermark()
        self.undated: bool = checkpoint.get("undated", False)
        """An object without a created time was met: there may be more in no window."""
        self.stored_undated: set[str] = set()
        self.last_checkpoint: dict[str, Any] | None = self.state.walk
        self.began = _later(sync.pages.began(self.entity), self.state.watermark)
        self.deleted = 0

    def run(self, walk: Callable[[], None]) -> PullReport:
        """Carries ``walk`` out, keeping its row of ``sync_runs`` true whatever happens."""
        sync, started, logins = self.sync, time.monotonic(), self.sync.client.stats.logins
        row = RunRow(self.id, sync.run_id, self.entity.name, self.kind, sync.clock(), self.state.watermark)
        with sync.warehouse.write() as connection:
            sync.states.start_run(connection, row)
        error: str | None = "The pull was interrupted. Run again: it goes on from there."
        try:
            walk()
            error = None
        except Exception as failure:
            if isinstance(failure, BillError):
                failure.located(integration=sync.integration, endpoint=f"GET {self.entity.path}")
            error = describe(failure)
            raise
        finally:
            calls = self._calls()
            report = PullReport(
                entity=self.entity.name,
                kind=self.kind,
                counts=self.writer.counts,
                deleted=self.deleted,
                requests=calls.requests,
                retries=calls.retries,
                logins=sync.client.stats.logins - logins,
                seconds=time.monotonic() - started,
                watermark_from=self.state.watermark,
                watermark_to=self.watermark,
            )
            self._close(report, error)
            self._note_changes()
        self._tell(done=True)
        return report

    def _note_changes(self) -> None:
        before, ours = self.sync.changes.get(self.entity.name, set()), self.writer.changed_ids
        self.sync.changes[self.entity.name] = None if before is None or ours is None else before | ours

    def _calls(self) -> Calls:
        """What the entity cost since its last report, requests made ahead included."""
        path, known = self.entity.path, self.sync.reported_calls
        so_far = self.sync.client.calls_of(path)
        before, known[path] = known.get(path, Calls()), so_far
        return so_far - before

    def _close(self, report: PullReport, error: str | None) -> None:
        with self.sync.warehouse.write() as connection:
            self.sync.states.end_run(
                connection,
                self.id,
                status="failed" if error else "complete",
                error=error,
                finished_at=self.sync.clock(),
                deleted=report.deleted,
                requests=report.requests,
                retries=report.retries,
                logins=report.logins,
                seconds=round(report.seconds),
                watermark_to=report.watermark_to,
            )

    # Walks -----------------------------------------------------------------------------------------------------------

    def walk_windows(self) -> None:
        """Everything, by created-time windows in up to three lanes; goes on from a checkpoint when there is one."""
        windows = self._resumed_windows()
        begun: list[Batch] = []
        if windows is not None:
            # What an earlier run stored is as old as that run.
            self.began = None
        else:
            windows, begun = self._begun_windows()
        self._begin_next()
        if windows is None:
            self._write(begun, walk=None)
        else:
            self._walk_in_lanes(windows, begun)
            if self.undated or self._stores_undated():
                self._walk_undated()
        self._note_walked()
        self._finish()

    def walk_news(self) -> None:
        """What changed since a little before the watermark, newest first, to the end.

        An object that changes while the list is read moves to its front: it is seen twice or next time, and pushes no
        other out of sight, which the opposite order would allow. What became visible late is caught as long as it is
        not later than ``OVERLAP``; after that the nightly sweep finds it.
        """
        checkpoint = self.state.walk or {}
        since = _time(checkpoint.get("since")) or self._since()
        until = _time(checkpoint.get("until"))
        self.watermark = _time(checkpoint.get("watermark")) or self.watermark

        def filters(position: datetime | None) -> Sequence[Filter]:
            bounds = [Filter(UPDATED, Op.GTE, since)] if since else []
            return [*bounds, *([Filter(UPDATED, Op.LTE, position)] if position else [])]

        walk = self._list(Sort(UPDATED, descending=True), filters, lambda row: row.updated_time, descending=True)
        for step in walk.pages(until, None, self.reader.read):
            if "watermark" not in checkpoint:
                self._raise_watermark(step.batch.updated_times)
            self._write(
                [step.batch],
                walk={
                    "kind": Kind.INCREMENTAL.value,
                    "since": _text(since),
                    "until": _text(step.reached),
                    "watermark": _text(self.watermark),
                },
            )
            checkpoint = {"watermark": _text(self.watermark)}
        self._finish()

    def walk_everything(self) -> None:
        """The whole list in one lane, for lists that take no time filter. An interrupted walk begins again."""
        self._forget_sightings()
        began = self.sync.bill_now()
        # Lists without time filters take no time sort either, as far as BILL says; they come in order of creation.
        for sort in (None,) if self.entity.walk is Walk.FULL else (Sort(CREATED), None):
            walk = self._list(sort, lambda _position: (), None)
            try:
                for step in walk.pages(None, None, self.reader.read):
                    self._begin_next()
                    # What changes on a page that was read already is not older than the beginning of the walk.
                    self._raise_watermark(step.batch.updated_times, until=began)
                    self._write([step.batch], walk=None)
            except QueryRefused:
                if sort is None:
                    raise
                continue
            break
        self._note_walked()
        self._finish()

    # Parts -----------------------------------------------------------------------------------------------------------

    def _walk_in_lanes(self, windows: Windows, begun: list[Batch]) -> None:
        """Stores what is read already while the lanes fetch the rest."""
        width = windows.width = AT_ONCE if self.entity.walk is Walk.WINDOWED else 1
        with Lanes(self._window_walk, windows, self.reader, width) as lanes:
            if begun:
                self._write(begun, walk=self._window_checkpoint(windows))
            for group in lanes.groups():
                for one in group:
                    windows.stored(one.window, one.reached, is_end=one.is_end)
                self._write([one.batch for one in group], walk=self._window_checkpoint(windows))

    def _walk_undated(self) -> None:
        """The list once more without windows: objects without a created time are in none of them.

        BILL may leave them out of lists that are sorted or filtered by it, so this walk does neither.
        """
        walk = self._list(Sort(UPDATED, descending=True), lambda _position: self._history_filters(), None)
        for step in walk.pages(None, None, self.reader.read):
            batch, new = step.batch, step.batch.undated_ids() - self.stored_undated
            batch.candidates = [one for one in batch.candidates if one.row.id in new]
            batch.rejections = [one for one in batch.rejections if one.record_id in new]
            self._write([batch], walk=self.last_checkpoint)

    def _stores_undated(self) -> bool:
        """True when an earlier pull brought objects without a created time, which a sweep must see again."""
        t = self.writer.table.table.c
        query = select(t.id).where(
            t.integration == self.sync.integration, t.created_time.is_(None), t.deleted_at.is_(None)
        )
        with self.sync.warehouse.read() as connection:
            return connection.scalar(query.limit(1)) is not None

    def _begun_windows(self) -> tuple[Windows | None, list[Batch]]:
        """Reads the list's ends; gives what lies between, None when that is nothing, and the ends themselves."""
        self._forget_sightings()
        self.sync.pages.begin(self.entity)
        # Whatever changes from now on is not older than the latest change: the next incremental pull begins there.
        page = self._ask(beginnings.latest)
        latest = self.reader.read(page.rows)
        self._raise_watermark(latest.updated_times)
        if page.next_cursor is None:
            return None, [latest]
        self.undated = bool(latest.undated_ids())
        first = self._ask(beginnings.oldest)
        belong_together = not self.sync.pages.is_stale(self.entity)
        if not belong_together:
            # What came long before the latest change may be older than the watermark promises.
            first = self._ask(beginnings.oldest)
        oldest = self.reader.read(first.rows)
        if first.next_cursor is None:
            return None, [latest, oldest]
        newest, end = self._newest(oldest) if belong_together else ([], None)
        created = [moment for moment in _created([oldest]) if moment is not None]
        is_ordered = is_in_order(created)
        reached = max(created, default=None) if is_ordered else None
        start = min(created, default=None) if is_ordered else None
        between = Window(start, end, reached, reached, first.next_cursor, len(oldest.candidates))
        between.is_ordered = is_ordered
        if end is not None and reached is not None and reached >= end:
            between.is_fetched = between.is_stored = True
        windows = Windows(self.watermark, [between])
        windows.recent_rows_per_second = rows_per_second(_created(newest))
        return windows, [oldest, *newest]

    def _newest(self, oldest: Batch) -> tuple[list[Batch], datetime | None]:
        """What the page of the newest objects adds, and from when on it holds every object."""
        if self.entity.walk is not Walk.WINDOWED or oldest.rejections or not is_in_order(_created([oldest])):
            return [], None
        try:
            batch = self.reader.read(self._ask(beginnings.newest).rows)
        except QueryRefused:
            # Only this order is refused: without it the list is read to its very end.
            return [], None
        end = complete_from(_created([batch]))
        if end is None or batch.rejections:
            return [], None
        seen = {one.row.id for one in oldest.candidates}
        batch.candidates = [
            one for one in batch.candidates if one.row.id not in seen and (one.row.created_time or end) >= end
        ]
        return [batch], end

    def _forget_sightings(self) -> None:
        if self.kind is Kind.SWEEP:
            with self.sync.warehouse.write() as connection:
                sweeps.forget_sightings(connection, self.sync.integration, self.entity.name)

    def _ask(self, which: Callable[[Entity, datetime | None], Query]) -> Page:
        query = which(self.entity, self.sync.earliest)
        return self.sync.pages.page(query.path, filters=query.filters, sort=query.sort, max_rows=query.max_rows)

    def _resumed_windows(self) -> Windows | None:
        checkpoint = self.state.walk
        if not checkpoint:
            return None
        self.watermark = _time(checkpoint["watermark"])
        return Windows.resumed(self.watermark, checkpoint["windows"])

    def _window_checkpoint(self, windows: Windows) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "watermark": _text(self.watermark),
            "cutoff": self.sync.cutoff.isoformat() if self.sync.cutoff else None,
            "windows": windows.checkpoint(),
            "sweep": self.sweep,
            "unidentified": self.writer.unidentified,
            "undated": self.undated,
        }

    def _window_walk(self, window: Window) -> ListWalk:
        def filters(position: datetime | None) -> Sequence[Filter]:
            lower = [Filter(CREATED, Op.GTE, position)] if position else []
            upper = [Filter(CREATED, Op.LT, window.end)] if window.end else []
            return [*lower, *upper, *self._history_filters()]

        if window.cursor is None:
            return self._list(Sort(CREATED), filters, lambda row: row.created_time)
        # The window goes on with the first page's own cursor, and BILL may want the query that it came with.
        first = self._history_filters()
        start = window.at

        def same_query(position: datetime | None) -> Sequence[Filter]:
            return first if position == start else filters(position)

        return self._list(Sort(CREATED), same_query, lambda row: row.created_time)

    def _list(
        self,
        sort: Sort | None,
        filters: Callable[[datetime | None], Sequence[Filter]],
        position: Callable[[MirrorRow], datetime | None] | None,
        *,
        descending: bool = False,
    ) -> ListWalk:
        return ListWalk(self.sync.pages, self.entity.path, sort, filters, position, descending)

    def _history_filters(self) -> Sequence[Filter]:
        return beginnings.since(self.sync.earliest)

    def _since(self) -> datetime | None:
        """Where an incremental pull begins; never before the history start."""
        since = self.watermark - OVERLAP if self.watermark else None
        return max((one for one in (since, self.sync.earliest) if one is not None), default=None)

    def _raise_watermark(self, updated: Iterable[datetime], *, until: datetime | None = None) -> None:
        newest = max(filter(self.sync.is_plausible, updated), default=None)
        if until is not None and newest is not None:
            newest = min(newest, until)
        self.watermark = _later(self.watermark, newest)

    def _stored_watermark(self) -> datetime | None:
        """The watermark so far, unless it is none: then everything is read."""
        mark = self.state.watermark
        return mark if mark is not None and self.sync.is_plausible(mark) else None

    def _write(self, batches: list[Batch], *, walk: dict[str, Any] | None) -> None:
        """Stores the batches with the checkpoint."""
        self.writer.write(batches, {"walk": walk})
        self.last_checkpoint = walk
        self.stored_undated.update(*(batch.undated_ids() for batch in batches))
        self.undated |= bool(self.stored_undated)
        self._tell(done=False)

    def _note_walked(self) -> None:
        self.sync.walked_from[self.entity.name] = _later(self.began, self.watermark)

    def _begin_next(self) -> None:
        self.sync.pages.begin_after(self.entity)

    def _finish(self) -> None:
        if self.sweep is not None and not self.writer.unidentified:
            self._ask_for_doomed(self.sweep)
        now = self.sync.clock()
        self.sync.pages.finish(self.entity)
        self.sync.bill_time = _later(self.sync.bill_time, self.watermark)
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            state: dict[str, Any] = {"walk": None, "watermark": self.watermark, "synced_at": now}
            if self.kind is not Kind.INCREMENTAL or self._cutoff_moved_later():
                state["cutoff"] = self.sync.cutoff
            if self.state.first_pulled_at is None:
                state["first_pulled_at"] = now
            if self.sweep is not None and not self.writer.unidentified:
                state["swept_at"] = now
                self.deleted = sweeps.conclude(connection, self._sweep(self.sweep, now)).deleted
            self.sync.states.save(connection, self.entity.name, **state)
        self._begin_next()

    def _ask_for_doomed(self, sweep: str) -> None:
        """Asks by id for what is about to be marked deleted: BILL may leave out of lists what it shows all the same."""
        with self.sync.warehouse.read() as connection:
            ids = sweeps.doomed_ids(connection, self._sweep(sweep, self.sync.clock()))
        for start in range(0, len(ids), IDS_PER_REQUEST):
            part = ids[start : start + IDS_PER_REQUEST]
            found = read_by_ids(self.sync.client, self.entity, self.reader, part)
            # What BILL refuses to show is no less there than what it shows.
            refused = partial(sweeps.note_sightings, mirror=self.writer.table, sweep=sweep, ids=sorted(found.refused))
            self.writer.write([found.batch], {"walk": self.last_checkpoint}, refused)

    def _sweep(self, sweep: str, now: datetime) -> sweeps.Sweep:
        since = None if self.entity.walk is Walk.FULL else self.sync.earliest
        return sweeps.Sweep(sweep, self.writer.table, now, since, self.sync.confirm_deletions)

    def _cutoff_moved_later(self) -> bool:
        new, old = self.sync.cutoff, self.state.cutoff
        return new is not None and (old is None or new > old)

    def _wants_second_look(self, entity: str, updated: datetime | None) -> bool:
        """Unless the object was itself read after the change that names it."""
        if entity not in self.sync.walked_from:
            return True
        read_from = self.sync.walked_from[entity]
        return updated is None or read_from is None or updated >= read_from - OVERLAP

    def _tell(self, *, done: bool) -> None:
        counts: Counts = self.writer.counts
        self.sync.on_progress(
            Progress(
                self.entity.name,
                self.kind.value,
                counts.fetched,
                counts.written,
                self.sync.client.stats.requests,
                done,
            )
        )


def _created(batches: Sequence[Batch]) -> list[datetime | None]:
    return [one.row.created_time for batch in batches for one in batch.candidates]


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
