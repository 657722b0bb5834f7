"""Where BILL's v2 API serves no login, everything of v3 is synced; it is told once and tried again after a week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import select, update

from billcom_assets.books.held import REASONS
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.tables import integration_errors, integrations
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.cli.commands import billcom_command


@pytest.fixture
def refusing(home: object, server: SandboxServer) -> Iterator[SandboxServer]:
    server.sandbox.change_settings(v2_access="no_key")
    yield server
    server.sandbox.change_settings(v2_access="open")


def asked(server: SandboxServer) -> int:
    """Requests to v2 since the last call."""
    found = sum(count for route, count in server.sandbox.stats.paths.items() if not route.split()[1].startswith("/v3"))
    server.sandbox.stats.paths.clear()
    return found


def checks() -> dict[str, str]:
    """What the newest run found wrong with v2, by entity."""
    with open_instance() as instance:
        (run,) = instance.get_runs(limit=1)
        assert run.status is dg.DagsterRunStatus.SUCCESS
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = [record.event_log_entry.dagster_event.event_specific_data for record in records]
    return {one.asset_key.to_user_string(): one.description for one in found if "v2" in (one.description or "")}


def errors() -> list[tuple[str, str, str]]:
    warehouse = open_database()
    e = integration_errors.c
    with warehouse.read() as connection:
        # Documents that are held have nothing to do with it.
        query = select(e.entity, e.code, e.status).where(e.code.not_in(list(REASONS))).order_by(e.entity)
        found = connection.execute(query).all()
    warehouse.close()
    return [tuple(row) for row in found]


def test_everything_of_v3_is_synced_and_one_check_and_the_status_tell(refusing: SandboxServer) -> None:
    done = billcom_command("sync", KEY)
    assert done.code == 0
    told = checks()
    assert list(told) == ["bills"]
    assert "lack what only BILL's v2 API knows: it does not serve this login" in told["bills"]
    assert errors() == [("v2", "not_permitted", "open")]
    assert "See: billcom errors acme-us" in billcom_command("status", KEY).out
    told = " ".join(billcom_command("errors", KEY).out.split())
    assert "ask BILL to enable v2 for the developer key, then billcom validate acme-us" in told


def test_it_is_asked_again_after_a_week_or_a_test_of_the_sign_in_and_then_catches_up(refusing: SandboxServer) -> None:
    billcom_command("sync", KEY)
    assert 1 <= asked(refusing) <= 3
    billcom_command("sync", KEY)
    assert asked(refusing) == 0
    for days, is_asked in ((2, False), (7, True), (0, False)):
        _pass(days)
        billcom_command("sync", KEY)
        assert bool(asked(refusing)) is is_asked
    refusing.sandbox.change_settings(v2_access="open")
    assert billcom_command("validate", KEY).code == 0
    billcom_command("sync", KEY)
    assert checks() == {}
    assert {status for _, _, status in errors()} == {"resolved"}
    warehouse = open_database()
    with warehouse.read() as connection:
        table = warehouse.mirror.table("money_movements")
        assert connection.scalar(select(table.c.id).limit(1))
    warehouse.close()


def _pass(days: int) -> None:
    """Moves the refusal, and the test of the sign-in before it, into the past."""
    then = datetime.now(UTC) - timedelta(days=days)
    warehouse = open_database()
    with warehouse.write() as connection:
        connection.execute(update(integration_errors).values(last_seen_at=then))
        connection.execute(update(integrations).values(checked_at=then - timedelta(hours=1)))
    warehouse.close()
