"""Reading objects again by id, because BILL may have changed them without moving their updated time.

Two reasons: another object that changed names them (a payment its bills, a credit its vendor), or they are payments or
credits that are not final yet. The first wait in ``sync_second_looks`` until they are read; of the second a bounded
number is looked at with every sync, in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, not_, select

from billcom_assets.bill.errors import NotFound, QueryRefused
from billcom_assets.bill.query import Filter, Op, item_path
from billcom_assets.entities.model import Entity
from billcom_assets.sync.pull import LANES, EntityPull, Sync
from billcom_assets.sync.reading import Batch, ListWalk
from billcom_assets.sync.report import Kind, PullReport
from billcom_assets.warehouse.tables import sync_second_looks

_IDS_PER_REQUEST = 100


def look_at_named(sync: Sync, source: Entity) -> list[PullReport]:
    """Reads again what changed objects of ``source`` named; one report per entity that had any.

    What an entity that this run pulls later may name, too, waits for that one: it is then read once.
    """
    reports = []
    for name in dict.fromkeys(_touched(source)):
        if _is_touched_later(sync, source, name) or sync.state(name).first_pulled_at is None:
            continue
        ids = _waiting(sync, name)
        if ids:
            reports.append(_read_again(sync, sync.catalog[name], ids))
    return reports


def look_at_unsettled(sync: Sync, entity: Entity) -> PullReport | None:
    """Reads again up to a page of objects that are not final; the next sync goes on where this one stops."""
    if not entity.settled:
        return None
    ids, following = _unsettled(sync, entity)
    if not ids:
        return None
    report = _read_again(sync, entity, ids)
    with sync.warehouse.write() as connection:
        sync.states.save(connection, entity.name, second_look_after=following)
    return report


def _touched(source: Entity) -> list[str]:
    return [entity for _, entity in source.touches]


def _is_touched_later(sync: Sync, source: Entity, name: str) -> bool:
    if source.name not in sync.planned:
        return False
    later = sync.planned[sync.planned.index(source.name) + 1 :]
    return any(name in _touched(sync.catalog[one]) for one in later)


def _waiting(sync: Sync, entity: str) -> list[str]:
    c = sync_second_looks.c
    with sync.warehouse.read() as connection:
        query = select(c.id).where(c.integration == sync.integration, c.entity == entity).order_by(c.id)
        return list(connection.scalars(query))


def _unsettled(sync: Sync, entity: Entity) -> tuple[list[str], str | None]:
    state = sync.state(entity.name)
    t = sync.warehouse.mirror.table(entity.name).c
    is_final = and_(*(t[column].in_(values) & t[column].is_not(None) for column, values in entity.settled))
    conditions = [t.integration == sync.integration, t.deleted_at.is_(None), not_(is_final)]
    if state.watermark is not None and entity.final_after_days is not None:
        conditions.append(t.updated_time >= state.watermark - timedelta(days=entity.final_after_days))
    query = select(t.id).where(*conditions).order_by(t.id).limit(_IDS_PER_REQUEST)
    after = state.second_look_after or ""
    with sync.warehouse.read() as connection:
        ids = list(connection.scalars(query.where(t.id > after)))
        if not ids and after:
            ids = list(connection.scalars(query))
    return ids, ids[-1] if len(ids) == _IDS_PER_REQUEST else None


def _read_again(sync: Sync, entity: Entity, ids: Sequence[str]) -> PullReport:
    pull = EntityPull(sync, entity, Kind.SECOND_LOOK, sync.state(entity.name))

    def walk() -> None:
        for part, batch in _parts(pull, ids):

            def done(connection: Connection, part: Sequence[str] = part) -> None:
                c = sync_second_looks.c
                mine = (c.integration == sync.integration, c.entity == entity.name, c.id.in_(part))
                connection.execute(sync_second_looks.delete().where(*mine))

            pull.writer.write([batch], {}, done)

    return pull.run(walk)


def _parts(pull: EntityPull, ids: Sequence[str]) -> Iterator[tuple[Sequence[str], Batch]]:
    """The objects, a request's worth at a time, with the ids that were asked for."""
    parts = [ids[start : start + _IDS_PER_REQUEST] for start in range(0, len(ids), _IDS_PER_REQUEST)]
    with ThreadPoolExecutor(LANES) as lanes:
        for start in range(0, len(parts), LANES):
            some = parts[start : start + LANES]
            yield from zip(some, lanes.map(lambda part: _by_ids(pull, part), some), strict=True)


def _by_ids(pull: EntityPull, ids: Sequence[str]) -> Batch:
    # A page may be empty and yet lead on, so even a list that fits one page is walked to its end.
    filters = [Filter("id", Op.IN, tuple(ids))]
    walk = ListWalk(pull.sync.client, pull.entity.path, None, lambda _position: filters, None)
    found = Batch([], [])
    try:
        for batch, _reached, _following in walk.pages(None, None, pull.reader.read):
            found.candidates += batch.candidates
            found.rejections += batch.rejections
    except QueryRefused:
        return pull.reader.read_objects([one for one in (_by_id(pull, each) for each in ids) if one is not None])
    return found


def _by_id(pull: EntityPull, identifier: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = pull.sync.client.get(item_path(pull.entity.path, identifier))
    except NotFound:
        # Not there by id: a sweep will say whether it is gone.
        return None
    return found
