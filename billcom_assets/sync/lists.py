"""Walking a list of BILL's page by page, whatever its cursors do, and making rows of what comes."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billcom_assets.bill.client import Page, decode, readable_id
from billcom_assets.bill.errors import BillError, BillUnavailable, QueryRefused
from billcom_assets.bill.query import Filter, Sort
from billcom_assets.entities.extract import usable_id
from billcom_assets.entities.rows import Batch, MirrorRow, Rejection, RowMaker

_RESTARTS_WITHOUT_PROGRESS = 8
_EMPTY_PAGES_IN_A_ROW = 5
_PAGES_WITHOUT_NEWS = 20
"""Beyond what a restart reads again."""
_SEEN_SLOTS = 2**24


class WalkStuck(BillUnavailable):
    """BILL's cursors lead nowhere: the same stretch of a list came again and again."""

    headline = "BILL's list does not come to an end"
    default_next_step = (
        "Run again later; finished pages are kept. If it happens again, check the base URL: the paging of whatever "
        "serves it is broken."
    )


class Pages(Protocol):
    """Where the pages of lists come from."""

    def page(
        self, path: str, *, filters: Iterable[Filter] = (), sort: Sort | None = None, cursor: str | None = None
    ) -> Page:
        """One page; raises what the client raises."""


Reader = Callable[[Sequence[bytes]], Batch]
"""Makes rows of a page's objects."""


def page_reader(rows: RowMaker) -> Reader:
    """Reads every object of a page, as a row or as a rejection that says why."""

    def read(raws: Sequence[bytes]) -> Batch:
        batch = Batch()
        for raw in raws:
            try:
                obj = decode(raw)
            except BillError:
                message = f"BILL sent an element of {rows.entity.path} that is no valid JSON object"
                batch.rejections.append(Rejection(usable_id(readable_id(raw)), message))
            else:
                rows.add(batch, obj)
        return batch

    return read


@dataclass(frozen=True, slots=True)
class WalkedPage:
    """One page of a walk."""

    batch: Batch
    reached: datetime | None
    """The position after it; where the walk began once the order is disproved."""
    following: str | None
    """Cursor of the next page; None at the end."""
    is_ordered: bool
    """False once a row stood before another that it should follow."""


class _News:
    """Tells pages with new objects from repetitions, in fixed memory however long the list is.

    An object may rarely be mistaken for a known one, a known one never for new.
    """

    def __init__(self) -> None:
        self._seen = mmap.mmap(-1, _SEEN_SLOTS)  # zeros, which take no memory before they are written
        self._pages = 0
        self._repetitions = 0

    def note(self, batch: Batch) -> bool:
        """Notes one page; True when it brought a new object."""
        is_news = False
        for one in batch.ids:
            slot = hash(one) % _SEEN_SLOTS
            if one and not self._seen[slot]:
                self._seen[slot] = 1
                is_news = True
        self._pages += is_news
        self._repetitions = 0 if is_news else self._repetitions + 1
        return is_news

    def restart(self) -> None:
        """From here on everything may come once more."""
        self._repetitions = 0

    @property
    def is_over(self) -> bool:
        """More pages in a row brought nothing new than there are pages with anything."""
        return self._repetitions > self._pages + _PAGES_WITHOUT_NEWS


@dataclass(frozen=True)
class ListWalk:
    """One list in one order, restartable from a position in that order.

    A cursor is good for one walk only. When BILL refuses one, repeats one or keeps sending empty pages, the walk begins
    again at the position it has reached; rows seen twice are stored once. Where the rows do not come in the order that
    was asked for, no position means anything: then the walk begins again at its start, and reports no other. Pages that
    go on and on without a new object end the walk.
    See https://developer.bill.com/docs/search-op-with-lists
    """

    client: Pages
    path: str
    sort: Sort | None
    filters: Callable[[datetime | None], Sequence[Filter]]
    """The filters that begin the list at a position."""
    position: Callable[[MirrorRow], datetime | None] | None
    """Where a row stands in the order; None when the order cannot be begun in the middle."""
    descending: bool = False

    def pages(self, start: datetime | None, cursor: str | None, read: Reader) -> Iterator[WalkedPage]:
        """Every page, with how far the walk is after it.

        Raises:
            QueryRefused: BILL refuses the filters or the sort themselves.
            WalkStuck: restarts or fresh cursors bring nothing new.
        """
        at, stuck = start, 0
        order, news = _Order(self.position, self.descending), _News()
        while True:
            is_progress = False
            news.restart()
            try:
                order.begin_again()
                for batch, following in self._one_run(at, cursor, read):
                    is_ordered = order.holds(batch)
                    at = order.furthest(at, batch) if is_ordered else start
                    is_progress |= news.note(batch)
                    yield WalkedPage(batch, at, following, is_ordered)
                    if following is None:
                        return
                    if news.is_over:
                        raise self._stuck("BILL kept sending pages without a new object")
            except QueryRefused as refusal:
                if not refusal.cursor_in_play:
                    raise
            cursor = None
            stuck = 0 if is_progress else stuck + 1
            if stuck > _RESTARTS_WITHOUT_PROGRESS:
                raise self._stuck(f"Its cursors led back to the same place {stuck} times")

    def _stuck(self, why: str) -> WalkStuck:
        return WalkStuck(why, endpoint=f"GET {self.path}")

    def _one_run(self, start: datetime | None, cursor: str | None, read: Reader) -> Iterator[tuple[Batch, str | None]]:
        """Pages until the end, or until the cursors stop making sense (the iteration then just ends)."""
        filters = tuple(self.filters(start))
        used: set[str] = set()
        empty = 0
        while True:
            page: Page = self.client.page(self.path, filters=filters, sort=self.sort, cursor=cursor)
            if cursor is not None:
                used.add(cursor)
            batch = read(page.rows)
            following = page.next_cursor
            empty = 0 if page.rows else empty + 1
            is_lost = following is not None and (following in used or empty > _EMPTY_PAGES_IN_A_ROW)
            if is_lost:
                # The objects are good; only the way on is not.
                yield batch, following
                return
            yield batch, following
            if following is None:
                return
            cursor = following


@dataclass
class _Order:
    """Whether the rows of a walk come in the order that was asked for."""

    position: Callable[[MirrorRow], datetime | None] | None
    descending: bool
    is_disproved: bool = False
    _last: datetime | None = None

    def begin_again(self) -> None:
        """The walk begins at an earlier place: what comes now is not compared with what came before."""
        self._last = None

    def holds(self, batch: Batch) -> bool:
        """False for good as soon as one row stands before another that it should follow."""
        for position in self._positions(batch):
            last, self._last = self._last, position
            self.is_disproved |= last is not None and (position > last if self.descending else position < last)
        return not self.is_disproved

    def furthest(self, at: datetime | None, batch: Batch) -> datetime | None:
        """The position after the batch."""
        known = [*self._positions(batch), *([at] if at is not None else [])]
        if self.position is None or not known:
            return None
        return min(known) if self.descending else max(known)

    def _positions(self, batch: Batch) -> list[datetime]:
        if self.position is None:
            return []
        positions = (self.position(row) for row in batch.rows)
        return [position for position in positions if position is not None]
