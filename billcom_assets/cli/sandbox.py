"""``billcom sandbox``: serving the simulated BILL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.cli.failures import CommandFailed
from billcom_assets.cli.output import Output, pass_output, to_json
from billcom_assets.private_files import make_folder
from billcom_assets.sandbox import FaultPlan, Organization, Sandbox, Settings, run
from billcom_assets.sandbox.app import CONTROL_BASE, V2_BASE, V3_BASE


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom sandbox",
        "billcom sandbox --bills 5000 --latency-ms 250 --faults all=0.02",
    ),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8_000,
    show_default=True,
    help="Port to serve on; 0 for a free one.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Decides the data: the same seed, the same data.")
@click.option(
    "--bills",
    type=click.IntRange(min=0),
    default=600,
    show_default=True,
    help="Bills of each organization; everything else grows with them.",
)
@click.option(
    "--orgs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Number of organizations, each its own data.",
)
@click.option(
    "--latency-ms", type=click.IntRange(min=0), default=0, show_default=True, help="Time that every response takes."
)
@click.option(
    "--faults",
    default="",
    metavar="PLAN",
    help="What goes wrong, and in which share of the calls, such as html_502=0.05,reset=0.02; all for everything.",
)
@click.option(
    "--throttle-status",
    type=click.Choice(["422", "429"]),
    default="422",
    show_default=True,
    help="HTTP status of a call beyond BILL's limits.",
)
@click.option(
    "--ledger-folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each company's own lists there, as its accounting program would export them.",
)
@pass_output
def sandbox(
    output: Output, /, port: int, faults: str, throttle_status: str, ledger_folder: Path | None, **data: Any
) -> None:
    """Serves a simulated BILL on this machine until you press Ctrl-C, and prints how to connect to it."""

    def ready(served: Sandbox, root: str) -> None:
        if ledger_folder is not None:
            write_ledgers(served, ledger_folder)
        announce(output, served, root)

    try:
        settings = Settings(faults=FaultPlan.parse(faults, data["seed"]), throttle_status=int(throttle_status), **data)
    except ValueError as error:
        raise click.UsageError(f"The sandbox cannot be like that: {error}.") from None
    try:
        run(settings, port=port, on_ready=ready)
    except KeyboardInterrupt:
        output.note("Stopped.")
    except OSError as error:
        raise CommandFailed(
            f"The sandbox cannot be served on port {port}: {error.strerror}. Choose another with --port."
        ) from None


def write_ledgers(served: Sandbox, folder: Path) -> None:
    """Writes the CSV files of every organization into a folder of its own, named like its integration."""
    for organization in served.world.organizations:
        own = folder / _slug(organization.name)
        make_folder(own)
        write_ledger(organization, own)


def announce(output: Output, served: Sandbox, root: str) -> None:
    """Shows where the sandbox is, who can sign in, and the command that connects it."""
    organizations = [_organization(served, one, root) for one in served.world.organizations]
    if output.as_json:
        document = {
            "ok": True,
            "base_url": root + V3_BASE,
            "v2_base_url": root + V2_BASE,
            "control_url": root + CONTROL_BASE,
            "organizations": organizations,
        }
        click.echo(to_json(document))
    else:
        click.echo(f"Simulated BILL at {root}{V3_BASE} (v2 at {root}{V2_BASE}, control at {root}{CONTROL_BASE}/)")
        for one in organizations:
            click.echo(_text(one))
        click.echo("\nStop it with Ctrl-C.")
    sys.stdout.flush()


def _organization(served: Sandbox, one: Organization, root: str) -> dict[str, Any]:
    dev_key = served.settings.dev_keys[0]
    key = _slug(one.name)
    command = (
        f'billcom connect {key} --company "{one.name}" --organization-id {one.id} --username {one.token.username} '
        f"--password {one.token.password} --dev-key {dev_key} --base-url {root}{V3_BASE}"
    )
    return {
        "organization_id": one.id,
        "name": one.name,
        "dev_key": dev_key,
        "sync_token": {"username": one.token.username, "password": one.token.password},
        "user": {"username": one.user.username, "password": one.user.password},
        "oauth_client": {"client_id": one.client.id, "client_secret": one.client.secret},
        "accountant": {"username": one.accountant.username, "console_token": one.accountant.password},
        "connect": command,
    }


def _slug(name: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in name.lower()).split())


def _text(one: dict[str, Any]) -> str:
    return (
        f"\n{one['name']}, organization {one['organization_id']}\n"
        f"  sync token     {one['sync_token']['username']} / {one['sync_token']['password']}\n"
        f"  administrator  {one['user']['username']} / {one['user']['password']}\n"
        f"  OAuth client   {one['oauth_client']['client_id']} / {one['oauth_client']['client_secret']}\n"
        f"  accountant     {one['accountant']['username']} / {one['accountant']['console_token']}\n"
        f"  developer key  {one['dev_key']}\n"
        f"  {one['connect']}"
    )
