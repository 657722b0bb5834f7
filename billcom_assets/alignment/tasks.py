"""What applying a plan, and undoing it, asks of the writer, change by change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from billcom_assets.alignment.errors import ChangeFailed
from billcom_assets.alignment.record import Change
from billcom_assets.alignment.state import AccountState, Chart
from billcom_assets.alignment.writing import Goal, Task
from billcom_assets.warehouse.alignment_tables import Action, ChangeStatus


def start_of(change: Change) -> AccountState | None:
    """What BILL had when the plan was made; None for a new account."""
    return None if change.before is None else AccountState.of_document(change.before, change.before.get("parent_id"))


def end_of(change: Change, created: Mapping[int, str]) -> AccountState:
    """What the change makes of the account.

    Args:
        change: The change.
        created: Ids of the accounts that were created, by the places of their changes.
    """
    parent = created.get(change.parent_position) if change.parent_position is not None else change.parent_bill_id
    return AccountState.of_document(change.after or {}, parent)


def created_by(changes: Mapping[int, Change]) -> dict[int, str]:
    """Ids of the accounts that a plan has created so far, by the places of their changes."""
    made = (one for one in changes.values() if one.action == Action.CREATE)
    return {one.position: one.bill_id for one in made if one.bill_id}


def to_apply(change: Change, changes: Mapping[int, Change]) -> Task:
    """The writing of a change.

    Raises:
        ChangeFailed: another one that it needs was not written.
    """
    needed = {*change.needs} | ({change.parent_position} if change.parent_position is not None else set())
    unwritten = [changes[one] for one in sorted(needed) if one in changes and changes[one].status != ChangeStatus.DONE]
    if unwritten:
        raise ChangeFailed(f"It needs {unwritten[0].title}, which was not written.")
    end = end_of(change, created_by(changes))
    return Task(
        change.position,
        change.title,
        [Goal(change.bill_id, expected_before(change, changes), end)],
        change.request,
        change.response,
        may_be_between=bool(change.request),
    )


def expected_before(change: Change, changes: Mapping[int, Change]) -> AccountState | None:
    """What the account is before the change, after those changes before it that were written."""
    state = start_of(change)
    written = (one for _, one in sorted(changes.items()) if one.position < change.position and one.response)
    for earlier in written:
        if state is not None and earlier.bill_id == change.bill_id:
            state = end_of(earlier, created_by(changes))
        if state is not None and change.bill_id in earlier.archived_along:
            state = replace(state, archived=True)
    return state


def to_undo(change: Change, changes: Mapping[int, Change], chart: Chart) -> Task:
    """The taking back of a change that was written, in whole or in part.

    Raises:
        ChangeFailed: nothing of the kind is known in BILL.
    """
    if change.bill_id is None or change.bill_id not in chart:
        raise ChangeFailed("BILL no longer has the account.")
    written = end_of(change, created_by(changes))
    before = start_of(change) or replace(written, archived=True)
    goals = [Goal(change.bill_id, written, before), *_brought_back(change, chart)]
    is_partial = change.status == ChangeStatus.FAILED or bool(change.undo_request)
    return Task(
        change.position,
        change.title,
        goals,
        change.undo_request,
        change.undo_response,
        may_be_between=is_partial,
    )


def _brought_back(change: Change, chart: Chart) -> Iterator[Goal]:
    """What BILL archived along with the account, each after what it stands below."""
    waiting = [one for one in change.archived_along if one in chart]
    known = set(waiting)
    while waiting:
        ready = [one for one in waiting if chart[one].parent_id not in known]
        for one in ready or waiting:
            # Whoever brought it back by hand has done what is wanted.
            yield Goal(one, chart[one], replace(chart[one], archived=False))
        known -= set(ready or waiting)
        waiting = [one for one in waiting if one in known]
