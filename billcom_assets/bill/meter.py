"""Counts what a client did."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class CallStats:
    """What a client has done so far."""

    requests: int = 0
    """HTTP requests sent or attempted, sign-ins included."""
    retries: int = 0
    """Attempts made again after a problem that may pass."""
    logins: int = 0
    """Sign-ins attempted."""
    throttled_seconds: float = 0.0
    """Time waited because of BILL's limits."""
    peak_in_flight: int = 0
    """The most requests in flight at once for the organization and developer key while this client called."""


@dataclass(slots=True)
class Tally:
    """What was done for one purpose."""

    requests: int = 0
    """HTTP requests sent or attempted; sign-ins on the way are not among them."""
    retries: int = 0
    """Waits for a problem to pass."""


_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def counting(tally: Tally) -> Iterator[None]:
    """Counts in ``tally``, too, what this thread does meanwhile."""
    token = _TALLY.set(tally)
    try:
        yield
    finally:
        _TALLY.reset(token)


class EventKind(StrEnum):
    """What a call event tells."""

    REQUEST = "request"
    """An attempt ended."""
    RETRY = "retry"
    """A problem is being waited out."""
    LOGIN = "login"
    """A new session was opened."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One thing a client did, for progress displays; carries no secret and no query."""

    kind: EventKind
    endpoint: str
    http_status: int | None = None
    code: str | None = None
    attempt: int = 1
    seconds: float = 0.0
    """How long the attempt took, or how long the wait will be."""
    message: str = ""


class Meter:
    """Adds up a client's statistics; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stats = CallStats()

    def sent(self, in_flight: int, *, login: bool) -> None:
        """One request goes out while ``in_flight`` are, itself included."""
        tally = _TALLY.get()
        with self._lock:
            if tally is not None and not login:
                tally.requests += 1
            self._stats = replace(
                self._stats,
                requests=self._stats.requests + 1,
                logins=self._stats.logins + login,
                peak_in_flight=max(self._stats.peak_in_flight, in_flight),
            )

    def waits(self, seconds: float, *, throttled: bool, login: bool) -> None:
        """A problem is waited out for ``seconds``."""
        tally = _TALLY.get()
        with self._lock:
            if tally is not None and not login:
                tally.retries += 1
            self._stats = replace(
                self._stats,
                retries=self._stats.retries + 1,
                throttled_seconds=self._stats.throttled_seconds + (seconds if throttled else 0.0),
            )

    @property
    def stats(self) -> CallStats:
        """A snapshot."""
        with self._lock:
            return self._stats
