"""Which BILL objects other BILL objects refer to, derived from the catalog's references."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, select, union

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.mirror import Mirror

PAYABLES = ("bills", "vendor_credits", "vendor_payments")
"""The documents that enter the ledger."""

USERS = (*PAYABLES, "items", "funding_accounts")
"""Entities whose references count as use: the documents, and what they are charged to and paid from."""


_IDS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that holds the id of an object of ``target``."""

    entity: Entity
    table: str
    column: str
    target: str


def references(entities: tuple[Entity, ...]) -> Iterator[Reference]:
    """Every reference that the entities declare, child tables included."""
    for entity in entities:
        for table, columns in ((entity.name, entity.columns), *((c.table, c.columns) for c in entity.children)):
            for column in columns:
                if column.references is not None:
                    yield Reference(entity, table, column.name, column.references)


def referring(tables: Mirror, reference: Reference, integration: str) -> Select[Any]:
    """Ids that are referred to; only by objects that are neither archived nor deleted. The owner's table is joined."""
    owner = tables.table(reference.entity.name)
    table = tables.table(reference.table)
    referred: Column[str] = table.c[reference.column]
    query = select(referred).where(is_live(owner, integration), referred.is_not(None))
    if table is owner:
        return query
    parent_id = table.c[reference.entity.id_column]
    return query.join(owner, and_(table.c.integration == owner.c.integration, parent_id == owner.c.id))


def in_use(conn: Connection, integration: str, kind: str, *, by: tuple[str, ...] = USERS) -> set[str]:
    """Ids of the ``kind`` that live objects of the entities ``by`` refer to."""
    queries = [referring(catalog_mirror(), reference, integration) for reference in _references_to(kind, by)]
    return set(conn.scalars(union(*queries))) if queries else set()


def in_use_among(conn: Connection, integration: str, kind: str, ids: Collection[str], *, by: str) -> set[str]:
    """Those of the ``ids`` of the ``kind`` that live objects of the entity ``by`` refer to."""
    queries = [referring(catalog_mirror(), reference, integration) for reference in _references_to(kind, (by,))]
    return {
        used
        for query in queries
        for some in parts(ids)
        for used in conn.scalars(query.where(query.selected_columns[0].in_(some)).distinct())
    }


def in_use_by(conn: Connection, integration: str, kind: str, owners: Collection[str], *, by: str) -> set[str]:
    """Ids of the ``kind`` that some live objects of the entity ``by`` refer to, the ``owners``."""
    is_owner = catalog_mirror().table(by).c.id
    queries = [referring(catalog_mirror(), reference, integration) for reference in _references_to(kind, (by,))]
    return {
        used
        for query in queries
        for some in parts(owners)
        for used in conn.scalars(query.where(is_owner.in_(some)).distinct())
    }


def _references_to(kind: str, by: tuple[str, ...]) -> Iterator[Reference]:
    users = tuple(entity for entity in CATALOG if entity.name in by)
    return (one for one in references(users) if one.target == kind and one.entity.name != kind)


def parts(ids: Collection[str]) -> Iterator[list[str]]:
    """The ids in parts that a database takes as parameters of one statement."""
    listed = sorted(ids)
    for start in range(0, len(listed), _IDS_AT_ONCE):
        yield listed[start : start + _IDS_AT_ONCE]
