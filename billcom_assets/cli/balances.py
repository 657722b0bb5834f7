"""The trial balance as a table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.table import Table

from billcom_assets.books.summary import Balance
from billcom_assets.cli.output import table
from billcom_assets.redaction.excerpt import excerpt


def trial_balance_table(balances: Sequence[Balance]) -> Table:
    """Every account and the totals of both sides."""
    rows: list[Sequence[object]] = [
        (excerpt(one.account), excerpt(one.name), one.debit, one.credit, one.balance) for one in balances
    ]
    totals = [sum((getattr(one, side) for one in balances), Decimal(0)) for side in ("debit", "credit", "balance")]
    return table(
        ("Account", "Name", "Debit", "Credit", "Balance"), [*rows, ("", "Total", *totals)], wrap=("Account", "Name")
    )
