"""What is open on each bill, by BILL and by the books."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Subquery, and_, case, func, or_, select

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.changes import is_newer, waits
from billcom_assets.books.identities.settlements import GONE, IN_BOOKS, OUTSIDE, UNKNOWN, WAITS, settlements
from billcom_assets.books.kinds import BILLS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.sums import MoneySum

_DRAFTS: Final = ("DRAFT", "DRAFT_DELETED")
STANDS: Final = "imported"
HELD: Final = "held"
OPENING: Final = "opening"
LATER: Final = "later"
"""It comes into the books, or back into them, with the next posting."""


def bills(run: Run) -> CTE:
    """One row per bill of the mirror that is in use and of which BILL says what is due and what settles it.

    Columns are ``id, number, party, currency``; ``place`` in the books, null for none; ``due_amount`` by BILL, and
    ``open_amount`` with what is scheduled; of imported ones ``booked``, what standing documents settle of it
    (``settled``), what BILL counts as settled beside (``outside``), and what of either side waits (``waiting``); all
    amounts in the vendor's currency. A statement works them out once, however often it reads them.
    """
    t, d, vendor = run.mirror.table(BILLS.name), ledger_documents.c, run.mirror.table("vendors")
    settled = _settled(run)
    s = settled.c
    source = (
        t.outerjoin(vendor, and_(vendor.c.integration == t.c.integration, vendor.c.id == t.c.vendor_id))
        .outerjoin(ledger_documents, and_(d.integration == t.c.integration, d.kind == BILLS.name, d.id == t.c.id))
        .outerjoin(settled, s.bill == t.c.id)
    )
    open_amount = t.c.due_amount + func.coalesce(t.c.scheduled_amount, 0)
    change = case((waits(t), func.coalesce(t.c.amount, 0) - func.coalesce(d.amount, 0)), else_=0)
    inside, outside, waiting, gone = (func.coalesce(s[name], 0) for name in _SORTS)
    left_over = func.coalesce(d.amount, 0) + change - inside - outside - waiting - open_amount
    counted = case((_is_nothing(left_over), 0), (_is_nothing(left_over - gone), gone), else_=0)
    return (
        select(
            t.c.id,
            t.c[BILLS.number].label("number"),
            t.c.vendor_id.label("party"),
            func.coalesce(vendor.c.bill_currency, run.policy.home_currency).label("currency"),
            _place(run).label("place"),
            t.c.due_amount.label("due_amount"),
            open_amount.label("open_amount"),
            d.amount.label("booked"),
            inside.label("settled"),
            (outside + counted).label("outside"),
            (waiting - change).label("waiting"),
        )
        .select_from(source)
        .where(t.c.integration == run.integration, *in_use(run), t.c.due_amount.is_not(None), s.unknown.is_not(True))
        .cte("bills")
    )


def in_use(run: Run) -> tuple[ColumnElement[bool], ...]:
    """Conditions on the mirror's bills: those that BILL has, neither archived nor drafts."""
    t = run.mirror.table(BILLS.name).c
    is_draft = func.coalesce(t.record_status, "").in_(_DRAFTS)
    return t.deleted_at.is_(None), func.coalesce(t.archived, False).is_(False), ~is_draft


_SORTS: Final = {"settled": IN_BOOKS, "outside": OUTSIDE, "waiting": WAITS, "gone": GONE}


def _settled(run: Run) -> Subquery:
    """What settles each bill, by sort."""
    row = settlements(run).subquery("settlements").c
    sums = (MoneySum(case((row.sort == sort, row.amount), else_=0)).label(name) for name, sort in _SORTS.items())
    unknown = (func.count(case((row.sort == UNKNOWN, 1))) > 0).label("unknown")
    return select(row.bill, *sums, unknown).group_by(row.bill).subquery("settled")


def _place(run: Run) -> ColumnElement[Any]:
    t, d = run.mirror.table(BILLS.name), ledger_documents.c
    comes = or_(and_(d.id.is_(None), is_newer(run, t)), and_(d.state == "out_of_scope", waits(t)))
    return case(
        (d.state == "imported", STANDS),
        (d.state == "held", HELD),
        (d.reason == "BEFORE_CUTOFF", OPENING),
        (comes, LATER),
    )


def _is_nothing(amount: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.abs(amount) < TOLERANCE
