"""With the real daemon and webserver: two organizations are connected by command, and the rest happens by itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

import billcom_assets
from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.automation.companies import KEY

WORKSPACE = Path(billcom_assets.__file__).parent.parent / "workspace.yaml"
OTHER = "other-inc"
FRESH = "1 of 1 synced integrations are fresh. Not synced yet: 1."
PATIENCE_SECONDS = 120
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "billcom_assets", "jobName": "full_sync"}


@dataclass(frozen=True)
class Dagster:
    """A running webserver, asked as its own pages ask it."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30)
        body = answer.json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def runs(self, job: str, key: str) -> list[dict[str, Any]]:
        found = self.ask(
            """query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
                 runId status tags { key value } } } } }""",
            filter={"pipelineName": job, "tags": [{"key": "dagster/partition", "value": key}]},
        )
        results: list[dict[str, Any]] = found["runsOrError"]["results"]
        return results

    def launch_full_sync(self, key: str) -> str:
        answer = self.ask(
            """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
                 ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            params={
                "selector": SELECTOR,
                "runConfigData": {},
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": key}]},
            },
        )["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def status(self, run_id: str) -> str:
        run = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)
        return str(run["runOrError"]["status"])

    def tags(self, run_id: str) -> dict[str, str]:
        run = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { tags { key value } } } }", id=run_id)[
            "runOrError"
        ]
        return {one["key"]: one["value"] for one in run["tags"]}

    def materializations(self, asset: str, key: str) -> int:
        found = self.ask(
            """query($key: AssetKeyInput!, $partitions: [String!]) { assetOrError(assetKey: $key) { __typename
                 ... on Asset { assetMaterializations(partitions: $partitions) { partition } } } }""",
            key={"path": [asset]},
            partitions=[key],
        )["assetOrError"]
        return len(found.get("assetMaterializations", []))

    def verdict(self, asset: str, check: str, key: str | None = None) -> tuple[bool, str] | None:
        found = self.ask(
            """query($key: AssetKeyInput!, $check: String!, $partition: String) { assetCheckExecutions(
                 assetKey: $key, checkName: $check, partition: $partition, limit: 1) {
                 evaluation { success description } } }""",
            key={"path": [asset]},
            check=check,
            partition=key,
        )["assetCheckExecutions"]
        latest = found[0]["evaluation"] if found else None
        return (latest["success"], latest["description"]) if latest else None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(path))
    for name in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(bills=30, orgs=2)) as running:
        yield running


@pytest.fixture
def start_dagster(home: Path) -> Iterator[Callable[[], Dagster]]:
    """Starts webserver and daemon on loopback; ends them, and what they started, at the end of the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> Dagster:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port), "-w", str(WORKSPACE)]
        with (home / "dagster.log").open("wb") as log:
            started.append(
                subprocess.Popen(command, cwd=home, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            )
        dagster = Dagster(f"http://127.0.0.1:{port}")
        wait_for("the webserver", lambda: _is_up(dagster), home)
        return dagster

    yield start
    for process in started:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_up(dagster: Dagster) -> bool:
    try:
        return requests.get(f"{dagster.url}/server_info", timeout=5).ok
    except requests.ConnectionError:
        return False


def wait_for(what: str, holds: Callable[[], Any], home: Path) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.5)
    log = (home / "dagster.log").read_text(encoding="utf-8", errors="replace")
    pytest.fail(f"{what} did not come within {PATIENCE_SECONDS} seconds:\n{log[-6_000:]}")


def billcom(*words: str, expected: int = 0) -> dict[str, Any]:
    """A command in a process of its own; its JSON document."""
    command = [sys.executable, "-m", "billcom_assets.cli", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == expected, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def connect(server: SandboxServer, key: str, number: int) -> None:
    one = server.world.organizations[number]
    words = {
        "--company": one.name,
        "--organization-id": one.id,
        "--username": one.token.username,
        "--password": one.token.password,
        "--dev-key": "sandbox-dev-key",
        "--base-url": server.base_url,
        "--v2-base-url": server.v2_base_url,
    }
    billcom("connect", key, *(word for pair in words.items() for word in pair))


def has_ended(dagster: Dagster, job: str, key: str, status: str = "SUCCESS") -> bool:
    return any(run["status"] == status for run in dagster.runs(job, key))


def stored(table: str, key: str) -> dict[str, Any]:
    """When BILL last changed each stored object."""
    warehouse = open_database()
    t = warehouse.mirror.table(table)
    with warehouse.read() as connection:
        found = {row.id: row.updated_time for row in connection.execute(t.select().where(t.c.integration == key))}
    warehouse.close()
    return found


def test_two_organizations_from_connected_to_routine_without_a_button(
    home: Path, server: SandboxServer, start_dagster: Callable[[], Dagster]
) -> None:
    connect(server, KEY, 0)
    connect(server, OTHER, 1)
    dagster = start_dagster()

    for key in (KEY, OTHER):
        wait_for(f"the seed of {key}", lambda key=key: has_ended(dagster, "initial_seed", key), home)
        assert dagster.materializations("vendors", key) == 1
        assert dagster.materializations("bills", key) == 0
        assert dagster.verdict("gate", "authenticated", key) == (True, "BILL accepted the login")
        passed, told = dagster.verdict("gate", "vendors_mapped", key) or (None, "")
        assert passed is False
        assert f"billcom ledger import {key}" in told

    folder = home / "ledger"
    folder.mkdir()
    files = write_ledger(server.world.organizations[0], folder)
    billcom("ledger", "import", KEY, *(word for kind, path in files.items() for word in (f"--{kind}", path)))
    billcom("mappings", "suggest", KEY, "--accept", "exact")

    # At night the sweep may be the first to find it ready.
    wait_for(
        f"the first full sync of {KEY}",
        lambda: has_ended(dagster, "full_sync", KEY) or has_ended(dagster, "full_refresh", KEY),
        home,
    )
    assert len(dagster.runs("initial_seed", KEY)) == 1
    assert dagster.materializations("bills", KEY) >= 1
    assert dagster.verdict("gate", "vendors_mapped", KEY)[0] is True  # type: ignore[index]
    truth = {row["id"] for row in server.world.organizations[0].rows("bills")}
    before = stored("bills", KEY)
    assert set(before) == truth
    server.sandbox.change(40, seed=3, organization=server.world.organizations[0].id)
    again = dagster.launch_full_sync(KEY)
    refused = dagster.launch_full_sync(OTHER)
    wait_for("the second sync", lambda: dagster.status(again) == "SUCCESS", home)
    after = stored("bills", KEY)
    assert set(after) == {row["id"] for row in server.world.organizations[0].rows("bills")}
    assert after != before

    wait_for("the end of the other's run", lambda: dagster.status(refused) == "SUCCESS", home)
    assert dagster.tags(refused)["billcom/outcome"] == "refused: setup not completed"
    assert dagster.materializations("bills", OTHER) == 0
    assert stored("bills", OTHER) == {}
    passed, told = dagster.verdict("gate", "accounts_mapped", OTHER) or (None, "")
    assert passed is False
    assert f"billcom ledger import {OTHER}" in told
    wait_for("the verdict on freshness", lambda: dagster.verdict("bills", "freshness") == (True, FRESH), home)
