"""One kind of BILL object beside its ledger objects and their links: what every decision looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from billcom_assets.mapping.kinds import MappedKind
from billcom_assets.mapping.links import Link, Links, LinkState
from billcom_assets.mapping.objects import BillObject, LedgerObject, bill_objects, ledger_objects
from billcom_assets.mapping.uses import in_use


@dataclass(frozen=True, slots=True)
class Overview:
    """Both sides of one kind of one integration."""

    kind: MappedKind
    bill: Mapping[str, BillObject]
    """All BILL objects by id, archived and deleted ones too."""
    ledger: Mapping[str, LedgerObject]
    """All ledger objects by id, inactive ones too."""
    links: Mapping[str, Link]
    """By BILL id."""
    used: frozenset[str]
    """BILL ids that documents, items or funding accounts refer to."""
    relevant: frozenset[str]
    """BILL ids that need a counterpart: of live objects, and of archived ones that are in use."""

    def of_state(self, state: LinkState) -> list[Link]:
        """The links of one state, by BILL id."""
        return [link for _, link in sorted(self.links.items()) if link.state is state]

    def is_mapped(self, bill_id: str) -> bool:
        """True when the object is mapped onto an active ledger object."""
        link = self.links.get(bill_id)
        if link is None or link.state is not LinkState.MAPPED or link.ledger_id is None:
            return False
        counterpart = self.ledger.get(link.ledger_id)
        return counterpart is not None and counterpart.active


def overview(conn: Connection, integration: str, kind: MappedKind) -> Overview:
    """Reads both sides."""
    bill = bill_objects(conn, integration, kind)
    used = frozenset(in_use(conn, integration, kind.name))
    return Overview(
        kind=kind,
        bill=bill,
        ledger=ledger_objects(conn, integration, kind),
        links=Links(conn, integration, kind.name).all(),
        used=used,
        relevant=frozenset(id_ for id_, found in bill.items() if found.is_live or (not found.deleted and id_ in used)),
    )
