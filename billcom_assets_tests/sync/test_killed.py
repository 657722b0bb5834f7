"""kill -9 at any moment, then a plain re-run, ends in the tables of a run that nobody disturbed."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.tables import sync_runs
from billcom_assets_tests.sync import victim
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen, pull_all
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.truth import differences, truth_of

KILLS = 5
"""Of each test; first pulls and syncs of changes together make ten for each database."""
_VARYING = {"first_seen_at", "synced_at"}
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["billcom_assets_tests.sync.victim"])


def everything(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every mirror table's rows, but for the times of our own writing."""
    found = {}
    with warehouse.read() as connection:
        for table in warehouse.mirror.metadata.sorted_tables:
            columns = [column for column in table.columns if column.name not in _VARYING]
            query = select(*columns).order_by(*table.primary_key)
            found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


def orders(company: Company, url: str, **more: Any) -> victim.Orders:
    login = company.organization.user
    known = (company.organization.id, login.username, login.password, company.server.base_url)
    return victim.Orders(url, *known, **more)


def run_and_kill(target: Callable[..., None], *given: Any, moment: Callable[[], bool]) -> bool:
    """Starts ``target`` in a process of its own and kills it at the ``moment``; True when it was still at work."""
    started = _CONTEXT.Event()
    process = _CONTEXT.Process(target=target, args=(*given, started), daemon=True)
    process.start()
    assert started.wait(30)
    while process.is_alive() and not moment():
        time.sleep(0.0005)
    process.kill()
    process.join(10)
    assert process.exitcode in (0, -9)
    return process.exitcode == -9


def after_requests(company: Company, count: int, then_seconds: float) -> Callable[[], bool]:
    """True a moment after BILL has been asked ``count`` times from now on."""
    stats = company.server.sandbox.stats
    goal = stats.requests + count
    reached: list[float] = []

    def moment() -> bool:
        if not reached and stats.requests >= goal:
            reached.append(time.monotonic() + then_seconds)
        return bool(reached) and time.monotonic() >= reached[0]

    return moment


@pytest.fixture
def company(serve: Serve) -> Company:
    return serve(bills=300, latency_ms=3)


def test_killed_first_pulls_end_in_the_tables_of_an_undisturbed_one(
    company: Company, database_url: str, make_database: Callable[..., str]
) -> None:
    undisturbed = open_warehouse(database_url)
    company.sync(undisturbed)
    requests = company.server.sandbox.stats.requests
    expected = everything(undisturbed)
    undisturbed.close()
    assert expected["bills"]
    dice = random.Random(17)
    interrupted = 0
    for _ in range(KILLS):
        url = make_database()
        moment = after_requests(company, dice.randrange(1, requests), dice.random() * 0.03)
        interrupted += run_and_kill(victim.sync, orders(company, url), moment=moment)
        warehouse = open_warehouse(url)
        company.sync(warehouse, wait_seconds=10)
        assert everything(warehouse) == expected
        with warehouse.read() as connection:
            runs = connection.execute(select(sync_runs)).mappings().all()
        assert {run["status"] for run in runs} <= {"complete", "failed"}
        warehouse.close()
    assert interrupted >= KILLS - 1


def test_killed_syncs_of_changes_end_in_the_tables_of_an_undisturbed_one(
    company: Company, database_url: str, make_database: Callable[..., str]
) -> None:
    warehouse, undisturbed = open_warehouse(database_url), open_warehouse(make_database())
    for one in (warehouse, undisturbed):
        company.sync(one)
    dice = random.Random(18)
    interrupted = 0
    for kill in range(KILLS):
        let_business_happen(company, 60, seed=100 + kill)
        before = company.server.sandbox.stats.requests
        company.sync(undisturbed)
        requests = company.server.sandbox.stats.requests - before
        moment = after_requests(company, dice.randrange(1, requests), dice.random() * 0.02)
        given = orders(company, database_url, refresh=kill % 3 == 2)
        interrupted += run_and_kill(victim.sync, given, moment=moment)
        company.sync(warehouse, wait_seconds=10)
        assert everything(warehouse) == everything(undisturbed)
    assert differences(warehouse, INTEGRATION, truth_of(company.organization)) == []
    assert interrupted >= KILLS - 1
    for one in (warehouse, undisturbed):
        one.close()


def test_killed_upgrades_lose_nothing_and_are_completed_by_the_next_start(serve: Serve, bare_database_url: str) -> None:
    company = serve(bills=200)
    before = tuple(CATALOG)[:3]
    old = open_warehouse(bare_database_url, entities=before)
    with company.connected(old) as sync, sync.alone():
        pull_all(sync, only=[entity.name for entity in before])
    expected = everything(old)
    old.close()
    dice = random.Random(19)
    for _ in range(KILLS):
        until = time.monotonic() + dice.random() * 0.25
        run_and_kill(victim.migrate, bare_database_url, None, moment=lambda until=until: time.monotonic() >= until)
        again = open_warehouse(bare_database_url, entities=before)
        assert everything(again) == expected
        again.close()
    whole = open_warehouse(bare_database_url)
    company.server.clock.advance(timedelta(hours=1))
    company.sync(whole)
    assert differences(whole, INTEGRATION, truth_of(company.organization)) == []
    whole.close()
