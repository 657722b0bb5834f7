"""Asking for the beginning of the next list while this one is still being read.

Short lists use one of the three lanes that BILL allows, and long ones leave lanes without work near their end. So what
the next entities' first pulls begin with is asked for early. Everything is stored in the planned order all the same,
each list is begun after the one before it has answered, and a gated entity is never asked for before the gate was
passed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from billcom_assets.bill.client import BillClient, Page
from billcom_assets.bill.errors import BillError, QueryRefused
from billcom_assets.bill.query import Filter, Sort
from billcom_assets.entities.model import Entity
from billcom_assets.sync.beginnings import PAGE_ROWS, Query, beginning

_ENTITIES_AHEAD = 6
_FRESH_SECONDS = 60
"""Pages that belong together are asked for within this time, well below the overlap of incremental pulls."""


@dataclass(slots=True)
class _Begun:
    """An entity whose beginning was asked for."""

    bill_time: datetime | None
    """A time that BILL's clock had passed then."""
    begun_at: float
    """Seconds of the monotonic clock."""
    is_ahead: bool
    is_answered: bool = False
    """Its first page has come."""

    @property
    def is_stale(self) -> bool:
        return time.monotonic() - self.begun_at > _FRESH_SECONDS


@dataclass
class ReadAhead:
    """Pages of one run, some of them asked for before they are needed; thread-safe."""

    client: BillClient
    planned: Sequence[Entity]
    """The entities of the run, in their order."""
    earliest: datetime | None
    is_first_pull: Callable[[Entity], bool]
    bill_time: Callable[[], datetime | None]
    """A time that BILL's clock has passed."""
    _asked: dict[Query, tuple[Future[Page], _Begun]] = field(default_factory=dict)
    _begun: dict[str, _Begun] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _is_closed: bool = False

    def page(
        self,
        path: str,
        *,
        filters: Iterable[Filter] = (),
        sort: Sort | None = None,
        cursor: str | None = None,
        max_rows: int = PAGE_ROWS,
    ) -> Page:
        """As the client's ``page``; what was asked for already is not asked for again."""
        query = Query(path, tuple(filters), sort, max_rows)
        with self._lock:
            asked = self._asked.pop(query, None) if cursor is None else None
        if asked is None:
            return self._ask(query, cursor)
        future, begun = asked
        try:
            return future.result()
        except QueryRefused:
            raise
        except BillError:
            # What went wrong a while ago may work by now.
            if not begun.is_ahead:
                raise
        return self._ask(query)

    def begin(self, entity: Entity) -> None:
        """Asks for what the entity's walk begins with, unless that was done a moment ago."""
        with self._lock:
            begun = self._begun.get(entity.name)
            if begun is None or begun.is_stale:
                self._ask_beginning(entity, is_ahead=False)

    def begin_after(self, entity: Entity) -> None:
        """Begins the next entity that was not begun yet, if it may be, and so on with each one's answer."""
        with self._lock:
            following = self._following(entity)
            if following is not None:
                first = self._ask_beginning(following, is_ahead=True)
                first.add_done_callback(lambda page: self._go_on(following, page))

    def began(self, entity: Entity) -> datetime | None:
        """A time that BILL's clock had passed when the entity's walk began."""
        with self._lock:
            begun = self._begun.get(entity.name)
            return self.bill_time() if begun is None or begun.is_stale else begun.bill_time

    def is_stale(self, entity: Entity) -> bool:
        """True when so much time went by since the entity was begun that its pages do not belong together."""
        with self._lock:
            return self._begun[entity.name].is_stale

    def finish(self, entity: Entity) -> None:
        """Forgets what was asked for the entity and not needed."""
        with self._lock:
            for query in beginning(entity, self.earliest):
                self._asked.pop(query, None)

    def close(self) -> None:
        """Asks for nothing more."""
        with self._lock:
            self._is_closed = True

    def _ask_beginning(self, entity: Entity, *, is_ahead: bool) -> Future[Page]:
        """Gives the first page to come."""
        begun = self._begun[entity.name] = _Begun(self.bill_time(), time.monotonic(), is_ahead)
        asked = {query: self._page_to_come(query) for query in beginning(entity, self.earliest)}
        self._asked.update({query: (future, begun) for query, future in asked.items()})
        return next(iter(asked.values()))

    def _page_to_come(self, query: Query) -> Future[Page]:
        """Asks in a thread of its own, for which the end of the process does not wait as for an executor's."""
        future: Future[Page] = Future()

        def ask() -> None:
            if self._is_closed:
                future.cancel()
                return
            try:
                future.set_result(self._ask(query))
            except BaseException as failure:  # noqa: BLE001 - handed to whoever needs the page
                future.set_exception(failure)

        threading.Thread(target=ask, name="ahead", daemon=True).start()
        return future

    def _ask(self, query: Query, cursor: str | None = None) -> Page:
        return self.client.page(
            query.path, filters=query.filters, sort=query.sort, cursor=cursor, max_rows=query.max_rows
        )

    def _following(self, entity: Entity) -> Entity | None:
        """The next entity to begin; None while it must not be begun."""
        waiting = len({query.path for query in self._asked})
        if self._is_closed or waiting >= _ENTITIES_AHEAD or entity not in self.planned:
            return None
        for following in self.planned[self.planned.index(entity) + 1 :]:
            if following.gated and not entity.gated:
                return None
            begun = self._begun.get(following.name)
            if begun is None:
                return following if self.is_first_pull(following) else None
            if not begun.is_answered:
                return None
        return None

    def _go_on(self, entity: Entity, first: Future[Page]) -> None:
        # A failure is told when the entity's own turn comes, if it is still one.
        if not first.cancelled() and first.exception() is None:
            with self._lock:
                self._begun[entity.name].is_answered = True
            self.begin_after(entity)
