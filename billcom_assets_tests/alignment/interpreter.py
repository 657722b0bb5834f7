"""A second reading of what a plan does: BILL's rules on a chart in memory, without anything of the planner's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from billcom_assets.alignment.changes import Change
from billcom_assets.alignment.chart import BillAccount, Charts
from billcom_assets.warehouse.alignment_tables import Action


class Refused(AssertionError):
    """BILL would refuse the change, or the plan promised something else."""


class BillChart:
    """BILL's chart of accounts: archiving takes along what is below, restoring does not bring that back."""

    def __init__(self, accounts: Iterable[BillAccount]) -> None:
        self.accounts = {one.id: one for one in accounts}
        self.created: dict[int, str] = {}
        self.mapped: dict[str, str] = {}
        self.written: set[int] = set()

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.action is Action.CONFLICT:
                continue
            if not self.written.issuperset(change.needs):
                raise Refused(f"change {change.position} needs {change.needs}")
            self._apply(change)
            self.written.add(change.position)

    def _apply(self, change: Change) -> None:
        if change.action is Action.CREATE:
            self._create(change)
            return
        id_ = change.bill_id
        assert id_ is not None
        assert change.before is not None
        assert change.after is not None
        found = self.accounts[id_]
        is_now = (found.name, found.number, found.type, found.description, found.archived)
        before, after = change.before, change.after
        if is_now != (before.name, before.number, before.type, before.description, before.archived):
            raise Refused(f"change {change.position} expected {before}, found {found}")
        match change.action:
            case Action.RESTORE:
                self.accounts[id_] = replace(found, archived=False)
            case Action.ARCHIVE:
                self._archive(change, id_)
            case _:
                is_moved = before.parent_id != after.parent_id or change.parent_position is not None
                parent = self._parent(change) if is_moved else found.parent_id
                if is_moved:
                    self._check_parent(id_, parent)
                self.accounts[id_] = replace(
                    found,
                    name=after.name,
                    number=after.number,
                    type=after.type,
                    description=after.description,
                    parent_id=parent,
                )
        if change.ledger_id is not None and change.action is not Action.ARCHIVE:
            self.mapped[id_] = change.ledger_id

    def _create(self, change: Change) -> None:
        after = change.after
        assert after is not None
        parent = self._parent(change)
        id_ = f"0ca-new-{len(self.accounts)}"
        self._check_parent(id_, parent)
        self.accounts[id_] = BillAccount(id_, after.name, after.type, after.number, parent, after.description)
        self.created[change.position] = id_
        assert change.ledger_id is not None
        self.mapped[id_] = change.ledger_id

    def _parent(self, change: Change) -> str | None:
        if change.parent_position is not None:
            return self.created[change.parent_position]
        return change.parent_bill_id

    def _check_parent(self, id_: str, parent: str | None) -> None:
        at = parent
        while at is not None:
            if at == id_:
                raise Refused(f"{id_} would be below itself")
            if at == parent and self.accounts[at].archived:
                raise Refused(f"{id_} would come under {at}, which is archived")
            at = self.accounts[at].parent_id

    def _archive(self, change: Change, id_: str) -> None:
        pending = [id_]
        while pending:
            current = pending.pop()
            account = self.accounts[current]
            if current != id_ and not account.archived:
                raise Refused(f"change {change.position} archives {current} with it")
            self.accounts[current] = replace(account, archived=True)
            pending += [one.id for one in self.accounts.values() if one.parent_id == current]


def charts_after(charts: Charts, changes: Iterable[Change]) -> Charts:
    """Both charts once a plan is written, and what it has mapped with it."""
    bill = BillChart(charts.bill)
    bill.apply(changes)
    return replace(charts, bill=tuple(bill.accounts.values()), mapped={**charts.mapped, **bill.mapped})
