"""Three workers fetch what one consumer stores.

Whatever is fetched has a turn: the place of its entity in the run's order. The workers take what is waiting by turn, so
that the entity being stored comes first and what follows it fills the gaps.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final, Generic, TypeVar

from billcom_assets.bill.bounded import when_sent
from billcom_assets.bill.concurrency import AT_ONCE
from billcom_assets.bill.meter import Tally, counting

T = TypeVar("T")
_END: Final[Any] = object()
_LONGEST_SENDING: Final = 1.0
"""Seconds for which a request that does not get on its way keeps the next one back."""


@dataclass(frozen=True)
class Turn:
    """Whom a fetch is for."""

    order: int
    """Place in the run; what is lower is fetched first."""
    tally: Tally = field(default_factory=Tally)
    """Counts the requests."""


class FetchPool:
    """The workers of one run: as many as BILL allows requests at once.

    Requests leave in the order of their turns: a worker takes the next fetch when the request before it is on its way,
    and the second when the first one has ended, which opens the session that all use. The workers are daemon threads:
    the end of the process does not wait for a response that does not come.
    """

    def __init__(self, workers: int = AT_ONCE) -> None:
        self.lock = threading.RLock()
        """Held while anything changes that workers and consumer share."""
        self.arrived = threading.Condition(self.lock)
        """Notified when something has arrived for the consumer."""
        self._work_waits = threading.Condition(self.lock)
        self._workers = workers
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._sending_since = 0.0
        self._sender: int | None = None
        """Thread whose request is not on its way yet."""
        self._is_warm = False
        self._is_started = False
        self._is_closed = False

    def put(self, turn: Turn, task: Callable[[], None]) -> None:
        """Has a worker carry out ``task``, which raises nothing."""
        with self.lock:
            heapq.heappush(self._waiting, (turn.order, next(self._numbers), task))
            if not self._is_started:
                self._is_started = True
                for number in range(self._workers):
                    threading.Thread(target=self._work, name=f"fetch-{number + 1}", daemon=True).start()
            self._wake_worker()

    def submit(self, turn: Turn, fetch: Callable[[], T]) -> Future[T]:
        """Fetches one thing."""
        future: Future[T] = Future()

        def task() -> None:
            try:
                with counting(turn.tally):
                    fetched = fetch()
            except BaseException as failure:  # noqa: BLE001 - handed to whoever needs the result
                future.set_exception(failure)
            else:
                future.set_result(fetched)

        self.put(turn, task)
        return future

    def close(self) -> None:
        """Drops what is waiting; what is under way ends by itself and is forgotten."""
        with self.lock:
            self._is_closed = True
            self._waiting.clear()
            self._work_waits.notify_all()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            with when_sent(self._note_sent):
                task()
            with self.lock:
                self._is_warm = True
                self._note_sent()

    def _next(self) -> Callable[[], None] | None:
        with self.lock:
            while not self._is_closed and not self._may_send():
                self._work_waits.wait(_LONGEST_SENDING if self._waiting else None)
            if self._is_closed:
                return None
            self._sender, self._sending_since = threading.get_ident(), time.monotonic()
            task = heapq.heappop(self._waiting)[2]
            # Somebody has to notice if this one's request does not get on its way.
            self._wake_worker()
            return task

    def _may_send(self) -> bool:
        if not self._waiting:
            return False
        is_overdue = self._is_warm and time.monotonic() - self._sending_since >= _LONGEST_SENDING
        return self._sender is None or is_overdue

    def _note_sent(self) -> None:
        with self.lock:
            if self._is_warm and self._sender == threading.get_ident():
                self._sender = None
                self._wake_worker()

    def _wake_worker(self) -> None:
        if self._waiting:
            self._work_waits.notify()


class Stream(Generic[T]):
    """The items of iterators, each advanced by one worker at a time, a little ahead of the consumer.

    Memory stays flat: no more than ``most`` items wait for the consumer, and one until it takes the first.

    Args:
        pool: Who fetches.
        turn: Whom for.
        following: Returns another iterator to advance; None when there is none now. Called with the pool's lock held,
            whenever there is room.
        width: Iterators advanced at once.
        most: Items in memory.
    """

    def __init__(
        self,
        pool: FetchPool,
        turn: Turn,
        following: Callable[[], Iterator[T] | None],
        *,
        width: int = 1,
        most: int = 8,
    ) -> None:
        self._pool = pool
        self._turn = turn
        self._following = following
        self._width = width
        self._most = most
        self._room = width
        self._items: deque[T] = deque()
        self._resting: deque[Iterator[T]] = deque()
        self._under_way = 0
        self._failure: BaseException | None = None
        self._is_closed = False
        with pool.lock:
            self._go_on()

    @classmethod
    def of(cls, pool: FetchPool, turn: Turn, iterators: Iterable[Iterator[T]], *, width: int = 1) -> Stream[T]:
        """The items of these iterators."""
        left = iter(iterators)
        return cls(pool, turn, lambda: next(left, None), width=width)

    @property
    def failure(self) -> BaseException | None:
        """What ended it early, as far as is known."""
        return self._failure

    def groups(self, most: int = 1) -> Iterator[list[T]]:
        """The items as they arrive, up to ``most`` at a time.

        What had arrived before a failure still comes; then the failure is raised.
        """
        while group := self._take(most):
            yield group
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Fetches nothing more."""
        with self._pool.lock:
            self._is_closed = True

    def _take(self, most: int) -> list[T]:
        with self._pool.lock:
            self._room = self._most
            self._go_on()
            self._pool.arrived.wait_for(lambda: self._items or not self._under_way)
            group = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._go_on()
            return group

    def _go_on(self) -> None:
        """Puts as many iterators to work as there is room for. Called with the pool's lock held."""
        while (
            not self._is_closed
            and self._failure is None
            and self._under_way < self._width
            and self._under_way + len(self._items) < self._room
        ):
            iterator = self._resting.popleft() if self._resting else self._following()
            if iterator is None:
                return
            self._under_way += 1
            self._pool.put(self._turn, partial(self._advance, iterator))

    def _advance(self, iterator: Iterator[T]) -> None:
        item, failure = _END, None
        try:
            if not self._is_closed:
                with counting(self._turn.tally):
                    item = next(iterator, _END)
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
            failure = error
        with self._pool.lock:
            self._under_way -= 1
            self._failure = self._failure or failure
            if item is not _END:
                self._items.append(item)
                self._resting.appendleft(iterator)
            self._go_on()
            self._pool.arrived.notify()
