"""One entity's list as a pull reads it, and what the walks through it have in common.

A walk is begun, which puts its first requests in the pool, and then yields groups of batches to the consumer; after
each group its checkpoint says what is left to read. Only the consumer changes a walk; workers only read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.query import Filter, Sort
from billcom_assets.entities.model import Entity
from billcom_assets.entities.rows import Batch, MirrorRow
from billcom_assets.sync import queries
from billcom_assets.sync.fetching import FetchPool, Stream, Turn
from billcom_assets.sync.lists import ListWalk, Reader, WalkedPage
from billcom_assets.sync.queries import Query

FRESH_SECONDS = 60
"""Pages that belong together are fetched within this time, well below the overlap of incremental pulls."""
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

    def steps(self, pages: Iterator[WalkedPage]) -> Stream[WalkedPage]:
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


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times, either of which may be unknown."""
    return max((moment for moment in (one, other) if moment is not None), default=None)


def text(moment: datetime | None) -> str | None:
    """The time as a checkpoint holds it."""
    return moment.isoformat() if moment else None


def read_time(text: str | None) -> datetime | None:
    """The time that a checkpoint holds."""
    return datetime.fromisoformat(text) if text else None
