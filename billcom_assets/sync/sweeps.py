"""What complete sweeps say about objects that BILL no longer has.

A read that fails is never taken for a deletion. Only a sweep that came to its end counts, and only if every object that
BILL named had a readable id. What is about to be marked is asked for by id first, in case only the list is at fault; an
object that BILL shows, or refuses to show, is there.

A row is marked deleted when a second complete sweep, at least 20 hours after the first, does not see it either. When
much of a list is gone at once, a fault of BILL's is likelier than a deletion: then three sweeps over 48 hours must
agree, or a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, select

from billcom_assets.sync.other_lists import are_of
from billcom_assets.warehouse.bulk import MirrorTable
from billcom_assets.warehouse.comparing import compare_by_hash
from billcom_assets.warehouse.error_codes import MASS_DISAPPEARANCE, UNREADABLE
from billcom_assets.warehouse.error_log import WHOLE_LIST, ErrorLog, Trouble
from billcom_assets.warehouse.tables import integration_errors, sync_missing, sync_sightings
from billcom_assets.warehouse.upsert import upsert

ANOTHER_DAY = timedelta(hours=20)
"""How far apart two sweeps must be to count as two: nightly ones are, a repeated one is not."""
MASS_ROWS = 20
MASS_SHARE = 0.05
"""More rows than this, or a larger share of a list, gone at once is a mass disappearance."""
MASS_SWEEPS = 3
MASS_SPAN = timedelta(hours=48)
"""What it takes to believe a mass disappearance without a person."""


@dataclass(frozen=True)
class Sweep:
    """One complete sweep of one entity at its end."""

    id: str
    mirror: MirrorTable
    now: datetime
    """Its end, in UTC."""
    since: datetime | None
    """It looked only at objects updated since; None for all."""
    confirmed: bool
    """The user has confirmed that what is missing is gone."""


@dataclass(frozen=True)
class Conclusion:
    """What a sweep came to."""

    deleted: int
    """Rows marked deleted."""
    missing: int
    """Live rows that the sweep did not see and that are not believed to be gone yet."""


def forget_sightings(connection: Connection, integration: str, entity: str) -> None:
    """Empties what earlier sweeps noted."""
    s = sync_sightings.c
    connection.execute(sync_sightings.delete().where(s.integration == integration, s.entity == entity))


def note_sightings(connection: Connection, mirror: MirrorTable, sweep: str, ids: Iterable[str]) -> None:
    """Notes what BILL's response names, readable or not."""
    key = {"integration": mirror.integration, "entity": mirror.entity.name, "sweep": sweep}
    upsert(connection, sync_sightings, [{**key, "id": one} for one in ids])


def doomed_ids(connection: Connection, sweep: Sweep) -> list[str]:
    """Ids of the rows that the sweep is about to mark deleted: only for these it is worth asking BILL by id.

    Objects of further lists are not among them: by id BILL shows those of the entity's own list.
    """
    compare_by_hash(connection)
    t = sweep.mirror.table.c
    unseen = _unseen(sweep)
    missing, total = _numbers(connection, sweep)
    conditions = [unseen, *(~is_of for is_of in are_of(sweep.mirror.table, sweep.mirror.entity.other_lists))]
    if not sweep.confirmed:
        # This sweep's own miss is not counted yet.
        conditions.append(t.id.in_(_believed(sweep, missing, total, uncounted=1)))
    return list(connection.scalars(select(t.id).where(*conditions).order_by(t.id)))


def conclude(connection: Connection, sweep: Sweep) -> Conclusion:
    """Compares the sightings with the mirror, in the transaction that also ends the walk."""
    compare_by_hash(connection)
    mirror, t, m = sweep.mirror, sweep.mirror.table.c, sync_missing.c
    mine, unseen = _mine(sweep), _unseen(sweep)
    _count_misses(connection, sweep, mine, unseen)
    missing, total = _numbers(connection, sweep)
    is_mass = is_mass_disappearance(missing, total)
    believed = _believed(sweep, missing, total)
    marked = connection.execute(
        mirror.table.update().where(unseen, t.id.in_(believed)).values(deleted_at=sweep.now, synced_at=sweep.now)
    ).rowcount
    connection.execute(
        sync_missing.delete().where(
            mine, exists().where(t.integration == mirror.integration, t.id == m.id, t.deleted_at.is_not(None))
        )
    )
    left = Conclusion(marked, missing - marked)
    _report_mass(connection, sweep, left, total if is_mass and left.missing else None)
    _close_errors_of_removed(connection, sweep)
    forget_sightings(connection, mirror.integration, mirror.entity.name)
    return left


def is_mass_disappearance(missing: int, total: int) -> bool:
    """True when so much of a list of ``total`` rows is gone that a fault of BILL's is likelier than deletions."""
    return missing > MASS_ROWS or missing == total > 0 or (missing > 1 and missing > total * MASS_SHARE)


def _live(sweep: Sweep) -> ColumnElement[bool]:
    """The rows that the sweep looked for."""
    t = sweep.mirror.table.c
    live = and_(t.integration == sweep.mirror.integration, t.deleted_at.is_(None))
    return live if sweep.since is None else and_(live, t.updated_time >= sweep.since)


def _mine(sweep: Sweep) -> ColumnElement[bool]:
    m = sync_missing.c
    return and_(m.integration == sweep.mirror.integration, m.entity == sweep.mirror.entity.name)


def _unseen(sweep: Sweep) -> ColumnElement[bool]:
    """The rows that the sweep looked for and did not see."""
    return and_(_live(sweep), ~_seen(sweep, sweep.mirror.table.c.id))


def _numbers(connection: Connection, sweep: Sweep) -> tuple[int, int]:
    """How many rows the sweep did not see, of how many that it looked for."""
    rows = select(func.count()).select_from(sweep.mirror.table)
    return connection.scalar(rows.where(_unseen(sweep))) or 0, connection.scalar(rows.where(_live(sweep))) or 0


def _seen(sweep: Sweep, identifier: ColumnElement[str]) -> ColumnElement[bool]:
    s = sync_sightings.c
    return exists().where(
        s.integration == sweep.mirror.integration,
        s.entity == sweep.mirror.entity.name,
        s.sweep == sweep.id,
        s.id == identifier,
    )


def _count_misses(connection: Connection, sweep: Sweep, mine: ColumnElement[bool], unseen: ColumnElement[bool]) -> None:
    """Begins, goes on with and ends the rows of ``sync_missing``."""
    t, m = sweep.mirror.table.c, sync_missing.c
    still_missing = exists().where(unseen, t.id == m.id)
    connection.execute(sync_missing.delete().where(mine, ~still_missing))
    connection.execute(sync_missing.update().where(mine).values(sweeps=m.sweeps + 1))
    known = exists().where(mine, m.id == t.id)
    first_miss = select(
        t.integration,
        literal(sweep.mirror.entity.name),
        t.id,
        literal(sweep.now, sync_missing.c.missed_at.type),
        literal(1),
    ).where(unseen, ~known)
    columns = ["integration", "entity", "id", "missed_at", "sweeps"]
    connection.execute(sync_missing.insert().from_select(columns, first_miss))


def _believed(sweep: Sweep, missing: int, total: int, *, uncounted: int = 0) -> Select[tuple[str]]:
    """Ids in ``sync_missing`` whose objects are gone, ``uncounted`` sweeps being still to be counted there."""
    m = sync_missing.c
    if sweep.confirmed:
        conditions: list[ColumnElement[bool]] = []
    elif is_mass_disappearance(missing, total):
        conditions = [m.sweeps + uncounted >= MASS_SWEEPS, m.missed_at <= sweep.now - MASS_SPAN]
    else:
        conditions = [m.missed_at <= sweep.now - ANOTHER_DAY]
    return select(m.id).where(_mine(sweep), *conditions)


def _report_mass(connection: Connection, sweep: Sweep, conclusion: Conclusion, total: int | None) -> None:
    """One open error for a mass disappearance that is not believed yet; closed when there is none any more."""
    name, integration = sweep.mirror.entity.name, sweep.mirror.integration
    if total is None:
        ErrorLog(integration, name).resolve_list(connection, MASS_DISAPPEARANCE, sweep.now)
        return
    trouble = Trouble(
        f"BILL's list of {name.replace('_', ' ')} leaves out {conclusion.missing} of {total} objects at "
        "once. They are kept as they are until three complete sweeps over 48 hours agree that they are gone.",
        f"Look at the list in BILL. If they are gone: billcom sync {integration} --full-refresh "
        f"--only {name} --confirm-deletions",
    )
    ErrorLog(integration, name).report(connection, MASS_DISAPPEARANCE, {WHOLE_LIST: trouble}, sweep.now)


def _close_errors_of_removed(connection: Connection, sweep: Sweep) -> None:
    """Closes errors about records that BILL no longer has: there is nothing left to correct."""
    e, t, mirror = integration_errors.c, sweep.mirror.table.c, sweep.mirror
    is_kept = exists().where(t.integration == e.integration, t.id == e.record_id, t.deleted_at.is_(None))
    connection.execute(
        integration_errors.update()
        .where(
            e.integration == mirror.integration,
            e.entity == mirror.entity.name,
            e.code == UNREADABLE,
            e.status != "resolved",
            e.record_id != "",
            ~_seen(sweep, e.record_id),
            ~is_kept,
        )
        .values(status="resolved", reason=None, last_seen_at=sweep.now)
    )
