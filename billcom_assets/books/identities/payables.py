"""Identity 3: accounts payable, vendor by vendor, are what the imported documents add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, case, exists, func, select

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.accounts import accounts_of
from billcom_assets.books.identities.comparison import Comparison, on_left, on_right
from billcom_assets.books.identities.findings import Finding, Identity, Listed
from billcom_assets.books.identities.labels import Label, party_labels
from billcom_assets.books.identities.lists import listed
from billcom_assets.books.kinds import BILLS, KINDS, VENDOR_CREDITS, VENDOR_PAYMENTS
from billcom_assets.books.run import Run
from billcom_assets.books.scope import OPPOSITE
from billcom_assets.warehouse.books_tables import (
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
    opening_documents,
)
from billcom_assets.warehouse.sums import MoneySum

SETTING: Final = "accounts_payable"
PAYABLE_KINDS: Final = tuple(name for name, kind in KINDS.items() if kind.party_kind == "vendors")


def is_opposite() -> ColumnElement[bool]:
    """The imported document stands as the opposite of a payment that the opening balances hold."""
    return func.coalesce(ledger_documents.c.content_hash, "").startswith(OPPOSITE)


def is_imported(run: Run) -> ColumnElement[bool]:
    """The row of ``ledger_documents`` is of an imported document of these books."""
    d = ledger_documents.c
    return and_(d.integration == run.integration, d.state == "imported")


def look(connection: Connection, run: Run) -> Finding:
    """Compares what stands on accounts payable with the booked values of imported documents, both by document."""
    comparison = Comparison(("party",), (_on_accounts(connection, run), _as_booked(run)))

    def named(rows: Sequence[Any]) -> list[Label]:
        labels = party_labels(connection, run, "vendors", [row.party for row in rows])
        return [labels[row.party] for row in rows]

    compared, differences = comparison.counts(connection)
    first = comparison.first(connection, run, named) if differences else []
    allowed = (*_settlements_of_others(connection, run), *_unapplied(connection, run))
    return Finding(compared, differences, tuple(first), allowed)


def _on_accounts(connection: Connection, run: Run) -> Select[Any]:
    """Every line on accounts payable, positive for what is owed, whatever it is of."""
    e, line = ledger_entries.c, ledger_lines.c
    of_entry = and_(e.integration == line.integration, e.id == line.entry_id)
    accounts = accounts_of(connection, run, SETTING)
    rows = select(line.party, e.kind, e.document_id.label("id")).select_from(
        ledger_lines.join(ledger_entries, of_entry)
    )
    mine = (line.integration == run.integration, line.ledger_account_id.in_(accounts))
    return on_left(rows.where(*mine), line.credit - line.debit)


# What documents were booked at ---------------------------------------------------------------------------------------


def _as_booked(run: Run) -> Select[Any]:
    """Bills, less credits and payments: with what their entries took as exchange gains and losses."""
    d, settled, exchange = ledger_documents.c, _settled(run), _exchange(run)
    of_document = and_(settled.c.kind == d.kind, settled.c.document_id == d.id)
    with_exchange = and_(exchange.c.kind == d.kind, exchange.c.document_id == d.id)
    source = ledger_documents.outerjoin(settled, of_document).outerjoin(exchange, with_exchange)
    own, difference = func.coalesce(d.home_amount, 0), func.coalesce(exchange.c.amount, 0)
    value = case(
        (d.kind == BILLS.name, own + difference),
        # A payment is what it settles; one that names nothing is an advance.
        (and_(d.kind == VENDOR_PAYMENTS.name, settled.c.amount.is_not(None)), -settled.c.amount),
        (is_opposite(), own + difference),
        else_=difference - own,
    )
    rows = select(d.party, d.kind, d.id).select_from(source)
    return on_right(rows.where(is_imported(run), d.kind.in_(PAYABLE_KINDS)), value)


def _settled(run: Run) -> Subquery:
    a = ledger_applications.c
    key = (a.kind, a.document_id)
    query = select(*key, MoneySum(a.home_amount).label("amount")).where(a.integration == run.integration)
    return query.group_by(*key).subquery("settled")


def _exchange(run: Run) -> Subquery:
    """Losses of each document's entries, less gains."""
    e, line = ledger_entries.c, ledger_lines.c
    of_entry = and_(e.integration == line.integration, e.id == line.entry_id)
    key = (e.kind, e.document_id)
    query = select(*key, MoneySum(line.debit - line.credit).label("amount")).select_from(
        ledger_lines.join(ledger_entries, of_entry)
    )
    mine = (line.integration == run.integration, line.role == "exchange")
    return query.where(*mine).group_by(*key).subquery("exchange")


# What the sum allows for ---------------------------------------------------------------------------------------------


def _settlements_of_others(connection: Connection, run: Run) -> Iterator[Listed]:
    """Settlements by imported documents of bills that are not imported themselves."""
    a, d, settled = ledger_applications.c, ledger_documents.c, ledger_documents.alias("settled")
    of_document = and_(d.integration == a.integration, d.kind == a.kind, d.id == a.document_id)
    same = (settled.c.integration == a.integration, settled.c.kind == a.settled_kind, settled.c.id == a.settled_id)
    of_opening = exists().where(
        opening_documents.c.integration == a.integration,
        opening_documents.c.entity == a.settled_kind,
        opening_documents.c.id == a.settled_id,
    )
    why = case((of_opening, "OPENING"), else_=func.coalesce(settled.c.reason, settled.c.state, "NOT_IN_THE_MIRROR"))
    query = (
        select(
            a.settled_kind.label("kind"),
            a.settled_id.label("id"),
            settled.c.number,
            a.amount,
            d.currency,
            a.home_amount,
            why.label("why"),
        )
        .select_from(ledger_applications.join(ledger_documents, of_document).outerjoin(settled, and_(*same)))
        .where(is_imported(run), func.coalesce(settled.c.state, "") != "imported")
    )
    yield from listed(connection, "Settlements of documents that are not in the books", query)


def _unapplied(connection: Connection, run: Run) -> Iterator[Listed]:
    """What of credits is open, and payments that name nothing that they pay."""
    d, a = ledger_documents.c, ledger_applications.c
    mine = (a.integration == d.integration, a.kind == d.kind, a.document_id == d.id)
    used, booked = (
        select(func.coalesce(MoneySum(column), 0)).where(*mine).correlate(ledger_documents).scalar_subquery()
        for column in (a.amount, a.home_amount)
    )
    columns = (d.kind, d.id, d.number, d.currency)
    credits = select(*columns, (d.amount - used).label("amount"), (d.home_amount - booked).label("home_amount"))
    is_open = (is_imported(run), d.kind == VENDOR_CREDITS.name, func.abs(d.amount - used) > TOLERANCE)
    yield from listed(connection, "Credits that are not used up", credits.where(*is_open))
    payments = select(*columns, d.amount, d.home_amount).where(
        is_imported(run), d.kind == VENDOR_PAYMENTS.name, d.amount != 0, ~exists().where(*mine)
    )
    yield from listed(connection, "Payments that name no bill", payments)


PAYABLES: Final = Identity(
    3,
    "accounts_payable",
    "Accounts payable by vendor",
    "What stands on accounts payable for a vendor is its imported bills, less what imported payments and credits "
    "settle of them or of documents that are not in the books, less credits that are not used up, at booked values.",
    "on accounts payable",
    "by documents",
    look,
)
