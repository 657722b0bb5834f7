"""Serving the guarded UI until it is stopped, with the processes that belong to it."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

import dagster as dg
import uvicorn
from starlette.types import ASGIApp

from billcom_assets.webserver.dagster_parts import (
    Module,
    code_servers,
    log_to_console,
    start_daemon,
    web_application,
)
from billcom_assets.webserver.guard import Guard

_DAEMON_ENDS_SECONDS = 30
_REQUESTS_END_SECONDS = 3


class DaemonEnded(Exception):
    """The daemon ended by itself; without it nothing is launched."""


def serve(
    code: Module | Path,
    listener: socket.socket,
    hosts: frozenset[str],
    *,
    daemon: bool = True,
    path_prefix: str = "",
    read_only: bool = False,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serves the UI until the process is interrupted or asked to end.

    Args:
        code: A code location, or a workspace file that names several.
        listener: Where to accept connections.
        hosts: Names that the UI is served under, from :func:`~billcom_assets.webserver.guard.allowed_hosts`.
        daemon: Run Dagster's daemon too; in a deployment it has a container of its own.
        path_prefix: Path under which a proxy serves it, such as ``/dagster``.
        read_only: Nothing can be launched, changed or deleted.
        on_ready: Called when connections are accepted.

    Raises:
        DaemonEnded: The daemon ended by itself.
    """
    log_to_console()
    # Like Ctrl-C, so that everything that was started is ended: containers and process managers send SIGTERM.
    signal.signal(signal.SIGTERM, _interrupt)
    with suppress(KeyboardInterrupt), dg.DagsterInstance.get() as instance:
        if not daemon:
            with web_application(instance, code, path_prefix=path_prefix, read_only=read_only) as app:
                on_ready()
                _server(Guard(app, hosts)).run([listener])
            return
        with (
            code_servers(instance, code) as workspace,
            web_application(instance, workspace, path_prefix=path_prefix, read_only=read_only) as app,
        ):
            server = _server(Guard(app, hosts))
            with _daemon(workspace, on_end=partial(setattr, server, "should_exit", True)):
                on_ready()
                server.run([listener])


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=_REQUESTS_END_SECONDS
    )
    return uvicorn.Server(config)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _daemon(workspace: Path, on_end: Callable[[], None]) -> Iterator[None]:
    """The daemon, as long as the context lasts.

    Raises:
        DaemonEnded: On leaving the context: it ended before.
    """
    process = start_daemon(workspace)
    leaving = threading.Event()

    def watch() -> None:
        process.wait()
        if not leaving.is_set():
            on_end()

    threading.Thread(target=watch, name="billcom-ui-daemon", daemon=True).start()
    try:
        yield
        if process.poll() is not None:
            raise DaemonEnded(f"Dagster's daemon ended by itself, with exit code {process.returncode}.")
    finally:
        leaving.set()
        process.terminate()
        try:
            process.wait(_DAEMON_ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
