"""``billcom ui``: what it starts, whom it serves, and that all of it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from billcom_assets.cli.ui_address import served_at
from billcom_assets_tests.cli.commands import billcom_command
from billcom_assets_tests.webserver.command import Running, billcom_ui

STARTS_SECONDS = 120


def ask(ui: Running, query: str, **headers: str) -> requests.Response:
    return requests.post(f"{ui.url}/graphql", json={"query": query}, headers=headers, timeout=60)


def wait_for(holds: Callable[[], Any], ui: Running) -> None:
    deadline = time.monotonic() + STARTS_SECONDS
    while not holds():
        assert time.monotonic() < deadline, ui.log.read_text(encoding="utf-8")
        time.sleep(0.5)


def processes() -> dict[int, tuple[int, str]]:
    """(parent, arguments) of every process that has not ended."""
    lines = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=3) for line in lines.splitlines()]
    return {int(row[0]): (int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")}


def family(root: int) -> dict[int, str]:
    """The process and all that it has started, directly or not, with their arguments."""
    living = processes()
    found = {root}
    while more := {pid for pid, (parent, _) in living.items() if parent in found} - found:
        found |= more
    return {pid: living[pid][1] for pid in found if pid in living}


@pytest.mark.parametrize(
    ("ending", "code"),
    [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_it_serves_our_code_with_a_daemon_and_ends_with_all_its_processes(
    home: Path, ending: signal.Signals, code: int
) -> None:
    with billcom_ui(home, "--allow-host", "bill.example.com") as ui:
        locations = (
            "{ locationStatusesOrError { ... on WorkspaceLocationStatusEntries { entries { name loadStatus } } } }"
        )
        assert '"billcom_assets"' in ask(ui, locations).text
        daemons = '{ instance { daemonHealth { daemonStatus(daemonType: "SENSOR") { healthy } } } }'
        wait_for(lambda: '"healthy":true' in ask(ui, daemons).text, ui)
        assert ask(ui, "{ version }", Host="bill.example.com").ok
        assert ask(ui, "{ version }", Host="evil.example").status_code == 403
        second = billcom_command("ui", "--port", "0")
        assert (second.code, "served already: " + ui.url in second.err) == (2, True), second.err
        started = family(ui.process.pid)
        assert len(started) >= 4
        ui.process.send_signal(ending)
        assert ui.process.wait(timeout=STARTS_SECONDS) == code
        wait_for(lambda: started.keys() & processes().keys() == set(), ui)
        assert served_at() is None
    log = ui.log.read_text(encoding="utf-8")
    assert code or log.rstrip().endswith("Stopped.")
    assert [word for word in ("Traceback", "Warning:") if word in log] == []


def test_a_daemon_that_ends_by_itself_ends_the_command_with_words(home: Path) -> None:
    with billcom_ui(home) as ui:
        (daemon,) = [pid for pid, args in family(ui.process.pid).items() if "dagster._daemon" in args]
        os.kill(daemon, signal.SIGKILL)
        assert ui.process.wait(timeout=STARTS_SECONDS) == 1
    assert "Dagster's daemon ended by itself" in ui.log.read_text(encoding="utf-8")


def test_a_host_that_is_no_name_is_refused_before_anything_starts(home: Path) -> None:
    refused = billcom_command("ui", "--allow-host", "https://bill.example.com")
    assert refused.code == 2
    assert "without https://" in refused.err


def test_names_may_come_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLCOM_UI_HOSTS", "bill.example.com,http://other.example")
    refused = billcom_command("ui")
    assert refused.code == 2
    assert "'http://other.example' is no host name" in refused.err


def test_a_port_that_is_taken_is_told(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = billcom_command("ui", "--port", str(taken.getsockname()[1]))
    assert refused.code == 2
    assert "Another program uses port" in refused.err
    assert "Choose another port with --port" in refused.err
