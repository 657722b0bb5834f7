"""Created-time windows that several workers share.

A window is walked from its start towards its end. A worker without work takes over the later half of the window with
most left to do. Windows always cover the whole range without overlap, so a checkpoint of their positions is enough to
go on.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_ALMOST_A_SECOND = timedelta(seconds=1) - timedelta.resolution
_FEWEST_ROWS_WORTH_SPLITTING = 110
"""What fits a page is not worth dividing."""


@dataclass(slots=True)
class Window:
    """Objects created at or after ``start`` and before ``end`` (None = no bound)."""

    start: datetime | None
    end: datetime | None
    at: datetime | None
    """How far it was fetched: everything created before is read."""
    committed: datetime | None
    """How far it was stored."""
    is_ordered: bool = field(default=True, kw_only=True)
    """False once BILL is known to ignore the order: then no position in it means anything."""
    cursor: str | None = None
    """Where the list goes on; valid for this process only."""
    rows: int = 0
    is_fetched: bool = False
    is_stored: bool = False
    is_taken: bool = False

    def covers(self, created: datetime | None) -> bool:
        """True unless the object belongs to a later window."""
        return created is None or self.end is None or created < self.end


@dataclass(slots=True)
class Windows:
    """The windows of one walk, handed out to workers.

    Workers and consumer share them: ``lock`` guards every change.
    """

    newest: datetime | None
    """A time that no created time known at the start exceeds: what an open end counts as when it is halved."""
    items: list[Window] = field(default_factory=list)
    lock: AbstractContextManager[Any] = field(default_factory=threading.RLock)
    width: int = 1
    """Workers that share them."""
    recent_rows_per_second: float = 0
    """How densely objects were created of late; 0 when unknown."""

    def take(self) -> Window | None:
        """A window nobody walks, else half of the one with most left; None when there is nothing worth starting."""
        with self.lock:
            for window in self.items:
                if not window.is_taken and not window.is_fetched:
                    window.is_taken = True
                    return window
            return self._split_largest()

    def reached(
        self, window: Window, last: datetime | None, rows: int, *, is_ordered: bool = True, is_end: bool
    ) -> bool:
        """Notes that the window was fetched up to ``last``; True when that was its end."""
        with self.lock:
            window.rows += rows
            window.is_ordered = window.is_ordered and is_ordered
            if last is not None:
                window.at = last
            past_end = window.is_ordered and window.end is not None and last is not None and last >= window.end
            window.is_fetched = is_end or past_end
            return window.is_fetched

    @property
    def is_fetched(self) -> bool:
        """True when no window has anything left to fetch."""
        with self.lock:
            return all(window.is_fetched for window in self.items)

    def owned(self, window: Window, created: list[datetime | None]) -> list[bool]:
        """Which of the objects belong to the window as it is now."""
        with self.lock:
            return [window.covers(one) for one in created]

    def stored(self, window: Window, last: datetime | None, *, is_end: bool) -> None:
        """Notes that everything fetched up to ``last`` is in the database."""
        with self.lock:
            if not window.is_ordered:
                window.committed = window.start
            elif last is not None:
                window.committed = last
            window.is_stored = is_end

    def checkpoint(self) -> list[dict[str, Any]]:
        """What is left to do, as JSON."""
        with self.lock:
            return [
                {"start": _text(one.committed or one.start), "end": _text(one.end)}
                for one in self.items
                if not one.is_stored
            ]

    @classmethod
    def resumed(cls, newest: datetime | None, left: list[dict[str, Any]], lock: AbstractContextManager[Any]) -> Windows:
        """The windows of a checkpoint."""
        windows = cls(newest, lock=lock)
        for one in left:
            start, end = _time(one["start"]), _time(one["end"])
            windows.items.append(Window(start, end, start, start))
        return windows

    def _split_largest(self) -> Window | None:
        """The later part of the window with most left, so that every worker without work may have an equal share."""
        idle = self.width - sum(window.is_taken and not window.is_fetched for window in self.items)
        kept = 1 / (max(idle, 1) + 1)
        best: tuple[timedelta, Window, datetime] | None = None
        for window in self.items:
            end = window.end or self.newest
            is_divisible = window.is_ordered and not window.is_fetched
            if not is_divisible or window.at is None or window.start is None or end is None:
                continue
            left = end - window.at
            expected = self._expected_rows(window, left)
            border = (window.at + left * kept).replace(microsecond=0)
            is_worth_it = expected >= _FEWEST_ROWS_WORTH_SPLITTING and border > window.at + timedelta(seconds=1)
            if is_worth_it and border < end and (best is None or left > best[0]):
                best = (left, window, border)
        if best is None:
            return None
        _, victim, border = best
        taken = Window(border, victim.end, border, None, is_taken=True)
        victim.end = border
        self.items.append(taken)
        return taken

    def _expected_rows(self, window: Window, left: timedelta) -> float:
        """What the window still holds, if it goes on as densely as it began."""
        if not window.rows or window.at is None or window.start is None:
            return self.recent_rows_per_second * left.total_seconds()
        done = window.at - window.start
        return window.rows * (left / done) if done else math.inf


def rows_per_second(created: Sequence[datetime | None]) -> float:
    """How densely objects were created; 0 when unknown."""
    times = [one for one in created if one is not None]
    seconds = (max(times) - min(times)).total_seconds() if times else 0
    return len(times) / seconds if seconds else 0


def is_in_order(created: Sequence[datetime | None]) -> bool:
    """True for a page that was asked for oldest first and came so; a BILL that ignores sorts shows here."""
    times = [one for one in created if one is not None]
    return len(times) == len(created) and times == sorted(times)


def complete_from(created: Sequence[datetime | None]) -> datetime | None:
    """From which time on a page that was asked for newest first holds every object; None when that is not known.

    The page may end in the middle of its oldest second, so that second does not count; a page in another order, as of a
    BILL that ignores the sort, proves nothing. The time is a whole second, as all borders of windows are.
    """
    times = [one for one in created if one is not None]
    if len(times) < len(created) or times != sorted(times, reverse=True):
        return None
    since = min((one for one in times if one > times[-1]), default=None)
    return since and (since + _ALMOST_A_SECOND).replace(microsecond=0)


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
