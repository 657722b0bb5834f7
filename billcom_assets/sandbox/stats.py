"""What the sandbox has seen since its start or the last reset."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple


class Write(NamedTuple):
    """A request to change something.

    Attributes:
        method: HTTP verb.
        path: As it was sent.
        body: As it was sent.
    """

    method: str
    path: str
    body: bytes


class Stats:
    """Counts of requests.

    Attributes:
        requests: All API requests, refused ones included.
        logins: Login requests, v2 and v3, and those for access tokens, refused ones included.
        paths: Requests per verb and route, for example ``GET /v3/bills``.
        statuses: Responses per HTTP status.
        codes: Refusals per BDC code.
        rows: List rows served.
        writes: Every request of a living session to change something, whatever became of it.
        crashes: Tracebacks of errors in the sandbox itself; there should be none.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start counting from zero."""
        self.requests = 0
        self.logins = 0
        self.paths: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self.rows = 0
        self.writes: list[Write] = []
        self.crashes: list[str] = []
