"""The assets of the books after a full sync: what they count plots over time, and their tables come first."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from sqlalchemy import func, select, update

from billcom_assets.books import summary
from billcom_assets.entities.plan import BOOKS, LEDGER_DOCUMENTS
from billcom_assets.environment import open_database
from billcom_assets.job_runner import launch, open_instance
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.automation.companies import KEY


def shown(instance: dg.DagsterInstance, asset: str) -> dict[str, Any]:
    """Metadata of the newest materialization."""
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: one.value for name, one in event.asset_materialization.metadata.items()}


def rows(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    return [record.data for record in metadata["preview"].records]


@pytest.mark.usefixtures("home")
def test_a_sync_leaves_counts_that_come_down_to_nothing_and_tables_with_names() -> None:
    assert launch("full_sync", KEY).success
    warehouse = open_database()
    with warehouse.write() as connection:
        e = integration_errors.c
        states, counts = summary.states(connection, KEY), summary.reasons(connection, KEY)
        balances = summary.trial_balance(connection, KEY)
        names = dict(connection.execute(select(ledger_accounts.c.id, ledger_accounts.c.name)).all())
        (kind, reason), count = next(one for one in counts.items() if one[1])
        of_reason = (e.integration == KEY, e.entity == kind, e.code == reason)
        held = connection.scalar(select(func.count()).where(ledger_documents.c.state == "held"))
    with open_instance() as instance:
        every = {name: shown(instance, name) for name in BOOKS}
    assert [name for name, metadata in every.items() if name != "journal" and next(iter(metadata)) != "preview"] == []
    for name in LEDGER_DOCUMENTS:
        for state in ("imported", "held", "out_of_scope"):
            mine = [one for one in states if one.kind == name.removeprefix("ledger_")]
            assert every[name][state] == summary.total(mine, state)[0]
    assert every[f"ledger_{kind}"][f"held_{reason.lower()}"] == count
    assert (every["held_documents"]["documents"], every["trial_balance"]["difference"]) == (held, 0)
    assert [(one["account"], one["name"]) for one in rows(every["trial_balance"])] == [
        (one.account, names[one.account]) for one in balances
    ]

    with warehouse.write() as connection:
        connection.execute(update(integration_errors).where(*of_reason).values(status="resolved"))
        assert summary.reasons(connection, KEY)[kind, reason] == 0
    warehouse.close()
