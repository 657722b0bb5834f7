"""The books as of the end of a day: by the posting dates of entries, which never move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, and_, func, select

from billcom_assets.books.identities.accounts import accounts_of
from billcom_assets.books.identities.payables import SETTING
from billcom_assets.books.run import Run
from billcom_assets.books.summary import Balance
from billcom_assets.warehouse.books_tables import ledger_entries, ledger_lines
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.sums import MoneySum


@dataclass(frozen=True, slots=True)
class Owed:
    """What stands on accounts payable for one vendor, in one currency."""

    party: str | None
    """BILL's id of the vendor; None for lines that name none."""
    name: str | None
    """As BILL has it: text of others."""
    currency: str
    """ISO 4217 code."""
    amount: Decimal
    """In the currency; positive for what is owed."""
    home_amount: Decimal
    """In the home currency."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The books as of the end of a day."""

    day: date
    trial_balance: tuple[Balance, ...]
    """Every account with lines until then, by id."""
    payables: tuple[Owed, ...]
    """Every vendor that something is owed to or that owes something, by name."""


def books_as_of(connection: Connection, run: Run, day: date) -> AsOf:
    """The books by the entries whose posting date is the day or earlier."""
    return AsOf(day, tuple(_trial_balance(connection, run, day)), tuple(_payables(connection, run, day)))


def _trial_balance(connection: Connection, run: Run, day: date) -> list[Balance]:
    e, line, account = ledger_entries.c, ledger_lines.c, ledger_accounts.c
    key = (line.ledger_account_id, func.coalesce(account.name, ""))
    of_entry = and_(e.integration == line.integration, e.id == line.entry_id)
    of_account = and_(account.integration == line.integration, account.id == line.ledger_account_id)
    query = (
        select(*key, MoneySum(line.debit), MoneySum(line.credit), MoneySum(line.debit - line.credit))
        .select_from(ledger_lines.join(ledger_entries, of_entry).outerjoin(ledger_accounts, of_account))
        .where(line.integration == run.integration, e.posting_date <= day)
        .group_by(*key)
        .order_by(key[0])
    )
    return [Balance(*row) for row in connection.execute(query)]


def _payables(connection: Connection, run: Run, day: date) -> list[Owed]:
    e, line, vendor = ledger_entries.c, ledger_lines.c, run.mirror.table("vendors")
    of_entry = and_(e.integration == line.integration, e.id == line.entry_id)
    of_vendor = and_(vendor.c.integration == line.integration, vendor.c.id == line.party)
    key = (line.party, vendor.c.name, line.currency)
    amount, home = MoneySum(-line.amount), MoneySum(line.credit - line.debit)
    accounts = accounts_of(connection, run, SETTING)
    query = (
        select(*key, amount, home)
        .select_from(ledger_lines.join(ledger_entries, of_entry).outerjoin(vendor, of_vendor))
        .where(line.integration == run.integration, line.ledger_account_id.in_(accounts), e.posting_date <= day)
        .group_by(*key)
        .order_by(vendor.c.name, line.party, line.currency)
    )
    found = [Owed(*row) for row in connection.execute(query)]
    return [one for one in found if one.amount or one.home_amount]
