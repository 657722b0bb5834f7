"""The ways to read a list: what is new, everything in windows of created time, or everything from one end to the other.

A walk is begun, which puts its first requests in the pool, and then gives the consumer groups of batches; after each
group its checkpoint says what is left to read. Only the consumer's thread changes a walk; workers only read for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import QueryRefused
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.bill.quotas import AT_ONCE
from billcom_assets.entities.model import Entity, Walk
from billcom_assets.entities.rows import Batch, MirrorRow
from billcom_assets.sync import queries
from billcom_assets.sync.fetching import FetchPool, Stream, Turn
from billcom_assets.sync.lists import ListWalk, Reader, Step
from billcom_assets.sync.queries import CREATED, UPDATED, Query
from billcom_assets.sync.windows import Window, Windows, complete_from, is_in_order, rows_per_second

FRESH_SECONDS = 60
"""Pages that belong together are fetched within this time, well below the overlap of incremental pulls."""
_PAGES_PER_TRANSACTION = 6
Checkpoint = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """One entity's list, and how it is fetched."""

    client: BillClient
    entity: Entity
    read: Reader
    pool: FetchPool
    turn: Turn
    earliest: datetime | None
    """The history start."""
    is_plausible: Callable[[datetime], bool]
    """Whether an updated time may become the watermark."""

    @property
    def history(self) -> Sequence[Filter]:
        """The filter that the history start means."""
        return queries.since(self.earliest)

    def list(
        self,
        sort: Sort | None,
        filters: Callable[[datetime | None], Sequence[Filter]],
        position: Callable[[MirrorRow], datetime | None] | None = None,
        *,
        descending: bool = False,
    ) -> ListWalk:
        """The list in one order."""
        return ListWalk(self.client, self.entity.path, sort, filters, position, descending)

    def steps(self, pages: Iterator[Step]) -> Stream[Step]:
        """The pages of one walk through the list."""
        return Stream.of(self.pool, self.turn, [pages])

    def first_page(self, which: Callable[[Entity, datetime | None], Query]) -> Future[FirstPage]:
        """One page to come."""
        query = which(self.entity, self.earliest)

        def fetch() -> FirstPage:
            page = self.client.page(query.path, filters=query.filters, sort=query.sort, max_rows=query.max_rows)
            return FirstPage(self.read(page.rows), page.next_cursor)

        return self.pool.submit(self.turn, fetch)

    def newest(self, updated: Iterable[datetime]) -> datetime | None:
        """The newest of the times that say something."""
        return max(filter(self.is_plausible, updated), default=None)


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The page that a query begins with."""

    batch: Batch
    cursor: str | None
    """Of the next page; None when there is none."""


class ListReading(Protocol):
    """One walk."""

    watermark: datetime | None
    """The newest updated time that it has seen, as far as what is stored reaches."""

    def begin(self) -> None:
        """Puts the first requests in the pool."""

    @property
    def failure(self) -> BaseException | None:
        """What has ended it already, as far as is known."""

    def groups(self) -> Iterator[list[Batch]]:
        """What each transaction is to store.

        Raises:
            BillError: BILL failed, or refuses the list or the query.
        """

    def checkpoint(self) -> Checkpoint | None:
        """What is left to read after the group given last; None when only a new beginning helps."""

    def close(self) -> None:
        """Fetches nothing more."""


class News:
    """What changed since a little before the watermark, newest first, to the end.

    An object that changes while the list is read moves to its front: it is seen twice or next time, and pushes no other
    out of sight, which the opposite order would allow. What became visible late is caught as long as it is not later
    than the overlap; after that the nightly sweep finds it.

    Args:
        source: The list.
        since: Where it begins; None for everything.
        watermark: The watermark so far.
        checkpoint: Where an interrupted walk goes on.
        at_end: Called by a worker when the list turned out to be one page.
    """

    def __init__(
        self,
        source: Source,
        since: datetime | None,
        watermark: datetime | None,
        checkpoint: Checkpoint,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._source = source
        self._since = read_time(checkpoint.get("since")) or since
        self._until = read_time(checkpoint.get("until"))
        self.watermark = read_time(checkpoint.get("watermark")) or watermark
        self._knows_newest = "watermark" in checkpoint
        self._at_end = at_end

    def begin(self) -> None:
        """Puts the first request in the pool."""
        self._stream = self._source.steps(self._pages(self._until))

    @property
    def failure(self) -> BaseException | None:
        """What has ended it already, as far as is known."""
        return self._stream.failure

    def groups(self) -> Iterator[list[Batch]]:
        """Page by page."""
        for (step,) in self._stream.groups():
            if not self._knows_newest:
                self.watermark = later(self.watermark, self._source.newest(step.batch.updated_times))
                self._knows_newest = True
            self._until = step.reached
            yield [step.batch]

    def checkpoint(self) -> Checkpoint:
        """How far down it is."""
        return {"since": text(self._since), "until": text(self._until), "watermark": text(self.watermark)}

    def close(self) -> None:
        """Fetches nothing more."""
        self._stream.close()

    def _pages(self, until: datetime | None) -> Iterator[Step]:
        walk = self._source.list(
            Sort(UPDATED, descending=True), self._filters, lambda row: row.updated_time, descending=True
        )
        for number, step in enumerate(walk.pages(until, None, self._source.read), 1):
            if number == 1 and step.following is None:
                self._at_end()
            yield step

    def _filters(self, position: datetime | None) -> Sequence[Filter]:
        bounds = [Filter(UPDATED, Op.GTE, self._since)] if self._since else []
        return [*bounds, *([Filter(UPDATED, Op.LTE, position)] if position else [])]


class WholeList:
    """The whole list, page after page, for lists that take no time filter. An interrupted walk begins again.

    Args:
        source: The list.
        watermark: The watermark so far.
        began: What BILL's clock says; what changes on a page that was read already is not older.
    """

    def __init__(self, source: Source, watermark: datetime | None, began: datetime) -> None:
        self._source = source
        self.watermark = watermark
        self._began = began

    def begin(self) -> None:
        """Puts the first request in the pool."""
        self._stream = self._source.steps(self._pages())

    @property
    def failure(self) -> BaseException | None:
        """What has ended it already, as far as is known."""
        return self._stream.failure

    def groups(self) -> Iterator[list[Batch]]:
        """Page by page."""
        for (step,) in self._stream.groups():
            newest = self._source.newest(step.batch.updated_times)
            self.watermark = later(self.watermark, newest and min(newest, self._began))
            yield [step.batch]

    def checkpoint(self) -> None:
        """None: there is no place in the middle to go on from."""

    def close(self) -> None:
        """Fetches nothing more."""
        self._stream.close()

    def _pages(self) -> Iterator[Step]:
        # Lists without time filters take no time sort either, as far as BILL says; they come in order of creation.
        if self._source.entity.walk is not Walk.FULL:
            try:
                yield from self._in_order(Sort(CREATED))
            except QueryRefused:
                pass
            else:
                return
        yield from self._in_order(None)

    def _in_order(self, sort: Sort | None) -> Iterator[Step]:
        return self._source.list(sort, lambda _position: ()).pages(None, None, self._source.read)


@dataclass(frozen=True, slots=True)
class _WindowPage:
    """One page of one window."""

    window: Window
    batch: Batch
    reached: datetime | None
    is_end: bool


class Everything:
    """The whole list by windows of created time, as many at once as there are workers.

    Args:
        source: The list.
        watermark: The watermark so far.
        checkpoint: Where an interrupted walk goes on.
        stores_undated: True when objects without a created time are stored, which a sweep must see again.
    """

    def __init__(
        self,
        source: Source,
        watermark: datetime | None,
        checkpoint: Checkpoint,
        stores_undated: Callable[[], bool],
    ) -> None:
        self._source = source
        self._stores_undated = stores_undated
        self.watermark = read_time(checkpoint["watermark"]) if checkpoint else watermark
        self._windows = (
            Windows.resumed(self.watermark, checkpoint["windows"], source.pool.changed) if checkpoint else None
        )
        self._is_resumed = bool(checkpoint)
        self._has_undated: bool = checkpoint.get("undated", False)
        """An object without a created time was met: there may be more in no window."""
        self._undated: set[str] = set()
        self._streams: list[Stream[Any]] = []
        self._asked: list[Future[FirstPage]] = []

    def begin(self) -> None:
        """Puts the requests for the list's ends in the pool."""
        if self._is_resumed:
            return
        self._begun_at = time.monotonic()
        self._latest = self._source.first_page(queries.latest)
        self._asked = [self._latest]
        if self._source.entity.walk is Walk.WINDOWED:
            self._oldest = self._source.first_page(queries.oldest)
            self._newest = self._source.first_page(queries.newest)
            self._asked += [self._oldest, self._newest]

    @property
    def failure(self) -> BaseException | None:
        """What has ended it already, as far as is known."""
        return next((failure for one in self._asked if one.done() and (failure := one.exception())), None)

    def groups(self) -> Iterator[list[Batch]]:
        """The list's ends, then what lies between as it arrives, then what is in no window."""
        ends: list[Batch] = []
        if not self._is_resumed:
            self._windows, ends = self._read_ends()
        if self._windows is None:
            yield ends
            return
        # What the workers read meanwhile arrives while the ends are stored.
        between = self._begin_windows(self._windows)
        if ends:
            yield self._noted(ends)
        for group in between.groups(_PAGES_PER_TRANSACTION):
            for one in group:
                self._windows.stored(one.window, one.reached, is_end=one.is_end)
            yield self._noted([one.batch for one in group])
        if self._has_undated or self._stores_undated():
            yield from self._read_undated()

    def checkpoint(self) -> Checkpoint | None:
        """The windows, or what is left of them."""
        if self._windows is None:
            return None
        return {
            "watermark": text(self.watermark),
            "windows": self._windows.checkpoint(),
            "undated": self._has_undated,
        }

    def close(self) -> None:
        """Fetches nothing more."""
        for stream in self._streams:
            stream.close()

    def _read_ends(self) -> tuple[Windows | None, list[Batch]]:
        """What lies between the list's ends, None when that is nothing, and the ends themselves."""
        # Whatever changes from now on is not older than the latest change: the next incremental pull begins there.
        latest = self._latest.result()
        self.watermark = later(self.watermark, self._source.newest(latest.batch.updated_times))
        if latest.cursor is None:
            return None, [latest.batch]
        self._has_undated = bool(latest.batch.undated_ids())
        # What came long before the latest change may be older than the watermark promises.
        belong_together = len(self._asked) > 1 and time.monotonic() - self._begun_at <= FRESH_SECONDS
        first = (self._oldest if belong_together else self._source.first_page(queries.oldest)).result()
        oldest = first.batch
        if first.cursor is None:
            return None, [latest.batch, oldest]
        newest, end = self._newest_of(oldest) if belong_together else ([], None)
        created = [moment for moment in _created([oldest]) if moment is not None]
        is_ordered = is_in_order(created)
        reached = max(created, default=None) if is_ordered else None
        start = min(created, default=None) if is_ordered else None
        between = Window(start, end, reached, reached, first.cursor, len(oldest.rows))
        between.is_ordered = is_ordered
        if end is not None and reached is not None and reached >= end:
            between.is_fetched = between.is_stored = True
        windows = Windows(self.watermark, [between], self._source.pool.changed)
        windows.recent_rows_per_second = rows_per_second(_created(newest))
        return windows, [oldest, *newest]

    def _newest_of(self, oldest: Batch) -> tuple[list[Batch], datetime | None]:
        """What the page of the newest objects adds, and from when on it holds every object."""
        if oldest.rejections or not is_in_order(_created([oldest])):
            return [], None
        try:
            batch = self._newest.result().batch
        except QueryRefused:
            # Only this order is refused: without it the list is read to its very end.
            return [], None
        end = complete_from(_created([batch]))
        if end is None or batch.rejections:
            return [], None
        seen = {row.id for row in oldest.rows}
        batch.rows = [row for row in batch.rows if row.id not in seen and (row.created_time or end) >= end]
        return [batch], end

    def _begin_windows(self, windows: Windows) -> Stream[_WindowPage]:
        width = windows.width = AT_ONCE if self._source.entity.walk is Walk.WINDOWED else 1

        def following() -> Iterator[_WindowPage] | None:
            window = windows.take()
            return None if window is None else self._window_pages(windows, window)

        stream = Stream(self._source.pool, self._source.turn, following, width=width)
        self._streams.append(stream)
        return stream

    def _window_pages(self, windows: Windows, window: Window) -> Iterator[_WindowPage]:
        walk = self._window_list(window)
        for step in walk.pages(window.at or window.start, window.cursor, self._source.read):
            batch = step.batch
            owned = windows.owned(window, [row.created_time for row in batch.rows])
            batch.rows = [row for row, is_ours in zip(batch.rows, owned, strict=True) if is_ours]
            is_end = windows.reached(
                window, step.reached, len(batch.rows), is_ordered=step.is_ordered, is_end=step.following is None
            )
            yield _WindowPage(window, batch, step.reached, is_end)
            if is_end:
                return

    def _window_list(self, window: Window) -> ListWalk:
        history, start, has_cursor = self._source.history, window.at, window.cursor is not None

        def filters(position: datetime | None) -> Sequence[Filter]:
            if has_cursor and position == start:
                # The window goes on with the first page's own cursor, and BILL may want the query that it came with.
                return history
            lower = [Filter(CREATED, Op.GTE, position)] if position else []
            upper = [Filter(CREATED, Op.LT, window.end)] if window.end else []
            return [*lower, *upper, *history]

        return self._source.list(Sort(CREATED), filters, lambda row: row.created_time)

    def _read_undated(self) -> Iterator[list[Batch]]:
        """The list once more without windows: objects without a created time are in none of them.

        BILL may leave them out of lists that are sorted or filtered by it, so this walk does neither.
        """
        walk = self._source.list(Sort(UPDATED, descending=True), lambda _position: self._source.history)
        stream = self._source.steps(walk.pages(None, None, self._source.read))
        self._streams.append(stream)
        for (step,) in stream.groups():
            batch, new = step.batch, step.batch.undated_ids() - self._undated
            batch.rows = [row for row in batch.rows if row.id in new]
            batch.rejections = [one for one in batch.rejections if one.record_id in new]
            yield self._noted([batch])

    def _noted(self, batches: list[Batch]) -> list[Batch]:
        self._undated.update(*(batch.undated_ids() for batch in batches))
        self._has_undated |= bool(self._undated)
        return batches


def _created(batches: Sequence[Batch]) -> list[datetime | None]:
    return [row.created_time for batch in batches for row in batch.rows]


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times, either of which may be unknown."""
    return max((moment for moment in (one, other) if moment is not None), default=None)


def text(moment: datetime | None) -> str | None:
    """The time as a checkpoint holds it."""
    return moment.isoformat() if moment else None


def read_time(text: str | None) -> datetime | None:
    """The time that a checkpoint holds."""
    return datetime.fromisoformat(text) if text else None
