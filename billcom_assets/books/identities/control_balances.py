"""What each vendor must stand at on accounts payable, worked out from what BILL says is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, Subquery, and_, case, func, select, union_all

from billcom_assets.books.identities.accounts import accounts_of
from billcom_assets.books.identities.bills import STANDS, bills
from billcom_assets.books.identities.payables import PAYABLE_KINDS, SETTING, is_imported, is_opposite
from billcom_assets.books.identities.settlements import IN_BOOKS, settlements
from billcom_assets.books.kinds import BILLS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents, ledger_lines
from billcom_assets.warehouse.sums import MoneySum

_KEY: Final = ("party", "currency")


class PartyBalance(NamedTuple):
    """What a vendor or customer must stand at on a control account, in one currency."""

    ledger_account_id: str
    party: str
    """BILL's id of the vendor or customer."""
    currency: str
    """ISO 4217 code of the documents."""
    balance: Decimal
    """In that currency: negative for what the company owes, positive for what it is owed."""


def control_balances(connection: Connection, run: Run) -> list[PartyBalance]:
    """One row per vendor and currency of its documents that is not expected at zero; ordered.

    BILL's open amounts of imported bills, with what BILL counts as settled by documents that are not in the books, less
    changes that wait and what imported credits and payments settle of other documents or leave open. What stands on an
    account that was accounts payable earlier is taken from there as it is.
    """
    account = run.policy.accounts_payable
    rows = union_all(*by_bill(run)).subquery("expected").c
    key = tuple(rows[name] for name in _KEY)
    total = MoneySum(rows.amount)
    found: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in connection.execute(select(*key, total.label("owed")).group_by(*key)):
        found[account or "", row.party or "", row.currency] -= row.owed
    for row in connection.execute(_on_accounts(connection, run)):
        if row.ledger_account_id != account:
            found[row.ledger_account_id, row.party or "", row.currency] += row.balance
            found[account or "", row.party or "", row.currency] -= row.balance
    return [PartyBalance(*place, balance) for place, balance in sorted(found.items()) if balance]


def _on_accounts(connection: Connection, run: Run) -> Select[Any]:
    line = ledger_lines.c
    key = (line.ledger_account_id, line.party, line.currency)
    mine = (line.integration == run.integration, line.ledger_account_id.in_(accounts_of(connection, run, SETTING)))
    return select(*key, MoneySum(line.amount).label("balance")).where(*mine).group_by(*key)


def by_bill(run: Run) -> Iterator[Select[Any]]:
    """What is owed, positive and in the document's currency: with ``party``, ``currency`` and ``amount``."""
    b = bills(run)
    open_ = b.c.open_amount + b.c.outside + b.c.waiting
    known = select(b.c.party, b.c.currency, open_.label("amount")).where(b.c.place == STANDS)
    yield known
    d, settled = ledger_documents.c, _settled_by_books(run)
    # BILL says nothing of what is open on bills that are not in use.
    is_known = and_(b.c.id == d.id, b.c.place == STANDS)
    rest = d.amount - func.coalesce(settled.c.amount, 0)
    source = ledger_documents.outerjoin(settled, settled.c.bill == d.id).outerjoin(b, is_known)
    others = (is_imported(run), d.kind == BILLS.name, b.c.id.is_(None))
    yield select(d.party, d.currency, rest.label("amount")).select_from(source).where(*others)
    yield _of_settling(run)


def _settled_by_books(run: Run) -> Subquery:
    row = settlements(run).subquery("settlements").c
    query = select(row.bill, MoneySum(row.amount).label("amount")).where(row.sort == IN_BOOKS)
    return query.group_by(row.bill).subquery("settled")


def _of_settling(run: Run) -> Select[Any]:
    """What imported credits and payments take off beside what they settle of imported bills."""
    a, d, bill = ledger_applications.c, ledger_documents.c, ledger_documents.alias("bill")
    is_bill = and_(
        bill.c.integration == run.integration,
        bill.c.state == "imported",
        bill.c.kind == a.settled_kind,
        bill.c.id == a.settled_id,
    )
    key = (a.kind, a.document_id)
    used = select(*key, MoneySum(a.amount).label("amount")).select_from(ledger_applications.join(bill, is_bill))
    used_on = used.where(a.integration == run.integration).group_by(*key).subquery("used")
    mine = and_(used_on.c.kind == d.kind, used_on.c.document_id == d.id)
    left = case((is_opposite(), d.amount), else_=func.coalesce(used_on.c.amount, 0) - d.amount)
    query = select(d.party, d.currency, left.label("amount")).select_from(ledger_documents.outerjoin(used_on, mine))
    settling = [kind for kind in PAYABLE_KINDS if kind != BILLS.name]
    return query.where(is_imported(run), d.kind.in_(settling))
