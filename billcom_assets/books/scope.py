"""Which documents the books are about, why the others are not, and what takes a posted one out of them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, and_, case, false, func, or_, update

from billcom_assets.books import work
from billcom_assets.books.kinds import KINDS, MONEY_MOVEMENTS, Statuses
from billcom_assets.books.run import Run

OPPOSITE = "~"
"""What begins the content hash of a payment that stands as its own opposite."""
CONFIRMED = "1"
"""Status of a movement that the bank has confirmed."""
CLEARS = ("1", "2")
"""Types of movements that settle payments through BILL's clearing accounts."""


def decide_scope(connection: Connection, run: Run) -> None:
    """Says of every document that is out of scope why, and of one that may have been posted whether it leaves."""
    connection.execute(update(work.documents).where(_is_opposite(run)).values(is_opposite=True))
    leaving = [(condition, reason) for reason, condition in _leaving()]
    if run.reposts:
        leaving += [(condition, reason) for reason, condition in _not_clearing(run)]
    outside = [(condition, reason) for reason, condition in _outside(run)]
    # The others have neither yet; they are most, and each row that is written costs.
    concerned = or_(*(condition for condition, _ in (*leaving, *outside)))
    connection.execute(update(work.documents).where(concerned).values(leaves=case(*leaving), reason=case(*outside)))


def is_void() -> ColumnElement[bool]:
    """The document is a payment that came to nothing."""
    return _has_status(Statuses.VOID)


def _has_status(meaning: Statuses) -> ColumnElement[bool]:
    d = work.documents.c
    found = [
        and_(d.kind == kind.name, d.status.in_([status for status, means in kind.statuses.items() if means is meaning]))
        for kind in KINDS.values()
        if kind.statuses
    ]
    return func.coalesce(or_(*found), False)


def is_payment() -> ColumnElement[bool]:
    """The document moves money to or from a party."""
    return work.documents.c.kind.in_([kind.name for kind in KINDS.values() if kind.statuses])


def _before_cutoff(run: Run) -> ColumnElement[bool]:
    d = work.documents.c
    return false() if run.cutoff is None else func.coalesce(d.document_date < run.cutoff, False)


def _is_opposite(run: Run) -> ColumnElement[bool]:
    """A payment before the cutoff whose void falls on or after it: the opening balances hold it as made.

    Only one that has never been in the books otherwise, because these then hold both it and its reversal.
    """
    d = work.documents.c
    if run.cutoff is None:
        return false()
    stands_so = and_(d.old_state == "imported", d.old_hash.startswith(OPPOSITE))
    begins_so = and_(d.entries == 0, d.is_void_accepted.is_(True), d.voided_on >= run.cutoff)
    return and_(is_void(), _before_cutoff(run), or_(stands_so, begins_so))


def _leaving() -> Iterator[tuple[str, ColumnElement[bool]]]:
    d = work.documents.c
    yield "DRAFT", d.is_draft
    yield "ARCHIVED", d.is_archived
    yield "VOIDED", and_(is_void(), ~d.is_opposite)
    yield "NOT_CONFIRMED", _is_unconfirmed()
    yield "DELETED", d.is_deleted


def _is_unconfirmed() -> ColumnElement[bool]:
    d = work.documents.c
    return and_(d.kind == MONEY_MOVEMENTS.name, func.coalesce(d.status, "") != CONFIRMED)


def _outside(run: Run) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """The reasons in the order in which the first that applies is the reason."""
    d = work.documents.c
    leaving = dict(_leaving())
    yield "BEFORE_CUTOFF", and_(_before_cutoff(run), ~d.is_opposite)
    yield "DRAFT", leaving["DRAFT"]
    yield "ARCHIVED", leaving["ARCHIVED"]
    yield "VOIDED", leaving["VOIDED"]
    is_later = func.coalesce(d.document_date > run.today, False)
    yield "NOT_PROCESSED", or_(_has_status(Statuses.WAITS), and_(is_payment(), is_later))
    yield "NOT_CONFIRMED", leaving["NOT_CONFIRMED"]
    yield from _not_clearing(run)
    yield "DELETED", leaving["DELETED"]


def _not_clearing(run: Run) -> Iterator[tuple[str, ColumnElement[bool]]]:
    d = work.documents.c
    if run.policy.payments == "direct":
        yield "NOT_CLEARING", and_(d.kind == MONEY_MOVEMENTS.name, func.coalesce(d.movement_type, "").in_(CLEARS))
