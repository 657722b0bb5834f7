"""How plans of the chart of accounts are shown: for people, and as JSON for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from rich.console import Console

from billcom_assets.alignment.chart import State, label
from billcom_assets.alignment.plans import Plan, StoredChange
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.alignment_tables import Action, ChangeStatus, PlanStatus

_MOST_SHOWN: Final = 200
"""Changes of a plan that people see; JSON has all."""
_LONGEST_TEXT: Final = 300
_FIELDS: Final = ("name", "number", "type", "description", "parent")


# JSON ----------------------------------------------------------------------------------------------------------------


def plan_document(plan: Plan, now: datetime) -> dict[str, Any]:
    """A plan for a JSON document."""
    values = {name: getattr(plan, name) for name in plan.__slots__ if name not in {"changes", "number"}}
    return {
        **values,
        "plan": plan.number,
        "expired": plan.is_expired(now),
        "counts": counts(plan),
        "changes": [change_document(one) for one in plan.changes],
    }


def change_document(one: StoredChange) -> dict[str, Any]:
    """A change for a JSON document."""
    change = asdict(one.change)
    change["risks"] = [asdict(risk) | {"words": risk.words} for risk in one.change.risks]
    kept = {name: getattr(one, name) for name in one.__slots__ if name != "change"}
    return {**change, **kept}


def counts(plan: Plan) -> dict[str, int]:
    """How many changes of each action."""
    found = Counter(one.change.action.value for one in plan.changes)
    return {action.value: found[action.value] for action in Action if found[action.value]}


# Tables --------------------------------------------------------------------------------------------------------------


def render_plan(console: Console, plan: Plan, now: datetime) -> None:
    """A plan: each change with what, why, before and after, and what may go wrong."""
    made = f"made {plan.made_at:%Y-%m-%d %H:%M} UTC by {excerpt(plan.made_by)}"
    state = "expired" if plan.is_expired(now) else plan.status.value
    console.print(f"Plan {plan.number} of {plan.integration}, {state}, {made}:", soft_wrap=True)
    console.print(summary(plan), soft_wrap=True)
    for one in plan.changes[:_MOST_SHOWN]:
        console.print()
        for line in change_lines(one):
            console.print(line, soft_wrap=True)
    if len(plan.changes) > _MOST_SHOWN:
        more = counted(len(plan.changes) - _MOST_SHOWN, "more change", "more changes")
        console.print(f"\n... and {more}: billcom align {plan.integration} show {plan.number} --json", soft_wrap=True)
    console.print()


def summary(plan: Plan) -> str:
    """How many changes of each kind."""
    found = counts(plan)
    changes = ", ".join(f"{found[action]} to {action}" for action in found if action != Action.CONFLICT)
    left = counted(found.get(Action.CONFLICT.value, 0), "difference", "differences")
    parts = [changes or "nothing to write", f"{left} left to you" if Action.CONFLICT in found else ""]
    return f"{'; '.join(part for part in parts if part)}."


def change_lines(one: StoredChange) -> Iterator[str]:
    """A change as lines for people."""
    change = one.change
    state = change.after or change.before
    name = _short(label(state.number, state.name)) if state else ""
    decided = "" if one.status is ChangeStatus.PROPOSED else f"  [{one.status.value.replace('_', ' ')}]"
    yield f"{change.position:>4}  {change.action.value.upper()}  {name}{decided}"
    yield f"      Why:   {_short(change.reason)}"
    for what in differing(change.before, change.after):
        yield f"      {what}"
    for risk in change.risks if change.action is not Action.CONFLICT else ():
        yield f"      Risk:  {_short(risk.words)}"
    if change.needs:
        yield f"      Needs: change {', '.join(map(str, change.needs))} first"
    if change.advice:
        yield f"      Do:    {_short(change.advice)}"
    if one.error:
        yield f"      Error: {_short(one.error)}"
    if one.undo_note:
        yield f"      Undo:  {_short(one.undo_note)}"


def differing(before: State | None, after: State | None) -> Iterator[str]:
    """What changes, field by field; of a new account what it is."""
    if after is None:
        return
    for field in _FIELDS:
        old, new = getattr(before, field, None), getattr(after, field)
        if before is None:
            if new:
                yield f"{field.capitalize()}: {_short(new)}"
        elif old != new:
            yield f"{field.capitalize()}: {_value(old)} -> {_value(new)}"


def _value(text: str | None) -> str:
    return _short(text) if text else "none"


def _short(text: str) -> str:
    return excerpt(text, limit=_LONGEST_TEXT)


def plan_step(plan: Plan, now: datetime) -> str:
    """The command that comes next."""
    command = f"billcom align {plan.integration}"
    if plan.is_expired(now) or plan.status in {PlanStatus.REJECTED, PlanStatus.SUPERSEDED}:
        return f"{command} plan"
    match plan.status:
        case PlanStatus.PROPOSED:
            return f"{command} approve {plan.number}" if plan.writable else f"{command} plan"
        case PlanStatus.APPROVED | PlanStatus.APPLYING:
            return f"{command} apply {plan.number}"
        case PlanStatus.UNDOING:
            return f"{command} undo {plan.number}"
    return f"{command} plan"
