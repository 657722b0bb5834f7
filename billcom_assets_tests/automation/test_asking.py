"""Every hour BILL is asked whether anything is new, and a run is made only where something is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import delete, func, make_url, select, update

from billcom_assets.automation import asking
from billcom_assets.automation.routine import AT_LATEST, this_hour
from billcom_assets.automation.run_requests import Launch, Skip
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database, seal_for
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.status.freshness import freshness
from billcom_assets.status.integrations import one_integration, sync_status
from billcom_assets.warehouse.integrations import Integrations
from billcom_assets.warehouse.keys import key_file
from billcom_assets.warehouse.tables import integrations, sync_rereads, sync_runs, sync_state
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.automation.conftest import NOW, World
from billcom_assets_tests.automation.ticks import Looked, tick_at
from billcom_assets_tests.cli.commands import billcom_command

HOUR = timedelta(hours=1)
_AWAY = Refusal(503, None, "BILL is being maintained.")


@pytest.fixture
def quiet(synced_home: object, server: SandboxServer) -> Iterator[World]:
    """A company synced two hours ago; BILL has nothing new since, and no night comes soon."""
    warehouse = open_database()
    with open_instance() as instance:
        world = World(warehouse, instance)
        world.change(KEY, time_zone=f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")
        world.synced(KEY, datetime.now(UTC) - 2 * HOUR)
        server.sandbox.reset_stats()
        yield world
    warehouse.close()


@pytest.fixture
def home_key(synced_home: Path) -> Path:
    return key_file(make_url(f"sqlite:///{synced_home / 'billcom.db'}"))


def tick(world: World) -> Looked:
    return tick_at("hourly_sync", world, datetime.now(UTC))


def requests(server: SandboxServer) -> int:
    return sum(server.sandbox.stats.paths.values())


def miss_the_newest_bill(world: World) -> None:
    """As if it had been entered since the sync; BILL itself, which others use, too, stays as it is."""
    t = world.warehouse.mirror.table("bills")
    with world.warehouse.write() as connection:
        connection.execute(delete(t).where(t.c.updated_time == select(func.max(t.c.updated_time)).scalar_subquery()))


def test_where_nothing_is_new_no_run_is_made_and_the_data_counts_as_fresh(quiet: World, server: SandboxServer) -> None:
    with quiet.warehouse.read() as connection:
        runs = connection.scalar(select(func.count()).select_from(sync_runs))
    found = tick(quiet)
    assert (found.run_requests, "nothing new in BILL (" in found.skip_message) == ([], True)
    assert 0 < requests(server) <= 20
    again = tick(quiet)
    assert again.skip_message == "No integration needs it now."
    assert requests(server) <= 20
    with quiet.warehouse.read() as connection:
        assert connection.scalar(select(func.count()).select_from(sync_runs)) == runs
        asked = connection.scalars(select(sync_state.c.entity).where(sync_state.c.probed_at.is_not(None))).all()
        assert {"bills", "vendors", "invoices"} <= set(asked)
        # Two hours after the sync and two after the question: nothing but the question keeps it from being late.
        status = sync_status(connection, one_integration(connection, KEY))
        assert freshness(status, datetime.now(UTC) + 2 * HOUR).passed
    shown = billcom_command("status", KEY).out
    assert "; BILL had nothing new at " in shown


def test_where_something_is_new_everything_due_is_pulled(quiet: World, server: SandboxServer) -> None:
    miss_the_newest_bill(quiet)
    (request,) = tick(quiet).run_requests
    assert request.partition_key == KEY
    assert not request.asset_selection
    # Found by the first question; and asked again as long as no run was made.
    assert requests(server) == 1
    assert tick(quiet).run_requests


def test_a_run_that_failed_is_followed_by_another_without_a_question(quiet: World, server: SandboxServer) -> None:
    miss_the_newest_bill(quiet)
    quiet.made(tick(quiet).run_requests[0], dg.DagsterRunStatus.FAILURE)
    asked = requests(server)
    assert "the next attempt is at" in tick(quiet).skip_message
    assert requests(server) == asked


def test_bill_that_is_away_is_told_of_and_costs_no_run(quiet: World, server: SandboxServer) -> None:
    with quiet.warehouse.write() as connection:
        connection.execute(update(sync_state).values(synced_at=datetime.now(UTC) - 2 * HOUR))
    server.sandbox.refused.update({f"GET {entity.path}": _AWAY for entity in CATALOG})
    found = tick(quiet)
    assert found.run_requests == []
    assert f"{KEY}: " in found.skip_message
    assert requests(server) == 1


def test_a_sign_in_that_bill_refuses_is_noted_and_tried_by_no_run(quiet: World, server: SandboxServer) -> None:
    with quiet.warehouse.write() as connection:
        connection.exec_driver_sql("DELETE FROM bill_sessions")
    organization = server.world.organizations[0]
    before = organization.token
    organization.token = replace(before, password="changed in BILL")
    try:
        found = tick(quiet)
    finally:
        organization.token = before
    assert found.run_requests == []
    assert f"billcom connect {KEY}" in found.skip_message
    with quiet.warehouse.read() as connection:
        assert connection.scalar(select(integrations.c.status)) == "error"
    asked = requests(server)
    assert "setup not completed" in tick(quiet).skip_message
    assert requests(server) == asked


def test_without_the_key_here_a_run_is_made_unasked(quiet: World, server: SandboxServer, home_key: Path) -> None:
    # Where it is carried out the key may be known.
    home_key.unlink()
    assert tick(quiet).run_requests
    assert requests(server) == 0
    assert not home_key.exists()


def test_a_credential_that_only_the_run_knows_is_left_to_the_run(
    quiet: World, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLY_IN_RUNS", "sandbox-dev-key")
    store = Integrations(seal_for(quiet.warehouse))
    with quiet.warehouse.write() as connection:
        known = store.get(connection, KEY)
        store.save(connection, replace(known, sources=replace(known.sources, dev_key="env:ONLY_IN_RUNS")), NOW)
        connection.execute(update(integrations).values(status="connected"))
    monkeypatch.delenv("ONLY_IN_RUNS")
    assert tick(quiet).run_requests
    assert requests(server) == 0


@pytest.mark.parametrize(
    "left",
    [
        {"synced_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"walk": '{"kind": "full"}'},
        {"first_pulled_at": None},
        {"time_filter_refused": True},
    ],
    ids=lambda left: next(iter(left)),
)
def test_what_no_question_can_answer_is_pulled_without_one(quiet: World, left: dict[str, object]) -> None:
    with quiet.warehouse.write() as connection:
        connection.execute(update(sync_state).where(sync_state.c.entity == "customers").values(**left))
    assert decision(quiet).only_if is None


def test_objects_that_wait_to_be_read_again_are_pulled_without_a_question(quiet: World) -> None:
    assert decision(quiet).only_if
    with quiet.warehouse.write() as connection:
        connection.execute(sync_rereads.insert().values(integration=KEY, entity="vendors", id="one"))
    assert decision(quiet).only_if is None
    with quiet.warehouse.write() as connection:
        connection.execute(integrations.update().values(excluded_entities="vendors"))
    assert decision(quiet).only_if


def test_a_list_is_pulled_at_the_latest_when_a_night_was_missed(quiet: World) -> None:
    for age, must in ((AT_LATEST - HOUR, False), (AT_LATEST + HOUR, True)):
        quiet.synced(KEY, datetime.now(UTC) - age)
        assert (decision(quiet).only_if is None) is must


def decision(world: World) -> Launch:
    with world.warehouse.read() as connection:
        status = sync_status(connection, one_integration(connection, KEY))
    now = datetime.now(UTC)
    made = this_hour(status, now)
    if isinstance(made, Skip):
        # In the hour of the sweep.
        made = this_hour(status, now + HOUR)
    assert isinstance(made, Launch)
    return made


def test_the_requests_of_an_hour_are_shared(quiet: World, server: SandboxServer) -> None:
    assert [asking.requests_for_each(number) for number in (1, 100, 500, 1_000, 5_000)] == [2_000, 20, 4, 2, 2]
    with quiet.warehouse.read() as connection:
        status = sync_status(connection, one_integration(connection, KEY))
    questions = this_hour(status, datetime.now(UTC)).only_if  # type: ignore[union-attr]
    answer = asking.ask(quiet.warehouse, KEY, questions or (), 2)
    assert not answer.has_news
    assert requests(server) == 2
