"""Both charts of accounts as the planner sees them: plain data, from whatever database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final

LONGEST_NAME: Final = 250
LONGEST_NUMBER: Final = 40
LONGEST_DESCRIPTION: Final = 4000
"""Characters that BILL takes."""


def plain(text: str | None) -> str:
    """The form in which two texts say the same: spaces, line breaks and what is not seen make no difference."""
    text = text or ""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())


def same(text: str | None) -> str:
    """The form in which two names or numbers mean the same account: case makes no difference either."""
    return plain(text).casefold()


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account of the company's chart."""

    id: str
    name: str
    type: str | None
    """One of BILL's 17 types; None for what is none of them."""
    number: str | None = None
    parent_id: str | None = None
    description: str | None = None
    active: bool = True

    @property
    def label(self) -> str:
        """Number and name."""
        return label(self.number, self.name)


@dataclass(frozen=True, slots=True)
class BillAccount:
    """An account of BILL's chart."""

    id: str
    name: str
    type: str | None
    number: str | None = None
    parent_id: str | None = None
    description: str | None = None
    archived: bool = False
    parent_known: bool = True
    """Whether BILL says which parent it has; without, it may have one or none."""
    merged: bool = False
    """Merged into another in BILL, which keeps it archived for good."""

    @property
    def label(self) -> str:
        """Number and name."""
        return label(self.number, self.name)


def label(number: str | None, name: str | None) -> str:
    """An account as people call it: number and name."""
    return " ".join(part for part in (plain(number), plain(name)) if part)


@dataclass(frozen=True, slots=True)
class State:
    """What an account of BILL's is, or is to be."""

    name: str
    number: str | None
    type: str | None
    description: str | None
    parent_id: str | None
    """BILL's id; None for none, for one that is still to be created, and where BILL does not say."""
    parent: str | None
    """The parent as people call it."""
    archived: bool

    def content_digest(self) -> str:
        """Digest of what BILL says of an account whatever it hides: everything but the parent."""
        return content_digest(self.name, self.number, self.type, self.description, archived=self.archived)

    def differing(self, other: State) -> list[str]:
        """The fields in which two states of one account differ, in BILL's words."""
        return [name for name in FIELDS if getattr(self, name) != getattr(other, name)]


FIELDS: Final = ("name", "number", "type", "description", "parent_id", "archived")


def content_digest(
    name: str | None, number: str | None, type_: str | None, description: str | None, *, archived: bool
) -> str:
    """Digest of an account in BILL without its parent, which v3 may hide; empty and absent are the same."""
    return digest([name or "", number or "", type_ or "", description or "", archived])


def digest(content: object) -> str:
    """SHA-256 of something JSON-able."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Charts:
    """Both charts, and what is known of how they belong together."""

    integration: str
    ledger: tuple[LedgerAccount, ...]
    bill: tuple[BillAccount, ...]
    """Without those that BILL has deleted."""
    mapped: Mapping[str, str] = field(default_factory=dict)
    """Ledger ids by BILL's ids."""
    unmapped: frozenset[str] = frozenset()
    """BILL's ids of accounts that somebody has left unmapped."""
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What uses an account, by BILL's id; see :mod:`billcom_assets.alignment.uses`."""
    unseen: tuple[str, ...] = ()
    """Entities that could use accounts and were never fetched."""
    documents_since: date | None = None
    """Documents dated before are not fetched, so that nobody knows what they use; None for all."""

    @cached_property
    def ledger_by_id(self) -> dict[str, LedgerAccount]:
        """The ledger's accounts."""
        return {one.id: one for one in self.ledger}

    @cached_property
    def bill_by_id(self) -> dict[str, BillAccount]:
        """BILL's accounts."""
        return {one.id: one for one in self.bill}

    @cached_property
    def active(self) -> tuple[LedgerAccount, ...]:
        """The ledger's active accounts, parents before children, then by number, name and id."""
        levels = self.levels
        chosen = (one for one in self.ledger if one.active)
        return tuple(sorted(chosen, key=lambda one: (levels[one.id], one.number or "", one.name, one.id)))

    @cached_property
    def levels(self) -> dict[str, int]:
        """How many parents are above each of the ledger's accounts; a circle ends the count."""
        parents = {one.id: one.parent_id for one in self.ledger}
        return {id_: len(ancestors(id_, parents)) for id_ in parents}

    @cached_property
    def states_parents(self) -> bool:
        """Whether the ledger has any hierarchy; where it has none, BILL's own is left alone."""
        return any(one.parent_id for one in self.ledger if one.active)

    def sorted(self) -> Charts:
        """The same charts with their accounts by id."""
        ledger, bill = sorted(self.ledger, key=lambda one: one.id), sorted(self.bill, key=lambda one: one.id)
        return replace(self, ledger=tuple(ledger), bill=tuple(bill))

    @property
    def ledger_hash(self) -> str:
        """Digest of the ledger's chart."""
        return _whole(asdict(one) for one in self.ledger)

    @property
    def bill_hash(self) -> str:
        """Digest of BILL's chart."""
        return _whole(asdict(one) for one in self.bill)


def _whole(accounts: Iterable[dict[str, object]]) -> str:
    return digest(sorted(accounts, key=lambda one: str(one["id"])))


def ancestors(id_: str, parents: Mapping[str, str | None]) -> list[str]:
    """The ids above one, nearest first; a circle or an unknown parent ends them."""
    found: list[str] = []
    seen = {id_}
    at = parents.get(id_)
    while at is not None and at not in seen and at in parents:
        found.append(at)
        seen.add(at)
        at = parents.get(at)
    return found


def state_of(charts: Charts, bill: BillAccount) -> State:
    """What an account of BILL's is now."""
    parent = charts.bill_by_id.get(bill.parent_id or "")
    above = parent.label if parent else bill.parent_id
    return State(bill.name, bill.number, bill.type, bill.description, bill.parent_id, above, bill.archived)
