"""With the real daemon: everything is killed in the middle of a run, as when a container is stopped hard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import func, select

from billcom_assets.automation.run_requests import UNFINISHED
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.tables import sync_runs
from billcom_assets_tests.automation.companies import KEY, prepare

SECONDS = 240
"""On a quiet machine the whole test takes about a quarter of it."""
WORKSPACE = """load_from:
  - python_module:
      module_name: billcom_assets_tests.automation.impatient
      attribute: defs
      location_name: billcom_assets
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    (path / "workspace.yaml").write_text(WORKSPACE, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(path))
    for name in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def start_daemon(home: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(home / "workspace.yaml")]
        with (home / "daemon.log").open("ab") as log:
            daemon = subprocess.Popen(command, cwd=home, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        started.append(daemon)
        return daemon

    yield start
    for daemon in started:
        kill_tree(daemon)


def kill_tree(daemon: subprocess.Popen[bytes]) -> None:
    """The daemon, its code server and the runs, none of which can say a word."""
    try:
        os.killpg(daemon.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    daemon.wait()


def wait_for(what: str, holds: Callable[[], bool], home: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.5)
    log = (home / "daemon.log").read_text(encoding="utf-8", errors="replace")
    pytest.fail(f"{what} did not come within {SECONDS} seconds:\n{log[-6_000:]}")


def runs_of_daemon(*statuses: dg.DagsterRunStatus) -> list[dg.DagsterRun]:
    """Runs that some sensor or schedule launched, oldest first."""
    with open_instance() as instance:
        found = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": KEY}, statuses=list(statuses) or None))
    return [run for run in reversed(found) if "billcom/reason" in run.tags]


def pulls() -> int:
    """Pulls that daemon runs have begun."""
    ids = [run.run_id for run in runs_of_daemon()]
    warehouse = open_database()
    with warehouse.read() as connection:
        begun = connection.scalar(select(func.count()).where(sync_runs.c.run_id.in_(ids))) or 0
    warehouse.close()
    return begun


def test_after_a_kill_of_everything_the_next_daemon_syncs_again_and_says_so_once(
    home: Path, start_daemon: Callable[[], subprocess.Popen[bytes]]
) -> None:
    with SandboxServer(Settings(bills=30, orgs=1)) as server:
        prepare(server, home)
        server.sandbox.change_settings(latency_ms=3_000)
        first = start_daemon()
        wait_for("a pull of the daemon's", lambda: pulls() > 0, home)
        kill_tree(first)
        (dead,) = runs_of_daemon(dg.DagsterRunStatus.STARTED)

        server.sandbox.change_settings(latency_ms=0)
        start_daemon()
        wait_for("the sync after the kill", lambda: bool(runs_of_daemon(dg.DagsterRunStatus.SUCCESS)), home)

        # In no order: a run that was queued behind the dead one when all was killed is older and does the sync as well.
        ended = {run.run_id: run.status for run in runs_of_daemon()}
        assert ended.pop(dead.run_id) is dg.DagsterRunStatus.FAILURE
        assert list(ended.values()) == [dg.DagsterRunStatus.SUCCESS]
        assert runs_of_daemon(*UNFINISHED) == []
        with open_instance() as instance:
            failures = instance.get_records_for_run(dead.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
        (told,) = [record.event_log_entry.dagster_event.message for record in failures]
        assert "is gone: it was killed, or its machine or container stopped" in told
