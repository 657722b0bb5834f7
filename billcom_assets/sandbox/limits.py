"""BILL's limits: requests and logins per developer key and clock hour, requests in flight per key and organization.

For calls with an access token the OAuth client stands in for the developer key; what BILL does is not published.
"""

from __future__ import annotations

from collections import Counter

from billcom_assets.sandbox.clock import SECONDS_AN_HOUR, Clock
from billcom_assets.sandbox.errors import hourly_limit, too_many_at_once
from billcom_assets.sandbox.settings import Readings

Caller = tuple[str, str]
"""Developer key, or id of the OAuth client, and organization id."""


class Limits:
    """Counts and refuses.

    Args:
        readings: The limits.
        clock: Its hours count.
        clients: Ids of OAuth clients.

    Attributes:
        peak: Highest number of requests in flight per developer key and organization, refused ones included.
    """

    def __init__(self, readings: Readings, clock: Clock, *, clients: frozenset[str] = frozenset()) -> None:
        self._readings = readings
        self._clients = clients
        self._clock = clock
        self._hour = -1
        self._requests: Counter[str] = Counter()
        self._logins: Counter[tuple[str, str]] = Counter()
        self._in_flight: Counter[Caller] = Counter()
        self.peak: Counter[Caller] = Counter()

    @property
    def idle(self) -> bool:
        """Nothing is in flight."""
        return not any(self._in_flight.values())

    def reset(self) -> None:
        """Forget the hour's counts and the peaks."""
        self._requests.clear()
        self._logins.clear()
        self.peak.clear()

    def count_request(self, dev_key: str) -> None:
        """Count one request of a known developer key.

        Raises:
            Refusal: BDC_1144; the clock hour's allowance is used up.
        """
        self._turn_hour()
        settings = self._readings.settings
        if not self._knows(dev_key):
            return
        self._requests[dev_key] += 1
        if self._requests[dev_key] > settings.requests_per_hour:
            raise hourly_limit(settings.throttle_status, settings.requests_per_hour)

    def count_login(self, dev_key: str, call: str = "Login") -> None:
        """Count one login of a known developer key, or another ``call`` that has a limit of its own as high.

        Raises:
            Refusal: BDC_1144; the clock hour's logins are used up.
        """
        self._turn_hour()
        settings = self._readings.settings
        if not self._knows(dev_key):
            return
        self._logins[dev_key, call] += 1
        if self._logins[dev_key, call] > settings.logins_per_hour:
            raise hourly_limit(settings.throttle_status, settings.logins_per_hour)

    def enter(self, caller: Caller) -> None:
        """A request begins; ``leave`` must follow whether or not this refuses.

        Raises:
            Refusal: BDC_1322; too many are in flight already.
        """
        self._in_flight[caller] += 1
        self.peak[caller] = max(self.peak[caller], self._in_flight[caller])
        settings = self._readings.settings
        if self._in_flight[caller] > settings.in_flight_limit:
            raise too_many_at_once(settings.throttle_status)

    def leave(self, caller: Caller) -> None:
        """A request ends."""
        self._in_flight[caller] -= 1

    def _knows(self, dev_key: str) -> bool:
        return dev_key in self._readings.settings.dev_keys or dev_key in self._clients

    def _turn_hour(self) -> None:
        hour = self._clock.seconds() // SECONDS_AN_HOUR
        if hour != self._hour:
            self._hour = hour
            self._requests.clear()
            self._logins.clear()
