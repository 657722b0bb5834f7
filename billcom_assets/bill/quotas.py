"""BILL's allowances per clock hour, kept on our side so that BILL need not refuse.

See https://developer.bill.com/docs/api-rate-limits
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from billcom_assets.bill.errors import HourlyLimitReached
from billcom_assets.clock import utc_now

REQUESTS_PER_HOUR: Final = 20_000
LOGINS_PER_HOUR: Final = 200

Clock = Callable[[], datetime]
"""Returns the current time, timezone-aware."""


def hour_of(moment: datetime) -> datetime:
    """Start of the clock hour of ``moment``."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def next_hour(moment: datetime) -> datetime:
    """Start of the next clock hour, when BILL opens the next allowance."""
    return hour_of(moment) + timedelta(hours=1)


class RequestBudget(Protocol):
    """The hour's allowance of one developer key; may be kept anywhere, for example in a database.

    Both methods raise HourlyLimitReached, and count nothing, when the allowance is used up.
    """

    def spend(self, requests: int) -> None:
        """Takes ``requests`` from the allowance of requests."""

    def spend_login(self) -> None:
        """Takes one from the allowance of logins."""


@dataclass(slots=True)
class HourCounts:
    """What one developer key has used in one clock hour."""

    hour: datetime | None = None
    requests: int = 0
    logins: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self, hour: datetime) -> None:
        """Starts from zero when ``hour`` is another one."""
        if hour != self.hour:
            self.hour, self.requests, self.logins = hour, 0, 0


class MemoryBudget:
    """An allowance kept in this process."""

    _registry: dict[str, HourCounts] = {}  # noqa: RUF012 - the process-wide registry is the point
    _registry_lock = threading.Lock()

    def __init__(
        self,
        clock: Clock = utc_now,
        requests: int = REQUESTS_PER_HOUR,
        logins: int = LOGINS_PER_HOUR,
        *,
        counts: HourCounts | None = None,
    ) -> None:
        self._clock = clock
        self._requests = requests
        self._logins = logins
        self._counts = counts or HourCounts()

    @classmethod
    def shared(cls, key: str, clock: Clock = utc_now) -> MemoryBudget:
        """The budget of the developer key that ``key`` names, the same for all its clients in this process."""
        with cls._registry_lock:
            counts = cls._registry.setdefault(key, HourCounts())
        return cls(clock, counts=counts)

    @property
    def used(self) -> tuple[int, int]:
        """(requests, logins) of the current clock hour."""
        with self._counts.lock:
            self._counts.open(hour_of(self._clock()))
            return self._counts.requests, self._counts.logins

    def spend(self, requests: int) -> None:
        """Takes ``requests`` from the allowance; raises HourlyLimitReached when it does not suffice."""
        now = self._clock()
        with self._counts.lock:
            self._counts.open(hour_of(now))
            if self._counts.requests + requests > self._requests:
                raise _used_up("requests", self._requests, now)
            self._counts.requests += requests

    def spend_login(self) -> None:
        """Takes one login from the allowance; raises HourlyLimitReached when there is none left."""
        now = self._clock()
        with self._counts.lock:
            self._counts.open(hour_of(now))
            if self._counts.logins + 1 > self._logins:
                raise _used_up("logins", self._logins, now)
            self._counts.logins += 1


def _used_up(counted: str, limit: int, now: datetime) -> HourlyLimitReached:
    return HourlyLimitReached(
        f"All {limit} {counted} of this clock hour are used; nothing was sent",
        counted=counted,
        resets_at=next_hour(now),
    )
