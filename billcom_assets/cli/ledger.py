"""``billcom ledger``: the company's own records in and out."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import opened
from billcom_assets.cli.files import output_options, written
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.clock import utc_now
from billcom_assets.ledger.chart_export import chart_of_accounts
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.reference_data import ImportReport, import_reference_data
from billcom_assets.setup.prerequisites import next_step
from billcom_assets.status.readiness import gate
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import Warehouse

_WHAT = {
    "accounts": "The chart of accounts: number, name, type, parent, active.",
    "vendors": "The vendors: number, name, tax id, e-mail, active.",
    "customers": "The customers: number, name, e-mail, active.",
    "items": "Products and services: number, name, account, active.",
    "dimensions": "Departments, jobs, locations, classes and employees: kind, number, name, parent, active.",
}


@click.group(cls=BillcomGroup)
def ledger() -> None:
    """Loads the company's own lists, as its accounting program exports them, or writes them in the form BILL takes."""


def import_files(warehouse: Warehouse, key: str, files: dict[str, str], actor: Actor | None = None) -> ImportReport:
    """Makes the company's own records what the files say; all files together, or nothing.

    ``actor`` is whoever runs the process unless given.

    Raises:
        FileRefused: a file is unusable; the text says which lines.
        UnknownIntegration: there is no such integration.
    """
    with warehouse.write() as connection:
        return import_reference_data(connection, key, files, utc_now(), actor=actor or acting(how=How.IMPORT))


@ledger.command("import", examples=("billcom ledger import acme-us --accounts accounts.csv --vendors vendors.csv",))
@key_argument
@click.option("--accounts", metavar="FILE", help=_WHAT["accounts"])
@click.option("--vendors", metavar="FILE", help=_WHAT["vendors"])
@click.option("--customers", metavar="FILE", help=_WHAT["customers"])
@click.option("--items", metavar="FILE", help=_WHAT["items"])
@click.option("--dimensions", metavar="FILE", help=_WHAT["dimensions"])
@as_option
@pass_output
def import_(output: Output, /, key: str, as_name: str | None, **files: str | None) -> None:
    """Loads the company's own lists from CSV files.

    Each file holds the whole list: what is new is added, what changed is updated, what is gone is deactivated, and
    mappings stay. The usual headers of accounting programs are understood. If anything in a file is wrong, nothing is
    changed and every line at fault is named.
    """
    given = {kind: path for kind, path in files.items() if path is not None}
    if not given:
        raise click.UsageError(f"Name at least one file: {', '.join(f'--{kind}' for kind in LAYOUTS)}.")
    warehouse = opened()
    report = import_files(warehouse, key, given, acting(as_name, How.IMPORT))
    with warehouse.read() as connection:
        command = next_step(key, gate(connection, key), when_ready="billcom mappings suggest {key} --accept exact")

    def render(console: Console) -> None:
        for line in (line for file in report.files for line in file.lines()):
            console.print(line, soft_wrap=True)
        columns = ("Table", "Added", "Updated", "Unchanged", "Deactivated", "Reactivated")
        rows = [
            (one.table, one.inserted, one.updated, one.unchanged, one.deactivated, one.reactivated)
            for one in report.tables
        ]
        console.print(table(columns, rows))
        console.print(f"Next: {command}")

    document = {
        "integration": key,
        "files": [asdict(one) for one in report.files],
        "tables": [asdict(one) for one in report.tables],
        "next_step": command,
    }
    output.result(document, render)


@ledger.command(examples=("billcom ledger export acme-us --chart-of-accounts --output accounts-for-bill.csv",))
@key_argument
@click.option("--chart-of-accounts", is_flag=True, help="Write the chart of accounts for BILL's own account import.")
@output_options
@pass_output
def export(output: Output, key: str, chart_of_accounts: bool, path: str | None, force: bool) -> None:
    """Writes the company's chart of accounts as the CSV file that BILL's own import of accounts takes.

    In BILL, choose the import of accounts in the settings and give it this file.
    """
    if not chart_of_accounts:
        raise click.UsageError("Say what to write: --chart-of-accounts.")
    _export_chart(output, opened(), key, path, force=force)


def _export_chart(output: Output, warehouse: Warehouse, key: str, path: str | None, *, force: bool) -> None:
    with warehouse.read() as connection:
        chart = chart_of_accounts(connection, key)
    for problem in chart.problems:
        done = "is left out" if problem.left_out else "was changed"
        output.note(f"Account {problem.ledger_id} {done}: {problem.message}.")
    problems = [asdict(problem) for problem in chart.problems]
    document = {"integration": key, "accounts": chart.accounts, "problems": problems}
    written(output, warehouse, chart.csv, path, document, what=f"{chart.accounts:,} accounts", force=force)
