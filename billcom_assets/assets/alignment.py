"""The asset ``account_alignment``: plans what would make BILL's chart of accounts like the ledger's. Writes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import dagster as dg

from billcom_assets.alignment.chart import label
from billcom_assets.alignment.planning import Differences, make_plan
from billcom_assets.alignment.plans import AlignmentRefused, Plan, Planned, StoredChange
from billcom_assets.assets.results import Event, Results
from billcom_assets.checks import alignment as check
from billcom_assets.entities.plan import ALIGNMENT
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table
from billcom_assets.warehouse.alignment_tables import Action
from billcom_assets.warehouse.audit import Actor, How

_MOST_ROWS: Final = 50
_COLUMNS: Final = ("change", "action", "account", "why", "risk", "status")


def align(sync: Sync, results: Results) -> Iterator[Event]:
    """Plans and says what was planned, and what differs."""
    started = time.monotonic()
    try:
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            # Nobody decides: it follows from what the charts are.
            actor = Actor.of_process(How.SENSOR)
            found, planned = make_plan(connection, sync.integration, actor, sync.clock(), run_id=sync.run_id)
        metadata = _metadata(found, planned)
    except AlignmentRefused as refused:
        metadata = {"note": dg.MetadataValue.text(str(refused))}
    metadata["seconds"] = dg.MetadataValue.float(round(time.monotonic() - started, 3))
    yield results.materialized(ALIGNMENT, metadata)
    if results.is_selected(ALIGNMENT, check.NAME):
        with sync.warehouse.read() as connection:
            looked = check.evaluation(connection, sync.integration)
        yield results.evaluated(looked)


def _metadata(found: Differences, planned: Planned) -> dict[str, Any]:
    charts = found.charts
    actions = Counter(one.action for one in found.changes)
    counts = {
        "accounts_in_bill": sum(not one.archived for one in charts.bill),
        "accounts_in_ledger": len(charts.active),
        "changes": len(found.changes) - actions[Action.CONFLICT],
        **{f"to_{action}": actions[action] for action in Action if action is not Action.CONFLICT},
        "conflicts": actions[Action.CONFLICT],
    }
    # First what people come to see: the UI shows metadata in this order.
    plan = _of_plan(planned.plan) if planned.plan is not None else {}
    return plan | {name: dg.MetadataValue.int(count) for name, count in counts.items()}


def _of_plan(plan: Plan) -> dict[str, Any]:
    rows = [_row(one) for one in plan.changes[:_MOST_ROWS]]
    shown = f"the first {_MOST_ROWS} of {len(plan.changes)} changes"
    left_out = {"shown": dg.MetadataValue.text(shown)} if len(plan.changes) > _MOST_ROWS else {}
    return {
        "plan": table(_COLUMNS, rows),
        "plan_number": dg.MetadataValue.int(plan.number),
        "plan_status": dg.MetadataValue.text(plan.status.value),
        "plan_expires": dg.MetadataValue.timestamp(plan.expires_at),
        "next_step": dg.MetadataValue.text(f"billcom align {plan.integration} show {plan.number}"),
        **left_out,
    }


def _row(one: StoredChange) -> tuple[str, ...]:
    change = one.change
    state = change.after or change.before
    return (
        str(change.position),
        change.action.value,
        excerpt(label(state.number, state.name)) if state else "",
        excerpt(change.reason, limit=200),
        excerpt("; ".join(risk.words for risk in change.risks), limit=200),
        one.status.value,
    )
