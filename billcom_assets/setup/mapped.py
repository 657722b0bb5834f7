"""How much of one kind of BILL object is mapped, counted in the database by type."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select, text

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import LinkState
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.ledger_tables import mappings


@dataclass(frozen=True, slots=True)
class MappedCounts:
    """How much of one kind is mapped."""

    live: Counter[str]
    """Objects that are neither archived nor deleted, by type (empty for kinds without types)."""
    mapped: Counter[str]
    """Those of them that are mapped onto an active ledger object, by type."""
    suggested: int
    """Suggestions that wait for a decision."""
    ledger: int
    """Active ledger objects of the kind."""


def mapped_counts(connection: Connection, integration: str, name: str) -> MappedCounts:
    """Counts the objects of the kind ``name``."""
    kind = KINDS[name]
    ours, theirs, m = catalog_mirror().table(name), kind.table, mappings.c
    type_ = func.coalesce(ours.c[kind.type_column], "") if kind.type_column else literal("")
    live = (
        select(type_.label("type"), func.count().label("objects"))
        .select_from(ours)
        .where(is_live(ours, integration))
        .group_by(text("1"))
    )
    mapped = (
        live.join(mappings, and_(m.integration == ours.c.integration, m.kind == name, m.bill_id == ours.c.id))
        .join(theirs, and_(theirs.c.integration == ours.c.integration, theirs.c.id == m.ledger_id, theirs.c.active))
        .where(m.state == LinkState.MAPPED.value)
    )
    return MappedCounts(
        live=_by_type(connection, live),
        mapped=_by_type(connection, mapped),
        suggested=_count(
            connection,
            mappings,
            *(m.integration == integration, m.kind == name, m.state == LinkState.SUGGESTED.value),
        ),
        ledger=_count(connection, theirs, theirs.c.integration == integration, theirs.c.active),
    )


def _by_type(connection: Connection, query: Select[Any]) -> Counter[str]:
    return Counter({row.type: row.objects for row in connection.execute(query)})


def _count(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
