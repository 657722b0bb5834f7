"""Lists that this login may not read cost nothing but themselves, and are asked for again after a day or a test."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import insert, select, update

from billcom_assets.automation.routine import this_hour, this_night
from billcom_assets.automation.sensors import first_full_sync, first_seed
from billcom_assets.books.held import REASONS
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.status.integrations import SyncStatus, one_integration, sync_status
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.automation.conftest import NOW, World
from billcom_assets_tests.cli.commands import billcom_command

SAID = "Your role may not see users."
LISTS = ("users", "roles")


@pytest.fixture
def forbidden(home: object, server: SandboxServer) -> SandboxServer:
    for name in LISTS:
        server.sandbox.refused[f"GET {CATALOG[name].path}"] = Refusal(403, None, SAID)
    return server


def errors() -> list[tuple[Any, ...]]:
    warehouse = open_database()
    e = integration_errors.c
    with warehouse.read() as connection:
        # Documents that are held have nothing to do with it.
        query = select(e.entity, e.code, e.status, e.occurrences).where(e.code.not_in(list(REASONS))).order_by(e.entity)
        found = connection.execute(query).all()
    warehouse.close()
    return [tuple(row) for row in found]


def asked(server: SandboxServer) -> set[str]:
    """Which of the lists BILL was asked for since the last call."""
    paths = {route.split()[1] for route in server.sandbox.stats.paths}
    server.sandbox.stats.paths.clear()
    return {name for name in LISTS if CATALOG[name].path in paths}


def check(entity: str) -> dg.AssetCheckEvaluation:
    """What the newest run says of the entity's data."""
    with open_instance() as instance:
        (run,) = instance.get_runs(limit=1)
        assert run.status is dg.DagsterRunStatus.SUCCESS
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = [record.event_log_entry.dagster_event.event_specific_data for record in records]
    return next(one for one in found if one.asset_key == dg.AssetKey(entity))


def test_everything_else_is_synced_and_the_list_says_what_bill_said(forbidden: SandboxServer) -> None:
    assert billcom_command("sync", KEY).code == 0
    assert asked(forbidden) == set(LISTS)
    result = check("users")
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.description == (
        "not permitted: BILL does not show users to this login; what is stored of it stays as it is"
    )
    assert SAID in str(result.metadata["found"].value)
    assert "billcom validate acme-us" in str(result.metadata["how_to_fix"].value)
    assert check("customers").passed
    assert errors() == [("roles", "not_permitted", "open", 1), ("users", "not_permitted", "open", 1)]
    shown = billcom_command("status", KEY).out
    assert sum(line.startswith(LISTS) and line.rstrip().endswith("not permitted") for line in shown.splitlines()) == 2
    assert billcom_command("status", KEY, "--json").document["runs"][0]["status"] == "complete"


def test_it_is_left_alone_until_the_sign_in_is_tested_and_closed_when_it_can_be_read(forbidden: SandboxServer) -> None:
    billcom_command("sync", KEY)
    asked(forbidden)
    assert billcom_command("sync", KEY).code == 0
    assert asked(forbidden) == set()
    assert not check("users").passed
    assert billcom_command("sync", KEY, "--only", "users").code == 0
    assert asked(forbidden) == {"users"}

    forbidden.sandbox.refused.clear()
    assert billcom_command("validate", KEY).code == 0
    assert billcom_command("sync", KEY).code == 0
    assert asked(forbidden) == set(LISTS)
    assert check("users").passed
    assert {status for _, _, status, _ in errors()} == {"resolved"}


def test_nothing_of_it_is_taken_for_deleted(home: object, server: SandboxServer) -> None:
    billcom_command("sync", KEY)
    for name in LISTS:
        server.sandbox.refused[f"GET {CATALOG[name].path}"] = Refusal(403, None, SAID)
    assert billcom_command("sync", KEY, "--full-refresh", "--confirm-deletions").code == 0
    warehouse = open_database()
    for name in LISTS:
        t = warehouse.mirror.table(name).c
        with warehouse.read() as connection:
            gone = connection.execute(select(t.deleted_at).where(t.integration == KEY)).scalars().all()
        assert gone
        assert set(gone) == {None}
    warehouse.close()


def refused_at(world: World, key: str, *entities: str) -> SyncStatus:
    times = {"first_seen_at": NOW, "last_seen_at": NOW}
    error = {"integration": key, "record_id": "", "code": "not_permitted", "message": "m", "next_step": "n"}
    with world.warehouse.write() as connection:
        rows = [{**error, **times, "entity": entity, "status": "open"} for entity in entities]
        connection.execute(insert(integration_errors), rows)
    with world.warehouse.read() as connection:
        return sync_status(connection, one_integration(connection, key))


def test_schedules_leave_it_out_for_a_day_and_sensors_do_not_wait_for_it(world: World) -> None:
    world.routine("acme-us")
    found = refused_at(world, "acme-us", "roles", "departments")
    for decide, at in ((this_hour, NOW), (this_night, NOW.replace(hour=2) + timedelta(days=1))):
        launch = decide(found, at)
        is_alone = at - NOW < timedelta(hours=20)
        entities = launch.entities or CATALOG.names()  # type: ignore[union-attr]
        assert ("roles" not in entities) is is_alone
        assert "bills" in entities

    world.integration("new-one")
    with world.warehouse.write() as connection:
        connection.execute(update(integration_errors).values(status="resolved"))
    everything = refused_at(world, "new-one", *CATALOG.names())
    assert first_seed(everything, NOW) is None
    assert first_full_sync(everything, NOW) is None
