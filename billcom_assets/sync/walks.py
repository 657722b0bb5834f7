"""Reading what is new in a list, or a list that takes no time filter from one end to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from billcom_assets.bill.errors import QueryRefused
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.model import Walk
from billcom_assets.entities.rows import Batch
from billcom_assets.sync.lists import WalkedPage
from billcom_assets.sync.queries import CREATED, UPDATED
from billcom_assets.sync.source import Checkpoint, Source, later, read_time, text


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

    def _pages(self, until: datetime | None) -> Iterator[WalkedPage]:
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

    def _pages(self) -> Iterator[WalkedPage]:
        # Lists without time filters take no time sort either, as far as BILL says; they come in order of creation.
        if self._source.entity.walk is not Walk.FULL:
            try:
                yield from self._in_order(Sort(CREATED))
            except QueryRefused:
                pass
            else:
                return
        yield from self._in_order(None)

    def _in_order(self, sort: Sort | None) -> Iterator[WalkedPage]:
        return self._source.list(sort, lambda _position: ()).pages(None, None, self._source.read)
