"""Stored sessions, the shared allowance, and locks that die with their holder."""

from __future__ import annotations

import base64
import multiprocessing
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from billcom_assets.bill.errors import HourlyLimitReached
from billcom_assets.bill.quotas import LOGINS_PER_HOUR, REQUESTS_PER_HOUR
from billcom_assets.bill.session import StoredSession
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.bill_access import SealedSessions, SharedBudget
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.errors import Busy
from billcom_assets.warehouse.sealing import Seal
from billcom_assets.warehouse.tables import bill_sessions
from billcom_assets_tests.sync import victim
from billcom_assets_tests.sync.company import Company

KEY = os.urandom(32)
SESSION = StoredSession(
    session_id="a-session-nobody-may-read",
    user_id="00602ABCDEFGHIJ00001",
    organization_id="00802ABCDEFGHIJ00001",
    is_token=True,
    last_used_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    fingerprint="a-fingerprint-nobody-may-read",
)


# Sessions ------------------------------------------------------------------------------------------------------------


def test_a_session_is_kept_sealed_and_shared(warehouse: Warehouse) -> None:
    store = SealedSessions(warehouse, Seal(KEY), "acme-us")
    assert store.load() is None
    store.save(SESSION)
    assert SealedSessions(warehouse, Seal(KEY), "acme-us").load() == SESSION
    assert SealedSessions(warehouse, Seal(KEY), "acme-eu").load() is None
    later = SESSION.last_used_at + timedelta(hours=1)
    newer = replace(SESSION, session_id="another", last_used_at=later, renew_at=later)
    store.save(newer)
    store.clear(SESSION.session_id)
    assert store.load() == newer
    store.clear("another")
    assert store.load() is None


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_nothing_of_a_session_can_be_read_in_the_files_bytes(warehouse: Warehouse) -> None:
    SealedSessions(warehouse, Seal(KEY), "acme-us").save(SESSION)
    database = Path(str(warehouse.engine.url.database))
    with warehouse.read() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(FULL)")
    content = b"".join(path.read_bytes() for path in database.parent.iterdir() if path.is_file())
    assert SESSION.user_id.encode() in content
    for secret in (SESSION.session_id, SESSION.fingerprint):
        assert secret.encode() not in content
        assert base64.b64encode(secret.encode()).strip(b"=") not in content


@pytest.mark.parametrize("damage", ["", "v2.", "c2VhbGVkIGJ5IHRoZSB2ZXJzaW9uIGJlZm9yZSB0aGlzIG9uZQ=="])
def test_a_session_that_does_not_open_is_replaced_by_a_new_sign_in(warehouse: Warehouse, damage: str) -> None:
    with SandboxServer(Settings(bills=20, orgs=1)) as server:
        for logins in (1, 2, 2):
            Company(server, sessions=SealedSessions(warehouse, Seal(KEY), "acme-us")).sync(warehouse, only=["vendors"])
            assert server.sandbox.stats.logins == logins
            if logins == 1:
                with warehouse.write() as connection:
                    connection.execute(bill_sessions.update().values(session=damage))


def test_a_session_sealed_with_another_key_is_replaced(warehouse: Warehouse) -> None:
    SealedSessions(warehouse, Seal(os.urandom(32)), "acme-us").save(SESSION)
    store = SealedSessions(warehouse, Seal(KEY), "acme-us")
    assert store.load() is None
    store.save(SESSION)
    assert store.load() == SESSION


def test_a_later_run_uses_the_stored_session(warehouse: Warehouse) -> None:
    with SandboxServer(Settings(bills=20, orgs=1)) as server:
        for logins in (1, 1):
            # Every run has a client and a store of its own.
            store = SealedSessions(warehouse, Seal(KEY), "acme-us")
            Company(server, sessions=store).sync(warehouse, only=["vendors"])
            assert server.sandbox.stats.logins == logins


# The hourly allowance ------------------------------------------------------------------------------------------------


def test_an_allowance_is_shared_and_never_exceeded(warehouse: Warehouse) -> None:
    now = datetime(2026, 5, 1, 9, 59, tzinfo=UTC)
    one, other = (SharedBudget(warehouse, "digest", clock=lambda: now) for _ in range(2))
    one.spend(REQUESTS_PER_HOUR - 120)
    for _ in range(60):
        one.spend(1)
    for _ in range(20):
        other.spend(1)
    one.close()
    other.close()
    third = SharedBudget(warehouse, "digest", clock=lambda: now)
    for _ in range(40):
        third.spend(1)
    with pytest.raises(HourlyLimitReached) as caught:
        third.spend(1)
    assert caught.value.resets_at == datetime(2026, 5, 1, 10, tzinfo=UTC)
    SharedBudget(warehouse, "other key", clock=lambda: now).spend(100)
    now = datetime(2026, 5, 1, 10, tzinfo=UTC)
    third.spend(100)


def test_logins_are_counted_over_all_processes(warehouse: Warehouse) -> None:
    now = datetime(2026, 5, 1, 9, tzinfo=UTC)
    one, other = (SharedBudget(warehouse, "digest", clock=lambda: now) for _ in range(2))
    for _ in range(LOGINS_PER_HOUR // 2):
        one.spend_login()
        other.spend_login()
    for budget in (one, other):
        with pytest.raises(HourlyLimitReached):
            budget.spend_login()


# Locks ---------------------------------------------------------------------------------------------------------------


def test_a_lock_keeps_others_out_and_is_freed_by_kill_9(warehouse: Warehouse, database_url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["billcom_assets_tests.sync.victim"])
    held = context.Event()
    holder = context.Process(target=victim.hold, args=(database_url, "sync of acme-us", held), daemon=True)
    holder.start()
    assert held.wait(30)
    with pytest.raises(Busy, match="sync of acme-us"), warehouse.exclusive("sync of acme-us"):
        pytest.fail("the lock was not held")
    with warehouse.exclusive("sync of acme-eu"):
        holder.kill()
        holder.join(10)
    with warehouse.exclusive("sync of acme-us", wait_seconds=10), warehouse.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_lock_is_freed_by_an_exception(warehouse: Warehouse, database_url: str) -> None:
    second = open_warehouse(database_url)
    with pytest.raises(ZeroDivisionError), warehouse.exclusive("sync of acme-us"):
        _find_busy(second)
    with second.exclusive("sync of acme-us"):
        second.close()


def _find_busy(other: Warehouse) -> None:
    with pytest.raises(Busy), other.exclusive("sync of acme-us"):
        pytest.fail("the lock was not held")
    raise ZeroDivisionError
