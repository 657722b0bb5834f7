"""Running the contenders as processes of their own, seen from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KILOBYTES_PER_MB = 1024 if sys.platform.startswith("linux") else 1024 * 1024


class Failed(Exception):
    """A contender did not finish; the message is what it said."""


@dataclass(frozen=True)
class Measured:
    """One process from start to end."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    """Largest resident memory."""
    said: dict[str, Any]
    """The JSON document on its standard output."""


def measured(
    command: Sequence[str | Path], given: Mapping[str, Any], *, env: Mapping[str, str] | None = None
) -> Measured:
    """Runs ``command`` with ``given`` as JSON on its standard input.

    Raises:
        Failed: It ended with an error.
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        asked.write(json.dumps(given).encode())
        asked.seek(0)
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=asked, stdout=answer, stderr=errors, env=env)
        # wait4 gives the figures of this one child; the process object must not wait for it, too.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (answer, errors):
            stream.seek(0)
        if process.returncode:
            raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{errors.read().decode()}")
        said: dict[str, Any] = json.load(answer)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _KILOBYTES_PER_MB, said)


@contextmanager
def sandbox(**settings: Any) -> Iterator[dict[str, Any]]:
    """A simulated BILL in a process of its own; gives where it is, its first organization and that one's size."""
    settings = {"orgs": 1} | settings
    command = [sys.executable, "-m", "billcom_assets_tests.bench.serve", json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
