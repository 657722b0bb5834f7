"""Identity 1: every entry balances."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.comparison import MONEY
from billcom_assets.books.identities.findings import SHOWN, Difference, Finding, Identity
from billcom_assets.books.identities.labels import currency_label, document_of, title
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents, ledger_entries, ledger_lines
from billcom_assets.warehouse.sums import MoneySum

_EXCHANGE: Final = "exchange"


def look(connection: Connection, run: Run) -> Finding:
    """Compares debits with credits, entry by entry; an entry without lines differs, too."""
    e = ledger_entries.c
    compared = connection.scalar(select(func.count()).where(e.integration == run.integration)) or 0
    wrong = _unbalanced(run)
    differences = connection.scalar(select(func.count()).select_from(wrong)) or 0
    if not differences:
        return Finding(compared)
    book = ledger_documents.c
    same = and_(book.integration == run.integration, book.kind == wrong.c.kind, book.id == wrong.c.id)
    query = select(wrong, book.number).select_from(wrong.outerjoin(ledger_documents, same))
    rows = connection.execute(query.order_by(wrong.c.kind, wrong.c.id, wrong.c.sequence).limit(SHOWN))
    return Finding(compared, differences, tuple(_difference(row) for row in rows))


def _unbalanced(run: Run) -> Subquery:
    e, line = ledger_entries.c, ledger_lines.c
    own = case((line.role != _EXCHANGE, line.amount), else_=0)
    sums = (
        select(
            line.entry_id,
            MoneySum(line.debit).label("debit"),
            MoneySum(line.credit).label("credit"),
            func.max(line.currency).label("currency"),
            MoneySum(_part(own, 1)).label("own_debit"),
            MoneySum(_part(own, -1)).label("own_credit"),
            _differs(func.sum(line.debit - line.credit)).label("is_off"),
            _differs(func.sum(own)).label("is_off_in_own"),
        )
        .where(line.integration == run.integration)
        .group_by(line.entry_id)
        .subquery("sums")
    )
    s = sums.c
    return (
        select(e.kind, e.document_id.label("id"), e.sequence, *s)
        .select_from(ledger_entries.outerjoin(sums, s.entry_id == e.id))
        .where(e.integration == run.integration, or_(s.entry_id.is_(None), s.is_off, s.is_off_in_own))
        .subquery("unbalanced")
    )


def _part(amount: ColumnElement[Any], sign: int) -> ColumnElement[Any]:
    signed = literal(sign) * amount
    return type_coerce(case((signed > literal_column("0"), signed), else_=literal_column("0")), MONEY)


def _differs(difference: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.abs(difference) > TOLERANCE


def _difference(row: Any) -> Difference:
    document = document_of(row)
    what = f"entry {row.sequence} of {title(document)}"
    if row.entry_id is None:
        return Difference(f"{what}, which has no lines", None, None, (document,))
    if row.is_off:
        return Difference(what, row.debit, row.credit, (document,))
    return Difference(f"{what}, in {currency_label(row.currency)}", row.own_debit, row.own_credit, (document,))


ENTRY_BALANCE: Final = Identity(
    1,
    "entries_balance",
    "Entries balance",
    "Every entry's debits equal its credits in the home currency and, but for exchange gains and losses, in the "
    "document's own.",
    "debits",
    "credits",
    look,
)
