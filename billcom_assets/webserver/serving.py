"""Serving the guarded UI until it is stopped, with the processes that belong to it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import dagster as dg
import uvicorn
from starlette.types import ASGIApp

from billcom_assets.webserver.background import DaemonEnded, started_background
from billcom_assets.webserver.dagster_parts import Module, log_to_console, web_application
from billcom_assets.webserver.guard import Guard
from billcom_assets.webserver.interrupts import hear_once, postponed

__all__ = ["DaemonEnded", "serve"]

_REQUESTS_END_SECONDS = 3


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
        on_ready: Called when requests are answered.

    Raises:
        DaemonEnded: The daemon ended by itself.
    """
    log_to_console()
    hear_once()
    with suppress(KeyboardInterrupt), dg.DagsterInstance.get() as instance, ExitStack() as running:
        background = running.enter_context(started_background(code)) if daemon else None
        loaded = background.workspace() if background is not None else code
        with postponed():
            app = running.enter_context(web_application(instance, loaded, path_prefix=path_prefix, read_only=read_only))
        server = _Server(Guard(app, hosts), on_ready)
        if background is not None:
            background.on_end(server.stop)
        server.run([listener])


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_level="warning", server_header=False, timeout_graceful_shutdown=_REQUESTS_END_SECONDS
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        self._on_ready()

    def stop(self) -> None:
        """Answers what was asked, and ends."""
        self.should_exit = True
