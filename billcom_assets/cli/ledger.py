"""``billcom ledger``: the company's own records in and out."""

from __future__ import annotations

import shlex
from codecs import iterencode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from functools import partial

import click
from rich.console import Console

from billcom_assets.books.export.formats import FORMATS, export_books
from billcom_assets.books.export.rows import Period
from billcom_assets.books.identities.control_balances import control_balances
from billcom_assets.books.reconciliation import books_of
from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.files import output_options, save, written
from billcom_assets.cli.options import Day, acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.clock import utc_now
from billcom_assets.ledger.chart_export import chart_of_accounts
from billcom_assets.ledger.company import keep_books_in
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.reference_data import ImportReport, import_reference_data
from billcom_assets.ledger.removals import RemovalsRefused
from billcom_assets.mapping.overview import Overviews
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.redaction.counted import counted
from billcom_assets.status.readiness import gate, next_command
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.home_currency import home_currency as stored_home_currency

_LISTS = {
    "accounts": "The chart of accounts: number, name, type, parent, currency, header, active.",
    "vendors": "The vendors: number, name, tax id, e-mail, currency, terms, on hold, default account, 1099, active.",
    "customers": "The customers: number, name, e-mail, currency, terms, on hold, default account, active.",
    "items": "Products and services: number, name, income account, expense account, active.",
    "departments": "The departments: number, name, parent, active.",
    "classes": "The accounting classes: number, name, parent, active.",
    "locations": "The locations: number, name, parent, active.",
    "jobs": "The jobs or projects: number, name, parent, active.",
    "employees": "The employees: number, name, e-mail, active.",
    "dimensions": "Departments, jobs, locations, classes, employees in one file: kind, number, name, parent, active.",
}


def _list_options(command: Callable[..., None]) -> Callable[..., None]:
    """One option for each kind of file."""
    for kind, what in reversed(_LISTS.items()):
        command = click.option(f"--{kind}", metavar="FILE", help=what)(command)
    return command


@click.group(cls=BillcomGroup)
def ledger() -> None:
    """Loads the company's own lists, as its accounting program exports them, or writes files: lists, or the books."""


def import_files(
    warehouse: Warehouse,
    key: str,
    files: dict[str, str],
    actor: Actor | None = None,
    *,
    type_map: str | None = None,
    home_currency: str | None = None,
    allow_removals: bool = False,
) -> ImportReport:
    """Makes the company's own records what the files say, all files together or nothing, and renews suggestions.

    ``actor`` is whoever runs the process unless given. Without files only the home currency is set.

    Raises:
        FileRefused: a file is unusable; the text says which lines.
        RemovalsRefused: too much of a list, or something mapped, would be taken out of use.
        InvalidSetting: the home currency is no currency.
        UnknownIntegration: there is no such integration.
    """
    who, now = actor or acting(how=How.IMPORT), utc_now()
    with warehouse.write() as connection:
        if home_currency is not None:
            keep_books_in(connection, key, home_currency, actor=who, now=now)
        if not files:
            return ImportReport(key, (), ())
        report = import_reference_data(
            connection, key, files, now, actor=who, type_map=type_map, allow_removals=allow_removals
        )
        suggest(connection, key, now)
        return report


@ledger.command(
    "import",
    examples=(
        "billcom ledger import acme-us --accounts accounts.csv --vendors vendors.csv",
        "billcom ledger import acme-us --accounts nominal.csv --type-map types.csv",
        "billcom ledger import acme-us --home-currency EUR",
    ),
)
@key_argument
@_list_options
@click.option(
    "--type-map",
    metavar="FILE",
    help="CSV of two columns for accounts without a type that is known: what the program calls the type, or a range "
    "of numbers such as 1000-1999, and BILL's type.",
)
@click.option("--home-currency", metavar="CODE", help="The currency that the company keeps its books in, such as EUR.")
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Deactivate what the files lack even when it is mapped, or more than one in ten of a list.",
)
@as_option
@pass_output
def import_(
    output: Output,
    /,
    *,
    key: str,
    type_map: str | None,
    home_currency: str | None,
    allow_removals: bool,
    as_name: str | None,
    **files: str | None,
) -> None:
    """Loads the company's own lists from files, as its accounting program writes them.

    Each file holds the whole list: what is new is added, what changed is updated, what is gone is deactivated, and
    mappings follow what is renamed or renumbered. A file that lacks something mapped, or more than a tenth of its list,
    is refused unless you confirm it. CSV files are recognised by their headers; IIF, beancount and hledger files are
    taken too. If anything in a file is wrong, nothing is changed and every line at fault is named.
    """
    given = {kind: path for kind, path in files.items() if path is not None}
    if not given and home_currency is None:
        raise click.UsageError(f"Name at least one file: {', '.join(f'--{kind}' for kind in LAYOUTS)}.")
    warehouse = opened()
    who = acting(as_name, How.IMPORT)
    settings = {"type_map": type_map, "home_currency": home_currency}
    try:
        report = import_files(warehouse, key, given, who, **settings, allow_removals=allow_removals)
    except RemovalsRefused as refused:
        raise _unconfirmed(refused, key, given | settings | {"as": as_name}) from None
    with warehouse.read() as connection:
        books = stored_home_currency(connection, key)
        command = next_command(gate(connection, key), Overviews(connection, key))
    output.result(_import_document(key, report, books, command), lambda console: _show(console, report, books, command))


def _unconfirmed(refused: RemovalsRefused, key: str, given: Mapping[str, str | None]) -> CommandFailed:
    """The failure with the command that confirms."""
    options = [(f"--{name.replace('_', '-')}", value) for name, value in given.items() if value is not None]
    words = [word for option in options for word in option]
    command = shlex.join(["billcom", "ledger", "import", key, *words, "--allow-removals"])
    removals = [removal for one in refused.doubtful for removal in one.removals]
    return CommandFailed(f"{refused}\n{command}", ExitCode.WRONG_USE, removals=removals, next_step=command)


def _import_document(key: str, report: ImportReport, home_currency: str, command: str) -> dict[str, object]:
    return {
        "integration": key,
        "home_currency": home_currency,
        "files": [asdict(one) for one in report.files],
        "tables": [asdict(one) for one in report.tables],
        "renamed": [asdict(one) for one in report.renamed],
        "next_step": command,
    }


def _show(console: Console, report: ImportReport, home_currency: str, command: str) -> None:
    for line in (line for file in report.files for line in file.lines()):
        console.print(line, soft_wrap=True)
    if report.tables:
        columns = ("Table", "Added", "Updated", "Unchanged", "Deactivated", "Reactivated")
        rows = [
            (one.table, one.inserted, one.updated, one.unchanged, one.deactivated, one.reactivated)
            for one in report.tables
        ]
        console.print(table(columns, rows, whole=("Table",), optional=columns[2:]))
    for one in report.renamed:
        console.print(str(one), soft_wrap=True)
    console.print(f"The books are kept in {home_currency}.")
    console.print(f"Next: {command}", soft_wrap=True)


@ledger.command(
    examples=(
        "billcom ledger export acme-us --chart-of-accounts --output accounts-for-bill.csv",
        "billcom ledger export acme-us --format beancount --output books.beancount",
        "billcom ledger export acme-us --format journal-csv --from 2026-01-01 --to 2026-03-31 --output quarter.csv",
    )
)
@key_argument
@click.option("--chart-of-accounts", is_flag=True, help="Write the chart of accounts for BILL's own account import.")
@click.option("--format", "format_", type=click.Choice([*FORMATS]), help="Write the books in this format.")
@click.option("--from", "first", type=Day(), help="First posting date of the books, such as 2026-01-01.")
@click.option("--to", "last", type=Day(), help="Last posting date of the books, such as 2026-03-31.")
@output_options
@pass_output
def export(
    output: Output,
    /,
    *,
    key: str,
    chart_of_accounts: bool,
    format_: str | None,
    first: date | str | None,
    last: date | str | None,
    path: str | None,
    force: bool,
) -> None:
    """Writes the books, or the company's chart of accounts as the CSV file that BILL's own import of accounts takes.

    beancount and hledger are journals that these programs check: each vendor and customer has an account of its own
    below accounts payable or receivable, and the balances of all accounts are asserted at the end. With --from what
    was posted before is brought forward. csv has a row for each line with the amounts in both currencies; journal-csv
    has the columns that the general-journal import of accounting programs takes. The file for BILL goes into the
    import of accounts in BILL's settings.
    """
    period = Period(*(day if isinstance(day, date) else None for day in (first, last)))
    if chart_of_accounts == (format_ is not None):
        raise click.UsageError("Say what to write: --chart-of-accounts, or the books with --format.")
    if format_ is None:
        if period != Period():
            raise click.UsageError("--from and --to choose entries of the books, so they need --format.")
        _export_chart(output, opened(), key, path, force=force)
        return
    if period.first is not None and period.last is not None and period.first > period.last:
        raise click.UsageError("--from is after --to.")
    _export_books(output, opened(), key, format_=format_, period=period, path=path, force=force)


def _export_books(
    output: Output, warehouse: Warehouse, key: str, *, format_: str, period: Period, path: str | None, force: bool
) -> None:
    chosen = FORMATS[format_]
    document: dict[str, object] = {"integration": key, "format": format_, "from": period.first, "to": period.last}
    with warehouse.snapshot() as connection:
        books = books_of(connection, warehouse.mirror, key, utc_now())
        expected = partial(control_balances, connection, books)
        text, exported = export_books(connection, key, chosen, period, expected)
        if path is not None:
            save(warehouse, path, iterencode(text, chosen.encoding), force=force)
        elif output.as_json:
            document["text"] = "".join(text)
        else:
            for piece in text:
                click.echo(piece, nl=False)
    document |= asdict(exported)
    check = shlex.join((*chosen.check, path or "FILE")) if chosen.check else None
    if path is not None:
        document |= {"file": path, "check": check}
    held = f"{counted(exported.entries, 'entry', 'entries')} with {counted(exported.lines, 'line', 'lines')}"
    how = f"Check it: {check}" if check else f"Debits and credits are {exported.debit:,} {exported.home_currency} each."
    if path is None:
        output.note(f"{held}. {how}")
        if not output.as_json:
            return
    output.result(document, lambda console: console.print(f"{held} written to {path}. {how}", soft_wrap=True))


def _export_chart(output: Output, warehouse: Warehouse, key: str, path: str | None, *, force: bool) -> None:
    with warehouse.read() as connection:
        chart = chart_of_accounts(connection, key)
    for problem in chart.problems:
        done = "is left out" if problem.left_out else "was changed"
        output.note(f"Account {problem.ledger_id} {done}: {problem.message}.")
    problems = [asdict(problem) for problem in chart.problems]
    document = {"integration": key, "accounts": chart.accounts, "problems": problems}
    written(
        output, warehouse, chart.csv, path, document, what=counted(chart.accounts, "account", "accounts"), force=force
    )
