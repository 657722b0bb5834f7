from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.cli.commands import DEV_KEY, Desk


@pytest.fixture(scope="package")
def simulated_bill() -> Iterator[SandboxServer]:
    """Two small companies that no test changes; all tests together sign in more often than BILL lets one key."""
    with SandboxServer(Settings(bills=40, orgs=2, dev_keys=(DEV_KEY,), logins_per_hour=10_000)) as server:
        yield server


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing was ever set up."""
    for variable in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.fixture
def opened_home(empty_home: Path, dagster_home: Path) -> Path:
    """A machine on which Dagster was opened; without a database."""
    shutil.copytree(dagster_home, empty_home)
    return empty_home


@pytest.fixture
def desk(opened_home: Path, migrated_file: Path, simulated_bill: SandboxServer) -> Desk:
    """A machine with an empty database."""
    shutil.copy(migrated_file, opened_home / "billcom.db")
    return Desk(opened_home, simulated_bill)
