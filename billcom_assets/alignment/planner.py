"""From both charts to the ordered changes that make BILL's what the ledger's is: a pure function.

First what has a counterpart: archived accounts are restored, then renamed and renumbered in an order in which no value
is wanted before it is free, then accounts are created and moved from the top of the tree downwards. Last what BILL has
alone is archived, from the bottom upwards, where nobody needs it.

What the ledger does not state is left as it is in BILL: a number or description it has none of, and every parent where
the ledger has no hierarchy or BILL hides its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from billcom_assets.alignment.archiving import archives
from billcom_assets.alignment.changes import Change, Draft, conflict, numbered
from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount, State, ancestors, plain, state_of
from billcom_assets.alignment.findings import Finding
from billcom_assets.alignment.matching import Matches, has_same_parent, match
from billcom_assets.alignment.ordering import ordered_contents
from billcom_assets.alignment.risks import RiskFinder
from billcom_assets.alignment.usability import unusable
from billcom_assets.alignment.uses import is_open
from billcom_assets.warehouse.alignment_tables import Action

_WORDS = {"parent_id": "parent"}


def plan(charts: Charts) -> tuple[Change, ...]:
    """The changes in the order of writing, conflicts last; nothing where the charts agree.

    A ledger without an active account is no chart to follow: nothing is planned then.
    """
    if not charts.active:
        return ()
    return _Planner(charts.sorted()).plan()


class _Planner:
    def __init__(self, charts: Charts) -> None:
        self.charts = charts
        self.matches: Matches = match(charts)
        self.unusable = unusable(charts)
        self.risks = RiskFinder(charts, self.matches)
        self.created: dict[str, Draft] = {}
        """By ledger id."""
        self.conflicts: list[Draft] = []
        self.restores: dict[str, Draft] = {}
        """By BILL's id."""
        self.contents: dict[str, Draft] = {}
        self.placed: list[Draft] = []
        """Accounts that are created and moved, parents first."""
        self.moves: dict[str, Draft] = {}
        """By BILL's id."""
        self.bill_tree: dict[str, str | None] = {one.id: one.parent_id for one in charts.bill}
        self.tree = dict(self.bill_tree)
        """Parents by id, as far as the plan has come."""

    def plan(self) -> tuple[Change, ...]:
        """Everything in its order."""
        wanted = {account.id: self._wanted(account) for account in self.charts.active}
        self.chains = ordered_contents(self.contents, self.charts, list(self.created.values()))
        for account in self.charts.active:
            if (state := wanted[account.id]) is not None:
                self._place(account, state)
        for id_, draft in self.restores.items():
            above = self.charts.bill_by_id.get(self.bill_tree[id_] or "")
            if above is not None and above.archived and above.id not in self.restores and id_ not in self.moves:
                draft.findings.append(Finding("parent_archived", above.label))
        archived = archives(self.charts, self.matches, self.restores, self.moves)
        drafts = [*self.restores.values(), *self.chains.drafts, *self.placed, *archived.drafts]
        self.risks.add_to(drafts)
        return numbered([*drafts, *self.conflicts, *archived.conflicts])

    # What every account of the ledger should be in BILL ---------------------------------------------------------------

    def _wanted(self, account: LedgerAccount) -> State | None:
        """What the account should be, its parent aside; None where it is left as it is, which is reported."""
        bill = self._bill(account)
        problem = self.unusable.get(account.id)
        if problem is not None:
            self._report(problem.code, account, bill, problem.of)
            return None
        if bill is None:
            return self._wanted_new(account)
        before = state_of(self.charts, bill)
        if bill.archived:
            before = self._restore(account, bill, before)
        after = replace(
            before,
            name=before.name if plain(before.name) == plain(account.name) else plain(account.name),
            number=_stated(account.number, before.number),
            description=_stated(account.description, before.description),
            type=self._type(account, bill),
        )
        if after != before:
            self.contents[bill.id] = self._update(account, bill, before, after)
        return after

    def _wanted_new(self, account: LedgerAccount) -> State | None:
        twin = self.risks.left_unmapped(account)
        if twin is not None:
            self._report("left_unmapped", account, twin, twin.label)
            return None
        parent_id = account.parent_id
        if parent_id is not None and (refused := self._refused_parent(parent_id)):
            self._report(refused.code, account, None, refused.of)
            return None
        state = State(
            name=plain(account.name),
            number=plain(account.number) or None,
            type=account.type,
            description=account.description or None,
            parent_id=self.matches.bill_of.get(parent_id) if parent_id else None,
            parent=self.charts.ledger_by_id[parent_id].label if parent_id else None,
            archived=False,
        )
        self.created[account.id] = Draft(
            Action.CREATE,
            None,
            account.id,
            None,
            state,
            "The ledger has it and BILL does not.",
        )
        return state

    def _refused_parent(self, parent_id: str) -> Finding | None:
        """Why there will be no such parent in BILL; None where there is or will be."""
        parent = self.charts.ledger_by_id.get(parent_id)
        if parent is None or not parent.active:
            return Finding("missing_parent", parent.label if parent else parent_id)
        bill = self._bill(parent)
        will_be = parent_id in self.created or (bill is not None and (not bill.archived or bill.id in self.restores))
        return None if will_be else Finding("parent_not_created", parent.label)

    def _type(self, account: LedgerAccount, bill: BillAccount) -> str | None:
        if account.type == bill.type:
            return bill.type
        if self.charts.unseen:
            self._report("uses_unknown", account, bill, _listed(self.charts.unseen))
            return bill.type
        if self.charts.uses.get(bill.id):
            words = f"{_type_words(bill.type)} there, {_type_words(account.type)} here"
            self._report("type_in_use", account, bill, words)
            return bill.type
        return account.type

    def _restore(self, account: LedgerAccount, bill: BillAccount, before: State) -> State:
        after = replace(before, archived=False)
        reason = f"The ledger has it and BILL has it archived: {self.matches.by[account.id].value}."
        draft = Draft(Action.RESTORE, bill.id, account.id, before, after, reason)
        draft.findings.append(Finding("was_archived"))
        if above := self.restores.get(bill.parent_id or ""):
            draft.needs.append(above)
        self.restores[bill.id] = draft
        return after

    # Where it stands --------------------------------------------------------------------------------------------------

    def _place(self, account: LedgerAccount, wanted: State) -> None:
        """Creates the account under its parent, or moves it there; other changes of it are made at once."""
        if draft := self.created.get(account.id):
            self._need_parent(draft, account.parent_id)
            self.tree[_new(account.id)] = self._node(account.parent_id)
            self.placed.append(draft)
            return
        bill = self.charts.bill_by_id[self.matches.bill_of[account.id]]
        chained = self.chains.last.get(bill.id)
        content = None if chained is not None else self.contents.get(bill.id)
        if not has_same_parent(self.charts, self.matches, account, bill) and self._can_be_moved(account, bill):
            before = content.before if content is not None else wanted
            if before is not None:
                content = self._move(account, bill, before, wanted)
                if chained is not None:
                    content.needs.append(chained)
        if content is not None:
            self.placed.append(content)

    def _can_be_moved(self, account: LedgerAccount, bill: BillAccount) -> bool:
        refused = self._refused_parent(account.parent_id) if account.parent_id is not None else None
        if refused is None and bill.id in self._above(self._node(account.parent_id), self.tree):
            # Whatever keeps the parent below it is a conflict of its own.
            refused = Finding("below_in_bill", self.charts.ledger_by_id[account.parent_id or ""].label)
        if refused is not None:
            self._report(refused.code, account, bill, refused.of)
        return refused is None

    def _move(self, account: LedgerAccount, bill: BillAccount, before: State, wanted: State) -> Draft:
        parent_id = account.parent_id
        after = replace(
            wanted,
            parent_id=self.matches.bill_of.get(parent_id) if parent_id else None,
            parent=self.charts.ledger_by_id[parent_id].label if parent_id else None,
        )
        draft = self._update(account, bill, before, after)
        self._need_parent(draft, parent_id)
        above = self._above(self._node(parent_id), self.bill_tree)
        if bill.id in above:
            # The parent is below it now, and has to leave first.
            draft.needs += [self.moves[one] for one in above if one in self.moves]
        self.moves[bill.id] = draft
        self.tree[bill.id] = self._node(parent_id)
        return draft

    def _node(self, ledger_id: str | None) -> str | None:
        """What stands for an account of the ledger in the tree of BILL's."""
        return None if ledger_id is None else self.matches.bill_of.get(ledger_id) or _new(ledger_id)

    @staticmethod
    def _above(node: str | None, tree: Mapping[str, str | None]) -> list[str]:
        """The node and what is above it."""
        return [] if node is None else [node, *ancestors(node, tree)]

    def _need_parent(self, draft: Draft, parent_id: str | None) -> None:
        """An account that is created or brought back must be there before another comes under it."""
        draft.parent_ledger_id = parent_id
        draft.parent = self.created.get(parent_id) if parent_id else None
        above = self.restores.get(self.matches.bill_of.get(parent_id or "", ""))
        if above is not None:
            draft.needs.append(above)

    # Pieces -----------------------------------------------------------------------------------------------------------

    def _bill(self, account: LedgerAccount) -> BillAccount | None:
        return self.charts.bill_by_id.get(self.matches.bill_of.get(account.id, ""))

    def _update(self, account: LedgerAccount, bill: BillAccount, before: State, after: State) -> Draft:
        fields = [_WORDS.get(name, name) for name in before.differing(after)]
        if after.parent_id is None and before.parent_id is None and after.parent != before.parent:
            fields.append("parent")
        differ = f"{_listed(fields)} {'differs' if len(fields) == 1 else 'differ'} from the ledger's"
        draft = Draft(
            Action.UPDATE,
            bill.id,
            account.id,
            before,
            after,
            f"Its {differ}; it is the same account: {self.matches.by[account.id].value}.",
            parent_ledger_id=account.parent_id,
        )
        if restore := self.restores.get(bill.id):
            draft.needs.append(restore)
        if any(map(is_open, self.charts.uses.get(bill.id, ()))):
            users = sorted(filter(is_open, self.charts.uses[bill.id]))
            draft.findings.append(Finding("in_use", ", ".join(users)))
        if after.type != before.type:
            draft.findings.append(Finding("type_changes"))
            if self.charts.documents_since is not None:
                draft.findings.append(Finding("unknown_before", str(self.charts.documents_since)))
        if before.parent_id is not None and after.parent is None:
            draft.findings.append(Finding("leaves_parent"))
        return draft

    def _report(self, code: str, account: LedgerAccount, bill: BillAccount | None, other: str | None) -> None:
        before = state_of(self.charts, bill) if bill is not None else None
        key = self.charts.integration
        bill_id = bill.id if bill is not None else None
        self.conflicts.append(
            conflict(code, account.label, key, other=other, bill_id=bill_id, ledger_id=account.id, before=before)
        )


def _new(ledger_id: str) -> str:
    """What stands in the tree for an account that is still to be created."""
    return f"new {ledger_id}"


def _stated(wanted: str | None, known: str | None) -> str | None:
    """What the ledger states, or else what BILL has; spaces alone make no difference."""
    return known if not plain(wanted) or plain(wanted) == plain(known) else wanted


def _type_words(type_: str | None) -> str:
    return (type_ or "unknown").replace("_", " ").lower()


def _listed(names: list[str] | tuple[str, ...]) -> str:
    *most, last = (name.replace("_", " ") for name in names)
    return f"{', '.join(most)} and {last}" if most else last
