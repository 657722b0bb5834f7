"""Asking BILL whether a pull would find anything new, without a pull.

A question is one request, and its answer is compared with what is stored by the digest of every object, so that it says
the same as the first page of a pull. Nothing is written but when it was asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import update

from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity, Walk
from billcom_assets.entities.rows import Batch, MirrorRow
from billcom_assets.sync.by_id import read_by_ids
from billcom_assets.sync.lists import page_reader
from billcom_assets.sync.queries import UPDATED
from billcom_assets.sync.rereads import following, unsettled_ids
from billcom_assets.sync.run import OVERLAP, Sync
from billcom_assets.sync.source import later
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.bulk import MirrorTable, Stored
from billcom_assets.warehouse.tables import sync_state

WATCHED = "bills"
"""Asked about every hour, before all others: paying, crediting and approving a bill changes it."""


class About(StrEnum):
    """What a question is about."""

    NEWS = "news"
    """Objects that changed since the newest change known."""
    UNSETTLED = "unsettled"
    """Objects that are not final, which BILL may change without moving their updated time."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request."""

    entity: str
    about: About


def can_be_asked(entity: Entity, state: EntityState) -> bool:
    """Whether one request tells if the entity's pull would find news: its list takes the time filter, and is one.

    v2's are not asked about: a refusal of v2's would look like one of the sign-in.
    """
    if entity.is_of_v2 or entity.walk is Walk.FULL or entity.other_lists or state.time_filter_refused:
        return False
    return state.first_pulled_at is not None and state.watermark is not None


def questions(catalog: Catalog, states: Mapping[str, EntityState], entities: Collection[str]) -> list[Question]:
    """What to ask about the entities: bills first, then what was not asked about for the longest time."""
    found: list[tuple[tuple[bool, float, int], Question]] = []
    for place, entity in enumerate(catalog):
        state = states.get(entity.name, EntityState())
        if entity.name not in entities or not can_be_asked(entity, state):
            continue
        is_later = entity.name != WATCHED
        found.append(((is_later, _seconds(state.looked_at), place), Question(entity.name, About.NEWS)))
        if entity.settled:
            found.append(((True, _seconds(state.reread_at), place), Question(entity.name, About.UNSETTLED)))
    return [question for _, question in sorted(found, key=lambda one: one[0])]


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0


def has_news(sync: Sync, question: Question) -> bool:
    """Whether BILL shows something that the mirror does not have.

    Args:
        sync: Of the integration; it need not be alone.
        question: What to ask.

    Raises:
        BillError: BILL refused or failed; that says nothing of news.
    """
    entity = sync.catalog[question.entity]
    state = sync.state(entity.name)
    if question.about is About.UNSETTLED:
        ids = unsettled_ids(sync, entity, state)
        batch = read_by_ids(sync.client, sync.maker(entity)[0], ids).batch if ids else Batch()
        return _differs(sync, entity, state, batch, believes=True)
    since = later(state.watermark - OVERLAP, sync.earliest) if state.watermark else sync.earliest
    filters = [Filter(UPDATED, Op.GTE, since)] if since else []
    page = sync.client.page(entity.path, filters=filters, sort=Sort(UPDATED, descending=True))
    batch = page_reader(sync.maker(entity)[0])(page.rows)
    # An empty page that leads on says nothing; a full one has the newest, and what is below it was seen with them.
    is_silent = not page.rows and page.next_cursor is not None
    return is_silent or _differs(sync, entity, state, batch, believes=False)


def note_nothing_new(sync: Sync, asked: Iterable[Question]) -> None:
    """Keeps when BILL said so; of what was never pulled nothing is kept."""
    now, c = sync.clock(), sync_state.c
    with sync.warehouse.write() as connection:
        for one in asked:
            values: dict[str, object] = {"probed_at": now}
            if one.about is About.UNSETTLED:
                entity, state = sync.catalog[one.entity], sync.state(one.entity)
                values = {"reread_at": now, "reread_after": following(unsettled_ids(sync, entity, state))}
            mine = (c.integration == sync.integration, c.entity == one.entity)
            connection.execute(update(sync_state).where(*mine).values(**values))


def _differs(sync: Sync, entity: Entity, state: EntityState, batch: Batch, *, believes: bool) -> bool:
    """Whether storing the objects would change anything.

    Args:
        sync: Of the integration.
        entity: Whose objects.
        state: How far the entity is.
        batch: The objects.
        believes: What BILL shows counts even where its updated time is older than the stored one.
    """
    table = MirrorTable(sync.warehouse.mirror, entity, sync.integration)
    with sync.warehouse.read() as connection:
        stored = table.stored(connection, [row.id for row in batch.rows])
    if any(_is_news(row, stored.get(row.id), believes=believes) for row in batch.rows):
        return True
    # What could not be read before is no news while it stays so.
    known = state.watermark
    return any(one.updated_time is None or known is None or one.updated_time > known for one in batch.rejections)


def _is_news(row: MirrorRow, stored: Stored | None, *, believes: bool) -> bool:
    if stored is None:
        return not row.is_before_cutoff
    if stored.is_deleted or stored.is_unreadable:
        return True
    is_older = (
        row.updated_time is not None and stored.updated_time is not None and row.updated_time < stored.updated_time
    )
    return row.digest != stored.digest and (believes or not is_older)
