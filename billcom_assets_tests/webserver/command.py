"""``billcom ui`` as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Running:
    """The command, serving."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def billcom_ui(home: Path, *options: str) -> Iterator[Running]:
    """The command in ``home``, ended by Ctrl-C unless it has ended by then."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "billcom_assets.cli", "ui", "--port", str(port), *options]
    log = home / "ui.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=home, stdout=stream, stderr=stream, start_new_session=True)
    running = Running(f"http://127.0.0.1:{port}", process, log)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _is_up(running.url):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        yield running
    finally:
        if process.poll() is None:
            # A terminal sends it to the whole group.
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=_PATIENCE_SECONDS)


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/server_info", timeout=10).ok
    except requests.RequestException:
        return False
