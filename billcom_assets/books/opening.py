"""Opening documents: of those before the cutoff, the ones that are open, settled by later ones, or settling later ones.

The sync keeps all that it skips; those that matter to nothing go here. What the mirror has of before the cutoff,
because that was moved later, is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)

from billcom_assets.books.kinds import KINDS, Kind
from billcom_assets.books.run import Run
from billcom_assets.entities.model import Entity, Opening
from billcom_assets.warehouse.books_tables import ledger_documents, opening_applications, opening_documents

_IN_SCOPE: Final = ("imported", "held")


def follow_opening(connection: Connection, run: Run) -> None:
    """Brings the opening documents in line with what the books are about now."""
    for entity in run.mirror.entities:
        if entity.opening is not None and entity.name in KINDS:
            _add_from_mirror(connection, run, entity, entity.opening)
    _drop_what_matters_to_nothing(connection, run)


def _drop_what_matters_to_nothing(connection: Connection, run: Run) -> None:
    o, a = opening_documents.c, opening_applications.c
    settled = [and_(o.entity == kind, o.id.in_(query)) for kind, query in _settled_in_scope(run)]
    d = ledger_documents.c
    in_scope = select(d.id).where(d.integration == run.integration, d.state.in_(_IN_SCOPE))
    settles = exists().where(
        a.integration == o.integration, a.entity == o.entity, a.document_id == o.id, a.settled_id.in_(in_scope)
    )
    matters = or_(o.open_amount != 0, settles, *settled)
    connection.execute(delete(opening_documents).where(o.integration == run.integration, ~matters))
    is_kept = exists().where(o.integration == a.integration, o.entity == a.entity, o.id == a.document_id)
    connection.execute(delete(opening_applications).where(a.integration == run.integration, ~is_kept))


def _settled_in_scope(run: Run) -> Iterator[tuple[str, Select[Any]]]:
    """Per kind the ids of what imported and held documents settle."""
    d = ledger_documents.c
    for kind in KINDS.values():
        if kind.parts is None:
            continue
        part, t = run.mirror.table(kind.parts.table), run.mirror.table(kind.name)
        mine = (d.integration == run.integration, d.kind == kind.name, d.state.in_(_IN_SCOPE))
        of_document = and_(part.c.integration == d.integration, part.c[kind.parts.parent] == d.id)
        settled = part.c[kind.parts.settled]
        yield (
            kind.parts.settled_kind,
            select(settled).join_from(part, ledger_documents, of_document).where(*mine, settled.is_not(None)),
        )
        if kind.parts.only is not None:
            same = and_(t.c.integration == d.integration, t.c.id == d.id)
            only = t.c[kind.parts.only]
            yield (
                kind.parts.settled_kind,
                select(only).join_from(t, ledger_documents, same).where(*mine, only.is_not(None)),
            )


# What the mirror has of before the cutoff ----------------------------------------------------------------------------


def _add_from_mirror(connection: Connection, run: Run, entity: Entity, opening: Opening) -> None:
    """Makes the rows of documents that the mirror has what they are now; none where the cutoff lets them in."""
    t, o, a = run.mirror.table(entity.name), opening_documents.c, opening_applications.c
    in_mirror = select(t.c.id).where(t.c.integration == run.integration)
    connection.execute(
        delete(opening_documents).where(o.integration == run.integration, o.entity == entity.name, o.id.in_(in_mirror))
    )
    connection.execute(
        delete(opening_applications).where(
            a.integration == run.integration, a.entity == entity.name, a.document_id.in_(in_mirror)
        )
    )
    kept = _before_cutoff(run, KINDS[entity.name], t, opening)
    values: dict[str, ColumnElement[Any]] = {
        "integration": t.c.integration,
        "entity": literal(entity.name),
        "id": t.c.id,
        "party": t.c[opening.party],
        "number": t.c[opening.number],
        "date": t.c[entity.cutoff or ""],
        "currency": ledger_documents.c.currency,
        "amount": func.coalesce(t.c[opening.amount], 0),
        "open_amount": _open_amount(t, opening),
    }
    query = kept.with_only_columns(*(value.label(name) for name, value in values.items()))
    connection.execute(insert(opening_documents).from_select(list(values), query))
    if opening.settles is not None:
        _add_applications(connection, run, entity, kept)


def _before_cutoff(run: Run, kind: Kind, t: Table, opening: Opening) -> Select[Any]:
    """The documents that stay out because of their dates, but for what nobody would settle any more."""
    d = ledger_documents.c
    same = and_(d.integration == t.c.integration, d.kind == kind.name, d.id == t.c.id)
    excluded = [func.coalesce(t.c[column], "").in_(values) for column, values in opening.excluded]
    return (
        select(t.c.id)
        .join_from(t, ledger_documents, same)
        .where(
            t.c.integration == run.integration,
            d.reason == "BEFORE_CUTOFF",
            t.c.archived.is_not(True),
            t.c.deleted_at.is_(None),
            *(~one for one in excluded),
        )
    )


def _open_amount(t: Table, opening: Opening) -> ColumnElement[Any]:
    if not opening.open:
        return literal(0)
    total: ColumnElement[Any] = literal(0)
    for name in opening.open:
        total += func.coalesce(t.c[name], 0)
    for name in opening.applied:
        total -= func.coalesce(t.c[name], 0)
    return case((t.c[opening.open[0]].is_(None), func.coalesce(t.c[opening.amount], 0)), else_=total)


def _add_applications(connection: Connection, run: Run, entity: Entity, kept: Select[Any]) -> None:
    parts = KINDS[entity.name].parts
    assert parts is not None  # noqa: S101 - what settles has parts
    part, t = run.mirror.table(parts.table), run.mirror.table(entity.name)
    listed = {"document_id": part.c[parts.parent], "position": part.c.position, "settled_id": part.c[parts.settled]}
    of_kept = (part.c.integration == run.integration, part.c[parts.parent].in_(kept))
    complete = (part.c[parts.settled].is_not(None), part.c.amount.is_not(None))
    _insert_applications(connection, run, entity, listed | {"amount": part.c.amount}, *of_kept, *complete)
    if parts.only is not None:
        has_parts = exists().where(part.c.integration == t.c.integration, part.c[parts.parent] == t.c.id)
        only = {"document_id": t.c.id, "position": literal(0), "settled_id": t.c[parts.only]}
        of_document = (t.c.integration == run.integration, t.c.id.in_(kept), t.c[parts.only].is_not(None), ~has_parts)
        _insert_applications(connection, run, entity, only | {"amount": func.coalesce(t.c.amount, 0)}, *of_document)


def _insert_applications(
    connection: Connection, run: Run, entity: Entity, columns: dict[str, Any], *conditions: ColumnElement[bool]
) -> None:
    values = {"integration": literal(run.integration), "entity": literal(entity.name), **columns}
    query = select(*(value.label(name) for name, value in values.items())).where(*conditions)
    connection.execute(insert(opening_applications).from_select(list(values), query))
