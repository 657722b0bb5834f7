"""Reading objects again by id, because BILL may have changed them without moving their updated time.

Two reasons: another object that changed names them (a payment its bills, a credit its vendor), or they are payments or
credits that are not final yet. The first wait in ``sync_rereads`` until they are read; of the second a bounded
number is read with every sync, in turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, and_, not_, select

from billcom_assets.bill.concurrency import AT_ONCE
from billcom_assets.bill.errors import LIST_TROUBLE
from billcom_assets.entities.model import Entity
from billcom_assets.sync.by_id import IDS_PER_REQUEST, Found, read_by_ids
from billcom_assets.sync.fetching import Stream, Turn
from billcom_assets.sync.pull import EntityPull
from billcom_assets.sync.report import PullKind, PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.tables import sync_rereads

_log = logging.getLogger(__name__)
_DEEPEST_CHAIN = 4
"""A payment names a credit, the credit a bill, the bill its vendor; and one round more for what changed meanwhile."""
_FIRST = -1
"""Before anything that is fetched ahead."""


def reread_named(sync: Sync, source: Entity) -> list[PullReport]:
    """Reads again what changed objects of ``source`` named; one report per entity that had any.

    What an entity that this run pulls later may name, too, waits for that one: it is then read once. What an earlier
    run left, because it failed before that, waits no longer.
    """
    names = [
        name
        for name in source.touched
        if (name in sync.left_over or not _is_touched_later(sync, source, name))
        and name not in sync.excluded
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
        reports += _reread(sync, naming or waiting)
    sync.left_over.difference_update(names)
    return reports


def unsettled(sync: Sync, entity: Entity, state: EntityState) -> Reread | None:
    """Up to a page of objects that are not final, to be read again; the next sync goes on where this one stops."""
    ids = unsettled_ids(sync, entity, state)
    return Reread(sync, entity, ids, sync.turn(entity)) if ids else None


def unsettled_ids(sync: Sync, entity: Entity, state: EntityState) -> list[str]:
    """Ids of up to a page of objects that are not final, after those that were read again last."""
    if not entity.settled:
        return []
    t = sync.warehouse.mirror.table(entity.name).c
    is_final = and_(*(t[column].in_(values) & t[column].is_not(None) for column, values in entity.settled))
    conditions = [t.integration == sync.integration, t.deleted_at.is_(None), not_(is_final)]
    if state.watermark is not None and entity.final_after_days is not None:
        conditions.append(t.updated_time >= state.watermark - timedelta(days=entity.final_after_days))
    query = select(t.id).where(*conditions).order_by(t.id).limit(IDS_PER_REQUEST)
    after = state.reread_after or ""
    with sync.warehouse.read() as connection:
        ids = list(connection.scalars(query.where(t.id > after)))
        if not ids and after:
            ids = list(connection.scalars(query))
    return ids


def following(ids: Sequence[str]) -> str | None:
    """Where the next look at unsettled objects goes on; None for the first of them."""
    return ids[-1] if len(ids) == IDS_PER_REQUEST else None


def store_unsettled(reread: Reread) -> PullReport | None:
    """Stores what was read again, and where the next sync goes on."""
    report, sync = reread.store(set()), reread.sync
    changes = {"reread_after": following(reread.ids), "reread_at": sync.clock()}
    with sync.warehouse.write() as connection:
        sync.states.save(connection, reread.entity.name, **changes)
    return report


def _is_touched_later(sync: Sync, source: Entity, name: str) -> bool:
    if source.name not in sync.planned:
        return False
    later = sync.planned[sync.planned.index(source.name) + 1 :]
    return any(name in sync.catalog[one].touched for one in later)


def _waiting(sync: Sync, entity: str) -> list[str]:
    c = sync_rereads.c
    with sync.warehouse.read() as connection:
        query = select(c.id).where(c.integration == sync.integration, c.entity == entity).order_by(c.id)
        return list(connection.scalars(query))


def _reread(sync: Sync, waiting: Mapping[Entity, Sequence[str]]) -> list[PullReport]:
    """Reads the objects of all entities at once and stores them entity by entity."""
    rereads = [Reread(sync, entity, ids, Turn(_FIRST)) for entity, ids in waiting.items()]
    for one in rereads:
        sync.forget_begun(one.entity.name)
        one.begin()
    named: set[tuple[str, str]] = set()
    return [report for one in rereads if (report := one.store(named)) is not None]


@dataclass
class Reread:
    """Objects of one entity that are read again."""

    sync: Sync
    entity: Entity
    ids: Sequence[str]
    turn: Turn
    _stream: Stream[tuple[Sequence[str], Found]] | None = field(default=None, init=False)

    @property
    def is_begun(self) -> bool:
        """Its requests are in the pool, or were made."""
        return self._stream is not None

    def begin(self) -> None:
        """Puts the requests in the pool; any thread may."""
        self._stream = Stream.of(self.sync.pool, self.turn, map(self._read, self._parts()), width=AT_ONCE)

    def store(self, named: set[tuple[str, str]]) -> PullReport | None:
        """Stores what comes; None when BILL failed: what was not read stays waiting and fails no run.

        Args:
            named: What the objects stored in this round named: it may have been read before, so it stays waiting.
        """
        pull = EntityPull(self.sync, self.entity, PullKind.REREAD, self.sync.state(self.entity.name), self.turn)
        try:
            return pull.run(partial(self._store, pull, named))
        except LIST_TROUBLE as trouble:
            names = self.sync.integration, self.entity.name
            _log.warning("%s: %s are read again with the next run: %s", *names, trouble)
            return None

    def _parts(self) -> Iterator[Sequence[str]]:
        return (self.ids[start : start + IDS_PER_REQUEST] for start in range(0, len(self.ids), IDS_PER_REQUEST))

    def _read(self, part: Sequence[str]) -> Iterator[tuple[Sequence[str], Found]]:
        yield part, read_by_ids(self.sync.client, self.sync.maker(self.entity)[0], part)

    def _store(self, pull: EntityPull, named: set[tuple[str, str]]) -> None:
        assert self._stream is not None  # noqa: S101 - it was begun
        try:
            for ((part, read),) in self._stream.groups():
                written = pull.writer.write([read.batch], {}, partial(self._forget, pull, named, part, read.refused))
                named |= written.named
        finally:
            self._stream.close()

    def _forget(
        self,
        pull: EntityPull,
        named: set[tuple[str, str]],
        part: Sequence[str],
        refused: Mapping[str, str],
        connection: Connection,
    ) -> None:
        pull.writer.report_bad_references(connection, refused)
        done = [one for one in part if (self.entity.name, one) not in named]
        c = sync_rereads.c
        mine = (c.integration == self.sync.integration, c.entity == self.entity.name, c.id.in_(done))
        connection.execute(sync_rereads.delete().where(*mine))
