"""The order in which accounts take names and numbers that others have now.

Where each of several accounts is to get what the next one has, whoever holds a value gives it up first. Where they only
change places, one of them takes an interim value.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from billcom_assets.alignment.changes import Draft
from billcom_assets.alignment.chart import LONGEST_NAME, LONGEST_NUMBER, Charts, State
from billcom_assets.alignment.findings import Finding
from billcom_assets.warehouse.alignment_tables import Action

_LONGEST: Final = {"name": LONGEST_NAME, "number": LONGEST_NUMBER}


@dataclass
class Chains:
    """Changes of accounts that give something up for another or wait for another to do so."""

    drafts: list[Draft] = field(default_factory=list)
    """In their order."""
    last: dict[str, Draft] = field(default_factory=dict)
    """The last of each account, by BILL's id."""


def ordered_contents(contents: Mapping[str, Draft], charts: Charts, created: Iterable[Draft]) -> Chains:
    """The changes that have to be made in an order, which their needs say too.

    Args:
        contents: Changes by BILL's id of the account; one that takes an interim value begins from that afterwards.
        charts: Both charts.
        created: New accounts, which may want what another gives up; they will need it to.
    """
    taken = _taken(charts)
    needs: dict[str, set[str]] = defaultdict(set)
    for id_, draft in contents.items():
        needs[id_] = {holder for _, holder in _holders(draft, contents, taken) if holder != id_}
    wanted_by_new: dict[str, list[Draft]] = defaultdict(list)
    for draft in created:
        for _, holder in _holders(draft, contents, taken):
            wanted_by_new[holder].append(draft)
    involved = {id_ for id_ in contents if needs[id_]} | {one for some in needs.values() for one in some}
    chains = _Sorter(
        contents, {id_: set(needs[id_]) for id_ in contents if id_ in involved | wanted_by_new.keys()}, taken
    )
    made = chains.sort()
    for holder, drafts in wanted_by_new.items():
        for draft in drafts:
            draft.needs.append(made.last[holder])
    return made


def _taken(charts: Charts) -> dict[tuple[str, str | None], list[str]]:
    """BILL's ids by what they hold: ("number", "6000")."""
    found: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for one in charts.bill:
        found["name", one.name].append(one.id)
        found["number", one.number].append(one.id)
    return found


def _holders(
    draft: Draft, contents: Mapping[str, Draft], taken: Mapping[tuple[str, str | None], list[str]]
) -> Iterator[tuple[str, str]]:
    """Accounts that give up what the change wants, each with the field."""
    for name in _LONGEST:
        value = _value(draft.after, name)
        if value is None or value == _value(draft.before, name):
            continue
        for holder in taken.get((name, value), ()):
            if holder in contents and gives_up(contents[holder], name):
                yield name, holder


def gives_up(draft: Draft, name: str) -> bool:
    """Whether a change gives its account another value in a field."""
    return _value(draft.before, name) != _value(draft.after, name)


def _value(state: State | None, name: str) -> str | None:
    return None if state is None else getattr(state, name)


class _Sorter:
    def __init__(
        self,
        contents: Mapping[str, Draft],
        needs: dict[str, set[str]],
        taken: Mapping[tuple[str, str | None], list[str]],
    ) -> None:
        self.contents = contents
        self.order = {id_: place for place, id_ in enumerate(contents)}
        self.needs = needs
        self.waiting: dict[str, set[str]] = defaultdict(set)
        for id_, holders in needs.items():
            for holder in holders:
                self.waiting[holder].add(id_)
        self.taken = {key for key, holders in taken.items() if holders}
        self.chains = Chains()

    def sort(self) -> Chains:
        """Whoever waits for nobody comes first; of several the first in the chart."""
        left = set(self.needs)
        ready = [self.order[id_] for id_ in left if not self.needs[id_]]
        heapq.heapify(ready)
        by_place = list(self.contents)
        while left:
            if not ready:
                freed = self._break_circle(left)
                for id_ in freed:
                    heapq.heappush(ready, self.order[id_])
                continue
            id_ = by_place[heapq.heappop(ready)]
            left.remove(id_)
            draft = self.contents[id_]
            self.chains.drafts.append(draft)
            self.chains.last[id_] = draft
            for freed_id in self._release(id_, draft):
                heapq.heappush(ready, self.order[freed_id])
        return self.chains

    def _release(self, id_: str, draft: Draft) -> list[str]:
        """Lets whoever waits for an account go on; returns those that wait for nobody any more."""
        freed = []
        for one in sorted(self.waiting.pop(id_, ()), key=self.order.__getitem__):
            self.contents[one].needs.append(draft)
            self.needs[one].discard(id_)
            if not self.needs[one]:
                freed.append(one)
        return freed

    def _break_circle(self, left: set[str]) -> list[str]:
        at = min(left, key=self.order.__getitem__)
        seen: set[str] = set()
        while at not in seen:
            seen.add(at)
            at = min(self.needs[at], key=self.order.__getitem__)
        final = self.contents[at]
        if final.before is None or final.after is None:
            raise AssertionError("only accounts that are there hold anything")
        changes: dict[str, Any] = {
            name: self._interim(name, final.before) for name in _LONGEST if gives_up(final, name)
        }
        interim = Draft(
            Action.UPDATE,
            final.bill_id,
            final.ledger_id,
            final.before,
            replace(final.before, **changes),
            "It changes places with another account, so it gets an interim value first.",
            findings=[Finding("interim")],
            needs=list(final.needs),
            parent_ledger_id=final.parent_ledger_id,
        )
        final.before = interim.after
        final.needs.append(interim)
        self.chains.drafts.append(interim)
        return self._release(at, interim)

    def _interim(self, name: str, state: State) -> str | None:
        value = _value(state, name)
        if value is None:
            return None
        number = 1
        while True:
            suffix = f"~{number}"
            wanted = value[: _LONGEST[name] - len(suffix)] + suffix
            if (name, wanted) not in self.taken:
                self.taken.add((name, wanted))
                return wanted
            number += 1
