"""What settles bills: by the books, and by what BILL counts although it is not in them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.changes import waits
from billcom_assets.books.identities.comparison import MONEY
from billcom_assets.books.identities.payables import is_imported, is_opposite
from billcom_assets.books.kinds import BILLS, VENDOR_CREDITS, VENDOR_PAYMENTS, Kind, Statuses
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents, opening_applications

IN_BOOKS: Final = "in books"
OUTSIDE: Final = "outside"
"""BILL counts it, and it is not in the books."""
WAITS: Final = "waits"
"""The settling document has changed in BILL, and stands as it was."""
GONE: Final = "gone"
"""BILL no longer has the settling document, and does not say whether the bill still counts it."""
UNKNOWN: Final = "unknown"
"""BILL does not tell how much it is, as its v2 API alone does not in foreign currency."""
_SETTLING: Final = (VENDOR_CREDITS, VENDOR_PAYMENTS)


def settlements(run: Run) -> CompoundSelect[Any]:
    """One row per amount that settles a bill: its id, kind and id of the settling document, amount, sort and why.

    Amounts are in the currency of both. What payments that are still to be made will settle is not among them.
    """
    queries = [_by_books(run), _by_opening_documents(run)]
    for kind in _SETTLING:
        queries += [_by_mirror(run, kind), _as_it_stood(run, kind)]
    queries.append(_not_made_again(run))
    return union_all(*queries)


def _row(
    settled: ColumnElement[Any],
    kind: ColumnElement[Any],
    id_: ColumnElement[Any],
    *,
    amount: ColumnElement[Any],
    sort: ColumnElement[Any],
    why: ColumnElement[Any],
) -> Select[Any]:
    return select(
        settled.label("bill"),
        kind.label("kind"),
        id_.label("id"),
        type_coerce(amount, MONEY).label("amount"),
        sort.label("sort"),
        why.label("why"),
    )


# By the books --------------------------------------------------------------------------------------------------------


def _application(run: Run, amount: ColumnElement[Any], sort: str, why: str) -> Select[Any]:
    """Applications of imported documents, but for opposites: these undo what only the opening balances hold."""
    a, d = ledger_applications.c, ledger_documents.c
    of_document = and_(d.integration == a.integration, d.kind == a.kind, d.id == a.document_id)
    return (
        _row(a.settled_id, a.kind, a.document_id, amount=amount, sort=literal(sort), why=literal(why))
        .select_from(ledger_applications.join(ledger_documents, of_document))
        .where(is_imported(run), ~is_opposite(), a.settled_kind == BILLS.name)
    )


def _by_books(run: Run) -> Select[Any]:
    return _application(run, ledger_applications.c.amount, IN_BOOKS, "imported")


def _as_it_stood(run: Run, kind: Kind) -> Select[Any]:
    """What documents that wait settle by the books: :func:`_by_mirror` has what they settle in BILL."""
    t, a = run.mirror.table(kind.name), ledger_applications.c
    changed = exists().where(t.c.integration == run.integration, a.kind == kind.name, t.c.id == a.document_id, waits(t))
    return _application(run, -a.amount, WAITS, "a change waits").where(changed)


def _not_made_again(run: Run) -> Select[Any]:
    """Payments that stand although BILL shows them as still to be made, which it counts as scheduled."""
    t, a = run.mirror.table(VENDOR_PAYMENTS.name), ledger_applications.c
    same = (t.c.integration == run.integration, a.kind == VENDOR_PAYMENTS.name, t.c.id == a.document_id)
    made_undone = exists().where(*same, t.c.status.in_(_with(Statuses.WAITS)), ~waits(t))
    return _application(run, -a.amount, OUTSIDE, "stands, though BILL shows it as still to be made").where(made_undone)


def _with(meaning: Statuses) -> list[str]:
    return [status for status, means in VENDOR_PAYMENTS.statuses.items() if means is meaning]


# By documents that are not in the books ------------------------------------------------------------------------------


def _by_opening_documents(run: Run) -> Select[Any]:
    """What documents settle that the cutoff has left out of the mirror; :func:`_by_mirror` has those that are in it."""
    o = opening_applications.c
    mirrored = [_is_mirrored(run, kind, o.entity, o.document_id) for kind in _SETTLING]
    query = _row(o.settled_id, o.entity, o.document_id, amount=o.amount, sort=literal(OUTSIDE), why=literal("opening"))
    named = o.entity.in_([kind.name for kind in _SETTLING])
    return query.where(o.integration == run.integration, named, *(~one for one in mirrored))


def _is_mirrored(run: Run, kind: Kind, entity: ColumnElement[Any], id_: ColumnElement[Any]) -> ColumnElement[bool]:
    t = run.mirror.table(kind.name)
    return exists().where(t.c.integration == run.integration, entity == kind.name, t.c.id == id_)


def _by_mirror(run: Run, kind: Kind) -> Select[Any]:
    """What documents settle in BILL that are not in the books, or stand otherwise than they are now."""
    assert kind.parts is not None  # noqa: S101 - of kinds that settle
    t, part, d = run.mirror.table(kind.name), run.mirror.table(kind.parts.table), ledger_documents.c
    of_document = and_(part.c.integration == t.c.integration, part.c[kind.parts.parent] == t.c.id)
    in_books = and_(d.integration == t.c.integration, d.kind == kind.name, d.id == t.c.id)
    settled: ColumnElement[Any] = part.c[kind.parts.settled]
    if kind.parts.only is not None:
        # One that lists nothing may still name the bill that all of it settles.
        settled = case((part.c.position.is_(None), t.c[kind.parts.only]), else_=settled)
    amount = case((part.c.position.is_(None), t.c.amount), else_=_money_in(run, kind, part))
    sort = case(
        (amount.is_(None), UNKNOWN), (t.c.deleted_at.is_not(None), GONE), (d.state == "imported", WAITS), else_=OUTSIDE
    )
    why = case((d.state == "imported", "a change waits"), else_=func.coalesce(d.reason, d.state, "without a state"))
    query = _row(settled, literal(kind.name), t.c.id, amount=func.coalesce(amount, 0), sort=sort, why=why).select_from(
        t.outerjoin(part, of_document).outerjoin(ledger_documents, in_books)
    )
    is_elsewhere = or_(d.state.is_(None), d.state != "imported", waits(t))
    counts = func.coalesce(t.c.status, "").not_in([*_with(Statuses.WAITS), *_with(Statuses.VOID)])
    return query.where(t.c.integration == run.integration, settled.is_not(None), is_elsewhere, counts)


def _money_in(run: Run, kind: Kind, part: Table) -> ColumnElement[Any]:
    """The amount of a part without credits, which BILL may count in: then the parts exceed the payment."""
    assert kind.parts is not None  # noqa: S101 - of kinds that settle
    if kind.parts.credits is None:
        return part.c.amount
    t, other, used = run.mirror.table(kind.name), part.alias("other"), run.mirror.table("vendor_credit_usages")
    of_document = (other.c.integration == t.c.integration, other.c[kind.parts.parent] == t.c.id)
    total = select(func.sum(other.c.amount)).where(*of_document).correlate(t).scalar_subquery()
    in_it = (used.c.integration == t.c.integration, used.c.payment_id == t.c.id, used.c.bill_id == part.c.bill_id)
    credited = select(func.coalesce(func.sum(used.c.amount), 0)).where(*in_it).correlate(t, part).scalar_subquery()
    return case((func.abs(total - t.c.amount) > TOLERANCE, part.c.amount - credited), else_=part.c.amount)
