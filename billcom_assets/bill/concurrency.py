"""How many requests are in flight at once: three, BILL's limit, or fewer while others use it up.

The limit is the developer key's and the organization's, not this program's: another program that shares both leaves us
less, and nothing but a refusal says so. See https://developer.bill.com/docs/api-rate-limits
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

AT_ONCE: Final = 3
_UNTIL_WIDER: Final = 10
"""Requests without a refusal after which one more is let in."""
_AT_MOST_UNTIL_WIDER: Final = 640


@dataclass(slots=True)
class Flight:
    """One request on its way."""

    in_flight: int
    """Requests on their way when it left, itself included."""
    is_refused: bool = False
    """Set by the sender when BILL refuses it because too many are in flight."""


class ConcurrencyLimit:
    """Lets in as many requests per organization and developer key at once as BILL takes. Thread-safe.

    A refusal halves how many are let in, down to one. Every so many requests without a refusal let in one more; when
    that is refused, twice as many must go well before it is tried again. Clients in this process for the same
    organization and key share one limit; get it with ``ConcurrencyLimit.shared``.
    """

    _registry: dict[str, ConcurrencyLimit] = {}  # noqa: RUF012 - the process-wide registry is the point
    _registry_lock = threading.Lock()

    def __init__(self, width: int = AT_ONCE) -> None:
        self._widest = width
        self._width = width
        self._changed = threading.Condition()
        self._in_flight = 0
        self._peak = 0
        self._narrowings = 0
        self._in_a_row = 0
        self._until_wider = _UNTIL_WIDER

    @classmethod
    def shared(cls, key: str) -> ConcurrencyLimit:
        """The limit of ``key``, which names an organization and developer key without revealing the latter."""
        with cls._registry_lock:
            return cls._registry.setdefault(key, cls())

    @contextmanager
    def enter(self) -> Iterator[Flight]:
        """Waits until a request may be made."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < self._width)
            self._in_flight += 1
            self._peak = max(self._peak, self._in_flight)
            flight, narrowings = Flight(self._in_flight), self._narrowings
        try:
            yield flight
        finally:
            with self._changed:
                self._in_flight -= 1
                if not flight.is_refused:
                    self._note_success()
                elif narrowings == self._narrowings:
                    # Those that left before the last narrowing say nothing about what is let in since.
                    self._narrow()
                self._changed.notify_all()

    @property
    def width(self) -> int:
        """How many are let in at present."""
        with self._changed:
            return self._width

    @property
    def peak(self) -> int:
        """The most requests ever in flight at once."""
        with self._changed:
            return self._peak

    def _narrow(self) -> None:
        self._narrowings += 1
        self._in_a_row = 0
        if self._width > 1:
            self._width //= 2
            self._until_wider = min(2 * self._until_wider, _AT_MOST_UNTIL_WIDER)

    def _note_success(self) -> None:
        self._in_a_row += 1
        if self._in_a_row >= self._until_wider and self._width < self._widest:
            self._width += 1
            self._in_a_row = 0
            if self._width == self._widest:
                self._until_wider = _UNTIL_WIDER
