"""Mirror tables, derived from the entity catalog: one row per BILL object, lists inside objects as child tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from billcom_assets.entities import model
from billcom_assets.entities.model import Child, ColumnType, Entity
from billcom_assets.warehouse.tables import NAMING, SCHEMA
from billcom_assets.warehouse.types import Exact, Json, UtcTimestamp

COMMON = ("integration", "id", "archived", "created_time", "updated_time")
BOOKKEEPING = ("deleted_at", "unreadable_since", "first_seen_at", "synced_at", "payload", "payload_digest")
V2_BOOKKEEPING = ("v2_payload", "v2_digest", "v2_read_for")
"""Of entities that v2 adds something to; what pulls of v3 write leaves them as they are."""
V2_WAITS = "(v2_digest IS NULL OR v2_read_for <> updated_time)"
"""True for a row about which v2 was not asked, or not since it changed; word for word the condition of an index."""


def _sql_type(column: model.Column) -> TypeEngine[Any]:
    types: dict[ColumnType, TypeEngine[Any]] = {
        ColumnType.TEXT: Text(),
        ColumnType.MONEY: Exact(money=True),
        ColumnType.NUMBER: Exact(),
        ColumnType.INTEGER: BigInteger(),
        ColumnType.BOOLEAN: Boolean(),
        ColumnType.DATE: Date(),
        ColumnType.TIMESTAMP: UtcTimestamp(),
        ColumnType.JSON: Json(),
    }
    return types[column.type]


def _declared(columns: tuple[model.Column, ...]) -> Iterator[Column[Any]]:
    for column in columns:
        yield Column(column.name, _sql_type(column), comment=column.description)


def _entity_table(entity: Entity, metadata: MetaData) -> Table:
    return Table(
        entity.name,
        metadata,
        Column("integration", Text, nullable=False, comment="Integration key"),
        Column("id", Text, nullable=False, comment="BILL's id of the object"),
        Column("archived", Boolean, comment="Archived in BILL; null where BILL has no such state"),
        Column("created_time", UtcTimestamp(), comment="When it was created in BILL (UTC)"),
        Column("updated_time", UtcTimestamp(), comment="When it last changed in BILL (UTC, whole seconds)"),
        *_declared(entity.columns),
        Column("deleted_at", UtcTimestamp(), comment="When complete sweeps agreed that BILL no longer has it"),
        Column(
            "unreadable_since",
            UtcTimestamp(),
            comment="Since when BILL's version of it cannot be read; the row shows the last readable one",
        ),
        Column("first_seen_at", UtcTimestamp(), nullable=False, comment="When it was first stored here (UTC)"),
        Column("synced_at", UtcTimestamp(), nullable=False, comment="When this row was last written (UTC)"),
        Column(
            "payload",
            Json(),
            nullable=False,
            comment="All that BILL sent of the object as JSON: keys in order, nulls left out, equal numbers alike",
        ),
        Column("payload_digest", Text, nullable=False, comment="Digest of the payload: equal means unchanged"),
        *(_v2_bookkeeping() if entity.v2 else ()),
        PrimaryKeyConstraint("integration", "id"),
        comment=entity.description,
    )


def _v2_bookkeeping() -> Iterator[Column[Any]]:
    yield Column("v2_payload", Json(), comment="What of BILL's v2 API the columns need, as JSON; null for nothing")
    yield Column("v2_digest", Text, comment="Digest of v2_payload, empty for nothing; null when v2 was never asked")
    yield Column(
        "v2_read_for", UtcTimestamp(), comment="Updated time of the version about which v2 was asked last (UTC)"
    )


def _child_table(entity: Entity, child: Child, metadata: MetaData) -> Table:
    parent_id = entity.id_column
    return Table(
        child.table,
        metadata,
        Column("integration", Text, nullable=False, comment="Integration key"),
        Column(parent_id, Text, nullable=False, comment=f"Id of the {entity.singular.replace('_', ' ')} it belongs to"),
        Column("position", Integer, nullable=False, comment="Place in BILL's list, from 0"),
        *_declared(child.columns),
        PrimaryKeyConstraint("integration", parent_id, "position"),
        comment=child.description,
    )


def _index_references(table: Table, columns: tuple[model.Column, ...]) -> None:
    """Index what analysts join on and what the ledger looks up."""
    for column in columns:
        if column.references in {"vendors", "customers", "bills", "invoices"}:
            Index(f"ix_{table.name}_{column.name}"[:63], table.c.integration, table.c[column.name])


def _index_what_waits(table: Table) -> None:
    """Index the rows about which v2 is to be asked: few or none after a sync, so that finding them reads no others."""
    condition = text(V2_WAITS)
    name = f"ix_{table.name}_v2_waits"
    Index(name, table.c.integration, table.c.id, postgresql_where=condition, sqlite_where=condition)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _definitions(entities: tuple[Entity, ...]) -> Iterator[tuple[str, str]]:
    for entity in entities:
        yield entity.name, _digest(repr((*_sources(entity.columns), *([entity.v2] if entity.v2 else []))))
        for child in entity.children:
            yield child.table, _digest(repr((child.path, _sources(child.columns))))


def _sources(columns: tuple[model.Column, ...]) -> list[tuple[str, ...]]:
    return [(column.name, column.path, column.type.value, *_readings(column)) for column in columns]


def _readings(column: model.Column) -> Iterator[str]:
    """What decides besides path and type how a column is read."""
    yield from (column.absent,) if column.absent else ()
    yield from column.or_kind or ()


@dataclass(frozen=True, eq=False)
class Mirror:
    """The mirror tables of a set of entities."""

    entities: tuple[Entity, ...]
    metadata: MetaData
    fingerprint: str
    """Digest of everything that the tables are built from."""
    definitions: dict[str, str]
    """For each table the digest of what its rows are derived from: another one means that they must be derived again.
    """

    @classmethod
    def of(cls, entities: tuple[Entity, ...]) -> Mirror:
        """Builds the tables' definitions; touches no database."""
        metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)
        for entity in entities:
            table = _entity_table(entity, metadata)
            _index_references(table, entity.columns)
            if entity.v2 is not None:
                _index_what_waits(table)
            for child in entity.children:
                _index_references(_child_table(entity, child, metadata), child.columns)
        # repr of the declarations holds names, types and descriptions: all that the database keeps of them. Columns and
        # indexes that no declaration names come from this module.
        shape = [
            (
                table.name,
                [(column.name, column.comment) for column in table.columns],
                sorted(str(index.name) for index in table.indexes),
            )
            for table in metadata.sorted_tables
        ]
        return cls(entities, metadata, _digest(repr((entities, shape))), dict(_definitions(entities)))

    def table(self, name: str) -> Table:
        """The table called ``name`` (an entity's or a child's); raises KeyError when there is none."""
        return self.metadata.tables[f"{SCHEMA}.{name}"]
