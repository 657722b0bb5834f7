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


def living(group: int) -> list[str]:
    """Processes of the group that have not ended."""
    lines = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in lines.splitlines()]
    return [row[2] for row in rows if len(row) == 3 and int(row[0]) == group and not row[1].startswith("Z")]


@pytest.mark.parametrize("ending", ["Ctrl-C", "SIGTERM to the command alone"])
def test_it_serves_our_code_with_a_daemon_and_ends_with_all_its_processes(home: Path, ending: str) -> None:
    with billcom_ui(home, "--allow-host", "bill.example.com") as ui:
        locations = (
            "{ locationStatusesOrError { ... on WorkspaceLocationStatusEntries { entries { name loadStatus } } } }"
        )
        assert '"billcom_assets"' in ask(ui, locations).text
        daemons = '{ instance { daemonHealth { daemonStatus(daemonType: "SENSOR") { healthy } } } }'
        wait_for(lambda: '"healthy":true' in ask(ui, daemons).text, ui)
        assert ask(ui, "{ version }", Host="bill.example.com").ok
        assert ask(ui, "{ version }", Host="evil.example").status_code == 403
        assert len(living(ui.process.pid)) >= 3
        if ending == "Ctrl-C":
            os.killpg(ui.process.pid, signal.SIGINT)
        else:
            ui.process.terminate()
        assert ui.process.wait(timeout=STARTS_SECONDS) == 0
        wait_for(lambda: living(ui.process.pid) == [], ui)
    assert ui.log.read_text(encoding="utf-8").rstrip().endswith("Stopped.")


def test_a_daemon_that_ends_by_itself_ends_the_command_with_words(home: Path) -> None:
    with billcom_ui(home) as ui:
        wait_for(lambda: any("dagster._daemon" in one for one in living(ui.process.pid)), ui)
        lines = subprocess.run(
            ["ps", "-A", "-o", "pid=,pgid=,args="], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split(maxsplit=2) for line in lines.splitlines()]
        (daemon,) = [int(row[0]) for row in rows if int(row[1]) == ui.process.pid and "dagster._daemon" in row[2]]
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
    assert "Choose others with --host and --port" in refused.err
