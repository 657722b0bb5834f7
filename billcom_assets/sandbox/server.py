"""Serving a sandbox over HTTP: in a thread for tests and the demo, or in the foreground for the command."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import uvicorn

from billcom_assets.sandbox.app import CONTROL_BASE, V2_BASE, V3_BASE, make_app
from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.state import Sandbox
from billcom_assets.sandbox.world import World

_START_SECONDS = 30.0
_STOP_LOOK_SECONDS = 0.02
_LAST_ANSWERS_SECONDS = 0.1


class SandboxCrashed(Exception):
    """The sandbox itself failed while it served; the message has its tracebacks."""


class _Server(uvicorn.Server):
    """Stops sooner than uvicorn does: tests start and stop many of them."""

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        while not self.should_exit:
            await asyncio.sleep(_STOP_LOOK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, without uvicorn's pause for answers under way where there are none."""
        if not self.force_exit:
            await super().shutdown(sockets)
            return
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_LAST_ANSWERS_SECONDS)


class SandboxServer:
    """A sandbox on a free loopback port, served from a thread while the context lasts.

    Args:
        settings: What the sandbox is like; an existing ``Sandbox`` is served as it is.
        clock: The time it lives in; wall time when None.

    Attributes:
        sandbox: Its world, sessions, limits, faults and statistics.
        base_url: Where v3 is, for example ``http://127.0.0.1:49152/connect``.
        v2_base_url: Where v2 is.
        control_url: Where the control routes are.

    Raises:
        SandboxCrashed: On leaving the context, when a request made the sandbox itself fail.
    """

    def __init__(self, settings: Settings | Sandbox | None = None, *, clock: Clock | None = None) -> None:
        self.sandbox = settings if isinstance(settings, Sandbox) else Sandbox(settings, clock)
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.base_url = self.v2_base_url = self.control_url = ""

    @property
    def world(self) -> World:
        """The simulated companies: the truth."""
        return self.sandbox.world

    @property
    def clock(self) -> Clock:
        """The sandbox's clock."""
        return self.sandbox.clock

    def start(self) -> Self:
        """Begin to serve; gives the server itself.

        Raises:
            TimeoutError: It did not come up.
        """
        self._socket = socket.create_server(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.base_url, self.v2_base_url, self.control_url = root + V3_BASE, root + V2_BASE, root + CONTROL_BASE
        self._server = _Server(_config(self.sandbox))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="billcom-sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise TimeoutError("the sandbox did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """Stop serving and free the port; stopping twice is no error."""
        if self._server is not None and self._thread is not None:
            # With no call under way there is nothing to wait for: idle connections may just close.
            self._server.force_exit = self.sandbox.limits.idle
            self._server.should_exit = True
            self._thread.join(timeout=10)
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self.sandbox.stats.crashes and kind is None:
            raise SandboxCrashed("\n".join(self.sandbox.stats.crashes))


def run(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8_000,
    *,
    on_ready: Callable[[Sandbox, str], None] | None = None,
) -> None:
    """Serve a sandbox in the foreground until interrupted.

    Args:
        settings: What the sandbox is like.
        host: A loopback address or ``localhost``.
        port: 0 for any free one.
        on_ready: Called with the sandbox and its root, such as ``http://127.0.0.1:8000``, when calls are accepted.

    Raises:
        ValueError: ``host`` is not this machine: a sandbox gives its credentials to whoever asks.
        OSError: The port is taken.
    """
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"the sandbox is served to this machine only, not on {host}")
    sandbox = Sandbox(settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        if on_ready is not None:
            named = f"[{host}]" if family is socket.AF_INET6 else host
            on_ready(sandbox, f"http://{named}:{listener.getsockname()[1]}")
        # uvicorn shuts down in order and then raises the interrupt again.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(_config(sandbox)).run(sockets=[listener])


def _config(sandbox: Sandbox) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(sandbox),
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
