"""From a figure back to where it comes from: entry, lines, document, BILL's payload, the run and its requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, or_, select

from billcom_assets.books.kinds import KINDS
from billcom_assets.redaction.counted import singular
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.books_tables import (
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
    opening_documents,
)
from billcom_assets.warehouse.books_views import journal
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import integration_errors, sync_runs

_Row = RowMapping
_Columns = tuple[ColumnElement[Any], ColumnElement[Any]]
"""Kind and id."""
_PULLS: Final = 5


class NotFound(UserFacingError):
    """Nothing in the books is called so."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One document, and all that the books have of it."""

    document: _Row
    """Its row of ``ledger_documents``."""
    party: str | None
    """What its vendor or customer is called; None where it has none."""
    lines: list[_Row]
    """The journal's lines of it, entry by entry."""
    settles: list[_Row]
    """What it settles of others, with their numbers."""
    settled_by: list[_Row]
    """What settles it, with their numbers."""
    errors: list[_Row]
    """Why it is held, or its change waits."""
    payload: Any
    """What BILL sent of it last; None where the mirror has it no longer."""
    synced_at: datetime | None
    """When that was written, UTC."""
    pulls: list[_Row]
    """Pulls of its kind around that time, the one that brought it first: run, time and requests to BILL."""


def trace(connection: Connection, mirror: Mirror, integration: str, name: str) -> list[Trace]:
    """Everything about the documents that the name means: BILL's id, also as ``kind:id``, an entry's id, or a number.

    Raises:
        NotFound: nothing is called so.
    """
    d, e = ledger_documents.c, ledger_entries.c
    of_entry = select(e.document_id).where(e.integration == integration, e.id == name)
    is_meant = or_(d.id == name, d.kind + ":" + d.id == name, d.number == name, d.id.in_(of_entry))
    query = select(ledger_documents).where(d.integration == integration, is_meant)
    found = connection.execute(query.order_by(d.kind, d.id)).mappings().all()
    if not found:
        raise NotFound(f"{integration}: {_why_not(connection, integration, name)}")
    return [_trace(connection, mirror, one) for one in found]


def _why_not(connection: Connection, integration: str, name: str) -> str:
    o = opening_documents.c
    called = (o.integration == integration, or_(o.id == name, o.number == name))
    opening = connection.execute(select(opening_documents).where(*called).order_by(o.entity, o.id)).first()
    if opening is None:
        return (
            f"nothing in the books has the id or number {excerpt(name, limit=60)}. What is dated before the cutoff is "
            f"not in them. Others are listed by billcom errors {integration} and the views journal and held_documents."
        )
    return (
        f"the {singular(opening.entity.replace('_', ' '))} {one_line(name, limit=60)} is an opening document: dated "
        f"{opening.date}, before the cutoff. The company's own opening balances hold what was open of it; open now: "
        f"{opening.open_amount:,} of {opening.amount:,} {excerpt(opening.currency)}."
    )


def _trace(connection: Connection, mirror: Mirror, document: _Row) -> Trace:
    integration, kind, id_ = document["integration"], document["kind"], document["id"]
    a, errors = ledger_applications.c, integration_errors.c
    row = _mirrored(connection, mirror.table(kind), integration, id_)
    synced_at = row["synced_at"] if row else None
    settling, settled = (a.kind, a.document_id), (a.settled_kind, a.settled_id)
    return Trace(
        document,
        _party(connection, mirror, document),
        _lines(connection, integration, kind, id_),
        _applications(connection, document, of=settling, other=settled),
        _applications(connection, document, of=settled, other=settling),
        _rows(
            connection,
            integration_errors,
            errors.integration == integration,
            errors.entity == kind,
            errors.record_id == id_,
            errors.status != "resolved",
        ),
        row["payload"] if row else None,
        synced_at,
        _pulls(connection, integration, kind, synced_at),
    )


def _party(connection: Connection, mirror: Mirror, document: _Row) -> str | None:
    party_kind = KINDS[document["kind"]].party_kind
    if party_kind is None:
        return None
    t = mirror.table(party_kind).c
    mine = (t.integration == document["integration"], t.id == document["party"])
    return connection.scalar(select(t.name).where(*mine))


def _applications(connection: Connection, document: _Row, *, of: _Columns, other: _Columns) -> list[_Row]:
    a, d, o = ledger_applications.c, ledger_documents.c, opening_documents.c
    in_books = and_(d.integration == a.integration, d.kind == other[0], d.id == other[1])
    opening = and_(o.integration == a.integration, o.entity == other[0], o.id == other[1])
    query = (
        select(ledger_applications, func.coalesce(d.number, o.number).label("number"))
        .select_from(ledger_applications.outerjoin(ledger_documents, in_books).outerjoin(opening_documents, opening))
        .where(a.integration == document["integration"], of[0] == document["kind"], of[1] == document["id"])
        .order_by(a.date, a.kind, a.document_id, a.position)
    )
    return list(connection.execute(query).mappings())


def _rows(connection: Connection, table: Table, *conditions: Any) -> list[_Row]:
    return list(connection.execute(select(table).where(*conditions)).mappings())


def _mirrored(connection: Connection, t: Table, integration: str, id_: str) -> _Row | None:
    query = select(t.c.payload, t.c.synced_at).where(t.c.integration == integration, t.c.id == id_)
    return connection.execute(query).mappings().one_or_none()


def _lines(connection: Connection, integration: str, kind: str, id_: str) -> list[_Row]:
    e, line = ledger_entries.c, ledger_lines.c
    mine = and_(e.integration == integration, e.kind == kind, e.document_id == id_)
    return list(connection.execute(journal().where(mine).order_by(e.sequence, line.line)).mappings())


def _pulls(connection: Connection, integration: str, kind: str, synced_at: datetime | None) -> list[_Row]:
    if synced_at is None:
        return []
    r = sync_runs.c
    columns = (r.run_id, r.entity, r.kind, r.status, r.started_at, r.finished_at, r.fetched, r.requests)
    around = (r.integration == integration, r.entity == kind, r.started_at <= synced_at)
    query = select(*columns).where(*around).order_by(r.started_at.desc()).limit(_PULLS)
    return list(connection.execute(query).mappings())
