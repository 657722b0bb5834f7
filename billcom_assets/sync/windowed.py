"""Reading a whole list by windows of created time, as many at once as there are workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billcom_assets.bill.concurrency import AT_ONCE
from billcom_assets.bill.errors import QueryRefused
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.model import Walk
from billcom_assets.entities.rows import Batch
from billcom_assets.sync import queries
from billcom_assets.sync.fetching import Stream
from billcom_assets.sync.lists import ListWalk
from billcom_assets.sync.queries import CREATED, UPDATED
from billcom_assets.sync.source import FRESH_SECONDS, Checkpoint, FirstPage, Source, later, read_time, text
from billcom_assets.sync.windows import Window, Windows, complete_from, is_in_order, rows_per_second

_PAGES_PER_TRANSACTION = 6


@dataclass(frozen=True, slots=True)
class _WindowPage:
    """One page of one window."""

    window: Window
    batch: Batch
    reached: datetime | None
    is_end: bool


class WindowedList:
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
        self._windows = Windows.resumed(self.watermark, checkpoint["windows"], source.pool.lock) if checkpoint else None
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
        windows = Windows(self.watermark, [between], self._source.pool.lock)
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
