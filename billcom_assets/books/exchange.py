"""What settlements of foreign documents are worth: an open home value goes with the amount that is open.

A settlement of a document that stands takes of its open home value what it takes of its open amount, so that the last
one takes all; what it is worth itself differs, and the difference is an exchange gain or loss. Where the settlement was
posted first, the document takes the difference when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    type_coerce,
    union,
    union_all,
    update,
)
from sqlalchemy.types import TypeEngine

from billcom_assets.books import work
from billcom_assets.books.decisions import Action
from billcom_assets.books.exact import rounded
from billcom_assets.books.fills import batches, write
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.money_accounts import SETTING
from billcom_assets.books.reasons import is_active
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents, ledger_lines
from billcom_assets.warehouse.types import Exact

SETTING_NAME: Final = "exchange_gain_loss"
_POSTS: Final = (Action.POST.value, Action.REPOST.value)
_GOES: Final = (*_POSTS, Action.LEAVE.value)
_MONEY: Final = Exact(money=True)
_AMOUNTS: Final = ("amount", "home")
_LAST: Final = datetime.max.replace(tzinfo=UTC)
"""Where BILL does not say when a document was entered. Databases disagree on where nulls come."""
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
    _begin_again(connection)
    _find_valued(connection, run)
    account = run.policy.exchange_gain_loss
    is_usable = account is not None and is_active(connection, run, account)
    code = "POLICY_MISSING" if account is None else "LEDGER_INACTIVE"
    held, taken = False, list[dict[str, Any]]()
    for rows in batches(connection, _events(run), "event", "rank", "created_time", "by_id", "position"):
        values = Values()
        for _, events in groupby(rows, key=lambda row: (row.kind, row.id)):
            values.add(list(events))
        values.store(connection)
        taken += values.taken
        if values.differing and not is_usable:
            held = True
            about = {"code": code, "subject_kind": SETTING, "subject": SETTING_NAME}
            found = [{"kind": kind, "id": id_, **about} for kind, id_ in sorted(values.differing)]
            connection.execute(insert(work.reasons), found)
    _add_up(connection)
    if taken and not held:
        # Not before it is certain which documents come.
        _store_taken(connection, run, taken)
    return held


def _begin_again(connection: Connection) -> None:
    """Takes back what an earlier pass has valued: fewer documents post by now."""
    d, part = work.documents.c, work.parts.c
    connection.execute(update(work.documents).where(d.exchange.is_not(None)).values(exchange=null()))
    connection.execute(delete(work.differences))
    own = dict.fromkeys(("booked", "taken"), part.home_amount)
    connection.execute(update(work.parts).where(part.booked != part.home_amount).values(own))


def _has_foreign(connection: Connection, run: Run) -> bool:
    d = work.documents.c
    query = select(d.id).where(d.currency != run.policy.home_currency, d.action.in_(_POSTS)).limit(1)
    return connection.scalar(query) is not None


@dataclass(slots=True)
class Values:
    """What settlements of some documents are worth."""

    parts: list[tuple[Any, ...]] = field(default_factory=list)
    """Of this run's settlements, what they take off the books: kind, id, position, and that twice."""
    exchange: list[tuple[Any, ...]] = field(default_factory=list)
    """Of documents that come after their settlements, what these change: kind, id and amount."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """The same settlement by settlement."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    """Of settlements of before, what they take of the home value of a document that comes after them."""
    differing: set[tuple[str, str]] = field(default_factory=set)
    """Documents whose entries need a gain or loss."""

    def add(self, events: Sequence[Any]) -> None:
        """Values what settles one document, from what happens to it in order."""
        open_: Open | None = None
        is_new, exchange = False, Decimal(0)
        for event in events:
            if event.event in {_STANDS, _POSTED}:
                open_, is_new = Open(event.amount, event.home), event.event == _POSTED
            elif open_ is None:
                continue
            elif event.event == _SETTLED and not is_new:
                open_.amount -= event.amount
                open_.home -= event.home
            else:
                share = open_.take(event.amount, event.home)
                exchange += self._note(event, share)
        if exchange:
            self.exchange.append((events[0].kind, events[0].id, exchange))

    def _note(self, event: Any, share: Decimal) -> Decimal:
        """Keeps what a settlement is worth; returns what that changes in the settled document's own entry."""
        if event.event == _SETTLED:
            by = {"by_kind": event.by_kind, "by_id": event.by_id, "by_position": event.position}
            self.taken.append({**by, "share": share})
            difference: Decimal = KINDS[event.kind].side * (event.home - share)
            if difference:
                self.lines.append({"kind": event.kind, "id": event.id, "home_amount": difference})
                self.differing.add((event.kind, event.id))
            return difference
        if share != event.home:
            self.parts.append((event.by_kind, event.by_id, event.position, share, share))
            self.differing.add((event.by_kind, event.by_id))
        return Decimal(0)

    def store(self, connection: Connection) -> None:
        """Writes what this run's settlements and documents come to into its tables."""
        write(connection, work.parts, ("booked", "taken"), self.parts)
        write(connection, work.documents, ("exchange",), self.exchange)
        if self.lines:
            connection.execute(insert(work.differences), self.lines)


def _store_taken(connection: Connection, run: Run, taken: Sequence[dict[str, Any]]) -> None:
    a = ledger_applications.c
    one = (a.kind == bindparam("by_kind"), a.document_id == bindparam("by_id"))
    mine = (a.integration == run.integration, *one, a.position == bindparam("by_position"))
    statement = update(ledger_applications).where(*mine)
    connection.execute(statement.values(settled_home_amount=bindparam("share")), taken)


def _add_up(connection: Connection) -> None:
    """What a credit's own entry takes off beside its home amount."""
    d, part = work.documents.c, work.parts.c
    for kind in KINDS.values():
        if kind.parts is not None and kind.lines is not None:
            mine = (part.kind == d.kind, part.id == d.id)
            found = select(func.round(func.sum(part.booked - part.home_amount), 2)).where(*mine).scalar_subquery()
            posts = (d.kind == kind.name, d.action.in_(_POSTS))
            connection.execute(update(work.documents).where(*posts).values(exchange=kind.side * found))


# What happens to each settled document, in order ---------------------------------------------------------------------


def _find_valued(connection: Connection, run: Run) -> None:
    """Notes which foreign documents post in this run, or are settled in it."""
    d, part = work.documents.c, work.parts.c
    posts = (d.currency != run.policy.home_currency, d.action.in_(_POSTS))
    posted = select(d.kind, d.id).where(d.kind.in_(_settled_kinds()), *posts)
    of_document = and_(part.kind == d.kind, part.id == d.id)
    settled = (
        select(part.settled_kind, part.settled_id).join_from(work.documents, work.parts, of_document).where(*posts)
    )
    connection.execute(delete(work.valued))
    connection.execute(insert(work.valued).from_select(["kind", "id"], union(posted, settled)))
    work.analyze(connection, work.valued)


def _settled_kinds() -> list[str]:
    return sorted({kind.parts.settled_kind for kind in KINDS.values() if kind.parts is not None})


def _events(run: Run) -> Select[Any]:
    found = union_all(_standing(run), _posted(), _settlements(run), _parts()).subquery("events")
    return select(*found.c)


def _event(
    event: int,
    rows: Table,
    amount: ColumnElement[Any],
    home: ColumnElement[Any],
    *,
    key: tuple[str, str] = ("kind", "id"),
    **settlement: ColumnElement[Any],
) -> Select[Any]:
    v = work.valued.c
    nowhere = {"rank": literal(0, Integer), "created_time": cast(null(), _type_of("created_time"))}
    nowhere |= {"by_kind": literal("", Text), "by_id": literal("", Text), "position": literal(0, Integer)}
    values = {"amount": amount, "home": home, **nowhere, **settlement}
    columns = [
        (type_coerce(value, _MONEY) if name in _AMOUNTS else value).label(name) for name, value in values.items()
    ]
    of_it = and_(rows.c[key[0]] == v.kind, rows.c[key[1]] == v.id)
    return select(v.kind, v.id, literal(event).label("event"), *columns).select_from(work.valued.join(rows, of_it))


def _type_of(name: str) -> TypeEngine[Any]:
    return work.documents.c[name].type


def _goes(kind: ColumnElement[Any], id_: ColumnElement[Any]) -> ColumnElement[bool]:
    """The document posts, posts anew or leaves in this run."""
    going = work.documents.alias("going")
    return exists().where(going.c.kind == kind, going.c.id == id_, going.c.action.in_(_GOES))


def _posted() -> Select[Any]:
    d = work.documents
    return _event(_POSTED, d, d.c.amount, d.c.home_amount).where(d.c.action.in_(_POSTS))


def _standing(run: Run) -> Select[Any]:
    """Documents that stand and do not change, at the value that their entries have booked."""
    b, line = ledger_documents, ledger_lines.c
    stands = (b.c.integration == run.integration, b.c.state == "imported", ~_goes(b.c.kind, b.c.id))
    of_entry = (line.integration == b.c.integration, line.entry_id == b.c.entry_id, line.role == "control")
    booked = select(func.abs(func.sum(line.debit - line.credit))).where(*of_entry).scalar_subquery()
    return _event(_STANDS, b, b.c.amount, func.round(func.coalesce(booked, 0), 2)).where(*stands)


def _settlements(run: Run) -> Select[Any]:
    """What has settled them before and still does."""
    a = ledger_applications
    return _event(
        _SETTLED,
        a,
        a.c.amount,
        a.c.home_amount,
        key=("settled_kind", "settled_id"),
        rank=case({kind: rank for rank, kind in enumerate(KINDS)}, value=a.c.kind, else_=len(KINDS)),
        created_time=_dated(case(*_created(run))),
        by_kind=a.c.kind,
        by_id=a.c.document_id,
        position=a.c.position,
    ).where(a.c.integration == run.integration, ~_goes(a.c.kind, a.c.document_id))


def _created(run: Run) -> Iterator[tuple[ColumnElement[bool], ColumnElement[Any]]]:
    """When BILL says that a document which has settled others was entered, by its kind."""
    a = ledger_applications.c
    for kind in KINDS.values():
        if kind.parts is not None:
            t = run.mirror.table(kind.name).c
            same = (t.integration == a.integration, t.id == a.document_id)
            yield a.kind == kind.name, select(t.created_time).where(*same).scalar_subquery()


def _dated(created_time: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(created_time, literal(_LAST, _type_of("created_time")))


def _parts() -> Select[Any]:
    """What settles them now."""
    d, part = work.documents, work.parts
    query = _event(
        _NEW,
        part,
        part.c.amount,
        part.c.home_amount,
        key=("settled_kind", "settled_id"),
        rank=d.c.rank,
        created_time=_dated(d.c.created_time),
        by_kind=d.c.kind,
        by_id=d.c.id,
        position=part.c.position,
    )
    return query.join(d, and_(part.c.kind == d.c.kind, part.c.id == d.c.id)).where(
        d.c.action.in_(_POSTS), ~d.c.is_opposite
    )
