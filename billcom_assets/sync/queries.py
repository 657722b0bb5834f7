"""The queries that walks of a list begin with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.model import Entity, Walk

CREATED, UPDATED = "createdTime", "updatedTime"
_PAGE_ROWS = 100
"""The most that BILL returns at once."""


@dataclass(frozen=True, slots=True)
class Query:
    """The first page of a list."""

    path: str
    filters: tuple[Filter, ...] = ()
    sort: Sort | None = None
    max_rows: int = _PAGE_ROWS


def since(earliest: datetime | None) -> tuple[Filter, ...]:
    """The filter that a history start means."""
    return (Filter(UPDATED, Op.GTE, earliest),) if earliest else ()


def oldest(entity: Entity, earliest: datetime | None) -> Query:
    """The objects created first; of a list that takes no time filters whatever comes first."""
    if entity.walk is Walk.FULL:
        return Query(entity.path)
    return Query(entity.path, since(earliest), Sort(CREATED))


def newest(entity: Entity, earliest: datetime | None) -> Query:
    """The objects created last, newest first."""
    return Query(entity.path, since(earliest), Sort(CREATED, descending=True))


def latest(entity: Entity, earliest: datetime | None) -> Query:
    """The objects that changed last, newest first; also such as a sort by created time may leave out."""
    return Query(entity.path, since(earliest), Sort(UPDATED, descending=True))
