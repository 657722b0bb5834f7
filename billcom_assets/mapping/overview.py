"""One kind of BILL object beside its ledger objects and what was decided: what every decision looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection

from billcom_assets.mapping.kinds import KINDS, MappedKind
from billcom_assets.mapping.links import Link, Links, LinkState
from billcom_assets.mapping.matching import Certainty, Suggestion
from billcom_assets.mapping.mergers import inherited, survivors
from billcom_assets.mapping.objects import BillObject, LedgerObject, bill_objects, ledger_objects
from billcom_assets.mapping.proposals import Proposals
from billcom_assets.mapping.uses import in_use


class Standing(StrEnum):
    """Where a BILL object stands."""

    MAPPED = "mapped"
    STALE = "stale"
    """Mapped, but the ledger object is gone or inactive: it waits for another decision."""
    UNMAPPED = "unmapped"
    """Left unmapped by hand."""
    SUGGESTED = "suggested"
    """A decision waits, and there is something to choose."""
    AMBIGUOUS = "ambiguous"
    """A decision waits, and several ledger objects fit equally."""
    OPEN = ""
    """A decision waits, and nothing fits."""

    @property
    def is_decided(self) -> bool:
        """Nothing waits."""
        return self in {Standing.MAPPED, Standing.UNMAPPED}


@dataclass(frozen=True, slots=True)
class Overview:
    """Both sides of one kind of one integration."""

    kind: MappedKind
    bill: Mapping[str, BillObject]
    """All BILL objects by id, archived and deleted ones too."""
    ledger: Mapping[str, LedgerObject]
    """All ledger objects by id, inactive ones too."""
    links: Mapping[str, Link]
    """Decisions by BILL id."""
    inherited: Mapping[str, Link]
    """The decision on the survivor, by the id of what was merged into it and has none of its own."""
    suggestions: Mapping[str, Suggestion]
    """By BILL id."""
    used: frozenset[str]
    """BILL ids that documents, items or funding accounts refer to."""
    relevant: frozenset[str]
    """BILL ids that need a counterpart: of live objects, and of archived ones that are in use."""

    def standing(self, bill_id: str) -> Standing:
        """Where a BILL object stands."""
        link = self.links.get(bill_id) or self.inherited.get(bill_id)
        if link is not None and link.state is LinkState.UNMAPPED:
            return Standing.UNMAPPED
        if link is not None:
            return Standing.MAPPED if self.is_usable(link.ledger_id or "") else Standing.STALE
        suggestion = self.suggestions.get(bill_id)
        if suggestion is None:
            return Standing.OPEN
        return Standing.AMBIGUOUS if suggestion.certainty is Certainty.AMBIGUOUS else Standing.SUGGESTED

    def is_usable(self, ledger_id: str) -> bool:
        """True for a ledger object that is there and active."""
        return ledger_id in self.ledger and self.ledger[ledger_id].active

    def bill_name(self, bill_id: str) -> str:
        """The name of a BILL object with its parents; empty for one that is gone."""
        return self.bill[bill_id].candidate.label if bill_id in self.bill else ""

    def ledger_name(self, ledger_id: str | None) -> str:
        """The name of a ledger object with its parents; empty for none, and for one that is gone."""
        return self.ledger[ledger_id].label if ledger_id is not None and ledger_id in self.ledger else ""


@dataclass(frozen=True)
class Overviews:
    """Some or all kinds of one integration, each read once and when it is first asked for."""

    conn: Connection
    integration: str
    kinds: Sequence[str] = tuple(KINDS)
    _read: dict[str, Overview] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getitem__(self, kind: str) -> Overview:
        if kind not in self._read:
            self._read[kind] = overview(self.conn, self.integration, KINDS[kind])
        return self._read[kind]

    def __iter__(self) -> Iterator[Overview]:
        return (self[kind] for kind in self.kinds)


def overview(conn: Connection, integration: str, kind: MappedKind) -> Overview:
    """Reads both sides."""
    bill = bill_objects(conn, integration, kind)
    used = frozenset(in_use(conn, integration, kind.name))
    links = Links(conn, integration, kind.name).all()
    return Overview(
        kind=kind,
        bill=bill,
        ledger=ledger_objects(conn, integration, kind),
        links=links,
        inherited=inherited(links, survivors(conn, integration, kind.name)),
        suggestions=Proposals(conn, integration, kind.name).all(),
        used=used,
        relevant=frozenset(id_ for id_, found in bill.items() if found.is_live or (not found.deleted and id_ in used)),
    )
