"""How much of one kind of BILL object is mapped, counted in the database by type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, literal, select, text

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import LinkState
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.ledger_tables import mappings


@dataclass(frozen=True, slots=True)
class MappedCounts:
    """How much of one kind is mapped."""

    live: Counter[str]
    """Objects that are neither archived nor deleted, by type (empty for kinds without types)."""
    mapped: Counter[tuple[str, str]]
    """Those of them that are mapped onto an active ledger object, by their type and by the ledger object's."""

    def mapped_within(self, types: Collection[str]) -> int:
        """Objects of these types that are mapped onto ledger objects of these types."""
        return sum(count for (ours, theirs), count in self.mapped.items() if ours in types and theirs in types)


def mapped_counts(connection: Connection, integration: str, name: str) -> MappedCounts:
    """Counts the objects of the kind ``name``."""
    kind = KINDS[name]
    ours, theirs, m = catalog_mirror().table(name), kind.table, mappings.c
    our_type = func.coalesce(ours.c[kind.type_column], "") if kind.type_column else literal("")
    their_type = theirs.c.type if kind.type_column else literal("")
    objects = func.count().label("objects")
    live = (
        select(our_type.label("type"), objects).select_from(ours).where(is_live(ours, integration)).group_by(text("1"))
    )
    mapped = (
        select(our_type, their_type, func.count())
        .select_from(ours)
        .join(mappings, and_(m.integration == ours.c.integration, m.kind == name, m.bill_id == ours.c.id))
        .join(theirs, and_(theirs.c.integration == ours.c.integration, theirs.c.id == m.ledger_id, theirs.c.active))
        .where(is_live(ours, integration), m.state == LinkState.MAPPED.value)
        .group_by(text("1, 2"))
    )
    return MappedCounts(
        live=Counter({one.type: one.objects for one in connection.execute(live)}),
        mapped=Counter({(one, other): count for one, other, count in connection.execute(mapped)}),
    )
