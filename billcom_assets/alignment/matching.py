"""Which account of BILL's stands for which account of the ledger.

In this order: what a person has mapped; the same number and type; the same name and type under the same parent; and
where nothing fits so far, the same number and name, or name and parent, under another type. Live accounts come before
archived ones. What was mapped, or left unmapped by hand, is never matched to something else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount, same


class By(StrEnum):
    """Why two accounts are taken for one."""

    MAPPING = "mapped to it"
    NUMBER = "the same number and type"
    NAME = "the same name and type under the same parent"
    NUMBER_AND_NAME = "the same number and name"
    NAME_ALONE = "the same name under the same parent"


@dataclass
class Matches:
    """The pairs that were found."""

    bill_of: dict[str, str] = field(default_factory=dict)
    """BILL's ids by ledger ids."""
    ledger_of: dict[str, str] = field(default_factory=dict)
    """Ledger ids by BILL's ids."""
    by: dict[str, By] = field(default_factory=dict)
    """Why, by ledger ids."""

    def add(self, account: LedgerAccount, other: BillAccount, by: By) -> None:
        """Notes a pair."""
        self.bill_of[account.id] = other.id
        self.ledger_of[other.id] = account.id
        self.by[account.id] = by


_Key = Hashable | None
_Keys = tuple[Callable[[LedgerAccount], _Key], Callable[[BillAccount], _Key]]


def match(charts: Charts) -> Matches:
    """Pairs of the ledger's active accounts with BILL's, the same however often it is asked."""
    matches = Matches()
    _match_mapped(charts, matches, archived=False)
    found = -1
    # A parent that is found late lets its children be found.
    while found != len(matches.bill_of):
        found = len(matches.bill_of)
        for archived in (False, True):
            if archived:
                _match_mapped(charts, matches, archived=True)
            _match_by(charts, matches, By.NUMBER, archived=archived)
            _match_by(charts, matches, By.NAME, archived=archived)
            _match_by(charts, matches, By.NUMBER_AND_NAME, archived=archived)
            _match_by(charts, matches, By.NAME_ALONE, archived=archived)
    return matches


def _match_mapped(charts: Charts, matches: Matches, *, archived: bool) -> None:
    mapped: dict[str, list[BillAccount]] = defaultdict(list)
    for one in charts.bill:
        if one.id in charts.mapped and one.archived is archived and not one.merged:
            mapped[charts.mapped[one.id]].append(one)
    for account in charts.active:
        if account.id not in matches.bill_of and mapped[account.id]:
            matches.add(account, _best(charts, matches, account, mapped[account.id]), By.MAPPING)


def _match_by(charts: Charts, matches: Matches, by: By, *, archived: bool) -> None:
    of_ledger, of_bill = _KEYS[by]
    free: dict[Hashable, list[BillAccount]] = defaultdict(list)
    for one in _free(charts, matches):
        key = of_bill(one)
        if one.archived is archived and key is not None:
            free[key].append(one)
    for account in charts.active:
        if account.id in matches.bill_of:
            continue
        key = of_ledger(account)
        fitting = free.get(key, []) if key is not None else []
        if by in _UNDER_ONE_PARENT:
            fitting = [one for one in fitting if has_same_parent(charts, matches, account, one)]
        if by is By.NAME_ALONE:
            fitting = [one for one in fitting if not (one.number and account.number)]
        if fitting:
            chosen = _best(charts, matches, account, fitting)
            free[key].remove(chosen)
            matches.add(account, chosen, by)


def _free(charts: Charts, matches: Matches) -> Iterator[BillAccount]:
    """BILL's accounts that nobody has decided about."""
    for one in charts.bill:
        decided = charts.mapped.get(one.id) in charts.ledger_by_id or one.id in charts.unmapped
        if not (one.merged or decided or one.id in matches.ledger_of):
            yield one


def has_same_parent(charts: Charts, matches: Matches, account: LedgerAccount, other: BillAccount) -> bool:
    """Whether both are below the same account, as far as anybody says."""
    if not other.parent_known or not charts.states_parents:
        return True
    if account.parent_id is None:
        return other.parent_id is None
    return other.parent_id is not None and matches.bill_of.get(account.parent_id) == other.parent_id


def _best(charts: Charts, matches: Matches, account: LedgerAccount, fitting: Iterable[BillAccount]) -> BillAccount:
    """Of several that fit the one that needs the least change, in use rather than not."""

    def cost(one: BillAccount) -> tuple[bool, bool, bool, bool, bool, str]:
        return (
            bool(account.number) and same(one.number) != same(account.number),
            one.type != account.type,
            same(one.name) != same(account.name),
            not has_same_parent(charts, matches, account, one),
            not charts.uses.get(one.id),
            one.id,
        )

    return min(fitting, key=cost)


def _number(one: LedgerAccount | BillAccount) -> _Key:
    return (same(one.number), one.type) if one.number else None


def _name(one: LedgerAccount | BillAccount) -> _Key:
    return (same(one.name), one.type)


def _number_and_name(one: LedgerAccount | BillAccount) -> _Key:
    return (same(one.number), same(one.name)) if one.number else None


def _name_alone(one: LedgerAccount | BillAccount) -> _Key:
    return same(one.name)


_KEYS: dict[By, _Keys] = {
    By.NUMBER: (_number, _number),
    By.NAME: (_name, _name),
    By.NUMBER_AND_NAME: (_number_and_name, _number_and_name),
    By.NAME_ALONE: (_name_alone, _name_alone),
}
_UNDER_ONE_PARENT = frozenset({By.NAME, By.NAME_ALONE})
