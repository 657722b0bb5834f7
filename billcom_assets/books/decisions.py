"""What a run does with each document: post it, post it anew, take it out, hold it, or leave it as it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)

from billcom_assets.books import work
from billcom_assets.books.functions import Squeezed, later
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents

DENIED: Final = "DENIED"
DUPLICATE: Final = "DUPLICATE_NUMBER"


class Action(StrEnum):
    """What becomes of a document."""

    KEEP = "keep"
    """It stands, and its content is the same."""
    POST = "post"
    """It enters the books."""
    REPOST = "repost"
    """It stands with other content: that is reversed, and the new content posted."""
    LEAVE = "leave"
    """It stands and goes: reversed."""
    OUT = "out"
    """It is out of scope and does not stand."""
    HOLD = "hold"
    """It does not stand and may not post."""
    WAIT = "wait"
    """It stands, and its new content may not post."""


_WANT: Final = (Action.POST.value, Action.REPOST.value, Action.HOLD.value, Action.WAIT.value)
"""What is done with documents that would post if nothing spoke against it."""


def propose(connection: Connection, run: Run) -> None:
    """Says what would be done with each document if nothing spoke against it, and on which day."""
    d = work.documents.c
    stands = d.old_entry.is_not(None)
    is_same = and_(d.old_state == "imported", d.hash == d.old_hash)
    # What was imported without an entry is looked at like what never came in, unless it is the same.
    action = case(
        (and_(stands, d.leaves.is_not(None)), Action.LEAVE.value),
        (and_(stands, is_same), Action.KEEP.value),
        (stands, Action.REPOST.value),
        (d.reason.is_not(None), Action.OUT.value),
        (is_same, Action.KEEP.value),
        else_=Action.POST.value,
    )
    dated = case((d.is_opposite, d.voided_on), else_=func.coalesce(d.gl_date, d.document_date))
    came_in: ColumnElement[Any] = case((or_(stands, is_same), d.cutoff), else_=literal(run.cutoff))
    if run.cutoff is None:
        came_in = case((or_(stands, is_same), d.cutoff))
    bounded = case((came_in.is_(None), dated), else_=later(dated, came_in))
    connection.execute(update(work.documents).values(action=action, cutoff=came_in, posting_date=bounded))


def hold_back(connection: Connection) -> None:
    """Holds what there are reasons against, and what a person has set aside."""
    d = work.documents.c
    has_reason = exists().where(work.reasons.c.kind == d.kind, work.reasons.c.id == d.id)
    posts = (d.action == Action.POST.value, or_(has_reason, d.is_set_aside))
    reposts = (d.action == Action.REPOST.value, has_reason)
    connection.execute(update(work.documents).where(*posts).values(action=Action.HOLD.value))
    connection.execute(update(work.documents).where(*reposts).values(action=Action.WAIT.value))


def find_duplicates(connection: Connection, run: Run) -> None:
    """Notes which of the documents that would post, or are held, have the number of another one that will stand.

    Of several that could post in this run the earliest created does, then the one with the lower id.
    """
    for kind in KINDS.values():
        if kind.has_unique_numbers:
            _find_duplicates(connection, run, kind.name)


def _find_duplicates(connection: Connection, run: Run, kind: str) -> None:
    n = union_all(_looked_at(kind), _untouched(run, kind)).subquery("numbered").c
    same, order = (n.party, n.number), (n.created_time.nulls_last(), n.id)
    others = func.sum(n.stands).over(partition_by=same) - n.stands
    coming = func.sum(n.comes).over(partition_by=same)
    earlier = func.sum(n.comes).over(partition_by=same, order_by=order, rows=(None, -1))
    counted = (others.label("others"), coming.label("coming"), earlier.label("earlier"))
    r = select(n.id, n.action, n.wants, *counted).subquery("ranked").c
    comes_too_late = case(
        (r.action == Action.POST.value, r.earlier > 0), (r.action == Action.HOLD.value, r.coming > 0), else_=false()
    )
    found = select(literal(kind), r.id, literal(DUPLICATE)).where(r.wants, or_(r.others > 0, comes_too_late))
    connection.execute(insert(work.reasons).from_select(["kind", "id", "code"], found))


def _looked_at(kind: str) -> Select[Any]:
    """Documents of this run: whether they stand, come, or want to; only what has an entry does the first two."""
    d, line, r = work.documents.c, work.lines.c, work.reasons.c
    has_lines = exists().where(line.kind == d.kind, line.id == d.id, line.amount != 0)
    stays = and_(d.action.in_((Action.KEEP.value, Action.WAIT.value)), d.old_entry.is_not(None))
    stands = or_(stays, and_(d.action == Action.REPOST.value, has_lines))
    comes = and_(d.action == Action.POST.value, has_lines)
    # A denied one has that as its only reason.
    is_denied = exists().where(r.kind == d.kind, r.id == d.id, r.code == DENIED)
    wants = and_(d.action.in_(_WANT), ~is_denied)
    number = Squeezed(d.number)
    return select(
        d.id,
        d.party,
        number.label("number"),
        d.created_time,
        d.action,
        wants.label("wants"),
        case((stands, 1), else_=0).label("stands"),
        case((comes, 1), else_=0).label("comes"),
    ).where(d.kind == kind, d.party.is_not(None), func.coalesce(number, "") != "", or_(stands, wants))


def _untouched(run: Run, kind: str) -> Select[Any]:
    """Documents that stand and were not looked at, of parties of whom something wants to post."""
    b, d, other = ledger_documents.c, work.documents.c, work.documents.alias("other")
    wants = (d.kind == kind, d.action.in_(_WANT))
    return select(
        b.id,
        b.party,
        Squeezed(b.number).label("number"),
        cast(null(), d.created_time.type),
        literal(Action.KEEP.value),
        false(),
        literal(1),
        literal(0),
    ).where(
        b.integration == run.integration,
        b.kind == kind,
        b.entry_id.is_not(None),
        b.party.in_(select(d.party).where(*wants)),
        ~exists().where(other.c.kind == b.kind, other.c.id == b.id),
    )


def forget_duplicates(connection: Connection) -> None:
    """Takes back which documents are duplicates, and lets those post that nothing else speaks against."""
    d, r = work.documents.c, work.reasons.c
    connection.execute(delete(work.reasons).where(r.code == DUPLICATE))
    is_free = (~exists().where(r.kind == d.kind, r.id == d.id), ~d.is_set_aside)
    for held, free in ((Action.HOLD, Action.POST), (Action.WAIT, Action.REPOST)):
        connection.execute(update(work.documents).where(d.action == held.value, *is_free).values(action=free.value))


def settle_dates(connection: Connection, run: Run) -> None:
    """Moves postings of a closed period to the first open day, and dates the reversals."""
    d = work.documents.c
    voided = d.leaves.in_(("VOIDED", "NOT_CONFIRMED"))
    as_of = case(
        (and_(d.action == Action.LEAVE.value, voided, d.voided_on.is_not(None)), d.voided_on), else_=d.old_date
    )
    connection.execute(
        update(work.documents)
        .where(d.action.in_((Action.LEAVE.value, Action.REPOST.value)))
        .values(reversal_date=later(later(as_of, d.old_date), run.first_open_day))
    )
    if run.first_open_day is not None:
        connection.execute(
            update(work.documents)
            .where(d.action.in_((Action.POST.value, Action.REPOST.value)), d.posting_date < run.first_open_day)
            .values(posting_date=run.first_open_day)
        )
