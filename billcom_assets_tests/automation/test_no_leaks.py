"""A run that the database stops leaves nothing of the rows it carried: not in the command's output, not in
``sync_runs``, not in Dagster's storage, not in a log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text

from billcom_assets.environment import open_database
from billcom_assets.job_runner import launch
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sandbox.kinds import VENDORS
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_runs
from billcom_assets_tests.automation.companies import KEY, connect
from billcom_assets_tests.automation.conftest import SECRET_KEY
from billcom_assets_tests.cli.commands import billcom_command

SSN, ACCOUNT = "987-65-4329", "000123456789"
ROW = f"Ms {SSN} of {ACCOUNT}"

RAISING = """
CREATE FUNCTION nosy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no: %', NEW {how}; END $$;
CREATE TRIGGER nosy BEFORE INSERT ON billcom.vendors FOR EACH ROW EXECUTE FUNCTION nosy()
"""
POSTGRESQL = {
    "check": ("ALTER TABLE billcom.vendors ADD CONSTRAINT short CHECK (length(name) < 3)", "breaks a rule"),
    "reference": (
        "ALTER TABLE billcom.vendors ADD FOREIGN KEY (name) REFERENCES billcom.integrations (key)",
        "refers to another that is not there",
    ),
    "unique": ("CREATE UNIQUE INDEX one_name ON billcom.vendors (name)", "would be there twice"),
    "trigger": (RAISING.format(how=""), "A trigger in the database refused"),
    "full disk": (RAISING.format(how="USING ERRCODE = '53100'"), "no room left"),
    "bad value in a COPY": (
        "ALTER TABLE billcom.vendors ALTER COLUMN address_line2 TYPE integer USING 0",
        "does not fit its column",
    ),
}
SQLITE = {
    "unique": ("CREATE UNIQUE INDEX one_name ON vendors (name)", "would be there twice"),
    "trigger": (
        f"CREATE TRIGGER nosy BEFORE INSERT ON vendors BEGIN SELECT RAISE(ABORT, 'no: {ROW}'); END",
        "A trigger in the database refused",
    ),
}


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """A BILL whose vendors' names and addresses hold numbers of persons and accounts."""
    with SandboxServer(Settings(bills=5)) as running:
        organization = running.world.organizations[0]
        with running.sandbox.lock:
            for row in list(organization.table(VENDORS)):
                doc = row.doc()
                organization.write(VENDORS, doc | {"name": ROW, "address": (doc.get("address") or {}) | {"line2": ROW}})
        yield running


@pytest.fixture
def connected(
    database_url: str, server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Warehouse]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
    monkeypatch.delenv("BILLCOM_DAGSTER_DATABASE_URL", raising=False)
    warehouse = open_database()
    connect(warehouse, server)
    yield warehouse
    warehouse.close()


def errors(warehouse: Warehouse) -> list[str]:
    with warehouse.read() as connection:
        return [one or "" for one in connection.scalars(select(sync_runs.c.error))]


def assert_nowhere(*shown: str) -> None:
    for planted in (SSN, ACCOUNT):
        assert [one for one in shown if planted in one] == []


def dagsters_files(home: Path) -> list[str]:
    """Every file of Dagster's: event logs, runs, compute logs."""
    found = [path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file()]
    assert len(found) > 3
    return found


def assert_stopped(warehouse: Warehouse, says: str, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Two syncs fail with these words and nothing of the rows."""
    plain = billcom_command("sync", KEY, "--only", "vendors", "--debug")
    for_scripts = billcom_command("sync", KEY, "--only", "vendors", "--json")
    assert (plain.code, for_scripts.code) == (1, 1)
    assert says in plain.err
    assert says in for_scripts.document["error"]["message"]
    assert all(says in one for one in errors(warehouse))
    assert len(errors(warehouse)) == 2
    files = dagsters_files(home)
    assert any(says in one for one in files)
    logged = [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    assert_nowhere(plain.everything, for_scripts.everything, *errors(warehouse), *files, *logged)


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [*(("postgresql", kind) for kind in POSTGRESQL), *(("sqlite", kind) for kind in SQLITE)],
    indirect=["dialect"],
)
def test_a_row_that_the_database_refuses_is_shown_nowhere(
    connected: Warehouse, dialect: str, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    statement, says = (POSTGRESQL if dialect == "postgresql" else SQLITE)[kind]
    with connected.write() as connection:
        connection.execute(text(statement.replace(":", r"\:")))
    assert_stopped(connected, says, tmp_path / "home", caplog)


@contextmanager
def no_room(path: str) -> Iterator[None]:
    """The file may not grow any more."""

    def limit(connection: Any, _record: object) -> None:
        names = [row[2] for row in connection.execute("PRAGMA database_list")]
        if path in names:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_rows_that_find_no_room_are_shown_nowhere(
    connected: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with no_room(str(connected.engine.url.database)):
        assert_stopped(connected, "The database has no room left", tmp_path / "home", caplog)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_database_that_may_only_be_read_stops_a_sync_with_what_to_do(
    connected: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with connected.write() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    answered = billcom_command("sync", KEY, "--only", "vendors")
    assert answered.code in (1, 2)
    assert "The database cannot be written (SQLSTATE 25006)" in answered.err
    assert_nowhere(answered.everything, *dagsters_files(tmp_path / "home"))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_exception_that_nobody_expected_keeps_its_text_and_its_causes_to_itself(
    connected: Warehouse, tmp_path: Path
) -> None:
    def stumble(_progress: object) -> None:
        try:
            raise KeyError(ROW)
        except KeyError as error:
            raise RuntimeError(f"lost {ROW}") from error

    launched = launch("full_sync", KEY, entities=["vendors"], on_progress=stumble)
    assert not launched.success
    assert f"{KEY}: Something unexpected went wrong (RuntimeError)." in str(launched.error)
    files = dagsters_files(tmp_path / "home")
    assert any("in stumble" in one for one in files)  # where it was stays known
    assert_nowhere(str(launched.error), *errors(connected), *files)
