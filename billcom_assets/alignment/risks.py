"""What may go wrong with drafted changes, seen against everything that BILL has and will have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from billcom_assets.alignment.changes import Draft
from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount, label, same, state_of
from billcom_assets.alignment.findings import Finding
from billcom_assets.alignment.likeness import NearNames
from billcom_assets.alignment.matching import Matches
from billcom_assets.warehouse.alignment_tables import Action


@dataclass(frozen=True, slots=True)
class _Account:
    key: str
    label: str
    name: str
    number: str
    archived: bool
    is_alone: bool
    """The ledger has none for it."""


class RiskFinder:
    """Looks for risks among the accounts of one plan."""

    def __init__(self, charts: Charts, matches: Matches) -> None:
        self._charts = charts
        self._matches = matches

    def left_unmapped(self, account: LedgerAccount) -> BillAccount | None:
        """The account of BILL's that looks like a new one, and that somebody has left unmapped."""
        keys = [(same(account.name), account.type)]
        if account.number:
            keys.insert(0, (f"#{same(account.number)}", account.type))
        return next((self._unmapped[key] for key in keys if key in self._unmapped), None)

    @cached_property
    def _unmapped(self) -> dict[tuple[str, str | None], BillAccount]:
        found: dict[tuple[str, str | None], BillAccount] = {}
        for one in self._charts.bill:
            if one.id in self._charts.unmapped and not one.archived and not one.merged:
                found.setdefault((same(one.name), one.type), one)
                if one.number:
                    found.setdefault((f"#{same(one.number)}", one.type), one)
        return found

    def add_to(self, drafts: Iterable[Draft]) -> None:
        """Adds what may go wrong to each draft."""
        drafts = list(drafts)
        accounts = self._afterwards(drafts)
        by_name, by_number = _by(accounts, lambda one: one.name), _by(accounts, lambda one: one.number)
        alone = (one for one in self._charts.bill if one.id not in self._matches.ledger_of)
        near = NearNames(one for one in alone if not one.archived)
        for draft in drafts:
            if draft.action not in {Action.CREATE, Action.UPDATE} or draft.after is None:
                continue
            found: list[Finding] = []
            own = draft.bill_id or f"new {draft.ledger_id}"
            before = draft.before
            if draft.after.name and (before is None or before.name != draft.after.name):
                found += _taken(own, by_name[same(draft.after.name)], "name_in_use")
            if draft.after.number and (before is None or before.number != draft.after.number):
                found += _taken(own, by_number[same(draft.after.number)], "number_in_use")
            if draft.action is Action.CREATE and not found and (like := near.nearest(draft.after.name)):
                found.append(Finding("near_duplicate", like.label))
            draft.findings += dict.fromkeys(found)

    def _afterwards(self, drafts: Iterable[Draft]) -> list[_Account]:
        """All accounts as they are when everything is written."""
        states = {one.id: state_of(self._charts, one) for one in self._charts.bill}
        is_alone = {one.id: one.id not in self._matches.ledger_of for one in self._charts.bill}
        for draft in drafts:
            if draft.after is not None:
                key = draft.bill_id or f"new {draft.ledger_id}"
                states[key] = draft.after
        return [
            _Account(
                key,
                label(state.number, state.name),
                same(state.name),
                same(state.number),
                state.archived,
                is_alone.get(key, False),
            )
            for key, state in states.items()
        ]


def _by(accounts: Iterable[_Account], key: Callable[[_Account], str]) -> dict[str, list[_Account]]:
    found: dict[str, list[_Account]] = defaultdict(list)
    for one in accounts:
        found[key(one)].append(one)
    return found


def _taken(own: str, holders: Iterable[_Account], code: str) -> list[Finding]:
    """One finding at most: an archived account that nobody stands for is a twin, any other is in the way."""
    others = [one for one in holders if one.key != own]
    if not others:
        return []
    live = [one for one in others if not one.archived]
    return [Finding(code, live[0].label)] if live else [Finding("archived_twin", others[0].label)]
