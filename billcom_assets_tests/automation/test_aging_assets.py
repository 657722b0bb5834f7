"""The assets ``ap_aging`` and ``ar_aging`` after a full sync."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from billcom_assets.environment import open_database
from billcom_assets.job_runner import launch, open_instance
from billcom_assets.warehouse.aging import AGINGS, BUCKETS
from billcom_assets_tests.automation.companies import KEY

SUMS = (*(name for name, _ in BUCKETS), "total", "open_credits", "draft", "denied", "held")
MOST_EVENTS = 150
"""Of a sync that finds nothing new."""


def view(name: str) -> list[dict[str, Any]]:
    warehouse = open_database()
    with warehouse.read() as connection:
        found = [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]
    warehouse.close()
    return found


def shown(instance: dg.DagsterInstance, asset: str) -> tuple[dict[str, Any], list[Any]]:
    """Numbers of the newest materialization, and its table."""
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = {name: one.value for name, one in event.asset_materialization.metadata.items()}
    return metadata, [record.data for record in metadata.pop("preview").records]


@pytest.mark.usefixtures("home")
def test_a_sync_leaves_totals_that_plot_and_the_largest_parties_by_their_ids() -> None:
    assert launch("full_sync", KEY).success
    again = launch("full_sync", KEY)
    with open_instance() as instance:
        assert len(instance.all_logs(again.run_id)) <= MOST_EVENTS
        for aging in AGINGS:
            rows = view(aging.name)
            numbers, table = shown(instance, aging.name)
            for currency in {row["currency"] for row in rows}:
                for name in SUMS:
                    wanted = sum(row[name] for row in rows if row["currency"] == currency)
                    assert numbers.pop(f"{name}_{currency.lower()}") == pytest.approx(wanted, abs=0.001)
            assert numbers == {"parties": len(rows), "documents": sum(row["documents"] for row in rows)}
            largest = sorted((row["total"] for row in rows), key=abs, reverse=True)[:20]
            assert [one["total"] for one in table] == [f"{total:,.2f}" for total in largest]
            assert {name for one in table for name in one if name.endswith("name")} == set()
    assert view("ap_aging")
