"""What every generator works with: one organization's random stream, ids, references and finished rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.ids import IdSource
from billcom_assets.sandbox.kinds import KINDS, Kind
from billcom_assets.sandbox.money import money
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.table import Row, make_row

DIMENSIONS = ("accountingClassId", "departmentId", "jobId", "locationId")
ALL_CODING = ("chartOfAccountId", *DIMENSIONS, "itemId", "employeeId", "customerId")


@dataclass(slots=True)
class References:
    """Ids that documents point to."""

    accounts: dict[str, str] = field(default_factory=dict)
    """Account number to id."""
    departments: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    employees: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    """Role type to user id."""
    terms: list[str] = field(default_factory=list)
    """Payment terms."""
    card: str = ""
    """A card account; v3 lists it elsewhere than the bank accounts."""
    banks: list[str] = field(default_factory=list)
    """The operating account first, the one without a chart-of-accounts link last."""


class Companion:
    """The working state of one organization's generation.

    Args:
        settings: The sandbox's settings.
        number: Which organization, from 0.
    """

    def __init__(self, settings: Settings, number: int, ids: IdSource) -> None:
        self.settings = settings
        self.rng = Random(f"{settings.seed}/{number}")
        self.ids = ids
        self.references = References()
        self.waiting = 0
        """Payments that are still to come."""
        self.rows: dict[Kind, list[Row]] = {kind: [] for kind in KINDS}

    def new_id(self, kind: Kind) -> str:
        """A fresh id of a kind."""
        return self.ids.new(kind.prefix)

    def add(self, kind: Kind, doc: Doc, created: int, updated: int, hidden: Doc | None = None) -> None:
        """Finish an object."""
        self.rows[kind].append(make_row(doc, created, max(created, updated), hidden))

    def money(self, amount_cents: int) -> Decimal:
        """An amount in the sandbox's number style."""
        return money(amount_cents, self.settings.numbers)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def person(self) -> tuple[str, str]:
        """First and last name."""
        return self.rng.choice(vocabulary.FIRST_NAMES), self.rng.choice(vocabulary.LAST_NAMES)

    def coding(self, keys: tuple[str, ...], share: float = 0.15) -> Doc:
        """Classification ids for some of ``keys``, each with this probability."""
        references = self.references
        choices = {
            "chartOfAccountId": (references.accounts["6100"], references.accounts["6600"]),
            "accountingClassId": references.classes,
            "departmentId": references.departments,
            "employeeId": references.employees,
            "jobId": references.jobs,
            "locationId": references.locations,
            "itemId": references.items,
            "customerId": references.customers,
        }
        return {key: self.rng.choice(choices[key]) for key in keys if self.rng.random() < share and choices[key]}

    def phone(self) -> str:
        """A ten-digit number of the range reserved for fiction."""
        return f"{self.rng.randint(201, 989)}55501{self.rng.randint(0, 99):02d}"

    def address(self, currency: str = "USD") -> Doc:
        """A postal address in a country that uses ``currency``."""
        rng = self.rng
        line1 = f"{rng.randint(1, 9999)} {rng.choice(vocabulary.STREETS)} St"
        if currency != "USD":
            city, state, code, country, name = rng.choice(vocabulary.FOREIGN_CITIES[currency])
        else:
            (city, state, code), country, name = rng.choice(vocabulary.CITIES), "US", "United States"
        address: Doc = {"line1": line1}
        if rng.random() < 0.3:
            address["line2"] = f"Suite {rng.randint(1, 40)}"
        return address | {
            "city": city, "stateOrProvince": state, "zipOrPostalCode": code, "country": country, "countryName": name,
        }  # fmt: skip
