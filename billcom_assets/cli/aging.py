"""``billcom aging``: what is owed and since when, now or as of any day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.files import output_options, written
from billcom_assets.cli.options import Day, key_argument
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.ledger.spreadsheets import csv_text
from billcom_assets.warehouse.aging import PAYABLES, RECEIVABLES, Aging, AgingQuery, By
from billcom_assets.warehouse.known_integrations import require_integration
from billcom_assets.warehouse.views import rendered

_SUMS: Final = {
    "Not due": "not_due",
    "1-30": "days_1_30",
    "31-60": "days_31_60",
    "61-90": "days_61_90",
    "Over 90": "days_over_90",
    "Total": "total",
    "Drafts": "draft",
    "Denied": "denied",
    "Held": "held",
}
_ONE: Final = {"State": "state", "In the books": "books_state", "Currency": "currency", "Open": "open_amount"}
_OPTIONAL: Final = (*(title for title in _SUMS if title != "Total"), "Line", "Account", "In the books")


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom aging acme-us",
        "billcom aging acme-us --as-of 2026-06-30 --by document --output payables.csv",
        "billcom aging acme-us --receivables --by account",
        "billcom aging acme-us --as-of 2026-06-30 --sql",
    ),
)
@key_argument
@click.option("--receivables", is_flag=True, help="What customers owe, instead of what is owed to vendors.")
@click.option("--as-of", type=Day(), help="As of the end of this day, such as 2026-06-30; without it, as of now.")
@click.option("--by", type=click.Choice([*map(str, By)]), default="party", show_default=True, help="What a row is.")
@click.option("--sql", is_flag=True, help="Print the query itself, to run it elsewhere.")
@output_options
@pass_output
def aging(
    output: Output,
    /,
    *,
    key: str,
    receivables: bool,
    as_of: date | str | None,
    by: str,
    sql: bool,
    path: str | None,
    force: bool,
) -> None:
    """Shows open bills and vendor credits, or invoices and credit memos, by days overdue.

    Credits lessen the totals. Drafts and denied bills are in none of them and stand apart. What the books hold is owed
    all the same: it is in the totals, and shown beside them as held. A scheduled payment leaves
    its bill owed until it is made. A day in the past is what BILL says now, less what came later: documents dated
    later are left out, payments and credits of later days count as not made. What is archived or deleted in BILL is
    left out on every day, and an edited amount is as it is now.
    """
    which, day = RECEIVABLES if receivables else PAYABLES, as_of if isinstance(as_of, date) else None
    warehouse = opened()
    query = AgingQuery(warehouse.mirror, which, day, key).by(By(by))
    with warehouse.read() as connection:
        require_integration(connection, key)
        if sql:
            text = rendered(connection.dialect, query)
            output.result({"sql": text}, lambda _console: click.echo(text))
            return
        rows = [dict(row) for row in connection.execute(query).mappings()]
    rows.sort(key=lambda row: _place(row, which))
    document = {"integration": key, "aging": which.name, "as_of": day, "by": by}
    if path is None:
        output.result({**document, "rows": rows}, lambda console: _show(console, which, By(by), rows))
        return
    columns = [column.name for column in query.selected_columns]
    text = csv_text(columns, ([*row.values()] for row in rows))
    written(output, warehouse, text, path, document, what="The aging was", force=force)


_ORDER: Final = ("account_number", "account_name", "currency", "due_date", "document_id", "line_position")


def _place(row: dict[str, Any], which: Aging) -> list[tuple[bool, Any]]:
    names = [name for name in (f"{which.party}_name", *_ORDER) if name in row]
    return [(row[name] is None, row[name]) for name in names]


def _show(console: Console, which: Aging, by: By, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        console.print("Nothing is open.")
        return
    party = {which.party.capitalize(): f"{which.party}_name"}
    number = {"Number": "document_number", "Due": "due_date"}
    shown = {
        By.PARTY: party | {"Currency": "currency"} | _SUMS,
        By.DOCUMENT: party | number | {"Days overdue": "days_overdue"} | _ONE,
        By.LINE: party | number | {"Line": "line_position", "Account": "chart_of_account_id"} | _ONE,
        By.ACCOUNT: {"Number": "account_number", "Account": "account_name", "Currency": "currency"} | _SUMS,
    }[by]
    cells = [[row[name] for name in shown.values()] for row in rows]
    console.print(table(tuple(shown), cells, whole=("Number",), optional=_OPTIONAL))
    for currency, total in sorted(_totals(rows).items()):
        console.print(f"Total {currency}: {total:,}", soft_wrap=True)


def _totals(rows: Sequence[dict[str, Any]]) -> dict[str, Decimal]:
    """What is owed by currency; drafts and denied bills are not."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if "total" in row or row["state"] == "open":
            sums[row["currency"]] += row["total"] if "total" in row else row["open_amount"]
    return dict(sums)
