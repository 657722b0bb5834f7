"""Identity 8: what exported books assert is so; that other programs accept them, the exporter's own tests prove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table, literal, select

from billcom_assets.books.identities.accounts import accounts_of
from billcom_assets.books.identities.comparison import NO_DOCUMENT, Comparison, on_left, on_right
from billcom_assets.books.identities.control_balances import by_bill
from billcom_assets.books.identities.findings import SHOWN, Finding, Identity
from billcom_assets.books.identities.labels import Label, account_labels, in_currency, party_labels
from billcom_assets.books.identities.payables import SETTING
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_lines
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.types import Exact

_VIEW: Final = Table(
    "trial_balance",
    MetaData(),
    Column("integration"),
    Column("ledger_account_id"),
    Column("balance", Exact(money=True)),
    schema=SCHEMA,
)
_NO_DOCUMENT: Final = (literal(NO_DOCUMENT).label("kind"), literal("").label("id"))


def look(connection: Connection, run: Run) -> Finding:
    """Compares the trial balance with the lines, and each vendor on accounts payable with what BILL says is open."""
    accounts, parties = _accounts(run), _parties(connection, run)

    def accounts_named(groups: Sequence[Any]) -> list[Label]:
        labels = account_labels(connection, run, [one.account for one in groups])
        return [labels[one.account] for one in groups]

    def parties_named(groups: Sequence[Any]) -> list[Label]:
        labels = party_labels(connection, run, "vendors", [one.party for one in groups])
        return [in_currency(labels[one.party], one.currency) for one in groups]

    compared, differences = accounts.counts(connection)
    parties_compared, parties_differing = parties.counts(connection)
    first = accounts.first(connection, run, accounts_named) if differences else []
    if parties_differing:
        first += parties.first(connection, run, parties_named)
    return Finding(compared + parties_compared, differences + parties_differing, tuple(first[:SHOWN]))


def _accounts(run: Run) -> Comparison:
    line, view = ledger_lines.c, _VIEW.c
    lines = select(line.ledger_account_id.label("account"), *_NO_DOCUMENT).where(line.integration == run.integration)
    shown = select(view.ledger_account_id.label("account"), *_NO_DOCUMENT).where(view.integration == run.integration)
    return Comparison(("account",), (on_left(shown, view.balance), on_right(lines, line.debit - line.credit)))


def _parties(connection: Connection, run: Run) -> Comparison:
    line = ledger_lines.c
    accounts = accounts_of(connection, run, SETTING)
    lines = select(line.party, line.currency, *_NO_DOCUMENT).where(
        line.integration == run.integration, line.ledger_account_id.in_(accounts)
    )
    found = [query.subquery() for query in by_bill(run)]
    expected = (on_right(select(one.c.party, one.c.currency, *_NO_DOCUMENT), one.c.amount) for one in found)
    return Comparison(("party", "currency"), (on_left(lines, -line.amount), *expected))


EXPORTED_BALANCES: Final = Identity(
    8,
    "exported_balances",
    "Balances that exports assert",
    "The trial balance is the sum of all lines, and each vendor stands on accounts payable, in its currency, at what "
    "follows from the open amounts in BILL.",
    "in the journal",
    "expected",
    look,
)
