"""What every generator works with: the organization, luck for each kind of object, and the events to come."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import TypeVar

from billcom_assets.sandbox.clock import PastClock
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import LAST_SECOND
from billcom_assets.sandbox.kinds import Kind
from billcom_assets.sandbox.organization import Organization

DIMENSIONS = ("accountingClassId", "departmentId", "jobId", "locationId")
ALL_CODING = ("chartOfAccountId", *DIMENSIONS, "itemId", "employeeId", "customerId")
_T = TypeVar("_T")


@dataclass(slots=True)
class References:
    """Ids that documents point to: of each kind as many as the company's size brings."""

    departments: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    employees: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    """Payment terms."""
    card: str = ""
    """A card account that the signed-in user may use."""
    colleagues_card: str = ""
    """A card account that no list shows to the signed-in user."""
    ap_card: str = ""
    """A card that BILL itself issued."""
    banks: list[str] = field(default_factory=list)
    """The operating account first, the one without a chart-of-accounts link last."""


class History:
    """One organization's past on its way.

    Args:
        organization: Where it happens.
        clock: Tells the organization the time.
    """

    def __init__(self, organization: Organization, clock: PastClock) -> None:
        self.organization = organization
        self.settings = organization.readings.settings
        self.references = References()
        self._clock = clock
        self._streams: dict[str, Luck] = {}
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()

    def luck(self, about: Kind | str) -> Luck:
        """The stream that decides about one kind of object, or one matter, whatever is made of the others."""
        name = about if isinstance(about, str) else about.noun
        if name not in self._streams:
            self._streams[name] = Luck(f"{self.settings.seed}/{self.organization.number}/{name}")
        return self._streams[name]

    def more(self, kind: Kind, after: int = 0) -> range:
        """Numbers of the further objects of a kind, which no document names."""
        return range(after, after + self.settings.more.get(kind.path.removeprefix("/v3/"), 0))

    def at(self, moment: int, event: Callable[[], object]) -> None:
        """Let something happen at a second, at the end of the history at the latest."""
        heapq.heappush(self._events, (min(moment, LAST_SECOND), next(self._order), event))

    def run(self) -> int:
        """Let everything that is planned happen in the order of time; returns the second of the last event."""
        while self._events:
            self._clock.second, _, event = heapq.heappop(self._events)
            event()
        return self._clock.second

    @property
    def now(self) -> int:
        """The second at which the current event happens."""
        return self._clock.second

    def coding(self, luck: Luck, names: tuple[str, ...], share: float = 0.15) -> Doc:
        """Classification ids for some of ``names``, each with this probability."""
        references, accounts = self.references, self.organization.account_ids
        choices: dict[str, Sequence[str]] = {
            "chartOfAccountId": (accounts["6100"], accounts["6600"]),
            "accountingClassId": references.classes,
            "departmentId": references.departments,
            "employeeId": references.employees,
            "jobId": references.jobs,
            "locationId": references.locations,
            "itemId": references.items,
            "customerId": references.customers,
        }
        return {name: luck.choice(choices[name]) for name in names if luck.random() < share and choices[name]}


class Luck(Random):
    """A stream of random numbers, with what is made of them everywhere; quicker than even-handed to the last bit."""

    def randint(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.random() * (high - low + 1))

    def choice(self, sequence: Sequence[_T]) -> _T:  # type: ignore[override]
        """One element."""
        return sequence[int(self.random() * len(sequence))]

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def maybe(self, probability: float, value: _T) -> _T | None:
        """The value with this probability, else None."""
        return value if self.random() < probability else None

    def person(self) -> tuple[str, str]:
        """First and last name."""
        return self.choice(vocabulary.FIRST_NAMES), self.choice(vocabulary.LAST_NAMES)

    def phone(self) -> str:
        """A ten-digit number of the range reserved for fiction."""
        return f"{self.randint(201, 989)}55501{self.randint(0, 99):02d}"

    def address(self, currency: str = "USD") -> Doc:
        """A postal address in a country that uses ``currency``."""
        city, state, code, country, name = self.choice(vocabulary.CITIES[currency])
        address: Doc = {"line1": f"{self.randint(1, 9999)} {self.choice(vocabulary.STREETS)} St"}
        if self.happens(0.3):
            address["line2"] = f"Suite {self.randint(1, 40)}"
        return address | {
            "city": city, "stateOrProvince": state, "zipOrPostalCode": code, "country": country, "countryName": name,
        }  # fmt: skip
