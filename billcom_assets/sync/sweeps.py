"""What a complete sweep says about objects that BILL no longer has.

A read that fails is never taken for a deletion: only a sweep that came to its end counts, and only the second one in a
row that did not see an object, on another day, marks it deleted.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, exists, literal, select

from billcom_assets.warehouse.bulk import MirrorTable
from billcom_assets.warehouse.tables import sync_missing, sync_sightings


def forget_sightings(connection: Connection, integration: str, entity: str) -> None:
    """Empties what an earlier sweep noted."""
    s = sync_sightings.c
    connection.execute(sync_sightings.delete().where(s.integration == integration, s.entity == entity))


def conclude(
    connection: Connection, mirror: MirrorTable, *, now: datetime, confirmed: bool, since: datetime | None
) -> int:
    """Compares the sightings with the mirror at the end of a complete sweep; gives the number of rows marked deleted.

    Args:
        connection: The transaction that also ends the walk.
        mirror: The entity's rows of one integration.
        now: The end of the sweep, in UTC.
        since: The sweep looked only at objects updated since; None for all.
        confirmed: The user has confirmed that what is missing is gone: no second sweep is needed.
    """
    t, s, m = mirror.table.c, sync_sightings.c, sync_missing.c
    integration, entity = mirror.integration, mirror.entity.name
    seen = exists().where(s.integration == integration, s.entity == entity, s.id == t.id)
    live = and_(t.integration == integration, t.deleted_at.is_(None))
    if since is not None:
        live = and_(live, t.updated_time >= since)
    of_mine = and_(m.integration == integration, m.entity == entity)
    is_missing = exists().where(live, t.id == m.id, ~seen)
    connection.execute(sync_missing.delete().where(of_mine, ~is_missing))
    missed_before = select(m.id).where(of_mine, *([] if confirmed else [m.missed_at < _start_of_day(now)]))
    marked = connection.execute(
        mirror.table.update()
        .where(live, ~seen, *([] if confirmed else [t.id.in_(missed_before)]))
        .values(deleted_at=now, synced_at=now)
    ).rowcount
    known = exists().where(of_mine, m.id == t.id)
    connection.execute(
        sync_missing.insert().from_select(
            ["integration", "entity", "id", "missed_at"],
            select(t.integration, literal(entity), t.id, literal(now, sync_missing.c.missed_at.type)).where(
                live, ~seen, ~known
            ),
        )
    )
    connection.execute(
        sync_missing.delete().where(of_mine, exists().where(t.integration == integration, t.id == m.id, ~live))
    )
    forget_sightings(connection, integration, entity)
    return marked


def _start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
