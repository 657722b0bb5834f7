"""Entities that somebody has left out are neither asked for nor waited for, until they are brought in again."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy import func, select

from billcom_assets.assets.run_tags import OWNER_TAG
from billcom_assets.automation.routine import this_hour, this_night
from billcom_assets.automation.sensors import first_full_sync, first_seed
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.status.freshness import freshness
from billcom_assets.status.integrations import one_integration, sync_status
from billcom_assets.status.scope import scope
from billcom_assets.warehouse.tables import integrations, sync_rereads
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.automation.conftest import NOW, World
from billcom_assets_tests.cli.commands import billcom_command

LEFT_OUT = ("items", "credit_memos", "users", "roles")
OPTIONS = [word for name in LEFT_OUT for word in ("--without", name)]


def asked(server: SandboxServer) -> set[str]:
    """Entities whose lists BILL was asked for since the last call."""
    paths = {route.split()[1] for route in server.sandbox.stats.paths}
    server.sandbox.stats.paths.clear()
    return {entity.name for entity in CATALOG if entity.path.removeprefix("/api/v2") in paths}


def newest_run() -> tuple[dg.DagsterRun, set[str]]:
    """The run, and the assets that it has materialized."""
    with open_instance() as instance:
        (run,) = instance.get_runs(limit=1)
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    return run, {record.event_log_entry.asset_materialization.asset_key.to_user_string() for record in records}


def test_what_is_left_out_is_not_asked_for_and_its_assets_are_skipped(home: object, server: SandboxServer) -> None:
    changed = billcom_command("connect", KEY, *OPTIONS, "--owner", "jane@example.com")
    assert (changed.code, "credit_memos,users,roles" in changed.out) == (0, True)
    asked(server)
    assert billcom_command("sync", KEY).code == 0
    assert asked(server) == set(CATALOG.names()) - set(LEFT_OUT)
    run, materialized = newest_run()
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert materialized.isdisjoint(LEFT_OUT)
    assert {"invoices", "customers", "jobs", "ap_aging", "ar_aging"} <= materialized
    assert run.tags[OWNER_TAG] == "jane@example.com"

    shown = billcom_command("status", KEY).out
    assert sum(line.rstrip().endswith("left out") for line in shown.splitlines()) == len(LEFT_OUT)
    assert "owner jane@example.com" in shown
    refused = billcom_command("sync", KEY, "--only", "users")
    assert refused.code == 2
    assert f"billcom connect {KEY} --with users" in refused.err


def test_it_keeps_what_it_has_and_goes_on_when_it_is_brought_in_again(
    synced_home: object, server: SandboxServer
) -> None:
    rows = counted("customers")
    assert billcom_command("connect", KEY, "--without", "customers").code == 0
    asked(server)
    assert billcom_command("sync", KEY, "--full-refresh", "--confirm-deletions").code == 0
    # Invoices name customers that BILL may have changed with them; those wait, too.
    assert "customers" not in asked(server)
    assert counted("customers") == rows
    assert billcom_command("connect", KEY, "--with", "customers").code == 0
    assert billcom_command("sync", KEY).code == 0
    assert "customers" in asked(server)
    warehouse = open_database()
    with warehouse.read() as connection:
        assert connection.scalar(select(func.count()).select_from(sync_rereads)) == 0
    warehouse.close()


def counted(entity: str) -> int:
    warehouse = open_database()
    t = warehouse.mirror.table(entity).c
    with warehouse.read() as connection:
        rows = connection.scalar(select(func.count()).where(t.integration == KEY, t.deleted_at.is_(None))) or 0
    warehouse.close()
    assert rows
    return rows


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--without", "vendors"], "vendors cannot be left out: posting stands on them. What may be left out: items,"),
        (["--without", "user"], "There is no entity 'user'. Did you mean users?"),
        (["--with", "userz"], "There is no entity 'userz'. Did you mean users?"),
        (["--with", "users", "--without", "users"], "users cannot be left out and brought in at once"),
        (["--owner", "somebody"], "'somebody' is no owner. Give an e-mail address, or a team as team:finance."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(home: object, options: list[str], said: str) -> None:
    refused = billcom_command("connect", KEY, *options)
    assert refused.code != 0
    assert said in refused.err
    warehouse = open_database()
    with warehouse.read() as connection:
        assert scope(connection, KEY).excluded == frozenset()
        assert connection.scalar(select(integrations.c.owner)) is None
    warehouse.close()


def test_a_later_choice_adds_to_the_one_before(home: object) -> None:
    billcom_command("connect", KEY, "--without", "users", "--owner", "team:finance")
    billcom_command("connect", KEY, "--without", "roles")
    billcom_command("connect", KEY, "--with", "users", "--without", "jobs", "--owner", "none")
    document = billcom_command("status", KEY, "--json").document["integration"]
    assert (document["excluded_entities"], document["owner"]) == ("jobs,roles", None)


def test_schedules_sensors_and_freshness_do_without_it(world: World) -> None:
    world.integration("new-one")
    world.routine("acme-us")
    with world.warehouse.write() as connection:
        connection.execute(integrations.update().values(excluded_entities=",".join(CATALOG.names())))
    with world.warehouse.read() as connection:
        for key in ("new-one", "acme-us"):
            found = sync_status(connection, one_integration(connection, key))
            decisions = [decide(found, NOW) for decide in (this_hour, this_night, first_seed, first_full_sync)]
            assert decisions == [None] * 4
            assert freshness(found, NOW).description == "nothing has ever been pulled"
