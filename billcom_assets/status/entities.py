"""How far the entities of an integration are, and how many rows each has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.status.integrations import entity_states
from billcom_assets.status.scope import scope
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.engine import Warehouse


@dataclass(frozen=True, slots=True)
class EntityStatus:
    """How far one entity of an integration is."""

    entity: str
    rows: int
    deleted: int
    """Rows that BILL no longer has."""
    watermark: datetime | None
    synced_at: datetime | None
    """When it was last pulled."""
    up_to_date_at: datetime | None
    """The same, or when BILL last said that there is nothing new."""
    is_permitted: bool
    """False while BILL does not show the list to the login."""
    is_excluded: bool
    """True when it is left out of the integration's syncs."""
    time_filter_refused: bool
    """BILL does not take the filter by time of change, so that every pull reads the whole list."""


def entity_statuses(warehouse: Warehouse, connection: Connection, key: str) -> list[EntityStatus]:
    """Every entity in sync order, those that were never pulled too."""
    states, wanted = entity_states(connection, key), scope(connection, key)
    found = []
    for entity in CATALOG:
        t = warehouse.mirror.table(entity.name).c
        counted = select(func.count(), func.count(t.deleted_at)).where(t.integration == key)
        rows, deleted = connection.execute(counted).one()
        state = states.get(entity.name, EntityState())
        found.append(
            EntityStatus(
                entity.name,
                rows=rows - deleted,
                deleted=deleted,
                watermark=state.watermark,
                synced_at=state.synced_at,
                up_to_date_at=state.looked_at,
                is_permitted=entity.name not in wanted.refusals,
                is_excluded=entity.name in wanted.excluded,
                time_filter_refused=state.time_filter_refused,
            )
        )
    return found
