from __future__ import annotations

import ast
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import requests

import billcom_assets.sandbox
from billcom_assets.sandbox import Sandbox, SandboxServer, Settings, run
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.sandbox.pages import Lister, ListRequest
from billcom_assets.sandbox.server import SandboxCrashed
from billcom_assets_tests.sandbox.api import Api


def test_a_stopped_server_frees_its_port_and_leaves_no_thread() -> None:
    # Servers of other tests may be running in this process.
    before = set(threading.enumerate())
    with SandboxServer(Settings(bills=0)) as server:
        assert requests.get(f"{server.base_url}/v3/health", timeout=5).status_code == 200
        address = server.base_url
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/v3/health", timeout=5)
    new = set(threading.enumerate()) - before
    assert not [thread for thread in new if thread.name == "billcom-sandbox"]


def test_two_servers_can_share_one_sandbox() -> None:
    box = Sandbox(Settings(bills=20))
    with SandboxServer(box) as first, SandboxServer(box) as second:
        assert first.base_url != second.base_url
        session = Api(first).log_in().headers
        other = Api(second)
        other.headers = session
        assert other.get("/v3/bills").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::"])
def test_a_sandbox_is_not_served_to_other_machines(host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        run(Settings(bills=0), host=host)


def test_it_runs_in_the_foreground_until_interrupted() -> None:
    program = (
        "from billcom_assets.sandbox import Settings, run\n"
        "def ready(sandbox, root): sys.stdout.write(root + '\\n'); sys.stdout.flush()\n"
        "run(Settings(bills=5), port=0, on_ready=ready)\n"
    )
    command = [sys.executable, "-c", "import sys\n" + program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            root = process.stdout.readline().strip()
            organizations = requests.get(f"{root}/_sandbox/organizations", timeout=10).json()
            assert len(organizations) == 2
            with pytest.raises(OSError, match="in use"):
                run(Settings(bills=0), port=int(root.rsplit(":", 1)[1]))
        finally:
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{root}/_sandbox/state", timeout=5)


def test_an_error_of_the_sandbox_itself_is_not_mistaken_for_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(Lister, "page", broken)
    server = SandboxServer(Settings(bills=5)).start()
    answer = Api(server).log_in().get("/v3/bills")
    assert (answer.status_code, answer.json()[0]["code"]) == (500, "BDC_1001")
    with pytest.raises(SandboxCrashed, match="a mistake of ours"):
        server.__exit__(None, None, None)


def test_it_is_quiet(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with SandboxServer(Settings(bills=5)) as server:
        server.sandbox.set_faults(server.sandbox.faults.plan.parse("reset=1*1"))
        api = Api(server)
        with pytest.raises(requests.RequestException):
            api.post("/v3/login", api.login_body())
        api.log_in().get("/v3/nowhere")
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "starlette"))]


def test_a_page_of_a_hundred_rows_costs_little() -> None:
    box = Sandbox(Settings(bills=2_000, orgs=1))
    lister = Lister(box.world.organization(), box.faults)
    window = 'updatedTime:gte:"2024-01-01T00:00:00.000Z"'
    request = ListRequest(None, window, "updatedTime:asc", 100, approvals=False)
    lister.page(BILLS, request)
    started = process_time()
    for _ in range(50):
        body, rows = lister.page(BILLS, request)
    assert (process_time() - started) / 50 < 0.002
    assert rows == 100
    assert len(body) > 50_000


def test_the_sandbox_imports_nothing_of_ours() -> None:
    root = Path(billcom_assets.sandbox.__file__).parent
    for module in root.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            ours = [name for name in names if name.startswith("billcom_assets")]
            assert all(name.startswith("billcom_assets.sandbox") for name in ours), module
            assert not any(name.split(".")[0] in ("dagster", "sqlalchemy") for name in names), module
