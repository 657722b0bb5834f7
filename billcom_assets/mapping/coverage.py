"""How far each kind is mapped, and links whose one end has gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from billcom_assets.mapping.blocked import Blocked, blocked
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import LinkState
from billcom_assets.mapping.mergers import survivors
from billcom_assets.mapping.overview import Overview, Overviews, Standing
from billcom_assets.warehouse.ledger_tables import ledger_dimensions, mappings


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one kind is mapped, in BILL objects that are live or still in use."""

    kind: str
    mapped: int
    """Onto a ledger object that is active."""
    stale: int
    """Mapped, but the ledger object is gone or inactive."""
    suggested: int
    """Waiting for a decision, with something to choose; ambiguous ones too."""
    unmapped: int
    """Waiting for a decision with nothing that fits, or left unmapped by hand."""
    left: int
    """Of these, left unmapped by hand."""
    in_use: int
    """Referred to by bills, vendor credits, vendor payments, items or funding accounts."""
    in_use_unmapped: int
    """In use and not mapped, suggested or not."""


@dataclass(frozen=True, slots=True)
class StaleLink:
    """A link whose one end has gone."""

    kind: str
    bill_id: str
    bill_name: str
    """Empty when BILL's object is gone."""
    ledger_id: str
    ledger_name: str
    """Empty when the ledger object is gone."""
    reasons: tuple[str, ...]


def mapping_coverage(views: Overviews) -> list[Coverage]:
    """How far each kind is mapped."""
    return [_coverage(view) for view in views]


def _coverage(view: Overview) -> Coverage:
    standing = {id_: view.standing(id_) for id_ in view.relevant}
    count = Counter(standing.values())
    used = view.relevant & view.used
    return Coverage(
        view.kind.name,
        mapped=count[Standing.MAPPED],
        stale=count[Standing.STALE],
        suggested=count[Standing.SUGGESTED] + count[Standing.AMBIGUOUS],
        unmapped=count[Standing.OPEN] + count[Standing.UNMAPPED],
        left=count[Standing.UNMAPPED],
        in_use=len(used),
        in_use_unmapped=sum(standing[id_] is not Standing.MAPPED for id_ in used),
    )


def unpostable(views: Overviews) -> tuple[Blocked, ...]:
    """The live documents that cannot post because objects that they use are not mapped, stale mappings included."""
    unmapped = {}
    for view in views:
        unmapped[view.kind.name] = {
            id_ for id_ in view.used & view.bill.keys() if view.standing(id_) is not Standing.MAPPED
        }
    return blocked(views.conn, views.integration, unmapped)


def stale_links(views: Overviews) -> list[StaleLink]:
    """Mapped BILL objects that are archived, deleted or gone, and ledger objects that are deactivated or gone."""
    found = []
    for view in views:
        for link in view.links.values():
            if link.state is not LinkState.MAPPED:
                continue
            ledger_id = link.ledger_id or ""
            reasons = (*_bill_reasons(view, link.bill_id), *_ledger_reasons(view, ledger_id))
            if reasons:
                names = view.bill_name(link.bill_id), ledger_id, view.ledger_name(ledger_id)
                found.append(StaleLink(view.kind.name, link.bill_id, *names, reasons))
    return sorted(found, key=lambda link: (link.kind, link.bill_id))


def _bill_reasons(view: Overview, bill_id: str) -> Iterable[str]:
    found = view.bill.get(bill_id)
    if found is None:
        yield "BILL's object is not in the mirror"
    elif found.deleted:
        yield "deleted in BILL"
    elif found.archived:
        yield "archived in BILL, perhaps merged into another"


def _ledger_reasons(view: Overview, ledger_id: str) -> Iterable[str]:
    found = view.ledger.get(ledger_id)
    if found is None:
        yield "there is no such ledger object of this kind"
    elif not found.active:
        yield "deactivated in the ledger"


def mapped(conn: Connection, integration: str, kind: str) -> dict[str, str]:
    """Ledger ids by BILL id of what is mapped onto an active ledger object."""
    m, theirs = mappings.c, KINDS[kind].table.c
    matches = [theirs.integration == m.integration, theirs.id == m.ledger_id, theirs.active]
    if KINDS[kind].table is ledger_dimensions:
        matches.append(theirs.kind == m.kind)
    if KINDS[kind].ledger_types:
        matches.append(theirs.type.in_(sorted(KINDS[kind].ledger_types)))
    query = select(m.bill_id, m.ledger_id).join(KINDS[kind].table, and_(*matches))
    rows = conn.execute(query.where(m.integration == integration, m.kind == kind, m.state == LinkState.MAPPED.value))
    found = {row.bill_id: row.ledger_id for row in rows}
    # What was merged goes by the survivor, unless something was decided on itself.
    merged = survivors(conn, integration, kind)
    decided = (
        set(conn.scalars(select(m.bill_id).where(m.integration == integration, m.kind == kind))) if merged else set()
    )
    return found | {
        one: found[survivor] for one, survivor in merged.items() if survivor in found and one not in decided
    }
