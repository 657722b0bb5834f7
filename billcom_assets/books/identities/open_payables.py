"""Identity 5: what BILL says is open for each vendor is what is imported, held, or an opening document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, func, literal, literal_column, select, union_all

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.bills import HELD, LATER, OPENING, STANDS, bills
from billcom_assets.books.identities.comparison import Comparison, on_left, on_right
from billcom_assets.books.identities.findings import SHOWN, Finding, Identity, Item, Listed
from billcom_assets.books.identities.labels import Label, currency_label, in_currency, label, party_labels
from billcom_assets.books.kinds import BILLS
from billcom_assets.books.run import Run
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse.books_tables import opening_documents
from billcom_assets.warehouse.sums import MoneySum

_KEY: Final = ("party", "currency")


def look(connection: Connection, run: Run) -> Finding:
    """Compares vendors, each in its currency."""
    b, o = bills(run), opening_documents.c
    rows = select(b.c.party, b.c.currency, literal(BILLS.name).label("kind"), b.c.id)
    opening = select(o.party, o.currency, o.entity.label("kind"), o.id).where(*_left_out(run))
    by_books = b.c.booked - b.c.settled - b.c.outside - b.c.waiting
    comparison = Comparison(
        _KEY,
        (
            on_left(rows, b.c.open_amount),
            on_left(opening, o.open_amount),
            on_right(rows.where(b.c.place == STANDS), by_books),
            on_right(rows.where(b.c.place.in_((HELD, OPENING, LATER))), b.c.open_amount),
            on_right(opening, o.open_amount),
        ),
    )

    def named(groups: Sequence[Any]) -> list[Label]:
        labels = party_labels(connection, run, "vendors", [one.party for one in groups])
        return [in_currency(labels[one.party], one.currency) for one in groups]

    compared, differences = comparison.counts(connection)
    first = comparison.first(connection, run, named) if differences else []
    allowed = (_by_place(connection, run), *_other_balances(connection, run))
    return Finding(compared, differences, tuple(first), allowed)


def _left_out(run: Run) -> tuple[ColumnElement[bool], ...]:
    """Conditions on opening documents: bills that the cutoff has left out of the mirror."""
    t, o = run.mirror.table(BILLS.name), opening_documents.c
    mirrored = exists().where(t.c.integration == run.integration, t.c.id == o.id)
    return o.integration == run.integration, o.entity == BILLS.name, ~mirrored


def _by_place(connection: Connection, run: Run) -> Listed:
    """The sum as it is made up."""
    b, o = bills(run), opening_documents.c
    by_bill = select(b.c.currency, func.coalesce(b.c.place, "in no state").label("place"), b.c.open_amount)
    left_out = select(o.currency, literal(OPENING).label("place"), o.open_amount).where(*_left_out(run))
    row = union_all(by_bill, left_out).subquery("open").c
    query = select(row.currency, row.place, func.count(), MoneySum(row.open_amount))
    is_open = func.abs(row.open_amount) > TOLERANCE
    rows = connection.execute(
        query.where(is_open).group_by(row.currency, row.place).order_by(row.currency, row.place)
    ).all()
    items = tuple(
        Item(f"{counted(count, 'bill', 'bills')}, {_PLACES.get(place, place)}", amount, currency_label(currency))
        for currency, place, count, amount in rows
    )
    return Listed("Open payables by BILL", sum(row[2] for row in rows), first=items)


def _other_balances(connection: Connection, run: Run) -> Iterator[Listed]:
    """Vendors of which BILL's own balance is neither what is due nor what is due or scheduled: it may lag behind."""
    b, o, vendor = bills(run), opening_documents.c, run.mirror.table("vendors").c
    nothing: ColumnElement[Any] = literal_column("0")
    by_bill = select(b.c.party, b.c.due_amount.label("due"), b.c.open_amount)
    # Of these only the sum of both is kept.
    left_out = select(o.party, o.open_amount.label("due"), o.open_amount).where(*_left_out(run))
    row = union_all(by_bill, left_out).subquery("open").c
    sums = select(row.party, MoneySum(row.due).label("due"), MoneySum(row.open_amount).label("open_amount"))
    owed = sums.group_by(row.party).subquery("owed")
    due, open_amount = (func.coalesce(owed.c[name], nothing) for name in ("due", "open_amount"))
    differs = [func.abs(vendor.balance_amount - amount) > TOLERANCE for amount in (due, open_amount)]
    query = (
        select(
            vendor.id,
            vendor.name,
            vendor.bill_currency,
            vendor.balance_amount,
            open_amount.label("open_amount"),
            func.count().over().label("in_all"),
        )
        .select_from(run.mirror.table("vendors").outerjoin(owed, owed.c.party == vendor.id))
        .where(vendor.integration == run.integration, vendor.deleted_at.is_(None), *differs)
    )
    rows = connection.execute(query.order_by(vendor.id).limit(SHOWN)).all()
    if rows:
        items = tuple(_with_balance(label(one.id, one.name), one, run.policy.home_currency) for one in rows)
        yield Listed("Vendors with another balance in BILL, which may lag", rows[0].in_all, first=items)


def _with_balance(vendor: Label, row: Any, home: str) -> Item:
    what = f"{vendor.what}: balance {row.balance_amount}, open"
    return Item(what, row.open_amount, currency_label(row.bill_currency or home), name=vendor.name)


_PLACES: Final = {LATER: "to come with the next posting"}
OPEN_PAYABLES: Final = Identity(
    5,
    "open_payables",
    "Open payables by vendor",
    "What BILL says is due to a vendor or scheduled for it, in its currency, is what imported documents leave open, "
    "what is held and what is open of opening documents.",
    "open by BILL",
    "by documents",
    look,
)
