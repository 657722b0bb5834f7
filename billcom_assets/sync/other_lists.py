"""Objects that an entity's own list does not show: those of its further lists, and those known only by name.

A further list that this login may not read, or that the organization does not have, costs its own objects their news
and nothing else: what was stored of it stays, and no sweep takes it for gone. Nor does one take for gone what no list
shows anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, select

from billcom_assets.bill.client import BillClient, decode
from billcom_assets.bill.errors import BillUnavailable, NotFound, Refused, UntrustedSession, WrongEntityType
from billcom_assets.entities.model import NAMED_BY, Entity, OtherList, StandIns
from billcom_assets.entities.rows import Batch, Rejection, RowMaker
from billcom_assets.entities.v2_shapes import SHAPES
from billcom_assets.sync.fetching import Turn
from billcom_assets.warehouse.bulk import MirrorTable

if TYPE_CHECKING:
    from billcom_assets.sync.run import Sync

_log = logging.getLogger(__name__)
_FEW = 500
"""Rows that are looked at one by one; beyond, the whole table is."""

_NOT_FOR_US = (NotFound, Refused, UntrustedSession, WrongEntityType)
"""How BILL refuses a list; the last where it wants a user and gets a sync token."""

Asked = list[tuple[OtherList, Future[Batch]]]
"""Lists that are being fetched."""


def ask_others(sync: Sync, entity: Entity, turn: Turn) -> Asked:
    """Has the entity's further lists fetched."""
    maker, _ = sync.maker(entity)
    return [(one, sync.pool.submit(turn, partial(_read, sync.client, one, maker))) for one in entity.other_lists]


def read_others(sync: Sync, asked: Asked) -> tuple[list[Batch], list[OtherList]]:
    """Their objects, and the lists that BILL refuses to show.

    Raises:
        BillError: BILL failed.
    """
    batches, refused = [], []
    for one, future in asked:
        try:
            batches.append(future.result())
        except _NOT_FOR_US as refusal:
            refused.append(one)
            _log.warning(
                "%s: BILL does not show %s to this login (%s); what is stored of it stays as it is",
                *(sync.integration, one.path, refusal.message),
            )
    return batches, refused


def _read(client: BillClient, one: OtherList, maker: RowMaker) -> Batch:
    batch = Batch()
    for obj in _objects(client, one):
        if isinstance(obj, dict):
            maker.add(batch, obj | dict([one.mark]))
        else:
            batch.rejections.append(Rejection("", f"BILL sent an element of {one.path} that is no JSON object"))
    return batch


def _objects(client: BillClient, one: OtherList) -> Iterator[Any]:
    if client.credentials.v2_only and one.path in SHAPES:
        # Of v2's pages these fill one.
        yield from map(decode, client.page(one.path).rows)
        return
    for query in one.queries:
        yield from _elements(one, client.get(one.path, dict(query)))


def _elements(one: OtherList, response: Any) -> list[Any]:
    # BILL leaves out what is empty.
    listed = response.get(one.member, []) if one.member and isinstance(response, dict) else response
    if not isinstance(listed, list):
        raise BillUnavailable("BILL sent something else than a list", endpoint=f"GET {one.path}")
    return listed


def are_of(table: Table, lists: Iterable[OtherList]) -> Iterator[ColumnElement[bool]]:
    """For each of the lists the condition that an object is of it."""
    for one in lists:
        column, value = one.mark
        yield table.c[column].is_not_distinct_from(value)


def are_stand_ins(table: Table) -> Iterator[ColumnElement[bool]]:
    """The condition that no list has shown an object, where the table may hold such."""
    if NAMED_BY in table.c:
        yield table.c[NAMED_BY].is_not(None)


def add_stand_ins(
    connection: Connection, sync: Sync, entity: Entity, written: Collection[str] | None, now: datetime
) -> None:
    """Makes rows of what the entity's objects name and no list has shown.

    Args:
        connection: The caller's transaction.
        sync: The run.
        entity: Whose objects.
        written: Ids of the objects to look at; None for all.
        now: The time of writing.
    """
    for named in entity.stand_ins:
        target = sync.catalog[str(entity.column(named.reference).references)]
        maker, batch = sync.maker(target)[0], Batch()
        for identifier, kind in connection.execute(_missing(sync, entity, named, target, written)):
            maker.add(batch, {"id": identifier, "kind": kind, "namedBy": entity.name})
        rows = {row.id: row for row in batch.rows}
        MirrorTable(sync.warehouse.mirror, target, sync.integration).upsert(connection, [*rows.values()], (), now)


def _missing(
    sync: Sync, entity: Entity, named: StandIns, target: Entity, written: Collection[str] | None
) -> Select[Any]:
    """Ids and kinds of what the objects name and has no row."""
    ours, theirs = sync.warehouse.mirror.table(entity.name), sync.warehouse.mirror.table(target.name)
    identifier, kind = ours.c[named.reference], ours.c[named.kind]
    is_there = exists().where(theirs.c.integration == sync.integration, theirs.c.id == identifier)
    query = select(identifier, kind).distinct()
    query = query.where(ours.c.integration == sync.integration, identifier.is_not(None), kind.in_(named.kinds))
    if written is not None and len(written) <= _FEW:
        query = query.where(ours.c.id.in_(written))
    return query.where(~is_there)
