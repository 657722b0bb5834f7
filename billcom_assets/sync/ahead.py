"""Asking for the beginning of the next list while this one is still being read.

Short lists use one of the three lanes that BILL allows, and long ones leave lanes without work near their end. So what
the next entities' first pulls begin with is asked for early. Everything is stored in the planned order all the same,
each list is begun after the one before it has answered, and a gated entity is never asked for before the gate was
passed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from billcom_assets.bill.client import BillClient, Page
from billcom_assets.bill.limits import AT_ONCE
from billcom_assets.bill.query import Filter, Sort
from billcom_assets.entities.model import Entity
from billcom_assets.sync.beginnings import PAGE_ROWS, Query, beginning

_ENTITIES_AHEAD = 6


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
    _asked: dict[Query, Future[Page]] = field(default_factory=dict)
    _begun: dict[str, datetime | None] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _answered: set[str] = field(default_factory=set)
    """Entities begun ahead whose first page has come."""
    _lanes: ThreadPoolExecutor | None = None
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
        return asked.result() if asked else self._ask(query, cursor)

    def begin(self, entity: Entity) -> None:
        """Asks for what the entity's walk begins with, unless that was done."""
        with self._lock:
            if entity.name not in self._begun:
                self._ask_beginning(entity)

    def begin_after(self, entity: Entity) -> None:
        """Begins the next entity that was not begun yet, if it may be, and so on with each one's answer."""
        with self._lock:
            following = self._following(entity)
            if following is not None:
                self._ask_beginning(following).add_done_callback(lambda first: self._go_on(following, first))

    def began(self, entity: Entity) -> datetime | None:
        """A time that BILL's clock had passed when the entity's walk began."""
        with self._lock:
            return self._begun.get(entity.name, self.bill_time())

    def finish(self, entity: Entity) -> None:
        """Forgets what was asked for the entity and not needed."""
        with self._lock:
            for query in beginning(entity, self.earliest):
                asked = self._asked.pop(query, None)
                if asked is not None:
                    asked.cancel()

    def close(self) -> None:
        """Asks for nothing more."""
        with self._lock:
            self._is_closed = True
            if self._lanes is not None:
                self._lanes.shutdown(wait=False, cancel_futures=True)

    def _ask_beginning(self, entity: Entity) -> Future[Page]:
        """Gives the first page to come."""
        self._lanes = self._lanes or ThreadPoolExecutor(AT_ONCE, "ahead")
        self._begun[entity.name] = self.bill_time()
        asked = {query: self._lanes.submit(self._ask, query) for query in beginning(entity, self.earliest)}
        self._asked.update(asked)
        return next(iter(asked.values()))

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
            if following.name not in self._begun:
                return following if self.is_first_pull(following) else None
            if following.name not in self._answered:
                return None
        return None

    def _go_on(self, entity: Entity, first: Future[Page]) -> None:
        if not first.cancelled() and first.exception() is None:
            with self._lock:
                self._answered.add(entity.name)
            self.begin_after(entity)
