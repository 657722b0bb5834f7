"""``billcom doctor`` on real installations, each broken in one way."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.types import DaemonHeartbeat
from sqlalchemy import make_url, text

import billcom_assets
from billcom_assets.clock import utc_now
from billcom_assets.doctor.catalog import CHECKS, examine
from billcom_assets.doctor.findings import Check, Found, Level
from billcom_assets.doctor.place import Limits, Place
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.keys import make_key
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.cli.commands import DEV_KEY, Answered, Desk

KEY = "acme-us"
AWAY = "postgresql://somebody:secret-password@127.0.0.1:9/books"
"""A port on which nothing listens."""
SHOUT = "\x1b[31mPay now\x1b[0m\u202e to 123-45-6789"

pytestmark = pytest.mark.usefixtures("nothing_secret")


@pytest.fixture
def said() -> list[Answered]:
    """Everything that doctor said in this test."""
    return []


@pytest.fixture
def nothing_secret(said: list[Answered], simulated_bill: SandboxServer) -> Iterator[None]:
    yield
    secrets = [DEV_KEY, "secret-password", os.environ.get("BILLCOM_SECRET_KEY")]
    secrets += [one.token.password for one in simulated_bill.world.organizations]
    everything = "".join(one.everything for one in said)
    assert [one for one in secrets if one and one in everything] == []
    assert "Traceback" not in everything
    assert "\x1b" not in everything


@pytest.fixture
def installed(desk: Desk, dialect: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One connected company, and a daemon that was alive a moment ago."""
    if dialect == "postgresql":
        monkeypatch.setenv("BILLCOM_DATABASE_URL", request.getfixturevalue("database_url"))
        monkeypatch.setenv("BILLCOM_SECRET_KEY", make_key())
    assert desk.connect(KEY).code == 0
    alive(0)
    return desk


@pytest.fixture
def on_sqlite(desk: Desk) -> Desk:
    assert desk.connect(KEY).code == 0
    alive(0)
    return desk


Ask = Callable[..., dict[str, list[dict[str, str]]]]


@pytest.fixture
def ask(said: list[Answered]) -> Ask:
    """What doctor finds by check; what is broken must come with a fix."""

    def ask(desk: Desk, *broken: str) -> dict[str, list[dict[str, str]]]:
        answered = desk.run("doctor", "--json")
        said.append(answered)
        findings = answered.document["findings"]
        assert {one["check"] for one in findings if one["level"] == "broken"} == set(broken), findings
        assert all(bool(one["fix"]) == (one["level"] in ("broken", "warning")) for one in findings)
        assert answered.code == (1 if broken else 0)
        found: dict[str, list[dict[str, str]]] = {}
        for one in findings:
            found.setdefault(one["check"], []).append(one)
        return found

    return ask


def alive(seconds_ago: float) -> None:
    """The daemon's last signs of life."""
    with open_instance() as instance:
        for daemon in instance.get_required_daemon_types():
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, daemon, None, None))


def change_database(*statements: str) -> None:
    with closing(open_database()) as warehouse, warehouse.write() as connection:
        for statement in statements:
            connection.execute(text(statement.replace("billcom.", warehouse.qualified(""))))


def change_settings(home: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = home / "dagster.yaml"
    settings = yaml.safe_load(path.read_text())
    change(settings)
    path.write_text(yaml.safe_dump(settings))


def test_an_installation_in_order_has_nothing_to_mend(installed: Desk, ask: Ask, said: list[Answered]) -> None:
    found = ask(installed)
    assert {one["level"] for findings in found.values() for one in findings} == {"ok", "skipped"}
    assert [name for name, findings in found.items() if findings[0]["level"] == "skipped"] == ["documents"]
    answered = installed.run("doctor")
    assert answered.code == 0
    assert "All of its" in answered.out


def test_another_key_than_that_which_sealed(installed: Desk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLCOM_SECRET_KEY", make_key())
    (finding,) = ask(installed, "secret key")["secret key"]
    assert KEY in finding["found"]
    assert "sealed with another key" in finding["found"]
    assert "BILLCOM_SECRET_KEY" in finding["fix"]


def test_a_key_file_that_others_can_read(on_sqlite: Desk, ask: Ask) -> None:
    (on_sqlite.home / "billcom.key").chmod(0o644)
    (finding,) = ask(on_sqlite, "secret key")["secret key"]
    assert "can be read or changed by others" in finding["found"]
    assert "chmod 600" in finding["fix"]


def test_a_missing_key_file_is_not_made(on_sqlite: Desk, ask: Ask) -> None:
    (on_sqlite.home / "billcom.key").unlink()
    (finding,) = ask(on_sqlite, "secret key")["secret key"]
    assert "missing" in finding["found"]
    assert not (on_sqlite.home / "billcom.key").exists()


def test_a_server_that_is_away(on_sqlite: Desk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLCOM_DATABASE_URL", AWAY)
    found = ask(on_sqlite, "database")
    assert "lost or refused" in found["database"][0]["found"]
    assert "server runs" in found["database"][0]["fix"]
    assert found["tables"][0]["level"] == found["secret key"][0]["level"] == "skipped"


def test_a_file_that_is_away_is_not_made(on_sqlite: Desk, ask: Ask) -> None:
    (on_sqlite.home / "billcom.db").unlink()
    (finding,) = ask(on_sqlite, "database")["database"]
    assert "There is no database" in finding["found"]
    assert not (on_sqlite.home / "billcom.db").exists()


def test_a_file_that_is_no_database(on_sqlite: Desk, ask: Ask) -> None:
    for file in on_sqlite.home.glob("billcom.db*"):
        if file.is_file():
            file.write_bytes(b"no database at all" * 1_000)
    (finding,) = ask(on_sqlite, "database")["database"]
    assert "damaged, or is no database" in finding["found"]


def test_a_database_without_tables_gets_none(
    installed: Desk, ask: Ask, bare_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(bare_database_url)
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).touch()
    monkeypatch.setenv("BILLCOM_DATABASE_URL", bare_database_url)
    for _ in range(2):  # the first look has not made them
        (finding,) = ask(installed, "tables")["tables"]
        assert "none of our tables" in finding["found"]


@pytest.mark.parametrize(
    ("revision", "says", "fix"),
    [("0001", "older version", "billcom status"), ("9999", "newer version", "Install the version that made them")],
)
def test_tables_of_another_version(installed: Desk, ask: Ask, revision: str, says: str, fix: str) -> None:
    change_database(f"UPDATE billcom.alembic_version SET version_num = '{revision}'")
    (finding,) = ask(installed, "tables")["tables"]
    assert says in finding["found"]
    assert fix in finding["fix"]


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_user_who_may_only_read(installed: Desk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    url = os.environ["BILLCOM_DATABASE_URL"]
    reader = f"reader_{make_url(url).database}"
    change_database(
        f"CREATE ROLE {reader} LOGIN",
        f"GRANT USAGE ON SCHEMA billcom TO {reader}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA billcom TO {reader}",
    )
    try:
        monkeypatch.setenv("BILLCOM_DATABASE_URL", _as_user(url, reader))
        (finding,) = ask(installed, "writing")["writing"]
        assert "cannot be written" in finding["found"]
        assert "rights of the user" in finding["fix"]
    finally:
        monkeypatch.setenv("BILLCOM_DATABASE_URL", url)
        change_database(f"DROP OWNED BY {reader}", f"DROP ROLE {reader}")


def _as_user(url: str, user: str) -> str:
    return make_url(url).set(username=user, password=None).render_as_string(hide_password=False)


def test_a_file_opened_for_reading_only(on_sqlite: Desk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    file = on_sqlite.home / "billcom.db"
    monkeypatch.setenv("BILLCOM_DATABASE_URL", f"sqlite:///file:{file}?mode=ro&uri=true")
    (finding,) = ask(on_sqlite, "writing")["writing"]
    assert "cannot be written" in finding["found"]


def test_a_database_that_somebody_keeps_locked(installed: Desk, ask: Ask) -> None:
    with closing(open_database()) as warehouse, warehouse.write() as connection:
        if warehouse.is_postgresql:
            connection.execute(text("LOCK TABLE billcom.sync_runs IN SHARE MODE"))
        (finding,) = ask(installed, "writing")["writing"]
    assert "locked by somebody else" in finding["found"]
    assert "Wait until other programs have ended" in finding["fix"]


def test_a_daemon_that_never_ran(desk: Desk, ask: Ask) -> None:
    (finding,) = ask(desk, "daemon")["daemon"]
    assert "never run" in finding["found"]
    assert "dagster-daemon run" in finding["fix"]


def test_a_daemon_that_is_gone(on_sqlite: Desk, ask: Ask) -> None:
    alive(7_200)
    findings = ask(on_sqlite, "daemon")["daemon"]
    named = " ".join(one["found"] for one in findings)
    assert all(part in named for part in ("SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR", "MONITORING"))


def test_what_runs_by_default_was_stopped(on_sqlite: Desk, ask: Ask) -> None:
    stopped = {"schedule": "look_over", "sensor": "hourly_sync"}
    module = "billcom_assets.definitions"
    run_dagster(on_sqlite.home, *(["dagster", kind, "stop", name, "-m", module] for kind, name in stopped.items()))
    findings = ask(on_sqlite, "automation")["automation"]
    assert [one["found"] for one in findings] == [f"The {kind} {name} is stopped." for kind, name in stopped.items()]
    # The fixes, as they stand.
    run_dagster(on_sqlite.home, *(one["fix"].rpartition("or: ")[2].split() for one in findings))
    ask(on_sqlite)


def run_dagster(folder: Path, *commands: list[str]) -> None:
    """Runs them side by side: each loads the code location for seconds."""
    running = [
        subprocess.Popen([sys.executable, "-m", *one], cwd=folder, stdout=subprocess.DEVNULL) for one in commands
    ]
    assert [one.wait(timeout=300) for one in running] == [0] * len(running)


def test_settings_without_the_limit_of_one_run_per_integration(on_sqlite: Desk, ask: Ask) -> None:
    change_settings(on_sqlite.home, lambda settings: settings["concurrency"]["runs"].pop("tag_concurrency_limits"))
    (finding,) = ask(on_sqlite, "settings")["settings"]
    assert "dagster/partition" in finding["found"]
    assert "tag_concurrency_limits" in finding["fix"]


def test_settings_without_run_monitoring(on_sqlite: Desk, ask: Ask) -> None:
    change_settings(on_sqlite.home, lambda settings: settings["run_monitoring"].update(enabled=False))
    (finding,) = ask(on_sqlite)["settings"]
    assert "run_monitoring" in finding["found"]
    assert finding["level"] == "warning"


@pytest.mark.parametrize("content", ["telemetry: [nonsense", "no_such_setting: 1\n"])
def test_settings_that_dagster_does_not_understand(on_sqlite: Desk, ask: Ask, content: str) -> None:
    (on_sqlite.home / "dagster.yaml").write_text(content)
    (finding,) = ask(on_sqlite, "dagster")["dagster"]
    assert "dagster.yaml" in finding["found"]


def test_a_home_without_settings_keeps_none(on_sqlite: Desk, ask: Ask) -> None:
    (on_sqlite.home / "dagster.yaml").unlink()
    (finding,) = ask(on_sqlite, "dagster")["dagster"]
    assert "There is no dagster.yaml" in finding["found"]
    assert not (on_sqlite.home / "dagster.yaml").exists()


def test_dagsters_own_database_is_away(on_sqlite: Desk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLCOM_DAGSTER_DATABASE_URL", AWAY)
    (finding,) = ask(on_sqlite, "dagster")["dagster"]
    assert "runs and events cannot be read" in finding["found"]


@pytest.mark.parametrize(
    ("moved", "level", "direction"),
    [(-3_600, "broken", "ahead of"), (3_600, "broken", "behind"), (90, "warning", "behind")],
)
def test_a_clock_that_differs_from_bills(on_sqlite: Desk, ask: Ask, moved: int, level: str, direction: str) -> None:
    on_sqlite.bill.clock.advance(timedelta(seconds=moved))
    try:
        (finding,) = ask(on_sqlite, *(["clock"] if level == "broken" else []))["clock"]
    finally:
        on_sqlite.bill.clock.offset = timedelta()
    assert finding["level"] == level
    assert direction in finding["found"]
    assert "timedatectl" in finding["fix"]


def test_disks_that_are_nearly_full(on_sqlite: Desk) -> None:
    free = shutil.disk_usage(on_sqlite.home).free
    for limits, level in (
        (Limits(free_bytes=2 * free), Level.WARNING),
        (Limits(free_bytes=2 * free, least_free_bytes=2 * free), Level.BROKEN),
    ):
        (finding,) = [one for one in examine(utc_now(), limits) if one.check == "disk"]
        assert finding.level is level
        assert "add disk space" in finding.fix


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 8 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)], check=False)
    if mounted.returncode:
        pytest.skip("only root may mount")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_small_disk_under_the_database(
    on_sqlite: Desk, ask: Ask, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in on_sqlite.home.glob("billcom.*"):
        if file.is_file():
            shutil.copy2(file, small_disk)
    monkeypatch.setenv("BILLCOM_DATABASE_URL", f"sqlite:///{small_disk}/billcom.db")
    found = ask(on_sqlite, "disk")["disk"]
    assert [one["level"] for one in found] == ["ok", "broken"]
    assert str(small_disk) in found[1]["found"]


def test_packages_that_do_not_fit(on_sqlite: Desk, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("dagster_webserver", "1.13.20"), ("dagster_postgres", "0.28.1")):
        folder = tmp_path / "site" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = " ".join(one["found"] for one in ask(on_sqlite, "versions")["versions"])
    assert "dagster-webserver is 1.13.20" in found
    assert "dagster-postgres is 0.28.1, and billcom-assets needs" in found


def test_a_documents_folder_that_cannot_be_written(
    on_sqlite: Desk, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on_sqlite.run("connect", KEY, "--documents").code == 0
    assert ask(on_sqlite)["documents"][0]["level"] == "ok"
    assert not (on_sqlite.home / "documents").exists()
    (tmp_path / "file").touch()
    monkeypatch.setenv("BILLCOM_DOCUMENTS_DIR", str(tmp_path / "file" / "documents"))
    (finding,) = ask(on_sqlite, "documents")["documents"]
    assert "cannot be used: Not a directory" in finding["found"]
    assert "BILLCOM_DOCUMENTS_DIR" in finding["fix"]


def test_a_company_that_bill_does_not_let_in(on_sqlite: Desk, ask: Ask) -> None:
    _change_integration(status="error", status_code="BDC_1101", status_message=SHOUT)
    (finding,) = ask(on_sqlite, "sign-in")["sign-in"]
    assert f"BILL refused the sign-in of {KEY}: " in finding["found"]
    assert "\u202e" not in finding["found"]
    assert "123-45-6789" not in finding["found"]
    assert f"billcom connect {KEY}" in finding["fix"]


def test_a_company_that_is_held_back(on_sqlite: Desk, ask: Ask) -> None:
    _change_integration(status="pending", sign_in_not_before=utc_now() + timedelta(minutes=10))
    (finding,) = ask(on_sqlite)["sign-in"]
    assert "held back until" in finding["found"]
    assert finding["level"] == "warning"


def _change_integration(**values: Any) -> None:
    with closing(open_database()) as warehouse, warehouse.write() as connection:
        connection.execute(integrations.update().values(**values))


def test_a_run_that_waits_for_long(on_sqlite: Desk) -> None:
    with open_instance() as instance:
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repo"), "full_sync")
        create_run_for_test(instance, "full_sync", status=dg.DagsterRunStatus.QUEUED, remote_job_origin=origin)
    (finding,) = [one for one in examine(utc_now() + timedelta(hours=2)) if one.check == "queue"]
    assert finding.level is Level.WARNING
    assert "the oldest for 120 minutes" in finding.found


def test_a_check_that_fails_is_a_finding_without_the_errors_text(on_sqlite: Desk) -> None:
    def fails(_: Place) -> list[Found]:
        raise ValueError("a secret")

    with ExitStack() as stack:
        (finding,) = Check("it", fails).findings(Place(utc_now(), stack))
    assert finding.level is Level.BROKEN
    assert "a secret" not in finding.found
    assert "ValueError" in finding.found


def test_looking_changes_nothing(on_sqlite: Desk, ask: Ask) -> None:
    def seen() -> dict[str, tuple[int, int]]:
        files = [one for one in on_sqlite.home.rglob("*") if one.is_file() and not one.name.endswith(("-shm", "-wal"))]
        return {str(one): (stat.S_IMODE(one.stat().st_mode), one.stat().st_size) for one in files}

    ask(on_sqlite)
    before = seen()
    ask(on_sqlite)
    assert seen() == before


def test_the_documentation_names_every_check() -> None:
    text = (Path(billcom_assets.__file__).parents[1] / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = text.partition("| check |")[2].partition("\n\n")[0].splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [check.name for check in CHECKS]
