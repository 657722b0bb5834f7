"""What an identity finds: how much it compared, what differs, and what it allows for, each with its documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from billcom_assets.books.run import Run

SHOWN: Final = 20
"""Differences, and items of a list, that are given one by one."""
Value = Decimal | int | str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document that something is about."""

    kind: str
    id: str
    number: str | None = None
    """Its number in BILL, fit to be shown as text."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sides that should be equal."""

    what: str
    """What they are of; text of BILL's in it is fit to be shown as text."""
    left: Value
    right: Value
    documents: tuple[Document, ...] = ()
    """Those that the difference comes from, as far as they are known; the first of them."""
    name: str | None = None
    """What the vendor or account is called, fit to be shown as text; it belongs into no log."""


@dataclass(frozen=True, slots=True)
class Item:
    """One of the things that an identity allows for."""

    what: str
    amount: Decimal | None = None
    currency: str | None = None
    """ISO 4217 code; None for an amount in the home currency."""
    documents: tuple[Document, ...] = ()
    name: str | None = None
    """What the vendor is called, fit to be shown as text; it belongs into no log."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Things of one sort that an identity allows for, or counts beside."""

    what: str
    count: int
    amount: Decimal | None = None
    """What all of them add up to, in the home currency; None where that is not known."""
    first: tuple[Item, ...] = ()
    """Up to :data:`SHOWN` of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look has found."""

    compared: int
    """How many things were compared."""
    differences: int = 0
    """How many of them differ."""
    first: tuple[Difference, ...] = ()
    """Up to :data:`SHOWN` of those."""
    listed: tuple[Listed, ...] = ()
    not_applicable: str = ""
    """Why there was nothing to compare; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an identity says of the books of one integration."""

    number: int
    name: str
    title: str
    left: str
    """What the left sides are."""
    right: str
    compared: int
    differences: int
    first: tuple[Difference, ...]
    listed: tuple[Listed, ...]
    not_applicable: str

    @property
    def holds(self) -> bool:
        """True when nothing differs."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Identity:
    """One thing that must always hold."""

    number: int
    """As people call it."""
    name: str
    """As checks and scripts call it."""
    title: str
    """In a few words."""
    explanation: str
    """In one sentence."""
    left: str
    """What the left side of a difference is."""
    right: str
    look: Callable[[Connection, Run], Finding]
    is_costly: bool = False
    """It takes as long as posting everything once more: not for every sync."""

    def outcome(self, connection: Connection, run: Run) -> Outcome:
        """Looks at the books; nothing that it does is to be committed.

        Args:
            connection: Reading; what it sees should not change while several identities look.
            run: Whose books, with policy, cutoff and day.
        """
        found = self.look(connection, run)
        return Outcome(
            self.number,
            self.name,
            self.title,
            self.left,
            self.right,
            found.compared,
            found.differences,
            found.first,
            found.listed,
            found.not_applicable,
        )
