"""The changes of a plan: as they are drafted, referring to each other, and as they stand in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from billcom_assets.alignment.chart import State
from billcom_assets.alignment.findings import CONFLICTS, Finding
from billcom_assets.warehouse.alignment_tables import Action


@dataclass(eq=False, slots=True)
class Draft:
    """A change without its place yet."""

    action: Action
    bill_id: str | None
    ledger_id: str | None
    before: State | None
    after: State | None
    reason: str
    parent: Draft | None = None
    """The change that creates the parent; None where that is there, or is none."""
    parent_ledger_id: str | None = None
    findings: list[Finding] = field(default_factory=list)
    needs: list[Draft] = field(default_factory=list)
    cascades: tuple[str, ...] = ()
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a plan: exactly one request to BILL, or none for a conflict."""

    position: int
    """From 1: the order of writing."""
    action: Action
    bill_id: str | None
    """None until the account is created."""
    ledger_id: str | None
    parent_bill_id: str | None
    parent_ledger_id: str | None
    parent_position: int | None
    """The change that creates the parent."""
    needs: tuple[int, ...]
    """The changes that must be written before, the parent's creation among them."""
    reason: str
    advice: str | None
    before: State | None
    after: State | None
    risks: tuple[Finding, ...]
    cascades: tuple[str, ...]
    bill_hash: str | None
    """What :meth:`State.content_digest` of the account must be just before it is written."""

    @property
    def is_move(self) -> bool:
        """Whether an account that is there gets another parent, or none."""
        if self.before is None or self.after is None:
            return False
        return self.before.parent_id != self.after.parent_id or self.parent_position is not None


def conflict(
    code: str,
    account: str,
    key: str,
    *,
    other: str | None = None,
    bill_id: str | None = None,
    ledger_id: str | None = None,
    before: State | None = None,
) -> Draft:
    """A difference that is left to a person."""
    known = CONFLICTS[code]
    return Draft(
        action=Action.CONFLICT,
        bill_id=bill_id,
        ledger_id=ledger_id,
        before=before,
        after=None,
        reason=known.reason.format(account=account, other=other or ""),
        advice=known.advice.format(key=key),
        findings=[Finding(code, other)],
    )


def numbered(drafts: Sequence[Draft]) -> tuple[Change, ...]:
    """The changes with their places, in the order given."""
    places = {id(draft): place for place, draft in enumerate(drafts, 1)}
    return tuple(_placed(draft, places[id(draft)], places) for draft in drafts)


def _placed(draft: Draft, position: int, places: dict[int, int]) -> Change:
    parent = draft.parent
    needed: Iterable[Draft] = [*draft.needs, *([parent] if parent else [])]
    return Change(
        position=position,
        action=draft.action,
        bill_id=draft.bill_id,
        ledger_id=draft.ledger_id,
        parent_bill_id=draft.after.parent_id if draft.after else None,
        parent_ledger_id=draft.parent_ledger_id,
        parent_position=places[id(parent)] if parent else None,
        needs=tuple(sorted({places[id(one)] for one in needed})),
        reason=draft.reason,
        advice=draft.advice,
        before=draft.before,
        after=draft.after,
        risks=tuple(draft.findings),
        cascades=draft.cascades,
        bill_hash=draft.before.content_digest() if draft.before and draft.action is not Action.CONFLICT else None,
    )
