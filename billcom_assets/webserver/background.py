"""Dagster's daemon and code servers: they end in order, and whenever the process that serves the pages ends.

They belong to a process of their own, ``python -m billcom_assets.webserver.background``, in a session of its own: a
terminal's Ctrl-C does not reach them. Otherwise code servers would end first, and the daemon would print what it thinks
of that. The process ends with its standard input, so they do not go on when the one that serves the pages is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from billcom_assets.webserver.dagster_parts import Module, code_servers, log_to_console, start_daemon

_ENDS_SECONDS = 30


class DaemonEnded(Exception):
    """The daemon ended by itself; without it nothing is launched."""


@dataclass(frozen=True)
class Background:
    """The process, seen from the one that serves the pages."""

    process: subprocess.Popen[bytes]
    ready: int
    """Pipe on which it says where its workspace file is."""

    def workspace(self) -> Path:
        """Waits until the code is loaded; returns a workspace file that names its servers.

        Raises:
            DaemonEnded: they could not be started.
        """
        with open(self.ready, encoding="utf-8", closefd=False) as stream:
            line = stream.readline()
        if not line:
            raise DaemonEnded("Dagster's code servers and daemon could not be started.")
        return Path(line.rstrip("\n"))

    def on_end(self, tell: Callable[[], None]) -> None:
        """Has ``tell`` called when the process ends."""

        def watch() -> None:
            self.process.wait()
            tell()

        threading.Thread(target=watch, name="billcom-ui-background", daemon=True).start()


@contextmanager
def started_background(code: Module | Path) -> Iterator[Background]:
    """Daemon and code servers, as long as the context lasts.

    Args:
        code: A code location, or a workspace file that names several.

    Raises:
        DaemonEnded: the daemon ended before.
    """
    words = [str(code)] if isinstance(code, Path) else [code.module, code.location]
    ready, written = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - our own words, and a path that the user gave us to load
        [sys.executable, "-m", __name__, str(written), *words],
        stdin=subprocess.PIPE,
        pass_fds=(written,),
        start_new_session=True,
    )
    os.close(written)
    try:
        yield Background(process, ready)
        if process.poll() is not None:
            raise DaemonEnded("Dagster's daemon ended by itself.")
    finally:
        os.close(ready)
        if process.stdin is not None:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(2 * _ENDS_SECONDS)


def _run(written: int, code: Module | Path) -> None:
    log_to_console()
    with dg.DagsterInstance.get() as instance, code_servers(instance, code) as workspace:
        with suppress(BrokenPipeError), open(written, "w", encoding="utf-8") as ready:
            ready.write(f"{workspace}\n")
        daemon = start_daemon(workspace)
        try:
            threading.Thread(target=_end_with_input, args=(daemon,), name="billcom-ui-input", daemon=True).start()
            daemon.wait()
        finally:
            _end(daemon)
    # Runs that are under way would go on without anybody: they end as by Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.killpg(os.getpgrp(), signal.SIGINT)


def _end_with_input(daemon: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    _end(daemon)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(_ENDS_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()


if __name__ == "__main__":
    _written, *_words = sys.argv[1:]
    _run(int(_written), Module(*_words) if len(_words) == 2 else Path(_words[0]))
