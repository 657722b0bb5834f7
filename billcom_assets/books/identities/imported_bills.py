"""Identity 4: what is open on each imported bill is what BILL says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.bills import STANDS, bills, in_use
from billcom_assets.books.identities.changes import waits
from billcom_assets.books.identities.findings import SHOWN, Difference, Finding, Identity, Listed
from billcom_assets.books.identities.labels import currency_label, document, title
from billcom_assets.books.identities.lists import listed
from billcom_assets.books.identities.payables import is_imported
from billcom_assets.books.identities.settlements import GONE, OUTSIDE, UNKNOWN, WAITS, settlements
from billcom_assets.books.kinds import BILLS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents


def look(connection: Connection, run: Run) -> Finding:
    """Compares imported bills, one by one; of those that are not in use in BILL it says nothing about what is due."""
    b = bills(run)
    by_books = b.c.booked - b.c.settled
    by_bill = b.c.open_amount + b.c.outside + b.c.waiting
    stands, differs = b.c.place == STANDS, func.abs(by_books - by_bill) > TOLERANCE
    counts = select(func.count(), func.count(case((differs, 1)))).select_from(b).where(stands)
    compared, differences = connection.execute(counts).one()
    first: tuple[Difference, ...] = ()
    if differences:
        columns = (b.c.id, b.c.number, b.c.currency, by_books.label("left"), by_bill.label("right"))
        wrong = select(*columns).where(stands, differs).order_by(b.c.id).limit(SHOWN)
        first = tuple(map(_difference, connection.execute(wrong)))
    return Finding(compared, differences, first, tuple(_allowed(connection, run)))


def _difference(row: Any) -> Difference:
    one = document(BILLS.name, row.id, row.number)
    return Difference(f"{title(one)}, {currency_label(row.currency)}", row.left, row.right, (one,))


def _allowed(connection: Connection, run: Run) -> Iterator[Listed]:
    t, d = run.mirror.table(BILLS.name).c, ledger_documents.c
    row = settlements(run).subquery("settlements").c
    found = set(connection.scalars(select(row.sort).distinct()))
    for sort, what in _TITLES.items():
        if sort in found:
            yield from _settled(connection, run, sort, what)
    change = t.amount - d.amount
    is_changed = (waits(run.mirror.table(BILLS.name)), func.abs(change) > TOLERANCE)
    yield from listed(connection, "Bills with changes that wait", _bills(run, change).where(*is_changed))
    denied = _bills(run, d.amount).where(t.approval_status == "DENIED")
    yield from listed(connection, "Imported bills that BILL shows as denied", denied)
    is_unknown: ColumnElement[bool] = t.due_amount.is_(None)
    if UNKNOWN in found:
        is_unknown = or_(is_unknown, t.id.in_(select(row.bill).where(row.sort == UNKNOWN)))
    unknown = _bills(run, d.amount).where(is_unknown)
    yield from listed(connection, "Bills of which BILL does not tell what is due or what settles them", unknown)


_TITLES: Final = {
    OUTSIDE: "What BILL counts as settled by documents that are not in the books",
    WAITS: "What is settled by documents with changes that wait",
    GONE: "What was settled by documents that BILL no longer has",
}


def _settled(connection: Connection, run: Run, sort: str, what: str) -> Iterator[Listed]:
    """Settlements of imported bills, of one sort, by settling document."""
    row, d, settling = (
        settlements(run).subquery("settlements").c,
        ledger_documents.c,
        ledger_documents.alias("settling"),
    )
    imported = and_(d.kind == BILLS.name, d.id == row.bill)
    same = and_(settling.c.integration == run.integration, settling.c.kind == row.kind, settling.c.id == row.id)
    total = func.sum(row.amount)
    query = (
        select(
            row.kind,
            row.id,
            settling.c.number,
            total.label("amount"),
            d.currency,
            func.max(row.why).label("why"),
        )
        .select_from(ledger_documents.join(row.bill.table, imported).outerjoin(settling, same))
        .where(is_imported(run), row.sort == sort)
        .group_by(row.kind, row.id, settling.c.number, d.currency)
        .having(func.abs(total) > TOLERANCE)
    )
    yield from listed(connection, what, query)


def _bills(run: Run, amount: ColumnElement[Any]) -> Select[Any]:
    """Imported bills that are in use in BILL."""
    t, d = run.mirror.table(BILLS.name), ledger_documents.c
    same = and_(d.integration == t.c.integration, d.kind == BILLS.name, d.id == t.c.id)
    query = select(d.kind, d.id, d.number, amount.label("amount"), d.currency)
    return query.select_from(ledger_documents.join(t, same)).where(is_imported(run), *in_use(run))


IMPORTED_BILLS: Final = Identity(
    4,
    "imported_bills",
    "Imported bills and BILL",
    "What imported documents leave open on each imported bill is what BILL says is due or scheduled, with what BILL "
    "counts as settled by documents that are not in the books, less changes that wait.",
    "open by the books",
    "open by BILL",
    look,
)
