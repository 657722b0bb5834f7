"""Reading objects by their ids, whatever their list says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import NotFound, QueryRefused, Refused, WrongEntityType
from billcom_assets.bill.query import Filter, Op
from billcom_assets.entities.rows import Batch, RowMaker
from billcom_assets.sync.lists import ListWalk, page_reader

IDS_PER_REQUEST = 100
_ROWS_PER_ID = 10
"""What repeated pages may bring of one object; a list that brings more is the whole list, its filter ignored."""


@dataclass(frozen=True)
class Found:
    """What BILL shows of the ids it was asked for; what it does not know is in neither."""

    batch: Batch = field(default_factory=Batch)
    refused: dict[str, str] = field(default_factory=dict)
    """Of the ids that BILL refuses why."""


def read_by_ids(client: BillClient, maker: RowMaker, ids: Sequence[str]) -> Found:
    """The objects of up to ``IDS_PER_REQUEST`` ids, in one request where BILL takes it, else one by one.

    Raises:
        BillError: BILL failed, or refuses this kind of object altogether.
    """
    # A page may be empty and yet lead on, so even a list that fits one page is walked to its end.
    filters = [Filter("id", Op.IN, tuple(ids))]
    walk = ListWalk(client, maker.entity.path, None, lambda _position: filters, None)
    found = Found()
    try:
        for step in walk.pages(None, None, page_reader(maker)):
            found.batch.rows += step.batch.rows
            found.batch.rejections += step.batch.rejections
            if found.batch.fetched > _ROWS_PER_ID * len(ids):
                raise QueryRefused("The filter on ids was not obeyed")
    except (QueryRefused, WrongEntityType, NotFound):
        return _one_by_one(client, maker, ids)
    # How v2 writes several ids is not documented: one that takes them for a single one finds nothing.
    if client.credentials.v2_only and len(ids) > 1 and not found.batch.fetched:
        return _one_by_one(client, maker, ids)
    return found


def _one_by_one(client: BillClient, maker: RowMaker, ids: Sequence[str]) -> Found:
    found = Found()
    for identifier in ids:
        try:
            maker.add(found.batch, client.item(maker.entity.path, identifier))
        except NotFound:
            # Not there by id: a sweep will say whether it is gone.
            continue
        except (Refused, WrongEntityType) as refusal:
            found.refused[identifier] = f"BILL refuses to show it by its id: {refusal.message}"
    return found
