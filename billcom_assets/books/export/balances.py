"""Balances before and at the end of a period, added up apart from the journal that they are asserted in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from billcom_assets.books.export.amounts import ZERO, Units, units
from billcom_assets.books.export.parties import CONTROL
from billcom_assets.books.export.rows import Period, amounts


class Place(NamedTuple):
    """Where an amount stands: an account, or a vendor or customer on a control account."""

    ledger_account_id: str
    party: str | None
    """BILL's id; None except on control accounts."""


def place(role: str, account: str, party: str | None) -> Place:
    """Where a line stands."""
    return Place(account, party if role == CONTROL else None)


@dataclass
class Totals:
    """A balance in one currency."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    """In the home currency."""

    def add(self, quantity: Decimal, value: Decimal) -> None:
        """Adds what a line moves."""
        self.quantity += quantity
        self.value += value


Sums = defaultdict[tuple[Place, str], Totals]
"""By place and currency."""


def _sums() -> Sums:
    return defaultdict(Totals)


@dataclass
class Balances:
    """What stood where; every balance is exact."""

    home: str
    opening: Sums = field(default_factory=_sums)
    """Before the first day, by the currency of the lines."""
    moved: Sums = field(default_factory=_sums)
    """In the period, by the currency of the quantities that the lines are."""
    booked: Sums = field(default_factory=_sums)
    """To the end of the last day, by the currency of the lines."""
    first: date | None = None
    """The first day of the period with an entry."""
    last: date | None = None
    """The last day of the period with an entry."""

    def opening_units(self) -> Iterator[tuple[Place, Units]]:
        """The quantities that a transaction brings forward."""
        for (where, currency), sums in sorted(self.opening.items(), key=_by_name):
            for one in units(currency, sums.quantity, sums.value, self.home):
                if one.quantity:
                    yield where, one

    def closing(self) -> dict[tuple[Place, str], Totals]:
        """At the end of the last day, by the currency of quantities."""
        sums = _sums()
        for key, moved in self.moved.items():
            sums[key].add(moved.quantity, moved.value)
        for where, one in self.opening_units():
            sums[where, one.currency].add(one.quantity, one.quantity if one.value is None else one.value)
        return dict(sums)


def _by_name(item: tuple[tuple[Place, str], Totals]) -> tuple[str, str, str]:
    (where, currency), _ = item
    return (where.ledger_account_id, where.party or "", currency)


def balances(connection: Connection, integration: str, home: str, period: Period) -> Balances:
    """The balances of a period; memory grows with accounts and parties only."""
    found = Balances(home)
    for line in amounts(connection, integration, Period(last=period.last)):
        where, value = place(line.role, line.ledger_account_id, line.party), line.debit - line.credit
        quantity = value if line.currency == home else line.amount
        found.booked[where, line.currency].add(quantity, value)
        if period.is_before(line.posting_date):
            found.opening[where, line.currency].add(quantity, value)
            continue
        found.first = min(found.first or line.posting_date, line.posting_date)
        found.last = max(found.last or line.posting_date, line.posting_date)
        for one in units(line.currency, line.amount, value, home):
            found.moved[where, one.currency].add(one.quantity, one.quantity if one.value is None else one.value)
    return found
