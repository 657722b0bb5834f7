"""What the ledger should adopt of BILL's chart of accounts, where that is the one to follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billcom_assets.alignment.archiving import Inactive
from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount, plain
from billcom_assets.alignment.matching import Matches, match
from billcom_assets.ledger.spreadsheets import csv_text

COLUMNS = ("Number", "Name", "Type", "Parent", "Description", "Active", "Change")
"""As ``billcom ledger import --accounts`` reads them; the last says what is to be done and is not read."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """One account that the ledger should have as BILL has it."""

    change: str
    """new, changed, inactive; same for one that agrees."""
    number: str
    name: str
    type: str
    parent: str
    """Its number, or its name where it has none."""
    description: str
    active: bool
    differs: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """The columns."""
        what = f"{self.change}: {', '.join(self.differs)}" if self.differs else self.change
        active = "yes" if self.active else "no"
        return (self.number, self.name, self.type, self.parent, self.description, active, what)


def adoptions(charts: Charts) -> list[Adoption]:
    """Every account that the ledger should have, by number and name; those that agree already too.

    What BILL does not state is left as it is in the ledger: numbers, descriptions, and parents that it hides.
    """
    charts = charts.sorted()
    matches = match(charts)
    found = [*_of_bill(charts, matches), *_of_ledger(charts, matches)]
    return sorted(found, key=lambda one: (one.number, one.name))


def adoption_csv(found: list[Adoption]) -> str:
    """The accounts as CSV whose cells no spreadsheet runs."""
    return csv_text(COLUMNS, [one.cells() for one in found])


def _of_bill(charts: Charts, matches: Matches) -> Iterator[Adoption]:
    inactive = Inactive(charts)
    for one in charts.bill:
        if one.archived or one.merged:
            continue
        known = charts.ledger_by_id.get(matches.ledger_of.get(one.id) or inactive.of(one) or "")
        yield _adopted(charts, matches, one, known)


def _adopted(charts: Charts, matches: Matches, one: BillAccount, known: LedgerAccount | None) -> Adoption:
    parent = _parent_in_bill(charts, matches, one) if one.parent_known else _parent_in_ledger(charts, known)
    number = plain(one.number) or plain(known.number if known else None)
    description = one.description or (known.description if known else None) or ""
    type_ = one.type or (known.type if known else None) or ""
    made = Adoption("new", number, plain(one.name), type_, parent, description, active=True)
    if known is None:
        return made
    before = (plain(known.number), plain(known.name), known.type, _parent_in_ledger(charts, known))
    after = (made.number, made.name, made.type, made.parent)
    fields = zip(("number", "name", "type", "parent"), before, after, strict=True)
    differs = [name for name, old, new in fields if old != new]
    if not known.active:
        differs.append("active")
    if plain(known.description) != plain(description):
        differs.append("description")
    change = "changed" if differs else "same"
    return Adoption(change, number, made.name, type_, parent, description, active=True, differs=tuple(differs))


def _of_ledger(charts: Charts, matches: Matches) -> Iterator[Adoption]:
    """The ledger's other accounts. What BILL never had stays: BILL needs only what its documents are coded to."""
    inactive = Inactive(charts)
    adopted = {inactive.of(one) for one in charts.bill if not one.archived and one.id not in matches.ledger_of}
    for one in charts.ledger:
        if one.id in adopted:
            continue
        bill = charts.bill_by_id.get(matches.bill_of.get(one.id, ""))
        if bill is not None and not bill.archived:
            continue
        yield Adoption(
            "same" if bill is None else "inactive",
            plain(one.number),
            plain(one.name),
            one.type or "",
            _parent_in_ledger(charts, one),
            one.description or "",
            active=one.active and bill is None,
        )


def _parent_in_bill(charts: Charts, matches: Matches, one: BillAccount) -> str:
    parent = charts.bill_by_id.get(one.parent_id or "")
    if parent is None:
        return ""
    known = charts.ledger_by_id.get(matches.ledger_of.get(parent.id, ""))
    return plain(parent.number) or plain(known.number if known else None) or plain(parent.name)


def _parent_in_ledger(charts: Charts, one: LedgerAccount | None) -> str:
    parent = charts.ledger_by_id.get(one.parent_id or "") if one is not None else None
    return "" if parent is None else plain(parent.number) or plain(parent.name)
