"""One pull of one entity: storing what its walk reads, with counts, checkpoint and its row of ``sync_runs``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, false, or_, select

from billcom_assets.bill.errors import BillError
from billcom_assets.entities.model import Entity, OtherList, Walk
from billcom_assets.entities.rows import Batch
from billcom_assets.sync import sweeps
from billcom_assets.sync.by_id import IDS_PER_REQUEST, read_by_ids
from billcom_assets.sync.fetching import Turn
from billcom_assets.sync.lists import page_reader
from billcom_assets.sync.other_lists import add_stand_ins, are_of, are_stand_ins, ask_others, read_others
from billcom_assets.sync.permissions import is_not_permitted
from billcom_assets.sync.report import WHOLE, Progress, PullKind, PullReport
from billcom_assets.sync.run import OVERLAP, Sync
from billcom_assets.sync.source import ListReading, Source, later
from billcom_assets.sync.state import EntityState, RunRow
from billcom_assets.sync.store import BatchWriter
from billcom_assets.sync.walks import News, WholeList
from billcom_assets.sync.windowed import WindowedList
from billcom_assets.warehouse.bulk import MirrorTable
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.errors import describe

if TYPE_CHECKING:
    from billcom_assets.sync.rereads import Reread


@dataclass
class EntityPull:
    """One pull of one entity.

    Args:
        sync: The run.
        entity: What is pulled.
        kind: What for.
        state: How far the entity was; its ``walk`` is what the pull goes on with.
        turn: Whom its fetches are for.
        is_refresh: The whole list was asked for.
        unsettled: What is to be read again after it.
    """

    sync: Sync
    entity: Entity
    kind: PullKind
    state: EntityState
    turn: Turn
    is_refresh: bool = False
    unsettled: Reread | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        sync = self.sync
        rows, contract = sync.maker(self.entity)
        checkpoint = self.state.walk or {}
        # A sweep that goes on where an interrupted one stopped goes on with its sightings.
        self.sweep = checkpoint.get("sweep", self.id) if self.kind is PullKind.SWEEP else None
        self.writer = BatchWriter(
            warehouse=sync.warehouse,
            states=sync.states,
            table=MirrorTable(sync.warehouse.mirror, self.entity, sync.integration),
            maker=rows,
            contract=contract,
            pull_id=self.id,
            clock=sync.clock,
            fence=sync.fence.check,
            sweep=self.sweep,
            believes=self.kind is not PullKind.INCREMENTAL,
            wants_reread=sync.wants_reread,
            # What an interrupted run has written before is not known.
            changed_ids=None if self.kind in WHOLE or self.state.walk else set(),
            expects_new=sync.warehouse.may_insert_unseen and self.state == EntityState(),
        )
        self.writer.unidentified = checkpoint.get("unidentified", 0)
        mark = self.state.watermark
        # Without a plausible one everything is read.
        self.watermark = mark if mark is not None and sync.is_plausible(mark) else None
        self.began = later(sync.bill_time, self.state.watermark)
        self.begun_at = time.monotonic()
        self.deleted = 0
        self.walk: ListReading | None = None

    @property
    def source(self) -> Source:
        """The entity's list as this pull reads it."""
        sync = self.sync
        read = page_reader(self.writer.maker)
        return Source(sync.client, self.entity, read, sync.pool, self.turn, sync.earliest, sync.is_plausible)

    # Ways to read ----------------------------------------------------------------------------------------------------

    def read_news(self, at_end: Callable[[], None] = lambda: None) -> None:
        """Begins to read what has changed."""
        since = self.watermark - OVERLAP if self.watermark else None
        # Never before the history start.
        since = later(since, self.sync.earliest)
        self._begin(News(self.source, since, self.watermark, self.state.walk or {}, at_end))

    def read_everything(self) -> None:
        """Begins to read the whole list by windows, or goes on with that."""
        if self.state.walk:
            # What an earlier run stored is as old as that run.
            self.began = None
        else:
            self._forget_sightings()
        self._begin(WindowedList(self.source, self.watermark, self.state.walk or {}, self._stores_undated))

    def read_whole_list(self) -> None:
        """Begins to read a list that takes no time filter."""
        self._forget_sightings()
        self._begin(WholeList(self.source, self.watermark, self.sync.bill_now()))

    def close(self) -> None:
        """Fetches nothing more."""
        if self.walk is not None:
            self.walk.close()

    def _begin(self, walk: ListReading) -> None:
        self.walk = walk
        walk.begin()

    def _forget_sightings(self) -> None:
        if self.kind is PullKind.SWEEP:
            with self.sync.warehouse.write() as connection:
                sweeps.forget_sightings(connection, self.sync.integration, self.entity.name)

    def _stores_undated(self) -> bool:
        """True when an earlier pull brought objects without a created time, which a sweep must see again."""
        t = self.writer.table.table.c
        query = select(t.id).where(
            t.integration == self.sync.integration, t.created_time.is_(None), t.deleted_at.is_(None)
        )
        with self.sync.warehouse.read() as connection:
            return connection.scalar(query.limit(1)) is not None

    # Storing ---------------------------------------------------------------------------------------------------------

    def store(self) -> None:
        """Stores what the walk reads, to its end."""
        walk = self.walk
        assert walk is not None  # noqa: S101 - one of the ways to read was begun
        others = ask_others(self.sync, self.entity, self.turn)
        for batches in walk.groups():
            self.watermark = walk.watermark
            self._write(batches)
        self.watermark = walk.watermark
        if others:
            batches, refused = read_others(self.sync, others)
            self.writer.write(batches, {"walk": self._checkpoint()}, partial(self._note_unlisted, refused))
        if self.kind in WHOLE:
            self.sync.walked_from[self.entity.name] = later(self.began, self.watermark)
        self._finish()

    def run(self, store: Callable[[], None]) -> PullReport:
        """Carries ``store`` out, keeping the pull's row of ``sync_runs`` true whatever happens."""
        sync, started, logins = self.sync, time.monotonic(), self.sync.client.stats.logins
        row = RunRow(self.id, sync.run_id, self.entity.name, self.kind, sync.clock(), self.state.watermark)
        with sync.warehouse.write() as connection:
            sync.states.start_run(connection, row)
        error: str | None = "The pull was interrupted. Run again: it goes on from there."
        self.outcome = "failed"
        try:
            store()
            error = None
            self.outcome = "complete"
        except Exception as failure:
            if isinstance(failure, BillError):
                failure.located(integration=sync.integration, endpoint=self.entity.call)
            error = describe(failure)
            if is_not_permitted(self.entity, failure):
                self.outcome = NOT_PERMITTED
            raise
        finally:
            self.close()
            report = PullReport(
                entity=self.entity.name,
                kind=self.kind,
                counts=self.writer.counts,
                deleted=self.deleted,
                requests=self.turn.tally.requests,
                retries=self.turn.tally.retries,
                logins=sync.client.stats.logins - logins,
                seconds=time.monotonic() - started,
                watermark_from=self.state.watermark,
                watermark_to=self.watermark,
            )
            self._end_run(report, error)
            sync.note_changed(self.entity.name, self.writer.changed_ids)
        self._report_progress(done=True)
        return report

    def _write(self, batches: list[Batch]) -> None:
        """Stores the batches with the checkpoint."""
        self.writer.write(batches, {"walk": self._checkpoint()})
        self._report_progress(done=False)

    def _checkpoint(self) -> dict[str, Any] | None:
        left = self.walk.checkpoint() if self.walk is not None else None
        if left is None:
            return None
        if self.kind is PullKind.INCREMENTAL:
            return {"kind": self.kind.value, **left}
        return {
            "kind": self.kind.value,
            "cutoff": self.sync.cutoff.isoformat() if self.sync.cutoff else None,
            "sweep": self.sweep,
            "unidentified": self.writer.unidentified,
            **left,
        }

    def _note_unlisted(self, refused: Sequence[OtherList], connection: Connection) -> None:
        """No list that was read could show these: that they were not seen says nothing."""
        t = self.writer.table.table
        unlisted = select(t.c.id).where(
            t.c.integration == self.sync.integration, or_(*are_of(t, refused), *are_stand_ins(t), false())
        )
        if self.sweep is not None:
            sweeps.note_sightings(connection, self.writer.table, self.sweep, connection.scalars(unlisted).all())

    def _finish(self) -> None:
        is_whole_sweep = self.sweep is not None and not self.writer.unidentified
        if self.sweep is not None and is_whole_sweep:
            self._ask_for_doomed(self.sweep)
        now = self.sync.clock()
        self.sync.note_seen(self.watermark)
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            state: dict[str, Any] = {"walk": None, "watermark": self.watermark, "synced_at": now}
            if self.kind is not PullKind.INCREMENTAL or self._cutoff_moved_later():
                state["cutoff"] = self.sync.cutoff
            if self.state.first_pulled_at is None:
                state["first_pulled_at"] = now
            if self.sweep is not None and is_whole_sweep:
                state["swept_at"] = now
                self.deleted = sweeps.conclude(connection, self._sweep(self.sweep, now)).deleted
            add_stand_ins(connection, self.sync, self.entity, self.writer.changed_ids, now)
            self.sync.states.save(connection, self.entity.name, **state)

    def _ask_for_doomed(self, sweep: str) -> None:
        """Asks by id for what is about to be marked deleted: BILL may leave out of lists what it shows all the same."""
        sync, maker = self.sync, self.writer.maker
        with sync.warehouse.read() as connection:
            ids = sweeps.doomed_ids(connection, self._sweep(sweep, sync.clock()))
        for start in range(0, len(ids), IDS_PER_REQUEST):
            part = ids[start : start + IDS_PER_REQUEST]
            found = sync.pool.submit(self.turn, partial(read_by_ids, sync.client, maker, part)).result()
            # What BILL refuses to show is no less there than what it shows.
            refused = partial(sweeps.note_sightings, mirror=self.writer.table, sweep=sweep, ids=sorted(found.refused))
            self.writer.write([found.batch], {"walk": self._checkpoint()}, refused)

    def _sweep(self, sweep: str, now: datetime) -> sweeps.Sweep:
        since = None if self.entity.walk is Walk.FULL else self.sync.earliest
        return sweeps.Sweep(sweep, self.writer.table, now, since, self.sync.confirm_deletions)

    def _cutoff_moved_later(self) -> bool:
        new, old = self.sync.cutoff, self.state.cutoff
        return new is not None and (old is None or new > old)

    # Reporting -------------------------------------------------------------------------------------------------------

    def _end_run(self, report: PullReport, error: str | None) -> None:
        with self.sync.warehouse.write() as connection:
            self.sync.states.end_run(
                connection,
                self.id,
                status=self.outcome,
                error=error,
                finished_at=self.sync.clock(),
                deleted=report.deleted,
                requests=report.requests,
                retries=report.retries,
                logins=report.logins,
                seconds=round(report.seconds),
                watermark_to=report.watermark_to,
            )

    def _report_progress(self, *, done: bool) -> None:
        counts, requests = self.writer.counts, self.sync.client.stats.requests
        self.sync.on_progress(
            Progress(self.entity.name, self.kind.value, counts.fetched, counts.written, requests, done)
        )
