"""What the assets ``ap_aging`` and ``ar_aging`` show: what is open by days overdue, as numbers that plot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import dagster as dg
from sqlalchemy import RowMapping

from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table
from billcom_assets.warehouse import aging
from billcom_assets.warehouse.aging import BUCKETS, Aging, AgingQuery

AGINGS = {one.name: one for one in aging.AGINGS}
"""By the name of the asset."""
_SHOWN = 20
"""Parties in the table; those with the largest totals."""
_SUMS = ("total", *(name for name, _ in BUCKETS), "open_credits", "draft", "denied", "held")


def aging_metadata(sync: Sync, which: Aging) -> dict[str, Any]:
    """A table of the largest parties, by their ids alone; and totals by currency.

    Money is given as floating-point numbers, which is what a plot takes; the views hold the exact sums.
    """
    query = AgingQuery(sync.warehouse.mirror, which, integration=sync.integration).parties()
    with sync.warehouse.read() as connection:
        parties = connection.execute(query).mappings().all()
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for one in parties:
        sums[one["currency"]].update({name: one[name] for name in _SUMS})
    return {
        "preview": _preview(which, parties),
        "parties": len(parties),
        "documents": sum(one["documents"] for one in parties),
        **{
            f"{name}_{excerpt(currency.lower())}": float(amount)
            for currency, amounts in sorted(sums.items())
            for name, amount in amounts.items()
        },
    }


def _preview(which: Aging, parties: Sequence[RowMapping]) -> dg.TableMetadataValue:
    names = (f"{which.party}_id", "currency", *_SUMS, "documents")
    largest = sorted(parties, key=lambda one: (-abs(one["total"]), one[names[0]] or ""))[:_SHOWN]
    return table(names, [[_cell(one[name]) for name in names] for one in largest])


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | Decimal) else excerpt(value or "")
