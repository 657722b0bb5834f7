"""What settlements of foreign documents are worth: an open home value goes with the amount that is open.

A settlement of a document that stands takes of its open home value what it takes of its open amount, so that the last
one takes all; what it is worth itself differs, and the difference is an exchange gain or loss. Where the settlement was
posted first, the document takes the difference when it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    type_coerce,
    union_all,
    update,
)

from billcom_assets.books import work
from billcom_assets.books.decisions import Action
from billcom_assets.books.exact import rounded
from billcom_assets.books.fills import batches, write
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.money_accounts import SETTING
from billcom_assets.books.reasons import is_active
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents
from billcom_assets.warehouse.types import Exact

SETTING_NAME: Final = "exchange_gain_loss"
_POSTS: Final = (Action.POST.value, Action.REPOST.value)
_GOES: Final = (*_POSTS, Action.LEAVE.value)
_MONEY: Final = Exact(money=True)
_STANDS, _POSTED, _SETTLED, _NEW = range(4)
"""Events of one document, in their order: it stands from before, or posts now; what settled it before, and does now."""


@dataclass(slots=True)
class Open:
    """What is open of one document: in its currency, and at home."""

    amount: Decimal
    home: Decimal

    def take(self, amount: Decimal, own: Decimal) -> Decimal:
        """What ``amount`` is of the open home value, which lessens by it; what exceeds the open amount, at its own."""
        within = min(amount, self.amount) if self.amount > 0 else Decimal(0)
        share = self.home if within == self.amount else rounded(self.home * within / self.amount)
        if not within:
            return own
        self.amount -= within
        self.home -= share
        return share + (own - rounded(own * within / amount) if within != amount else Decimal(0))


def value_settlements(connection: Connection, run: Run) -> bool:
    """Values the settlements of foreign documents in this run; True when that holds documents which would have posted.

    Held are those that need an account for gains and losses when the policy has none that is in use.
    """
    if not _has_foreign(connection, run):
        return False
    connection.execute(update(work.documents).values(exchange=null()))
    connection.execute(update(work.parts).values(booked=work.parts.c.home_amount, taken=work.parts.c.home_amount))
    account = run.policy.exchange_gain_loss
    is_usable = account is not None and is_active(connection, run, account)
    held = False
    for rows in batches(connection, _events(run), "event", "rank", "created_time", "by_id", "position"):
        for _, events in groupby(rows, key=lambda row: (row.kind, row.id)):
            differing = _value(connection, run, list(events))
            if differing and not is_usable:
                held = True
                code = "POLICY_MISSING" if account is None else "LEDGER_INACTIVE"
                about = {"code": code, "subject_kind": SETTING, "subject": SETTING_NAME}
                found = [{"kind": kind, "id": id_, **about} for kind, id_ in sorted(differing)]
                connection.execute(insert(work.reasons), found)
    _add_up(connection)
    return held


def _has_foreign(connection: Connection, run: Run) -> bool:
    d = work.documents.c
    query = select(d.id).where(d.currency != run.policy.home_currency, d.action.in_(_POSTS)).limit(1)
    return connection.scalar(query) is not None


def _value(connection: Connection, run: Run, events: Sequence[Any]) -> set[tuple[str, str]]:
    """Values what settles one document; returns the documents whose entries need a gain or loss."""
    differing: set[tuple[str, str]] = set()
    is_there: Open | None = None
    is_new = False
    exchange = Decimal(0)
    for event in events:
        match event.event:
            case 0 | 1:
                is_new = event.event == _POSTED
                is_there = Open(event.amount, event.home)
            case 2 if is_there is not None and is_new:
                share = is_there.take(event.amount, event.home)
                exchange += event.home - share
                if share != event.home:
                    differing.add((event.kind, event.id))
                _note_share(connection, run, event, share)
            case 2 if is_there is not None:
                is_there.amount -= event.amount
                is_there.home -= event.taken
            case 3 if is_there is not None:
                share = is_there.take(event.amount, event.home)
                if share != event.home:
                    differing.add((event.by_kind, event.by_id))
                    write(
                        connection,
                        work.parts,
                        ("booked", "taken"),
                        [(event.by_kind, event.by_id, event.position, share, share)],
                    )
    if exchange:
        kind, id_ = events[0].kind, events[0].id
        write(connection, work.documents, ("exchange",), [(kind, id_, KINDS[kind].side * exchange)])
    return differing


def _note_share(connection: Connection, run: Run, event: Any, share: Decimal) -> None:
    a = ledger_applications.c
    mine = (a.integration == run.integration, a.kind == event.by_kind, a.document_id == event.by_id)
    connection.execute(
        update(ledger_applications).where(*mine, a.position == event.position).values(settled_home_amount=share)
    )


def _add_up(connection: Connection) -> None:
    """What a credit's own entry takes off beside its home amount."""
    d, part = work.documents.c, work.parts.c
    for kind in KINDS.values():
        if kind.parts is not None and kind.lines is not None:
            mine = (part.kind == d.kind, part.id == d.id)
            found = select(func.sum(part.booked - part.home_amount)).where(*mine).scalar_subquery()
            posts = (d.kind == kind.name, d.action.in_(_POSTS))
            connection.execute(update(work.documents).where(*posts).values(exchange=kind.side * found))


# What happens to each settled document, in order ---------------------------------------------------------------------


def _events(run: Run) -> Select[Any]:
    found = union_all(_standing(run), _posted(run), _settlements(run), _parts(run)).subquery("events")
    return select(*found.c)


def _event(
    event: int,
    kind: ColumnElement[Any],
    id_: ColumnElement[Any],
    amount: ColumnElement[Any],
    home: ColumnElement[Any],
    **settlement: ColumnElement[Any],
) -> Select[Any]:
    return select(
        kind.label("kind"),
        id_.label("id"),
        literal(event).label("event"),
        type_coerce(amount, _MONEY).label("amount"),
        type_coerce(home, _MONEY).label("home"),
        type_coerce(settlement.get("taken", home), _MONEY).label("taken"),
        settlement.get("rank", literal(0, Integer)).label("rank"),
        settlement.get("created_time", null()).label("created_time"),
        settlement.get("by_kind", literal("", Text)).label("by_kind"),
        settlement.get("by_id", literal("", Text)).label("by_id"),
        settlement.get("position", literal(0, Integer)).label("position"),
    )


def _posted(run: Run) -> Select[Any]:
    d = work.documents.c
    mine = (d.kind.in_(_settled_kinds()), d.currency != run.policy.home_currency, d.action.in_(_POSTS))
    return _event(_POSTED, d.kind, d.id, d.amount, d.home_amount).where(*mine)


def _standing(run: Run) -> Select[Any]:
    """Documents that stand and do not change, and that something in this run settles."""
    b = ledger_documents.c
    return _event(_STANDS, b.kind, b.id, b.amount, b.home_amount).where(
        b.integration == run.integration,
        b.state == "imported",
        b.currency != run.policy.home_currency,
        b.kind.in_(_settled_kinds()),
        ~_goes(b.kind, b.id),
        _is_settled_now(b.kind, b.id),
    )


def _settlements(run: Run) -> Select[Any]:
    """What has settled them before and still does."""
    a, d = ledger_applications.c, work.documents.alias("settled")
    posts_now = exists().where(
        d.c.kind == a.settled_kind,
        d.c.id == a.settled_id,
        d.c.action.in_(_POSTS),
        d.c.currency != run.policy.home_currency,
    )
    return _event(
        _SETTLED,
        a.settled_kind,
        a.settled_id,
        a.amount,
        a.home_amount,
        taken=a.settled_home_amount,
        rank=case({kind: rank for rank, kind in enumerate(KINDS)}, value=a.kind, else_=len(KINDS)),
        by_kind=a.kind,
        by_id=a.document_id,
        position=a.position,
    ).where(
        a.integration == run.integration,
        ~_goes(a.kind, a.document_id),
        posts_now | _is_settled_now(a.settled_kind, a.settled_id),
    )


def _parts(run: Run) -> Select[Any]:
    d, part = work.documents.c, work.parts.c
    return (
        _event(
            _NEW,
            part.settled_kind,
            part.settled_id,
            part.amount,
            part.home_amount,
            rank=d.rank,
            created_time=d.created_time,
            by_kind=d.kind,
            by_id=d.id,
            position=part.position,
        )
        .select_from(work.documents.join(work.parts, and_(part.kind == d.kind, part.id == d.id)))
        .where(d.currency != run.policy.home_currency, d.action.in_(_POSTS), ~d.is_opposite)
    )


def _settled_kinds() -> list[str]:
    return sorted({kind.parts.settled_kind for kind in KINDS.values() if kind.parts is not None})


def _goes(kind: ColumnElement[Any], id_: ColumnElement[Any]) -> ColumnElement[bool]:
    going = work.documents.alias("going")
    return exists().where(going.c.kind == kind, going.c.id == id_, going.c.action.in_(_GOES))


def _is_settled_now(kind: ColumnElement[Any], id_: ColumnElement[Any]) -> ColumnElement[bool]:
    part, by = work.parts.alias("now"), work.documents.alias("by")
    return exists().where(
        part.c.settled_kind == kind,
        part.c.settled_id == id_,
        by.c.kind == part.c.kind,
        by.c.id == part.c.id,
        by.c.action.in_(_POSTS),
    )
