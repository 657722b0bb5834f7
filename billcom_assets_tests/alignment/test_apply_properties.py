"""Whatever the ledger has and whatever BILL has: a plan that was applied leaves nothing to plan, and can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from billcom_assets.sandbox import Clock, SandboxServer, Settings
from billcom_assets.warehouse.alignment_tables import alignment_changes, alignment_plans
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.ledger_tables import mapping_suggestions, mappings
from billcom_assets.warehouse.tables import contract_findings, integration_errors, sync_rereads, sync_runs, sync_state
from billcom_assets_tests.alignment.conftest import NOON
from billcom_assets_tests.alignment.world import LedgerAccount, World

_NAMES = ("Rent", "Travel", "Supplies", "Fees", "Meals & more", 'Quotes "in" it', "Ärger, und Komma")
_NUMBERS = (None, "1", "2", "3", "10", "20", "30")
_TYPES = ("EXPENSE", "INCOME")


@st.composite
def trees(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Accounts, each perhaps below one before it."""
    found: list[dict[str, Any]] = []
    for place in range(draw(st.integers(0, 7))):
        found.append(
            {
                "name": draw(st.sampled_from(_NAMES)),
                "number": draw(st.sampled_from(_NUMBERS)),
                "type": draw(st.sampled_from(_TYPES)),
                "parent": draw(st.none() | st.integers(0, place - 1)) if place else None,
                "off": draw(st.integers(0, 4)) == 0,
            }
        )
    return found


@pytest.fixture(scope="module", params=[True, False], ids=["parents shown", "parents hidden"])
def server(request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    clock = Clock(NOON, source=lambda: 0.0)
    with SandboxServer(Settings(bills=0, orgs=1, parent_visible=request.param), clock=clock) as running:
        yield running


def start_over(server: SandboxServer, warehouse: Warehouse) -> World:
    """A world in which nothing has happened yet."""
    everything = (alignment_plans, alignment_changes, mappings, mapping_suggestions)
    of_syncs = (sync_state, sync_runs, sync_rereads, integration_errors, contract_findings)
    with warehouse.write() as connection:
        for table in (*everything, *of_syncs, warehouse.mirror.table("accounts")):
            connection.execute(delete(table))
    world = World(server, warehouse)
    world.empty()
    server.sandbox.reset_stats()
    return world


def fill(world: World, in_bill: list[dict[str, Any]], in_ledger: list[dict[str, Any]]) -> None:
    ids: list[str] = []
    for one in in_bill:
        parent = None if one["parent"] is None else ids[one["parent"]]
        ids.append(world.create(one["name"], one["number"], one["type"], parent))
    for id_, one in zip(ids, in_bill, strict=True):
        if one["off"]:
            world.archive(id_)
    for place, one in enumerate(in_ledger):
        parent = None if one["parent"] is None else f"L{one['parent']}"
        account = LedgerAccount(f"L{place}", one["name"], one["type"], one["number"], parent, active=not one["off"])
        world.want(account)
    # A ledger without accounts is none to follow.
    world.want(LedgerAccount("Z", "Always there", "EQUITY", "999"))
    world.import_ledger()
    world.pass_time()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(in_bill=trees(), in_ledger=trees())
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_applied_plan_leaves_nothing_to_plan_and_can_be_undone(
    server: SandboxServer, warehouse: Warehouse, in_bill: list[dict[str, Any]], in_ledger: list[dict[str, Any]]
) -> None:
    world = start_over(server, warehouse)
    fill(world, in_bill, in_ledger)
    planned = world.plan().plan
    assert planned is not None
    if not planned.writable:
        return
    world.plan_and_approve()
    before = world.chart()
    written = world.apply()
    assert written.failed == {}
    changes = world.changes()
    touched = {str(one.bill_id) for one in changes}
    assert world.written_ids() <= touched
    after = world.chart()
    assert {one: state for one, state in before.items() if one not in touched} == {
        one: state for one, state in after.items() if one not in touched
    }
    assert world.left() == []
    world.pass_time()
    assert world.undo().failed == {}
    made = {str(one.bill_id) for one in changes if one.action == "create"}
    undone = world.chart()
    assert {one: state for one, state in undone.items() if one not in made} == before
    assert all(undone[one]["archived"] for one in made)
    assert world.written_ids() <= touched
