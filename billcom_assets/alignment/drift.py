"""Whether BILL and the ledger are still what a plan was made from, in every account that it touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from billcom_assets.alignment.chart import Charts, plain, same
from billcom_assets.alignment.record import Change
from billcom_assets.alignment.state import AccountState, Chart, below, sees_parents
from billcom_assets.alignment.tasks import created_by, end_of, expected_before
from billcom_assets.warehouse.alignment_tables import Action, ChangeStatus


@dataclass(frozen=True, slots=True)
class Drift:
    """What is no longer as it was planned from."""

    position: int
    title: str
    found: str

    def __str__(self) -> str:
        return f"{self.title}: {self.found}"


@dataclass(frozen=True)
class Situation:
    """What a plan is held against.

    Args:
        chart: BILL's accounts as they are now.
        charts: Both charts, as the planner reads them now.
        ledger_hash: Of the ledger that the plan was made from.
        known: Ids of the accounts that BILL had when the plan was made, and has not changed since.
    """

    chart: Chart
    charts: Charts
    ledger_hash: str
    known: frozenset[str]

    def drifts(self, changes: Iterable[Change]) -> list[Drift]:
        """What has drifted in the changes that are to be written and have not been begun."""
        by_position = {one.position: one for one in changes}
        waiting = [one for one in by_position.values() if one.status == ChangeStatus.APPROVED and not one.request]
        touched = {one.bill_id for one in by_position.values() if one.bill_id}
        found: list[Drift] = []
        seen: set[str] = set()
        for change in waiting:
            told: list[str] = []
            # Of several changes of an account the first one tells; the others begin where it ends.
            if change.bill_id not in seen:
                told += self._of_bill(change, by_position, touched)
            if self.charts.ledger_hash != self.ledger_hash:
                told += self._of_ledger(change)
            seen |= {change.bill_id} if change.bill_id else set()
            found += [Drift(change.position, change.title, one) for one in told]
        return found

    # BILL ----------------------------------------------------------------------------------------------------------

    def _of_bill(self, change: Change, changes: Mapping[int, Change], touched: set[str]) -> Iterator[str]:
        yield from self._of_parent(change, touched)
        if change.action == Action.CREATE:
            yield from self._of_new(change, changes, touched)
            return
        now, planned = self.chart.get(change.bill_id or ""), expected_before(change, changes)
        if now is None or planned is None:
            yield "BILL no longer has the account"
            return
        strange = now.differences(planned, sees_parents=sees_parents(self.chart))
        if strange:
            yield f"in BILL it now has {now.told(strange)}"
        if change.action == Action.ARCHIVE and change.bill_id is not None:
            living = [one for one in below(self.chart, change.bill_id) if not self.chart[one].archived]
            others = [one for one in living if one not in change.cascades and one not in touched]
            if others:
                names = ", ".join(repr(self.chart[one].name) for one in others)
                yield f"archiving it would now archive {names} as well"

    def _of_parent(self, change: Change, touched: set[str]) -> Iterator[str]:
        parent = change.parent_bill_id
        # One that was archived when the plan was made has not drifted.
        if change.action == Action.ARCHIVE or parent is None or parent in touched or parent in self.known:
            return
        if parent not in self.chart or self.chart[parent].archived:
            yield "in BILL the account above it is gone or archived by now"

    def _of_new(self, change: Change, changes: Mapping[int, Change], touched: set[str]) -> Iterator[str]:
        created = created_by(changes)
        wanted = end_of(change, created)
        # What a lost request has created is in BILL and not on record yet.
        in_doubt = [end_of(one, created) for one in changes.values() if one.status == ChangeStatus.WRITING]
        for account_id, other in self.chart.items():
            if account_id in touched or account_id in self.known or any(_is_like(other, one) for one in in_doubt):
                continue
            has_number = wanted.number and same(other.number) == same(wanted.number)
            if has_number or (same(other.name) == same(wanted.name) and other.type == wanted.type):
                yield f"BILL has got an account {other.number or ''} {other.name!r} meanwhile".replace("  ", " ")

    # The ledger ----------------------------------------------------------------------------------------------------

    def _of_ledger(self, change: Change) -> Iterator[str]:
        if change.action == Action.ARCHIVE:
            yield from self._of_unwanted(change)
            return
        ours = self.charts.ledger_by_id.get(change.ledger_id or "")
        if ours is None or not ours.active:
            yield "the ledger no longer has the account, or has closed it"
            return
        wanted = change.after or {}
        strange = [
            name
            for name in ("name", "number", "type", "description")
            # What the ledger does not state is left as it is in BILL.
            if plain(getattr(ours, name)) not in {"", plain(wanted.get(name))}
        ]
        if ours.parent_id != change.parent_ledger_id and self.charts.states_parents:
            strange.append("parent")
        if strange:
            yield f"in the ledger its {', '.join(strange)} changed"

    def _of_unwanted(self, change: Change) -> Iterator[str]:
        before = change.before or {}
        for ours in self.charts.active:
            is_same = same(ours.name) == same(before.get("name")) and ours.type == before.get("type")
            if (ours.number and ours.number == before.get("number")) or is_same:
                yield f"the ledger has an account {ours.label!r} by now"


def _is_like(account: AccountState, other: AccountState) -> bool:
    return (account.name, account.number, account.type) == (other.name, other.number, other.type)
