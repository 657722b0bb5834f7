"""What a run leaves of the documents that it looked at: their states, and what they settle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from billcom_assets.books import work
from billcom_assets.books.decisions import Action
from billcom_assets.books.entries import is_reversed
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents, ledger_entries

_POSTS: Final = (Action.POST.value, Action.REPOST.value)
_STAYS: Final = (Action.KEEP.value, Action.WAIT.value)
_IMPORTED: Final = (Action.KEEP.value, *_POSTS)
_STAMPS: Final = ("run_id", "changed_at")
"""Change when something else does."""


def keep_what_stands(connection: Connection, run: Run) -> None:
    """Gives documents that stay as they are the figures that they were booked with."""
    d, before = work.documents.c, ledger_documents.c
    same = (before.integration == run.integration, before.kind == d.kind, before.id == d.id)
    stays = update(work.documents).where(d.action == Action.KEEP.value, *same)
    connection.execute(stays.values(home_amount=before.home_amount, posting_date=before.posting_date))


def store_documents(connection: Connection, run: Run) -> None:
    """Writes the row of every document that changed, in itself or in what it is in the books."""
    d, e = work.documents.c, ledger_entries.c
    made = (e.integration == run.integration, e.kind == d.kind, e.document_id == d.id, e.sequence > d.entries)
    posted = work.documents.outerjoin(ledger_entries, and_(*made, e.type == "posting"))
    imported, keeps = d.action.in_(_IMPORTED), d.action == Action.KEEP.value
    out = d.action.in_((Action.OUT.value, Action.LEAVE.value))
    entry = case((keeps, d.old_entry), (imported, e.id))
    values: dict[str, ColumnElement[Any]] = {
        "integration": literal(run.integration),
        "kind": d.kind,
        "id": d.id,
        "number": d.number,
        "party": d.party,
        "document_date": d.document_date,
        "posting_date": case((and_(imported, entry.is_not(None)), d.posting_date)),
        "currency": d.currency,
        "amount": d.amount,
        "home_amount": d.home_amount,
        "state": case((imported, "imported"), (out, "out_of_scope"), else_="held"),
        "reason": case((out, func.coalesce(d.reason, d.leaves))),
        "entry_id": entry,
        "entries": func.coalesce(e.sequence, d.entries + case((is_reversed(), 1), else_=0)),
        "cutoff": case((imported, d.cutoff)),
        "content_hash": case((imported, d.hash)),
        "payload_digest": d.version,
        "waiting_digest": null(),
        "run_id": literal(run.run_id, Text),
        "first_seen_at": literal(run.started_at, ledger_documents.c.first_seen_at.type),
        "changed_at": literal(run.started_at, ledger_documents.c.changed_at.type),
    }
    query = select(*(value.label(name) for name, value in values.items())).select_from(posted)
    query = query.where(d.action != Action.WAIT.value)
    _upsert(connection, ledger_documents, query, keep=("first_seen_at",))
    _note_what_waits(connection, run)


def _note_what_waits(connection: Connection, run: Run) -> None:
    """Of what stands and may not post its new content, notes that this was looked at."""
    d, before = work.documents.c, ledger_documents.c
    waits = (before.integration == run.integration, before.kind == d.kind, before.id == d.id)
    connection.execute(
        update(ledger_documents)
        .where(*waits, d.action == Action.WAIT.value, before.waiting_digest.is_distinct_from(d.version))
        .values(waiting_digest=d.version, run_id=run.run_id, changed_at=run.started_at)
    )


def _upsert(connection: Connection, table: Table, query: Select[Any], *, keep: Sequence[str]) -> None:
    """Writes the rows of the query over those with the same key, where something but a stamp differs."""
    maker = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    names = [column.name for column in query.selected_columns]
    statement: Any = maker(table).from_select(names, query)
    keys = [column.name for column in table.primary_key.columns]
    changing = [name for name in names if name not in keys and name not in keep]
    differs = or_(
        *(table.c[name].is_distinct_from(statement.excluded[name]) for name in changing if name not in _STAMPS)
    )
    written = {name: statement.excluded[name] for name in changing}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=written, where=differs))


def follow_usages(connection: Connection, run: Run) -> None:
    """Writes what credits that stay as they are have come to be used on; their entries stay, whatever that is.

    What a credit is used on is no content of its: it does not wait when a change of the credit does.
    """
    d = work.documents.c
    used = [kind.name for kind in KINDS.values() if kind.parts is not None and kind.lines is not None]
    stands = (d.action.in_(_STAYS), d.old_entry.is_not(None))
    stays = and_(d.kind.in_(used), *stands, _is_applied_otherwise(run))
    _keep_values(connection, run, stays)
    # Noted before anything changes: which credits are applied otherwise would be another question afterwards.
    connection.execute(update(work.documents).where(stays).values(applies_anew=True))
    _apply(connection, run, d.old_date)
    connection.execute(update(work.documents).where(d.applies_anew.is_(True)).values(applies_anew=None))


def store_applications(connection: Connection, run: Run) -> None:
    """Writes what payments and credits settle that have posted; nothing for those that went, or have no entry."""
    d = work.documents.c
    settling = [kind.name for kind in KINDS.values() if kind.parts is not None]
    changes = (d.kind.in_(settling), d.action.in_((*_POSTS, Action.LEAVE.value)))
    connection.execute(update(work.documents).where(*changes).values(applies_anew=True))
    _apply(connection, run, d.posting_date)
    _let_go(connection, run)


def _apply(connection: Connection, run: Run, posting_date: ColumnElement[Any]) -> None:
    """Writes what the noted documents settle, in place of what they did."""
    d, a = work.documents.c, ledger_applications
    mine = (d.kind == a.c.kind, d.id == a.c.document_id, d.applies_anew.is_(True))
    connection.execute(delete(a).where(a.c.integration == run.integration, exists().where(*mine)))
    part, sign, b = work.parts.c, case((d.is_opposite, -1), else_=1), ledger_documents.c
    has_entry = exists().where(
        b.integration == run.integration, b.kind == d.kind, b.id == d.id, b.entry_id.is_not(None)
    )
    values: dict[str, ColumnElement[Any]] = {
        "integration": literal(run.integration),
        "kind": d.kind,
        "document_id": d.id,
        "position": part.position,
        "settled_kind": part.settled_kind,
        "settled_id": part.settled_id,
        "amount": sign * part.amount,
        "home_amount": sign * part.booked,
        "settled_home_amount": sign * part.taken,
        "date": posting_date,
    }
    query = (
        select(*(value.label(name) for name, value in values.items()))
        .select_from(work.documents.join(work.parts, and_(part.kind == d.kind, part.id == d.id)))
        .where(d.applies_anew.is_(True), d.action != Action.LEAVE.value, has_entry, part.amount != 0)
    )
    connection.execute(insert(a).from_select(list(values), query))


def _let_go(connection: Connection, run: Run) -> None:
    """What left the books is settled no longer: what goes on settling it counts with what it has booked."""
    d, a = work.documents.c, ledger_applications.c
    left = exists().where(d.kind == a.settled_kind, d.id == a.settled_id, d.action == Action.LEAVE.value)
    differs = a.settled_home_amount != a.home_amount
    statement = update(ledger_applications).where(a.integration == run.integration, differs, left)
    connection.execute(statement.values(settled_home_amount=a.home_amount))


def _is_applied_otherwise(run: Run) -> ColumnElement[bool]:
    """What the document settles is not what was stored of it."""
    d, part, a = work.documents.c, work.parts.c, ledger_applications.c
    mine = (part.kind == d.kind, part.id == d.id)
    stored = (a.integration == run.integration, a.kind == d.kind, a.document_id == d.id)
    # The inner one names the document by what it is compared with: documents would be any of them there.
    same = (a.position == part.position, a.settled_id == part.settled_id, a.amount == part.amount)
    by_same = (a.integration == run.integration, a.kind == part.kind, a.document_id == part.id)
    new = exists().where(*mine, part.amount != 0, ~exists().where(*by_same, *same))
    gone = exists().where(*stored, ~exists().where(*by_same, *same))
    return or_(new, gone)


def _keep_values(connection: Connection, run: Run, stays: ColumnElement[bool]) -> None:
    """What a document that stays goes on settling keeps the values that it was booked with."""
    d, part, a = work.documents.c, work.parts.c, ledger_applications.c
    same = (
        a.integration == run.integration,
        a.kind == part.kind,
        a.document_id == part.id,
        a.settled_id == part.settled_id,
        a.amount == part.amount,
    )
    booked = select(func.min(a.home_amount)).where(*same).scalar_subquery()
    taken = select(func.min(a.settled_home_amount)).where(*same).scalar_subquery()
    of_one_that_stays = exists().where(d.kind == part.kind, d.id == part.id, stays)
    connection.execute(
        update(work.parts)
        .where(of_one_that_stays)
        .values(booked=func.coalesce(booked, part.home_amount), taken=func.coalesce(taken, part.home_amount))
    )
