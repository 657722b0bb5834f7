"""Luck: which object something happens to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from random import Random

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.kinds import (
    Kind,
)
from billcom_assets.sandbox.organization import Organization

_LOOKS = 40
"""Random looks for a fitting object before the rest is searched in order."""
_SEARCHED = 2_000
"""Objects searched in order before a kind of change is given up for now."""


class NothingFits(Exception):
    """No object is in the state that a kind of change needs."""


class Chance:
    """One organization and a stream of luck.

    Args:
        organization: Where things happen.
        seed: Decides what happens.
    """

    def __init__(self, organization: Organization, seed: int) -> None:
        self.organization = organization
        self.rng = Random(f"{organization.id}/{seed}")

    @property
    def clerk(self) -> str:
        """The user who enters things."""
        return self.organization.user_ids["CLERK"]

    def day(self, ahead: int = 0) -> str:
        """A date so many days from the clock's today."""
        return (self.organization.clock.now().date() + timedelta(days=ahead)).isoformat()

    def pick(self, kind: Kind, fits: Callable[[Doc], bool]) -> Doc:
        """Some object that fits.

        Raises:
            NothingFits: None was found in a fair number of looks.
        """
        table = self.organization.table(kind)
        count = len(table.ids)
        looks = [self.rng.randrange(count // 2 * (look % 2), count) for look in range(_LOOKS if count else 0)]
        start = self.rng.randrange(count) if count else 0
        for position in chain(looks, range(start, start + min(count, _SEARCHED))):
            doc = table.rows[table.ids[position % count]].doc()
            if fits(doc):
                return doc
        raise NothingFits

    def account(self) -> str:
        """The id of an expense account."""
        return self.organization.account_ids[self.rng.choice(("6100", "6400", "6600", "6900", "5100"))]

    def lines(self, count: int) -> list[Doc]:
        """Line items of a request body."""
        return [
            {
                "amount": str(self.organization.money(self.rng.randint(500, 200_000))),
                "description": self.rng.choice(("Services", "Supplies", "Fees")),
                "classifications": {"chartOfAccountId": self.account()},
            }
            for _ in range(count)
        ]


def is_active(doc: Doc) -> bool:
    """It is not archived."""
    return not doc["archived"]


def first_open(chance: Chance, kind: Kind, party_id: str, fits: Callable[[Doc], bool]) -> Doc | None:
    """The first document of a vendor or customer that fits."""
    documents = (row.doc() for row in chance.organization.table(kind).of_party(party_id))
    return next((doc for doc in documents if fits(doc)), None)
