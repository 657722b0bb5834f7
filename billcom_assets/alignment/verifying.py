"""Whether BILL shows what was written: every account that a plan touches, and what BILL archived along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from billcom_assets.alignment.record import Change
from billcom_assets.alignment.state import AccountState, Chart, below, sees_parents
from billcom_assets.alignment.tasks import created_by, end_of
from billcom_assets.warehouse.alignment_tables import Action, ChangeStatus


def differences(changes: Sequence[Change], chart: Chart) -> dict[int, str]:
    """What is not in BILL as the plan says although it was written, by the place of the change."""
    by_position = {one.position: one for one in changes}
    created = created_by(by_position)
    done = [one for one in changes if one.status == ChangeStatus.DONE]
    last = {one.bill_id: one for one in done if one.bill_id}
    visible = sees_parents(chart)
    found: dict[int, str] = {}
    for account_id, change in last.items():
        wanted = end_of(change, created)
        problems = _shown(chart.get(account_id or ""), wanted, visible=visible)
        if change.action == Action.CREATE:
            problems += _twins(account_id or "", change, chart, set(last))
        if problems:
            found[change.position] = "Written, but " + "; ".join(problems) + "."
    for change in done:
        if change.action != Action.ARCHIVE or change.bill_id is None:
            continue
        went = {*change.archived_along, *below(chart, change.bill_id)} - last.keys()
        alive = sorted(chart[one].name for one in went if one in chart and not chart[one].archived)
        if alive and change.position not in found:
            found[change.position] = f"Written, but below it {', '.join(map(repr, alive))} is not archived."
    return found


def _shown(now: AccountState | None, wanted: AccountState, *, visible: bool) -> list[str]:
    if now is None:
        return ["BILL no longer shows the account"]
    strange = now.differences(wanted, sees_parents=visible)
    return [f"BILL shows {now.told(strange)} instead of {wanted.told(strange)}"] if strange else []


def _twins(account_id: str, change: Change, chart: Chart, touched: set[str | None]) -> list[str]:
    """Accounts that look like a request that BILL carried out twice."""
    own = chart.get(account_id)
    if own is None:
        return []
    known = {*touched, *(one for sent in change.request for one in sent.get("known", ()))}
    alike = replace(own, description=None, parent_id=None, archived=False)
    twins = [
        one
        for one, state in chart.items()
        if one not in known and replace(state, description=None, parent_id=None, archived=False) == alike
    ]
    return [f"BILL has it twice, as {', '.join(sorted(twins))} too: archive that one"] if twins else []
