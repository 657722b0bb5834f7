"""BILL's two clearing accounts, and which documents pass them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, case, false, func, or_

from billcom_assets.books.identities.payables import is_opposite
from billcom_assets.books.kinds import MONEY_MOVEMENTS, VENDOR_PAYMENTS
from billcom_assets.warehouse.books_tables import ledger_documents


@dataclass(frozen=True, slots=True)
class Clearing:
    """One of BILL's two clearing accounts."""

    setting: str
    """Of the posting policy."""
    movement_type: str
    payments: str | None
    """Kind of document that the money is for; None while the books have none."""
    sign: int
    """1 where payments are debits, -1 where they are credits."""


CLEARINGS: Final = (
    Clearing("payables_clearing", "1", VENDOR_PAYMENTS.name, -1),
    Clearing("receivables_clearing", "2", None, 1),
)


def is_offline(t: Table) -> ColumnElement[bool]:
    """The payment was made elsewhere and is only recorded in BILL."""
    return t.c.online_payment.is_(False) if t.name == VENDOR_PAYMENTS.name else false()


def passes(clearing: Clearing, t: Table) -> ColumnElement[bool]:
    """The document passes the account: movements of its type, and online payments but for those by card or wallet."""
    if t.name == MONEY_MOVEMENTS.name:
        return t.c.type == clearing.movement_type
    named = (t.c.funding_account_type, t.c.funding_account_id, t.c.bank_account_id, t.c.card_account_id)
    by_bank = func.coalesce(t.c.funding_account_type, case((t.c.bank_account_id.is_not(None), "BANK_ACCOUNT")))
    return or_(by_bank == "BANK_ACCOUNT", and_(*(column.is_(None) for column in named)))


def moves(clearing: Clearing, kind: str) -> ColumnElement[Any]:
    """What a document adds to what is paid and not moved."""
    d = ledger_documents.c
    if kind == MONEY_MOVEMENTS.name:
        return -clearing.sign * d.home_amount
    return case((is_opposite(), -d.home_amount), else_=d.home_amount)
