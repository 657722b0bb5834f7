"""What waits to be read: objects that BILL was not asked about since they changed, and files that are not stored.

BILL does not say whether attaching a file changes an object's updated time, so that young objects are asked about again
every day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select

from billcom_assets.bill.quotas import REQUESTS_PER_HOUR, hour_of
from billcom_assets.documents.sources import SOURCES, Source
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.catalog_mirror import is_live
from billcom_assets.warehouse.tables import document_reads, documents, request_budget

_AGAIN_AFTER = timedelta(days=1)
"""When a file that could not be had is asked for again, and a young object about its files."""
_YOUNG = timedelta(days=30)
SHARE = REQUESTS_PER_HOUR // 2
"""Of an hour's requests; the rest is the syncs'."""


@dataclass(frozen=True, slots=True)
class Record:
    """An object whose files are looked at."""

    id: str
    updated_time: datetime | None


def is_due(now: datetime) -> ColumnElement[bool]:
    """The condition that a file is to be fetched."""
    d = documents.c
    return or_(d.status == "waiting", and_(d.status == "failed", d.tried_at < now - _AGAIN_AFTER))


def waiting(
    sync: Sync,
    source: Source,
    now: datetime,
    most: int,
    *,
    but: Collection[str] = (),
    asked_before: bool = False,
) -> list[Record]:
    """Live objects that BILL is to be asked about, the youngest first.

    Args:
        sync: Of the integration.
        source: Whose objects.
        now: The beginning of the run.
        most: How many at most.
        but: Ids of objects to pass over.
        asked_before: Those that it was asked about before ``now``, too.
    """
    mirror, d, r = sync.warehouse.mirror.table(source.entity), documents.c, document_reads.c
    t = mirror.c
    read = and_(r.integration == t.integration, r.entity == source.entity, r.record_id == t.id)
    of_it = (d.integration == t.integration, d.entity == source.entity, d.record_id == t.id)
    was_long_ago = r.read_at < now - _AGAIN_AFTER
    wanted = [
        or_(r.read_at.is_(None), and_(r.answered, r.updated_time.is_distinct_from(t.updated_time))),
        and_(was_long_ago, or_(t.updated_time > now - _YOUNG, r.answered.is_(False))),
        and_(r.answered, exists().where(*of_it, d.detached_at.is_(None), is_due(now))),
    ]
    if asked_before:
        wanted.append(r.read_at < now)
    query = (
        select(t.id, t.updated_time)
        .select_from(mirror.outerjoin(document_reads, read))
        .where(is_live(mirror, sync.integration), or_(*wanted), t.id.not_in(but))
        .order_by(t.updated_time.desc(), t.id)
        .limit(most)
    )
    with sync.warehouse.read() as connection:
        return [Record(*row) for row in connection.execute(query)]


def sources(sync: Sync) -> list[Source]:
    """What a run asks about."""
    return [
        source
        for source in SOURCES
        if source.entity not in sync.excluded and source.can_be_asked(sync.client, asks_v2=sync.asks_v2)
    ]


def has_used_up_its_share(sync: Sync) -> bool:
    """Whether so many of the hour's requests are used, by whomever, that files wait for the next hour."""
    t = request_budget.c
    mine = (t.developer_key == sync.client.credentials.key_digest, t.hour == hour_of(sync.clock()))
    with sync.warehouse.read() as connection:
        return (connection.scalar(select(t.requests).where(*mine)) or 0) >= SHARE


def is_anything_waiting(sync: Sync) -> bool:
    """Whether a run would find files to fetch, as far as BILL lists such files to the login."""
    if not sync.keeps_documents or has_used_up_its_share(sync):
        return False
    return any(_answers(sync, source) and waiting(sync, source, sync.clock(), 1) for source in sources(sync))


def _answers(sync: Sync, source: Source) -> bool:
    """Whether BILL has answered when it was last asked about such files."""
    r = document_reads.c
    mine = (r.integration == sync.integration, r.entity == source.entity)
    last = select(r.answered).where(*mine).order_by(r.read_at.desc(), r.answered).limit(1)
    with sync.warehouse.read() as connection:
        return bool(connection.scalar(last))
