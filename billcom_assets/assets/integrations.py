"""The asset ``integrations``: every company in a line, and totals that plot."""

# No postponed annotations: Dagster reads those of the resources.
from typing import Any

import dagster as dg

from billcom_assets.environment import credential_check, database_kind
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.resources import Billcom
from billcom_assets.status.totals import Line, lines, totals
from billcom_assets.text_tables import table
from billcom_assets.warehouse.engine import Warehouse

NAME = "integrations"
_SHOWN = 200
"""Integrations in the table; those that are not ready come first."""
_COLUMNS = ("integration", "company", "owner", "readiness", "up to date (UTC)", "rows", "open errors", "next step")


@dg.asset(
    name=NAME,
    group_name="setup",
    kinds={database_kind()},
    description="Every integration in a line: whether it is ready, when it was last up to date, what to do next; and "
    "totals over all of them. Looked at anew every hour.",
)
def integrations(billcom: Billcom) -> dg.MaterializeResult[None]:
    """How all integrations are now."""
    return dg.MaterializeResult(metadata=overview(billcom.warehouse))


def overview(warehouse: Warehouse) -> dict[str, Any]:
    """What a materialization of the asset shows: numbers, and a table of texts.

    Money is given as floating-point numbers, which is what a plot takes; the views hold the exact sums.
    """
    with warehouse.read() as connection:
        every = lines(warehouse, connection, credential_check(warehouse))
        summed = totals(warehouse, connection)
    return {
        "preview": table(_COLUMNS, map(_row, every[:_SHOWN])),
        "integrations": len(every),
        "ready": sum(line.is_ready for line in every),
        "bills": summed.bills,
        "bills_open": summed.bills_open,
        "bills_paid": summed.bills_paid,
        "vendor_credits": summed.vendor_credits,
        "documents_held": summed.documents_held,
        **{f"open_payables_{code.lower()}": float(due) for code, due in sorted(summed.open_payables.items())},
    }


def _row(line: Line) -> tuple[str, ...]:
    up_to_date = f"{line.up_to_date_at:%Y-%m-%d %H:%M}" if line.up_to_date_at else ""
    counts = (f"{line.rows:,}", f"{line.open_errors:,}")
    return (line.key, excerpt(line.company), line.owner, line.readiness, up_to_date, *counts, line.next_step)
