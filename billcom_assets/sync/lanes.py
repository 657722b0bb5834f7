"""Walking several windows of one list at once: lanes fetch and read, one writer stores."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from billcom_assets.sync.reading import Batch, ListWalk, PageReader
from billcom_assets.sync.windows import Window, Windows

_PAGES_IN_MEMORY = 8
_PAGES_PER_TRANSACTION = 6
_IDLE_SECONDS = 0.005
_PUT_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page's worth of one window."""

    window: Window
    batch: Batch
    reached: datetime | None
    is_end: bool


@dataclass
class Lanes:
    """Threads that walk the windows until none is left; a context that starts and ends them.

    Memory stays flat: lanes wait while the writer is behind by a few pages.
    """

    walk: Callable[[Window], ListWalk]
    windows: Windows
    reader: PageReader
    width: int
    _queue: queue.Queue[Fetched] = field(default_factory=lambda: queue.Queue(_PAGES_IN_MEMORY))
    _stop: threading.Event = field(default_factory=threading.Event)
    _failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._threads = [
            threading.Thread(target=self._run, name=f"lane-{number + 1}", daemon=True) for number in range(self.width)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def groups(self) -> Iterator[list[Fetched]]:
        """Pages as they arrive, some at a time, each group to be stored in one transaction.

        What had arrived when a lane failed still comes; then the lane's exception is raised.
        """
        while any(thread.is_alive() for thread in self._threads) or not self._queue.empty():
            group = self._next_group()
            if group:
                yield group
        if self._failures:
            raise self._failures[0]

    def _next_group(self) -> list[Fetched]:
        try:
            group = [self._queue.get(timeout=_IDLE_SECONDS)]
        except queue.Empty:
            return []
        while len(group) < _PAGES_PER_TRANSACTION:
            try:
                group.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return group

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self.windows.is_fetched:
                window = self.windows.take()
                if window is None:
                    self._stop.wait(_IDLE_SECONDS)
                    continue
                self._walk(window)
        except BaseException as failure:  # noqa: BLE001 - handed to the writer, which raises it
            self._failures.append(failure)
            self._stop.set()

    def _walk(self, window: Window) -> None:
        start = window.at or window.start
        for step in self.walk(window).pages(start, window.cursor, self.reader.read):
            batch = step.batch
            owned = self.windows.owned(window, [one.row.created_time for one in batch.candidates])
            batch.candidates = [one for one, mine in zip(batch.candidates, owned, strict=True) if mine]
            is_end = self.windows.reached(
                window, step.reached, len(batch.candidates), is_ordered=step.is_ordered, is_end=step.following is None
            )
            self._put(Fetched(window, batch, step.reached, is_end))
            if is_end or self._stop.is_set():
                return

    def _put(self, fetched: Fetched) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(fetched, timeout=_PUT_SECONDS)
            except queue.Full:
                continue
            return
