"""``billcom ui``: the Dagster UI, with a guard in front of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.output import Output, pass_output
from billcom_assets.cli.ui_server import LOOPBACK, PORT, ui_server
from billcom_assets.webserver.guard import HOSTS_VARIABLE


@click.command(
    cls=BillcomCommand,
    examples=("billcom ui", "billcom ui --port 3001", "billcom ui --host 0.0.0.0 --allow-host bill.example.com"),
)
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to serve on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="Port; 0 for any free one."
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
    with ui_server(host, port, names=names, daemon=options["daemon"], path_prefix=options["path_prefix"]) as server:
        server.serve(output, workspace=workspace, read_only=options["read_only"])
    output.note("Stopped.")
