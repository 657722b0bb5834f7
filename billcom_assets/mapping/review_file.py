"""Mappings as people see them: one row per BILL object, with the suggestion beside what is not decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

from billcom_assets.ledger.spreadsheets import csv_text
from billcom_assets.mapping.links import Link
from billcom_assets.mapping.matching import SHOWN
from billcom_assets.mapping.overview import Overview, Overviews
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
    """mapped, stale, suggested, ambiguous, unmapped, or empty."""
    method: str
    """Of what is decided: manual, exact or likely; of what is suggested: exact, likely or ambiguous."""
    score: str
    reason: str
    decided_by: str
    decided_at: str
    suggested_ledger_id: str
    suggested_ledger_name: str
    supporting: str
    """The facts for the suggestion."""
    contradicting: str
    """The facts against it."""
    second_ledger_id: str
    second_ledger_name: str
    third_ledger_id: str
    third_ledger_name: str


def show(views: Overviews) -> list[MappingRow]:
    """Every BILL object of the kinds that needs a counterpart or has a link, undecided ones of each kind first.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(views.conn, views.integration)
    return [row for view in views for row in _rows(views.integration, view)]


def export_csv(views: Overviews) -> str:
    """:func:`show` as CSV; cells that a spreadsheet would run as formulas are marked with an apostrophe.

    Write it with :data:`billcom_assets.ledger.spreadsheets.ENCODING`.
    """
    columns = [column.name for column in fields(MappingRow)]
    return csv_text(columns, (astuple(row) for row in show(views)))


def _rows(integration: str, view: Overview) -> Iterator[MappingRow]:
    shown = view.relevant | view.links.keys()
    for bill_id in sorted(shown, key=lambda id_: (view.standing(id_).is_decided, view.bill_name(id_).casefold(), id_)):
        yield _row(integration, view, bill_id)


def _row(integration: str, view: Overview, bill_id: str) -> MappingRow:
    found, link, suggestion = view.bill.get(bill_id), view.links.get(bill_id), view.suggestions.get(bill_id)
    proposals = suggestion.proposals if suggestion is not None else ()
    proposed = [(one.ledger_id, view.ledger_name(one.ledger_id)) for one in proposals] + [("", "")] * SHOWN
    best = suggestion.best if suggestion is not None else None
    how = "" if suggestion is None else suggestion.certainty.value
    return MappingRow(
        integration=integration,
        kind=view.kind.name,
        bill_id=bill_id,
        bill_name=view.bill_name(bill_id),
        bill_number=(found.number if found else None) or "",
        bill_type=(found.type if found else None) or "",
        bill_state=found.state if found else "gone",
        in_use="yes" if bill_id in view.used else "no",
        ledger_id="" if link is None else link.ledger_id or NONE,
        ledger_name="" if link is None else view.ledger_name(link.ledger_id),
        state=view.standing(bill_id).value,
        method=link.method.value if link else how,
        score=str(best.score) if link is None and best else _score(link),
        reason=link.reason if link else best.reason if best else "",
        decided_by=(link.decided_by if link else None) or "",
        decided_at=link.decided_at.isoformat(timespec="seconds") if link else "",
        suggested_ledger_id=proposed[0][0],
        suggested_ledger_name=proposed[0][1],
        supporting="; ".join(best.supporting) if best else "",
        contradicting="; ".join(best.contradicting) if best else "",
        second_ledger_id=proposed[1][0],
        second_ledger_name=proposed[1][1],
        third_ledger_id=proposed[2][0],
        third_ledger_name=proposed[2][1],
    )


def _score(link: Link | None) -> str:
    return "" if link is None or link.score is None else str(link.score)
