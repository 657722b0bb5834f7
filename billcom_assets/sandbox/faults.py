"""Faults that can be switched on together: which exist, how often they fire, and the bounds that keep them survivable.

Whether a fault fires is decided by a hash of the seed, the fault, the request and how often that request was
made, not by a shared random stream: the same client meets the same faults whatever the order of its workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zlib import crc32

_HASH_SPACE = 2**32
IN_A_ROW = 2
"""One and the same request fails at most this many times in a row."""
PAGES_OF_PEACE = 8
"""Later pages of a list before a fault that strikes walks may strike it again."""


class Fault(StrEnum):
    """What can go wrong."""

    HTML_502 = "html_502"
    """An HTML page with status 502 from the edge; the request did not reach BILL."""
    RESET = "reset"
    """The connection closes in mid-body; a write has been carried out."""
    TRUNCATED_JSON = "truncated_json"
    """Status 200 and a matching length, but the JSON is cut; a write has been carried out."""
    SINGLE_OBJECT_ERROR = "single_object_error"
    """Status 500 with one ``{"message": ...}`` object instead of an array."""
    SESSION_DEATH = "session_death"
    """The session dies in the middle of work: 401 BDC_1109."""
    HOURLY_LIMIT = "hourly_limit"
    """BDC_1144 although the budget is not used up; passes."""
    CONCURRENCY_LIMIT = "concurrency_limit"
    """BDC_1322 although there is room; passes."""
    REPEATED_CURSOR = "repeated_cursor"
    """A page whose next cursor is the cursor just used, once per walk; asked again it gives the true one."""
    EMPTY_PAGE = "empty_page"
    """A page without rows but with a cursor that leads on."""
    DUPLICATE_ROWS = "duplicate_rows"
    """The last row of a page comes again as the first of the next."""
    MOVING_ROWS = "moving_rows"
    """A row is touched between two pages, so that its place in update order moves to the end."""
    NULLS = "nulls"
    """Null instead of absent keys in some rows; the rate is the share of rows."""
    UNKNOWN_FIELDS = "unknown_fields"
    """Fields that no documentation names, in some rows; the rate is the share of rows."""
    UNKNOWN_ENUM = "unknown_enum"
    """Enum values that no documentation names, in some rows; the rate is the share of rows."""
    CURSOR_REFUSED = "cursor_refused"
    """400 for a good cursor, once per walk."""
    SLOW = "slow"
    """The response takes ``Settings.slow_ms`` longer; a write is carried out only then."""
    STALLED = "stalled"
    """A write is carried out, and its response comes ``Settings.stall_ms`` later."""
    RESET_UNDONE = "reset_undone"
    """The connection of a write closes in mid-response; the write has not been carried out."""
    ERROR_DONE = "error_done"
    """Status 500 for a write that has been carried out."""
    ENDLESS_LIST = "endless_list"
    """After the last page of a list it comes again, with a fresh cursor each time; at full rate for ever."""
    CASE_TWIN_IDS = "case_twin_ids"
    """Pairs of objects whose ids differ only in letter case; data, so chosen when the world is made."""


OF_WRITES = frozenset({Fault.STALLED, Fault.RESET_UNDONE, Fault.ERROR_DONE})
"""What strikes nothing but writes."""
DEFAULT_RATE = 0.05
DEFAULT_LIMITS: Mapping[Fault, int] = {Fault.SESSION_DEATH: 4}
"""Times a fault may fire in all unless the plan says otherwise: a client rightly caps its logins."""

TROUBLE_NAMES = tuple(fault for fault in Fault if fault not in {Fault.ENDLESS_LIST, Fault.CASE_TWIN_IDS})
"""What ``all`` means: everything that a careful client survives and that is no data."""


@dataclass(frozen=True, slots=True)
class FaultRate:
    """How often a fault fires.

    Attributes:
        rate: Share of the requests (or rows) it applies to, 0 to 1.
        limit: Times it may fire in all; None for no limit.
        write: The only write that it strikes, counted from 1 since the faults were set; None: any request.
    """

    rate: float
    limit: int | None = None
    write: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"a fault rate lies between 0 and 1, not {self.rate}")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The faults that are switched on.

    Attributes:
        rates: Rate and limit of each fault; absent means off.
        seed: Decides which requests and rows are struck.
    """

    rates: Mapping[Fault, FaultRate] = field(default_factory=dict, hash=False)
    seed: int = 7

    def rate(self, fault: Fault) -> float:
        """Share of requests or rows struck by ``fault``; 0 when off."""
        setting = self.rates.get(fault)
        return setting.rate if setting else 0.0

    @classmethod
    def parse(cls, text: str, seed: int = 7) -> FaultPlan:
        """Read ``name[=rate][*limit][@write]`` entries separated by commas; ``all`` means every fault.

        Examples: ``html_502``, ``reset=0.1,slow=0.02``, ``all=0.03,session_death=0.01*2``, ``reset=1@3``.

        Raises:
            ValueError: An unknown fault, or a rate or limit that is no number in range.
        """
        rates: dict[Fault, FaultRate] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            strikes, _, write = entry.partition("@")
            name, _, amount = strikes.partition("=")
            rate, _, limit = amount.partition("*")
            for fault in TROUBLE_NAMES if name == "all" else (_fault(name),):
                rates[fault] = FaultRate(
                    rate=float(rate) if rate else DEFAULT_RATE,
                    limit=int(limit) if limit else DEFAULT_LIMITS.get(fault),
                    write=int(write) if write else None,
                )
        return cls(rates, seed)

    def text(self) -> str:
        """The plan in the form that ``parse`` reads."""
        return ",".join(
            f"{fault}={setting.rate:g}"
            + ("" if setting.limit is None else f"*{setting.limit}")
            + ("" if setting.write is None else f"@{setting.write}")
            for fault, setting in self.rates.items()
        )


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError as cause:
        raise ValueError(f"{name!r} is no fault; there are {', '.join(Fault)}") from cause


def share(*parts: object) -> float:
    """A number from 0 to below 1 that depends on nothing but ``parts``."""
    mark = "\x1f".join(map(str, parts)).encode()
    return crc32(mark[::-1], crc32(mark)) / _HASH_SPACE


class Faults:
    """Decides for each request which faults strike, and counts them.

    Args:
        plan: The faults switched on; replaced while the server runs through ``plan``.

    Attributes:
        writes: Writes that came since the faults were set.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.writes = 0
        self.fired: Counter[Fault] = Counter()
        self._times_asked: Counter[tuple[Fault, str]] = Counter()
        self._failures_in_a_row: Counter[str] = Counter()
        self._walks_struck: set[tuple[Fault, str]] = set()
        self._lists_struck: set[tuple[Fault, str]] = set()
        self._pages_since: Counter[tuple[Fault, str]] = Counter()

    def reset(self) -> None:
        """Forget the counts and what was struck."""
        self.writes = 0
        self.fired.clear()
        self._times_asked.clear()
        self._failures_in_a_row.clear()
        self._walks_struck.clear()
        self._lists_struck.clear()
        self._pages_since.clear()

    def count_write(self) -> int:
        """Which write the one is that has just come, from 1."""
        self.writes += 1
        return self.writes

    def fails(self, fault: Fault, request: str, write: int = 0) -> bool:
        """Whether ``fault`` makes this request fail; never more than ``IN_A_ROW`` times in a row.

        Args:
            fault: What may strike.
            request: The request's name.
            write: Which write it is, from 1; 0 for a read.
        """
        if self._failures_in_a_row[request] >= IN_A_ROW or not self._draw(fault, request, write):
            return False
        self._failures_in_a_row[request] += 1
        return True

    def disturbs(self, fault: Fault, request: str, write: int = 0) -> bool:
        """Whether ``fault`` disturbs a response that itself succeeds."""
        return self._draw(fault, request, write)

    def strikes_walk(self, fault: Fault, walk: str, listed: str, request: str) -> bool:
        """Whether ``fault`` strikes a walk here.

        At most once for one walk (same list, filters and sort), and not within ``PAGES_OF_PEACE`` pages of the
        last time at the same list: whoever restarts from a filter gets on before it strikes again.
        """
        self._pages_since[fault, listed] += 1
        peace = (fault, listed) in self._lists_struck and self._pages_since[fault, listed] <= PAGES_OF_PEACE
        if peace or (fault, walk) in self._walks_struck or not self._draw(fault, request):
            return False
        self._walks_struck.add((fault, walk))
        self._lists_struck.add((fault, listed))
        self._pages_since[fault, listed] = 0
        return True

    def marks_row(self, fault: Fault, object_id: str) -> bool:
        """Whether a row carries the oddity; the same rows every time."""
        rate = self.plan.rate(fault)
        return rate > 0 and share(self.plan.seed, fault, object_id) < rate

    def succeeded(self, request: str) -> None:
        """The request went through: its row of failures ends."""
        self._failures_in_a_row.pop(request, None)

    def _draw(self, fault: Fault, request: str, write: int = 0) -> bool:
        setting = self.plan.rates.get(fault)
        if setting is None or (setting.limit is not None and self.fired[fault] >= setting.limit):
            return False
        if (fault in OF_WRITES and not write) or setting.write not in (None, write):
            return False
        self._times_asked[fault, request] += 1
        if share(self.plan.seed, fault, request, self._times_asked[fault, request]) >= setting.rate:
            return False
        self.fired[fault] += 1
        return True
