from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys

import dagster as dg
import requests

from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.cli.commands import DEV_KEY, Desk, billcom_command
from billcom_assets_tests.readme import first_document


def serve(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "billcom_assets.cli", "sandbox", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_what_it_announces_until_it_is_interrupted(desk: Desk) -> None:
    with serve("--bills", "12", "--orgs", "3", "--seed", "5", "--faults", "nulls=0.5", "--json") as command:
        assert command.stdout is not None
        document = first_document(command.stdout)
        assert (document["ok"], len(document["organizations"])) == (True, 3)
        line = document["organizations"][2]["connect"]
        connected = desk.run(*shlex.split(line)[1:])
        settings = requests.get(f"{document['control_url']}/settings", timeout=10).json()
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=30)

    assert (command.returncode, "Traceback" in err) == (0, False)
    assert connected.code == 0, connected.err
    assert (settings["bills"], settings["seed"], settings["faults"]) == (12, 5, "nulls=0.5")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answered = billcom_command("sandbox", "--port", str(port), "--bills", "0")

    assert answered.code == 1
    assert f"cannot be served on port {port}" in answered.err
    assert "--port" in answered.err


def test_an_interrupted_sync_says_so_and_goes_on_next_time(desk: Desk) -> None:
    with SandboxServer(Settings(bills=40, orgs=1, latency_ms=300, dev_keys=(DEV_KEY,))) as slow:
        assert desk.connect("acme", base_url=slow.base_url).code == 0
        with subprocess.Popen(
            [sys.executable, "-m", "billcom_assets.cli", "seed", "acme"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as command:
            assert command.stderr is not None
            first = command.stderr.readline()
            # As a terminal does: every process that the command has started hears it, too.
            os.killpg(command.pid, signal.SIGINT)
            _, err = command.communicate(timeout=60)
        slow.sandbox.change_settings(latency_ms=0)
        with dg.DagsterInstance.get() as instance:
            (run,) = instance.get_runs()
        again = desk.run("seed", "acme", "--json")

    assert first.startswith("vendors (first pull)")
    assert command.returncode == 130
    assert run.is_finished
    assert err.rstrip().endswith("Stopped. What was committed is kept; run the command again to go on.")
    assert "Traceback" not in err
    assert again.code == 0
    assert again.document["pulls"][0]["kind"] == "incremental"


def test_the_demos_bill_can_be_served_alone_for_syncs_of_ones_own(desk: Desk) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "billcom_assets.cli", "demo", "--bills", "20", "--serve-only"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stderr is not None
        while "until you press Ctrl-C" not in command.stderr.readline():
            assert command.poll() is None
        try:
            seeded = desk.run("seed", "demo-20", "--json")
            command.send_signal(signal.SIGINT)
            _, err = command.communicate(timeout=30)
        finally:
            command.kill()

    assert (command.returncode, "Traceback" in err) == (0, False)
    assert (seeded.code, json.loads(seeded.out)["ok"]) == (0, True)
