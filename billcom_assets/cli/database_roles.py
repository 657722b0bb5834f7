"""``billcom database roles``: who may do what in a PostgreSQL database."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.output import Output, pass_output
from billcom_assets.warehouse.analysts import ANALYST_SCHEMA
from billcom_assets.warehouse.roles import Roles, apply, script, steps
from billcom_assets.warehouse.tables import SCHEMA

_DEFAULT = Roles()


@click.group(cls=BillcomGroup)
def database() -> None:
    """Gives people and programs their rights in the database."""


@database.command(
    examples=(
        "billcom database roles > roles.sql",
        "billcom database roles --apply",
        "billcom database roles --apply --analyst reporting",
    )
)
@click.option("--apply", "is_applied", is_flag=True, help="Execute the SQL instead of printing it.")
@click.option("--owner", metavar="NAME", default=_DEFAULT.owner, show_default=True, help="Has the tables; upgrades.")
@click.option("--runner", metavar="NAME", default=_DEFAULT.runner, show_default=True, help="Syncs; changes no table.")
@click.option("--analyst", metavar="NAME", default=_DEFAULT.analyst, show_default=True, help="Reads what is harmless.")
@pass_output
def roles(output: Output, is_applied: bool, owner: str, runner: str, analyst: str) -> None:
    """Prints the SQL that makes three PostgreSQL roles: owner, runner and analyst.

    The owner gets the tables and upgrades them. The runner, for Dagster and this command, reads and writes rows. The
    analyst reads the views of the schema billcom_analyst, which leave out payloads, credentials and every sensitive
    column. The SQL is one transaction and may be run again at any time; psql takes it.
    """
    named = Roles(owner, runner, analyst)
    warehouse = opened()
    if warehouse.file is not None:
        raise CommandFailed(
            "This database is a file, which knows no roles: who may read the file may read everything in it. Its "
            "permissions are the boundary; for analysts, set BILLCOM_DATABASE_URL to a PostgreSQL database.",
            ExitCode.WRONG_USE,
        )
    with warehouse.write() as connection:
        planned = steps(connection, warehouse.mirror, named)
        if is_applied:
            apply(connection, planned)

    def render(console: Console) -> None:
        if not is_applied:
            click.echo(script(planned), nl=False)
            return
        console.print(f"{owner} has the schemas {SCHEMA} and {ANALYST_SCHEMA}.", soft_wrap=True)
        console.print(f"{runner} reads and writes the rows of {SCHEMA}.", soft_wrap=True)
        console.print(f"{analyst} reads the views of {ANALYST_SCHEMA}.", soft_wrap=True)
        console.print(f'Next, as an administrator, for each user: GRANT "{runner}" TO username;', soft_wrap=True)

    statements = [statement for step in planned for statement in step.statements]
    output.result({"applied": is_applied, "roles": asdict(named), "statements": statements}, render)
