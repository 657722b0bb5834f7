"""The Dagster UI's place on this machine: taken before anything else is done, then served from."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from billcom_assets.cli import ui_address
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.output import Output
from billcom_assets.environment import dagster_home
from billcom_assets.webserver.guard import UnusableHost, allowed_hosts

LOOPBACK = "127.0.0.1"
PORT = 3_000


@dataclass(frozen=True)
class UiServer:
    """An address that nobody else can serve on any more.

    Attributes:
        listener: Accepts connections; they wait until the UI is served.
        url: What people open.
        hosts: Names it is served under.
    """

    listener: socket.socket
    url: str
    hosts: frozenset[str]
    daemon: bool
    path_prefix: str

    def serve(self, output: Output, *, workspace: Path | None = None, read_only: bool = False) -> None:
        """Serves the UI until Ctrl-C; says where once it answers.

        Raises:
            CommandFailed: Dagster's daemon ended by itself.
        """
        from billcom_assets.job_runner import LOCATION, MODULE  # noqa: PLC0415 - imports Dagster
        from billcom_assets.webserver.dagster_parts import Module  # noqa: PLC0415 - imports Dagster
        from billcom_assets.webserver.serving import DaemonEnded, serve  # noqa: PLC0415 - imports Dagster

        code = workspace or Module(MODULE, LOCATION)
        host = self.listener.getsockname()[0]

        def ready() -> None:
            output.note(f"Dagster UI: {self.url} (Ctrl-C ends it)")
            if not ipaddress.ip_address(host).is_loopback:
                output.note("It has no login of its own: put a proxy with a login in front of it.")

        try:
            serve(
                code,
                self.listener,
                self.hosts,
                daemon=self.daemon,
                path_prefix=self.path_prefix,
                read_only=read_only,
                on_ready=ready,
            )
        except DaemonEnded as error:
            raise CommandFailed(f"{error} Its log is above.") from None


@contextmanager
def ui_server(
    host: str = LOOPBACK,
    port: int = PORT,
    *,
    names: list[str] | None = None,
    daemon: bool = True,
    path_prefix: str = "",
) -> Iterator[UiServer]:
    """Takes the place; one home has one UI, apart from those without a daemon.

    Raises:
        CommandFailed: it is taken, or a name is none.
    """
    try:
        hosts = allowed_hosts([*(names or ()), *_own_name(host)])
    except UnusableHost as error:
        raise CommandFailed(str(error), ExitCode.WRONG_USE) from None
    dagster_home()
    with ExitStack() as held:
        record = None
        try:
            record = held.enter_context(ui_address.claimed())
        except ui_address.AlreadyServed as error:
            # Two daemons would launch everything twice.
            if daemon:
                raise _already_served(str(error)) from None
        listener = held.enter_context(_listen(host, port))
        name = "localhost" if _is_unspecified(host) else _authority(host)
        url = f"http://{name}:{listener.getsockname()[1]}{path_prefix}"
        if record is not None:
            record(url)
        yield UiServer(listener, url, hosts, daemon, path_prefix)


def _already_served(address: str) -> CommandFailed:
    where = f": {address}" if address else "; it is about to start"
    return CommandFailed(f"The Dagster UI of this folder is served already{where}", ExitCode.WRONG_USE)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"Another program uses port {port} of {host}. Choose another port with --port (make dev PORT=3001)."
        else:
            why = f"The UI cannot be served on {host}, port {port}: {error.strerror}. Choose with --host and --port."
        raise CommandFailed(why, ExitCode.WRONG_USE) from None


def _own_name(host: str) -> list[str]:
    """The address to serve on, unless it stands for all addresses."""
    return [] if _is_unspecified(host) else [_authority(host)]


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _authority(host: str) -> str:
    return f"[{host}]" if ":" in host else host
