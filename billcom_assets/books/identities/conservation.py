"""Identity 2: every document of the mirror is imported, held or out of scope."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select, and_, case, exists, func, literal, select

from billcom_assets.books.identities.changes import is_newer
from billcom_assets.books.identities.findings import SHOWN, Difference, Finding, Identity, Item, Listed
from billcom_assets.books.identities.labels import document_of
from billcom_assets.books.kinds import KINDS, Kind
from billcom_assets.books.run import Run
from billcom_assets.quality.measures import skipped_by_cutoff
from billcom_assets.warehouse.books_tables import ledger_documents

_STATES: Final = ("imported", "held", "out_of_scope")


def look(connection: Connection, run: Run) -> Finding:
    """Compares the documents of each kind with their states, one by one."""
    compared, differences, first, sums, new = 0, 0, list[Difference](), list[Item](), list[Item]()
    for kind in KINDS.values():
        counts = _counts(connection, run, kind)
        states = sum(counts.get(state, 0) for state in _STATES)
        mirrored, waiting = counts["mirror"], counts["waiting"]
        compared += mirrored
        wrong = connection.execute(_unmatched(run, kind).limit(SHOWN)).all()
        if wrong:
            differences += connection.scalar(select(func.count()).select_from(_unmatched(run, kind).subquery())) or 0
            documents = tuple(document_of(row) for row in wrong)
            first.append(Difference(kind.name.replace("_", " "), mirrored - waiting, states, documents))
        sums.append(Item(_sum(connection, run, kind, counts)))
        if waiting:
            new.append(Item(f"{waiting:,} {kind.name.replace('_', ' ')}"))
    listed = [Listed("Documents by state", compared, first=tuple(sums))]
    if new:
        listed.append(Listed("Documents that wait for the next posting", len(new), first=tuple(new)))
    return Finding(compared, differences, tuple(first), tuple(listed))


def _counts(connection: Connection, run: Run, kind: Kind) -> dict[str, int]:
    """Documents by state; under ``mirror`` those there are, under ``waiting`` those that are newer than the books."""
    t, d = run.mirror.table(kind.name), ledger_documents.c
    by_state = select(d.state, func.count()).where(d.integration == run.integration, d.kind == kind.name)
    found = {row[0]: row[1] for row in connection.execute(by_state.group_by(d.state))}
    is_new = func.count(case((and_(is_newer(run, t), ~_has_state(run, kind)), 1)))
    row = connection.execute(select(func.count(), is_new).where(t.c.integration == run.integration)).one()
    return {**found, "mirror": row[0], "waiting": row[1]}


def _has_state(run: Run, kind: Kind) -> Any:
    t, d = run.mirror.table(kind.name), ledger_documents.c
    return exists().where(d.integration == run.integration, d.kind == kind.name, d.id == t.c.id)


def _unmatched(run: Run, kind: Kind) -> Select[Any]:
    """Documents of the mirror without a state, then states without a document."""
    t, d = run.mirror.table(kind.name), ledger_documents.c
    is_mirrored = exists().where(t.c.integration == run.integration, t.c.id == d.id)
    lost = select(literal(kind.name).label("kind"), t.c.id, t.c[kind.number].label("number")).where(
        t.c.integration == run.integration, ~_has_state(run, kind), ~is_newer(run, t)
    )
    strange = select(d.kind, d.id, d.number).where(d.integration == run.integration, d.kind == kind.name, ~is_mirrored)
    both = lost.union_all(strange).subquery("unmatched")
    return select(both).order_by(both.c.id)


def _sum(connection: Connection, run: Run, kind: Kind, counts: dict[str, int]) -> str:
    imported, held, outside = (counts.get(state, 0) for state in _STATES)
    skipped = skipped_by_cutoff(connection, run.integration, kind.name)
    beside = f"; {skipped:,} before the cutoff were left out of the mirror" if skipped else ""
    waiting = f" + {counts['waiting']:,} waiting" if counts["waiting"] else ""
    states = f"{imported:,} imported + {held:,} held + {outside:,} out of scope{waiting}"
    return f"{kind.name.replace('_', ' ')}: {counts['mirror']:,} = {states}{beside}"


CONSERVATION: Final = Identity(
    2,
    "documents_have_states",
    "Every document has a state",
    "Of each kind, the documents in the mirror are those imported, held and out of scope; what the cutoff left out of "
    "the mirror is counted beside.",
    "in the mirror",
    "in a state",
    look,
)
