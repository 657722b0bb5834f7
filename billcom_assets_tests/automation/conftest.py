"""Integrations at every stage of their life, a Dagster instance, and runs as the daemon would make them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import PARTITION_NAME_TAG, RUN_KEY_TAG
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import insert, update

from billcom_assets.bill.credentials import Environment
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import seed_plan
from billcom_assets.environment import seal_for
from billcom_assets.job_runner import launch
from billcom_assets.partitions import PARTITION_SET
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse import tables
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.integrations import CredentialSources, Integration, Integrations
from billcom_assets_tests.automation.companies import KEY, copied, prepare
from billcom_assets_tests.small_company import Books

SEEDED = seed_plan(CATALOG)
NOW = datetime(2026, 3, 4, 10, 25, tzinfo=UTC)
LONG_AGO = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SECRET_KEY = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="


@dataclass
class World:
    """A database of integrations, and Dagster beside it."""

    warehouse: Warehouse
    instance: dg.DagsterInstance

    def known(self, *keys: str) -> None:
        self.instance.add_dynamic_partitions(PARTITION_SET, list(keys))

    def integration(self, key: str, *, known: bool = True, **values: Any) -> None:
        sources = CredentialSources("a-token", "its value", "a developer key")
        stage = Environment.STAGE
        made = Integration(key, f"Company of {key}", f"008{key}", stage, None, None, sources, None, None)
        with self.warehouse.write() as connection:
            Integrations(seal_for(self.warehouse)).save(connection, made, LONG_AGO)
        self.change(key, **{"status": "connected"} | values)
        if known:
            self.known(key)

    def seeded(self, key: str, **values: Any) -> None:
        """Connected, its lists fetched, nothing mapped."""
        self.integration(key, **values)
        with self.warehouse.write() as connection:
            Books(connection, key).pulled(*SEEDED, synced_at=LONG_AGO)

    def ready(self, key: str, **values: Any) -> None:
        """Nothing missing, and never synced."""
        self.integration(key, **values)
        with self.warehouse.write() as connection:
            books = Books(connection, key)
            books.ready()
            books.pulled(*(name for name in SEEDED if name not in ("vendors", "accounts")))

    def routine(
        self, key: str, *, synced_at: datetime = LONG_AGO, pulled_with: date | None = None, **values: Any
    ) -> None:
        """Ready, and synced before."""
        self.ready(key, **values)
        with self.warehouse.write() as connection:
            Books(connection, key).pulled(*(name for name in CATALOG.names() if name not in SEEDED))
        self.synced(key, synced_at, cutoff=pulled_with)

    def synced(self, key: str, at: datetime, **values: Any) -> None:
        t = tables.sync_state
        with self.warehouse.write() as connection:
            connection.execute(update(t).where(t.c.integration == key).values(synced_at=at, **values))

    def change(self, key: str, **values: Any) -> None:
        t = tables.integrations
        with self.warehouse.write() as connection:
            connection.execute(update(t).where(t.c.key == key).values(values))

    def run(
        self, key: str, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED, job: str = "full_sync", **tags: str
    ) -> str:
        location = RegisteredCodeLocationOrigin("billcom_assets")
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)
        every_tag = {PARTITION_NAME_TAG: key, **tags}
        return create_run_for_test(self.instance, job, tags=every_tag, status=status, remote_job_origin=origin).run_id

    def made(self, request: dg.RunRequest, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS) -> str:
        """The run that the daemon makes of a request."""
        tags = {**request.tags, RUN_KEY_TAG: str(request.run_key)}
        return self.run(str(request.partition_key), status, **tags)

    def broken(self, key: str) -> None:
        """A row that cannot be read: a time is nonsense. PostgreSQL would not hold it."""
        self.ready(key, time_zone="Mars/Olympus")
        with self.warehouse.write() as connection:
            connection.execute(insert(tables.sync_state).values(integration=key, entity="broken", synced_at=LONG_AGO))
            connection.exec_driver_sql(
                "UPDATE sync_state SET synced_at = 'nonsense' WHERE integration = ? AND entity = 'broken'", (key,)
            )


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """SQLite, and PostgreSQL where a test says so: what launches runs asks the same of both."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
    return database_url


@pytest.fixture
def instance(dagster_home: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(copied(dagster_home, tmp_path / "dagster"))) as made:
        yield made


@pytest.fixture
def world(database: str, instance: dg.DagsterInstance) -> Iterator[World]:
    warehouse = open_warehouse(database)
    yield World(warehouse, instance)
    warehouse.close()


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(bills=30, orgs=2)) as running:
        yield running


@pytest.fixture(scope="session")
def ready_home(server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose integration lacks nothing and was never synced."""
    home = tmp_path_factory.mktemp("ready")
    with pytest.MonkeyPatch.context() as patch:
        _live_in(home, patch)
        prepare(server, home)
    return home


@pytest.fixture
def home(ready_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: SandboxServer) -> Iterator[Path]:
    """A copy of it for one test."""
    yield from _home(ready_home, tmp_path, monkeypatch, server)


@pytest.fixture(scope="session")
def home_after_a_sync(ready_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose integration has everything that BILL has."""
    home = copied(ready_home, tmp_path_factory.mktemp("synced"))
    with pytest.MonkeyPatch.context() as patch:
        _live_in(home, patch)
        assert launch("full_sync", KEY).success
    return home


@pytest.fixture
def synced_home(
    home_after_a_sync: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: SandboxServer
) -> Iterator[Path]:
    """A copy of that for one test."""
    yield from _home(home_after_a_sync, tmp_path, monkeypatch, server)


def _home(template: Path, folder: Path, patch: pytest.MonkeyPatch, server: SandboxServer) -> Iterator[Path]:
    made = copied(template, folder / "home")
    _live_in(made, patch)
    server.sandbox.reset_stats()
    yield made
    server.sandbox.refused.clear()


def _live_in(home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("DAGSTER_HOME", str(home))
    for name in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
        patch.delenv(name, raising=False)
