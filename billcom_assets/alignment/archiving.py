"""What BILL has and the ledger does not: archived where nobody needs it, left with advice where somebody does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from billcom_assets.alignment.changes import Draft, conflict
from billcom_assets.alignment.chart import BillAccount, Charts, ancestors, same, state_of
from billcom_assets.alignment.findings import Finding
from billcom_assets.alignment.matching import Matches
from billcom_assets.alignment.uses import is_open
from billcom_assets.redaction.close_matches import listed
from billcom_assets.warehouse.alignment_tables import Action

_OF_BILL: Final = frozenset({"ACCOUNTS_PAYABLE", "ACCOUNTS_RECEIVABLE"})
"""Types that BILL books on without being asked."""
_CLEARING: Final = ("money out clearing", "money in clearing")
"""In the names of accounts that BILL moves payments through."""


@dataclass
class Archives:
    """What becomes of BILL's accounts that no account of the ledger stands for."""

    drafts: list[Draft] = field(default_factory=list)
    """From the bottom of the tree upwards."""
    conflicts: list[Draft] = field(default_factory=list)


def archives(charts: Charts, matches: Matches, restores: Mapping[str, Draft], moves: Mapping[str, Draft]) -> Archives:
    """Archives what BILL has alone.

    Args:
        charts: Both charts.
        matches: Which accounts belong together.
        restores: Accounts that are brought back before, by BILL's id.
        moves: Accounts that are moved before, by BILL's id.
    """
    parents = {one.id: one.parent_id for one in charts.bill}
    alone = [one for one in charts.bill if not one.archived and _is_alone(charts, matches, one)]
    alone.sort(key=lambda one: (-len(ancestors(one.id, parents)), one.number or "", one.name, one.id))
    live_below = _live_below(charts, restores)
    hides_parents = any(not one.parent_known for one in charts.bill if not one.archived)
    inactive, twins = Inactive(charts), _Twins(charts, matches)
    made = Archives()
    archived: dict[str, Draft] = {}
    for one in alone:
        below = live_below.get(one.id, [])
        staying = [child for child in below if child.id not in archived and child.id not in moves]
        refusal = _refusal(charts, one, hides_parents=hides_parents, staying=staying)
        if refusal is not None:
            made.conflicts.append(
                conflict(
                    refusal.code,
                    one.label,
                    charts.integration,
                    other=refusal.of,
                    bill_id=one.id,
                    ledger_id=charts.mapped.get(one.id),
                    before=state_of(charts, one),
                )
            )
            continue
        draft = _archive(charts, one, inactive)
        if twin := twins.of(one):
            draft.findings.append(Finding("duplicate", twin.label))
        draft.needs = [archived.get(child.id) or moves[child.id] for child in below]
        if below:
            draft.cascades = tuple(_all_below(one.id, live_below))
            draft.findings.append(Finding("cascades", listed(child.label for child in below)))
        archived[one.id] = draft
        made.drafts.append(draft)
    return made


def _is_alone(charts: Charts, matches: Matches, one: BillAccount) -> bool:
    """Whether no account of the ledger stands for it, and nobody has decided that this is as it should be."""
    return not (one.merged or one.id in matches.ledger_of or one.id in charts.unmapped)


def _refusal(charts: Charts, one: BillAccount, *, hides_parents: bool, staying: list[BillAccount]) -> Finding | None:
    """Why an account is not archived."""
    counterpart = charts.ledger_by_id.get(charts.mapped.get(one.id, ""))
    open_uses = sorted(filter(is_open, charts.uses.get(one.id, ())))
    reasons = (
        (bool(charts.unseen), "uses_unknown", _words(charts.unseen)),
        (bool(open_uses), "used_in_bill", ", ".join(open_uses)),
        (counterpart is not None and counterpart.active, "mapped_too", counterpart.label if counterpart else None),
        (one.type in _OF_BILL or any(name in same(one.name) for name in _CLEARING), "needed_by_bill", None),
        (hides_parents, "parents_unknown", None),
        (bool(staying), "archives_others", listed(child.label for child in staying)),
    )
    return next((Finding(code, of) for applies, code, of in reasons if applies), None)


def _archive(charts: Charts, one: BillAccount, inactive: Inactive) -> Draft:
    before = state_of(charts, one)
    counterpart = inactive.of(one)
    reason = "The ledger does not have it." if counterpart is None else "It is inactive in the ledger."
    draft = Draft(Action.ARCHIVE, one.id, counterpart, before, replace(before, archived=True), reason)
    if charts.documents_since is not None:
        draft.findings.append(Finding("unknown_before", str(charts.documents_since)))
    if uses := charts.uses.get(one.id):
        draft.findings.append(Finding("used_before", ", ".join(sorted(uses))))
    return draft


class Inactive:
    """The ledger's inactive accounts."""

    def __init__(self, charts: Charts) -> None:
        self._mapped = charts.mapped
        gone = [one for one in charts.ledger if not one.active]
        self._ids = {one.id for one in gone}
        self._by_number = {(same(one.number), one.type): one.id for one in gone if one.number}
        self._by_name = {(same(one.name), one.type): one.id for one in gone}

    def of(self, one: BillAccount) -> str | None:
        """The ledger's id of the inactive account that one of BILL's stands for."""
        mapped = self._mapped.get(one.id)
        if mapped in self._ids:
            return mapped
        if one.number:
            return self._by_number.get((same(one.number), one.type))
        return self._by_name.get((same(one.name), one.type))


class _Twins:
    """BILL's accounts that the ledger has."""

    def __init__(self, charts: Charts, matches: Matches) -> None:
        known = [one for one in charts.bill if one.id in matches.ledger_of]
        self._by_number = {(same(one.number), one.type): one for one in known if one.number}
        self._by_name = {(same(one.name), one.type): one for one in known}

    def of(self, one: BillAccount) -> BillAccount | None:
        """The account that another one seems to double."""
        by_number = self._by_number.get((same(one.number), one.type)) if one.number else None
        return by_number or self._by_name.get((same(one.name), one.type))


def _live_below(charts: Charts, restores: Mapping[str, Draft]) -> dict[str, list[BillAccount]]:
    """By BILL's id what is next below an account that is not archived, or will not be, through what is archived."""
    parents = {one.id: one.parent_id for one in charts.bill}
    live = {one.id for one in charts.bill if not one.archived or one.id in restores}
    found: dict[str, list[BillAccount]] = defaultdict(list)
    for one in charts.bill:
        if one.id in live:
            for above in ancestors(one.id, parents):
                found[above].append(one)
                if above in live:
                    break
    return found


def _all_below(id_: str, live_below: Mapping[str, list[BillAccount]]) -> list[str]:
    found: list[str] = []
    pending = [id_]
    while pending:
        for child in live_below.get(pending.pop(0), ()):
            if child.id not in found:
                found.append(child.id)
                pending.append(child.id)
    return found


def _words(entities: tuple[str, ...]) -> str:
    return " and ".join(name.replace("_", " ") for name in entities)
