"""``billcom ui``: the Dagster UI, with a guard in front of it."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import click

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.output import Output, pass_output
from billcom_assets.cli.ui_address import recorded
from billcom_assets.environment import dagster_home
from billcom_assets.job_runner import LOCATION, MODULE
from billcom_assets.webserver.dagster_parts import Module
from billcom_assets.webserver.guard import HOSTS_VARIABLE, UnusableHost, allowed_hosts
from billcom_assets.webserver.serving import DaemonEnded, serve


@click.command(
    cls=BillcomCommand,
    examples=("billcom ui", "billcom ui --port 3001", "billcom ui --host 0.0.0.0 --allow-host bill.example.com"),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=3_000, show_default=True, help="Port; 0 for any free one."
)
@click.option(
    "--allow-host",
    "named",
    multiple=True,
    metavar="NAME",
    help=f"Name in the browser's address, besides localhost; may be repeated. Also {HOSTS_VARIABLE}, with commas.",
    envvar=HOSTS_VARIABLE,
)
@click.option("--daemon/--no-daemon", default=True, show_default=True, help="Run Dagster's daemon, too.")
@click.option(
    "--workspace",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Workspace file with the code locations; this one by default.",
)
@click.option("--path-prefix", default="", help="Path under which a proxy serves it, such as /dagster.")
@click.option("--read-only", is_flag=True, help="Nothing can be launched, changed or deleted in it.")
@pass_output
def ui(output: Output, /, host: str, port: int, named: tuple[str, ...], workspace: Path | None, **options: Any) -> None:
    """Serves the Dagster UI until you press Ctrl-C, and runs what launches runs by itself.

    It has no login: who reaches it can launch and delete runs. On a network put a proxy with a login in front of it.

    Pages of other sites cannot use it through your browser: requests under other names and from other origins are
    refused, and so is GraphQL by GET.
    """
    names = [name for one in named for name in one.split(",")]
    try:
        hosts = allowed_hosts([*names, *_own_name(host)])
    except UnusableHost as error:
        raise CommandFailed(str(error), ExitCode.WRONG_USE) from None
    dagster_home()
    with _listen(host, port) as listener:
        name = "localhost" if _is_unspecified(host) else _authority(host)
        shown = f"http://{name}:{listener.getsockname()[1]}{options['path_prefix']}"

        def ready() -> None:
            output.note(f"Dagster UI: {shown} (Ctrl-C ends it)")
            if not _is_loopback(host):
                output.note("It has no login of its own: put a proxy with a login in front of it.")

        try:
            with recorded(shown):
                serve(workspace or Module(MODULE, LOCATION), listener, hosts, on_ready=ready, **options)
        except DaemonEnded as error:
            raise CommandFailed(f"{error} Its log is above.") from None
    output.note("Stopped.")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CommandFailed(
            f"The UI cannot be served on {host}, port {port}: {error.strerror}. Choose others with --host and --port.",
            ExitCode.WRONG_USE,
        ) from None


def _own_name(host: str) -> list[str]:
    """The address to serve on, unless it stands for all addresses."""
    return [] if _is_unspecified(host) else [_authority(host)]


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authority(host: str) -> str:
    return f"[{host}]" if ":" in host else host
