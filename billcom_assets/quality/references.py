"""Which objects are referred to although they are missing, deleted or archived."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.mapping.uses import Reference, parts, references, referring
from billcom_assets.quality.findings import Changes
from billcom_assets.quality.measures import Quality, warning
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.comparing import compare_by_hash
from billcom_assets.warehouse.mirror import Mirror


def broken_references(
    conn: Connection,
    integration: str,
    entity: Entity,
    *,
    states: Mapping[str, EntityState],
    limits: Iterable[date | None] = (),
    entities: Sequence[Entity] = CATALOG.entities,
    changes: Changes | None = None,
    known: Collection[str] = (),
) -> Quality:
    """Ids that live objects of ``entity`` refer to and that are not in the mirror, deleted or archived.

    Left out is what may rightly be absent: objects of lists that were never pulled, objects before the cutoff or the
    history start, and ids of another kind of object (a sync token is no user).

    Args:
        conn: A reading one.
        integration: Whose.
        entity: Whose references.
        states: How far the integration's entities are.
        limits: Cutoff and start of history, which keep objects of BILL out; None for those that are not set.
        entities: The catalog's, unless others are given.
        changes: Look only at what changed objects refer to, and at what has just been deleted or archived.
        known: Ids that were broken before; with ``changes`` they still are unless their objects are there by now.
    """
    is_limited = any(limit is not None for limit in limits)
    pulled = {name for name, state in states.items() if state.first_pulled_at is not None}
    searches = list(_searches(conn, integration, entity, entities, pulled, is_limited=is_limited))
    if changes is None or (changed := changes.get(entity.name, ())) is None:
        broken = {one for search in searches for one in search.everywhere()}
    else:
        targets = {search.target.name: search for search in searches}.values()
        broken = set(known).difference(*(search.present(known) for search in targets))
        for search in searches:
            broken.update(one for owners in parts(changed) for one in search.among(owners))
            broken.update(search.to_gone(changes.get(search.target.name, ())))
    title = entity.name.replace("_", " ")
    return warning(
        broken,
        one=f"object that {title} refer to is missing, deleted or archived",
        many=f"objects that {title} refer to are missing, deleted or archived",
        good=f"everything that {title} refer to is there",
        fix=f"billcom sync {integration} --full-refresh brings in what is missing; restore in BILL what is archived, "
        "or move its documents to another",
    )


def _searches(
    conn: Connection,
    integration: str,
    entity: Entity,
    entities: Sequence[Entity],
    pulled: Collection[str],
    *,
    is_limited: bool,
) -> Iterator[_Search]:
    tables = catalog_mirror() if tuple(entities) == CATALOG.entities else Mirror.of(tuple(entities))
    known = {other.name: other for other in entities}
    for reference in references((entity,)):
        target = known[reference.target]
        if target.name in pulled:
            absent_counts = not (is_limited and target.cutoff is not None)
            yield _Search(conn, integration, tables, reference, target, absent_counts)


@dataclass(frozen=True)
class _Search:
    """Looks along one column that holds ids of ``target``."""

    conn: Connection
    integration: str
    tables: Mirror
    reference: Reference
    target: Entity
    absent_counts: bool
    """False when objects of the target may rightly be absent."""

    def everywhere(self) -> Iterator[str]:
        """Broken ids that any live object refers to."""
        compare_by_hash(self.conn)
        yield from self._broken()

    def among(self, owners: Sequence[str]) -> Iterator[str]:
        """Broken ids that live objects among ``owners`` refer to."""
        yield from self._broken(self.tables.table(self.reference.entity.name).c.id.in_(owners))

    def present(self, ids: Collection[str]) -> set[str]:
        """Those of the ids whose objects are there, neither deleted nor archived."""
        return self._targets(ids, ~_is_gone(self._theirs))

    def to_gone(self, written: Collection[str] | None) -> Iterator[str]:
        """Ids of deleted or archived objects that live ones refer to, among those just written; None for all."""
        gone = self._targets(written, _is_gone(self._theirs))
        referred = referring(self.tables, self.reference, self.integration)
        for ids in parts(gone):
            yield from self.conn.scalars(referred.where(referred.selected_columns[0].in_(ids)).distinct())

    @property
    def _theirs(self) -> Table:
        return self.tables.table(self.target.name)

    def _targets(self, ids: Collection[str] | None, condition: ColumnElement[bool]) -> set[str]:
        theirs = self._theirs
        query = select(theirs.c.id).where(theirs.c.integration == self.integration, condition)
        if ids is None:
            return set(self.conn.scalars(query))
        return {one for part in parts(ids) for one in self.conn.scalars(query.where(theirs.c.id.in_(part)))}

    def _broken(self, *conditions: ColumnElement[bool]) -> Iterator[str]:
        # Each id is looked up once, however many lines name it.
        mine = referring(self.tables, self.reference, self.integration).where(*conditions)
        referred = mine.distinct().subquery().c[0]
        theirs = self._theirs
        joined = referred.table.outerjoin(
            theirs, and_(theirs.c.integration == self.integration, theirs.c.id == referred)
        )
        broken = [_is_gone(theirs)]
        if self.absent_counts:
            # Objects of several lists have no common prefix.
            prefix = "" if self.target.other_lists else self.target.id_prefix
            broken.append(theirs.c.id.is_(None) & referred.like(f"{prefix}%"))
        yield from self.conn.scalars(select(referred).select_from(joined).where(or_(*broken)))


def _is_gone(table: Table) -> ColumnElement[bool]:
    return table.c.deleted_at.is_not(None) | table.c.archived.is_(True)
