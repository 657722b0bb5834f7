"""Reading objects again by id, because BILL may have changed them without moving their updated time.

Two reasons: another object that changed names them (a payment its bills, a credit its vendor), or they are payments or
credits that are not final yet. The first wait in ``sync_second_looks`` until they are read; of the second a bounded
number is looked at with every sync, in turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, not_, select

from billcom_assets.bill.errors import NotFound, QueryRefused
from billcom_assets.bill.limits import AT_ONCE
from billcom_assets.bill.query import Filter, Op, item_path
from billcom_assets.entities.model import Entity
from billcom_assets.sync.pull import EntityPull, Sync
from billcom_assets.sync.reading import Batch, ListWalk
from billcom_assets.sync.report import Kind, PullReport
from billcom_assets.warehouse.tables import sync_second_looks

_IDS_PER_REQUEST = 100
_ROWS_PER_ID = 10
"""What repeated pages may bring of one object; a list that brings more is the whole list, its filter ignored."""
_DEEPEST_CHAIN = 4
"""A payment names a credit, the credit a bill, the bill its vendor; and one round more for what changed meanwhile."""


def look_at_named(sync: Sync, source: Entity) -> list[PullReport]:
    """Reads again what changed objects of ``source`` named; one report per entity that had any.

    What an entity that this run pulls later may name, too, waits for that one: it is then read once. What an earlier
    run left, because it failed before that, waits no longer.
    """
    names = [
        name
        for name in source.touched
        if (name in sync.left_over or not _is_touched_later(sync, source, name))
        and sync.state(name).first_pulled_at is not None
    ]
    reports: list[PullReport] = []
    for _ in range(_DEEPEST_CHAIN):
        found = [(sync.catalog[name], _waiting(sync, name)) for name in names]
        waiting = {entity: ids for entity, ids in found if ids}
        if not waiting:
            break
        # What was read again may have changed, and then names others: they are read after it.
        naming = {entity: ids for entity, ids in waiting.items() if any(name in names for name in entity.touched)}
        reports += _read_again(sync, naming or waiting)
    sync.left_over.difference_update(names)
    return reports


def look_at_unsettled(sync: Sync, entity: Entity) -> PullReport | None:
    """Reads again up to a page of objects that are not final; the next sync goes on where this one stops."""
    if not entity.settled:
        return None
    ids, following = _unsettled(sync, entity)
    if not ids:
        return None
    (report,) = _read_again(sync, {entity: ids})
    with sync.warehouse.write() as connection:
        sync.states.save(connection, entity.name, second_look_after=following)
    return report


def _is_touched_later(sync: Sync, source: Entity, name: str) -> bool:
    if source.name not in sync.planned:
        return False
    later = sync.planned[sync.planned.index(source.name) + 1 :]
    return any(name in sync.catalog[one].touched for one in later)


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


def _read_again(sync: Sync, looks: Mapping[Entity, Sequence[str]]) -> list[PullReport]:
    """Reads the objects of all entities at once and stores them entity by entity."""
    lanes = ThreadPoolExecutor(AT_ONCE, "look")
    named: set[tuple[str, str]] = set()
    try:
        started = [_Look(sync, entity, ids, lanes, named) for entity, ids in looks.items()]
        return [look.store() for look in started]
    finally:
        lanes.shutdown(cancel_futures=True)


class _Look:
    """Objects of one entity being read again; a few requests are always under way.

    Args:
        sync: The run.
        entity: What to read.
        ids: Which.
        lanes: Where requests are made.
        named: What the objects stored in this round named: it may have been read before, so it stays waiting.
    """

    def __init__(
        self, sync: Sync, entity: Entity, ids: Sequence[str], lanes: Executor, named: set[tuple[str, str]]
    ) -> None:
        self._pull = EntityPull(sync, entity, Kind.SECOND_LOOK, sync.state(entity.name))
        self._lanes = lanes
        self._named = named
        self._left = deque(ids[start : start + _IDS_PER_REQUEST] for start in range(0, len(ids), _IDS_PER_REQUEST))
        self._asked: deque[tuple[Sequence[str], Future[Batch]]] = deque()
        self._ask()

    def store(self) -> PullReport:
        """Stores what comes."""
        return self._pull.run(self._walk)

    def _ask(self) -> None:
        while self._left and len(self._asked) < AT_ONCE:
            part = self._left.popleft()
            self._asked.append((part, self._lanes.submit(_by_ids, self._pull, part)))

    def _walk(self) -> None:
        while self._asked:
            part, found = self._asked.popleft()
            batch = found.result()
            self._ask()
            written = self._pull.writer.write([batch], {}, partial(self._forget, part))
            self._named |= written.named

    def _forget(self, part: Sequence[str], connection: Connection) -> None:
        done = [one for one in part if (self._pull.entity.name, one) not in self._named]
        c = sync_second_looks.c
        mine = (c.integration == self._pull.sync.integration, c.entity == self._pull.entity.name, c.id.in_(done))
        connection.execute(sync_second_looks.delete().where(*mine))


def _by_ids(pull: EntityPull, ids: Sequence[str]) -> Batch:
    # A page may be empty and yet lead on, so even a list that fits one page is walked to its end.
    filters = [Filter("id", Op.IN, tuple(ids))]
    walk = ListWalk(pull.sync.client, pull.entity.path, None, lambda _position: filters, None)
    found = Batch([], [])
    try:
        for batch, _reached, _following in walk.pages(None, None, pull.reader.read):
            found.candidates += batch.candidates
            found.rejections += batch.rejections
            if found.fetched > _ROWS_PER_ID * len(ids):
                raise QueryRefused("The filter on ids was not obeyed")
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
