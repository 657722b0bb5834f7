"""The sandbox's clock: wall time that a test can move."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECONDS_A_DAY = 86_400
SECONDS_AN_HOUR = 3_600


class Clock:
    """Tells the sandbox's time in UTC; sessions, limits and update times all follow it.

    Args:
        start: The instant the clock shows now; wall time when None.
        source: Gives seconds since the epoch; replaced in tests that need a clock that stands still.
    """

    def __init__(self, start: datetime | None = None, *, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = timedelta()
        if start is not None:
            self.set(start)

    def now(self) -> datetime:
        """The current instant, timezone-aware, in UTC."""
        return datetime.fromtimestamp(self._source(), UTC) + self.offset

    def seconds(self) -> int:
        """The current instant in whole seconds since the epoch, as BILL stamps its objects."""
        return int(self.now().timestamp())

    def today(self) -> str:
        """The current day in UTC, ``yyyy-MM-dd``."""
        return self.now().date().isoformat()

    def set(self, instant: datetime) -> None:
        """Show ``instant`` (timezone-aware) now and run on from there.

        Raises:
            ValueError: ``instant`` names no time zone.
        """
        if instant.tzinfo is None:
            raise ValueError(f"the clock needs an instant with a time zone, not {instant.isoformat()}")
        self.offset = instant - datetime.fromtimestamp(self._source(), UTC)

    def advance(self, by: timedelta) -> None:
        """Move the clock by ``by``; negative moves it back."""
        self.offset += by


class PastClock(Clock):
    """A clock that stands where it is put; hundreds of thousands of changes ask it for the time."""

    def __init__(self) -> None:
        self.second = 0

    def now(self) -> datetime:
        """The instant it stands at."""
        return datetime.fromtimestamp(self.second, UTC)

    def seconds(self) -> int:
        """The same in whole seconds since the epoch."""
        return self.second


@lru_cache(maxsize=8_192)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * SECONDS_A_DAY, UTC).date().isoformat()


@lru_cache(maxsize=65_536)
def stamp(seconds: int) -> str:
    """An instant as v3 prints it: whole seconds, zero milliseconds, numeric UTC offset."""
    day, rest = divmod(seconds, SECONDS_A_DAY)
    hour, rest = divmod(rest, SECONDS_AN_HOUR)
    return f"{_day(day)}T{hour:02d}:{rest // 60:02d}:{rest % 60:02d}.000+00:00"
