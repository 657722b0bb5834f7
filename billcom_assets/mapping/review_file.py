"""Mappings as people see them: one row per BILL object, with the suggestion beside what is not decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields

from sqlalchemy import Connection

from billcom_assets.ledger.spreadsheets import csv_text
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.overview import Overview, overview
from billcom_assets.warehouse.known_integrations import require_integration

NONE = "none"
"""In the cell ledger_id: this BILL object shall stay unmapped."""


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One BILL object with its link, as shown and exported; fields named as the CSV's columns."""

    integration: str
    kind: str
    bill_id: str
    bill_name: str
    bill_number: str
    bill_type: str
    bill_state: str
    """live, archived, deleted or gone."""
    in_use: str
    """yes or no."""
    ledger_id: str
    """Of what is decided; ``none`` when left unmapped by hand."""
    ledger_name: str
    state: str
    """mapped, suggested, unmapped, or empty."""
    method: str
    score: str
    reason: str
    decided_by: str
    decided_at: str
    suggested_ledger_id: str
    suggested_ledger_name: str


def show(conn: Connection, integration: str, kinds: Iterable[str] = tuple(KINDS)) -> list[MappingRow]:
    """Every BILL object of the kinds that needs a counterpart or has a link, undecided ones of each kind first.

    Raises:
        UnknownIntegration: there is no such integration.
        KeyError: a kind is unknown.
    """
    require_integration(conn, integration)
    return [row for kind in kinds for row in _rows(integration, overview(conn, integration, KINDS[kind]))]


def export_csv(conn: Connection, integration: str, kinds: Iterable[str] = tuple(KINDS)) -> str:
    """:func:`show` as CSV; cells that a spreadsheet would run as formulas are marked with an apostrophe.

    Write it with :data:`billcom_assets.ledger.spreadsheets.ENCODING`.
    """
    columns = [column.name for column in fields(MappingRow)]
    return csv_text(columns, (astuple(row) for row in show(conn, integration, kinds)))


def _rows(integration: str, view: Overview) -> Iterator[MappingRow]:
    decided = {bill_id for bill_id, link in view.links.items() if link.is_decided}
    shown = view.relevant | view.links.keys()
    for bill_id in sorted(shown, key=lambda id_: (id_ in decided, _bill_name(view, id_).casefold(), id_)):
        yield _row(integration, view, bill_id)


def _bill_name(view: Overview, bill_id: str) -> str:
    found = view.bill.get(bill_id)
    return "" if found is None else found.candidate.full_name or found.candidate.name


def _row(integration: str, view: Overview, bill_id: str) -> MappingRow:
    found = view.bill.get(bill_id)
    link = view.links.get(bill_id)
    is_decided = link is not None and link.is_decided
    counterpart = link.ledger_id if link is not None and link.ledger_id is not None else ""
    label = view.ledger[counterpart].label if counterpart in view.ledger else ""
    return MappingRow(
        integration=integration,
        kind=view.kind.name,
        bill_id=bill_id,
        bill_name=_bill_name(view, bill_id),
        bill_number=(found.number if found else None) or "",
        bill_type=(found.type if found else None) or "",
        bill_state=found.state if found else "gone",
        in_use="yes" if bill_id in view.used else "no",
        ledger_id=(counterpart or NONE) if is_decided else "",
        ledger_name=label if is_decided else "",
        state=link.state.value if link else "",
        method=link.method.value if link else "",
        score="" if link is None or link.score is None else str(link.score),
        reason=link.reason if link else "",
        decided_by=(link.decided_by if link else None) or "",
        decided_at=link.decided_at.isoformat(timespec="seconds") if link else "",
        suggested_ledger_id="" if is_decided else counterpart,
        suggested_ledger_name="" if is_decided else label,
    )
