"""Counting BILL's documents once more: the lists of the books' kinds, read to their ends and compared with the mirror.

Nothing is stored. BILL's lists give no totals, so that every document is read: a hundred of them in one request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, select

from billcom_assets.bill.errors import BillError
from billcom_assets.books.identities.findings import SHOWN, Difference, Document
from billcom_assets.books.identities.labels import document, title
from billcom_assets.books.kinds import KINDS
from billcom_assets.entities.model import Entity
from billcom_assets.entities.rows import Batch, MirrorRow
from billcom_assets.quality.measures import skipped_by_cutoff
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.lists import page_reader
from billcom_assets.sync.permissions import is_not_permitted
from billcom_assets.sync.run import OVERLAP, Sync
from billcom_assets.sync.source import Source
from billcom_assets.sync.walks import WholeList
from billcom_assets.warehouse.bulk import is_among_ids

_STATUS: Final = {"bills": "payment_status"}
_USUAL_STATUS: Final = "status"
_LONGEST_STATUS: Final = 40
_ROWS_PER_REQUEST: Final = 100
_V2_ROWS_PER_REQUEST: Final = 999
Group = tuple[int | None, str]
"""Year of the document's date, and status."""


class Total(NamedTuple):
    """Documents of one group."""

    documents: int
    amount: Decimal
    """Their totals, each in its own currency."""


@dataclass(frozen=True, slots=True)
class Line:
    """Documents of one entity, year and status on both sides."""

    year: int | None
    status: str
    mirror: Total
    bill: Total


@dataclass(frozen=True, slots=True)
class Recount:
    """One entity's documents in the mirror and in BILL."""

    entity: str
    lines: tuple[Line, ...] = ()
    compared: int = 0
    """Documents on either side."""
    differences: int = 0
    """Those that should be in both, or the same in both, and are not."""
    first: tuple[Difference, ...] = ()
    """Up to 20 of them; the mirror is on the left."""
    changed: int = 0
    """Those that BILL has changed since the last sync: no differences."""
    left_out: int = 0
    """Those in BILL that the cutoff or the history start leaves out of the mirror."""
    unreadable: int = 0
    """Those that could not be read as BILL sends them; the mirror's completeness tells which."""
    requests: int = 0
    refused: str = ""
    """Why BILL does not show the list to this login; text of others. Empty when it does."""

    @property
    def holds(self) -> bool:
        """True when nothing differs; a list that BILL does not show differs in nothing."""
        return not self.differences


def cost(connection: Connection, sync: Sync) -> int:
    """About how many requests :func:`recount` takes: one for each page."""
    total = 0
    for entity in _entities(sync):
        t = sync.warehouse.mirror.table(entity.name)
        mine = select(func.count()).select_from(t).where(t.c.integration == sync.integration)
        rows = (connection.scalar(mine) or 0) + skipped_by_cutoff(connection, sync.integration, entity.name)
        # v2 tells that a list has ended by a page without anything.
        total += rows // _V2_ROWS_PER_REQUEST + 2 if entity.is_of_v2 else rows // _ROWS_PER_REQUEST + 1
    return total


def recount(sync: Sync) -> Iterator[Recount]:
    """Reads each list of the books' documents, and compares it with the mirror.

    Memory holds the ids of one list's documents. What BILL has changed since the mirror was last brought up to date is
    counted apart.

    Args:
        sync: Reads; it need not be alone.

    Raises:
        BillError: BILL failed.
    """
    try:
        for entity in _entities(sync):
            yield _recount(sync, entity)
    finally:
        sync.pool.close()


def _entities(sync: Sync) -> list[Entity]:
    return [sync.catalog[name] for name in KINDS if name not in sync.excluded]


def _recount(sync: Sync, entity: Entity) -> Recount:
    turn, counting = sync.turn(entity), _Counting(sync, entity)
    source = Source(
        *(sync.client, entity, page_reader(sync.maker(entity)[0]), sync.pool, turn),
        earliest=None,
        is_plausible=sync.is_plausible,
    )
    walk = WholeList(source, None, sync.bill_now())
    walk.begin()
    try:
        for batches in walk.groups():
            for batch in batches:
                counting.add(batch)
    except BillError as failure:
        if not is_not_permitted(entity, failure):
            raise
        return Recount(entity.name, refused=str(failure), requests=turn.tally.requests)
    finally:
        walk.close()
    counting.look_for_missing()
    return counting.result(turn.tally.requests)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is compared of a document."""

    number: str | None
    day: date | None
    status: str
    amount: Decimal
    updated_time: datetime | None

    @classmethod
    def of(cls, *found: Any) -> _Facts:
        """What BILL or the mirror says; the status as it may be shown."""
        number, day, status, amount, updated_time = found
        return cls(number, day, excerpt(status or "", limit=_LONGEST_STATUS), amount or Decimal(0), updated_time)

    @property
    def group(self) -> Group:
        return (self.day.year if self.day else None, self.status)

    @property
    def words(self) -> str:
        return f"{self.day}, {self.status}, {self.amount}"

    def is_as(self, other: _Facts) -> bool:
        return (self.day, self.status, self.amount) == (other.day, other.status, other.amount)


def _no_total() -> list[Any]:
    return [0, Decimal(0)]


@dataclass
class _Counting:
    """One list as it is read, page by page."""

    sync: Sync
    entity: Entity
    unreadable: int = 0
    changed: int = 0
    left_out: int = 0
    differences: int = 0
    first: list[Difference] = field(default_factory=list)
    in_bill: defaultdict[Group, list[Any]] = field(default_factory=lambda: defaultdict(_no_total))
    in_mirror: defaultdict[Group, list[Any]] = field(default_factory=lambda: defaultdict(_no_total))
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        kind = KINDS[self.entity.name]
        names = [column.name for column in self.entity.columns]
        wanted = (kind.number, kind.date, _STATUS.get(self.entity.name, _USUAL_STATUS), "amount")
        self.columns = wanted
        self.places = [names.index(name) for name in wanted]
        watermark = self.sync.state(self.entity.name).watermark
        # Changes within the overlap of two pulls may not be in the mirror yet.
        self.known_until = watermark - OVERLAP if watermark else None

    def add(self, page: Batch) -> None:
        """Compares what one page has brought; what lists repeat counts once."""
        unreadable = {one.record_id for one in page.rejections if one.record_id}
        self.unreadable += len(unreadable - self.seen)
        new = {row.id: row for row in page.rows if row.id not in self.seen}
        self.seen |= unreadable | new.keys()
        with self.sync.warehouse.read() as connection:
            stored = self._stored(connection, list(new))
        for id_, row in new.items():
            self._compare(id_, row, stored.get(id_))

    def _compare(self, id_: str, row: MirrorRow, mirror: _Facts | None) -> None:
        number, day, status, amount = (row.values[place] for place in self.places)
        bill = _Facts.of(number, day, status, amount, row.updated_time)
        if mirror is None and (row.is_before_cutoff or self._is_before_history(row)):
            self.left_out += 1
            return
        _count(self.in_bill, bill)
        if mirror is not None and mirror.is_as(bill):
            return
        if self._is_recent(row.updated_time, mirror):
            self.changed += 1
        else:
            self._differ(document(self.entity.name, id_, number), mirror.words if mirror else None, bill.words)

    def _is_before_history(self, row: MirrorRow) -> bool:
        earliest = self.sync.earliest
        return earliest is not None and row.updated_time is not None and row.updated_time < earliest

    def _is_recent(self, updated: datetime | None, mirror: _Facts | None) -> bool:
        """BILL has changed it since the mirror was brought up to date."""
        if updated is None or self.known_until is None:
            return self.known_until is None
        before = mirror.updated_time if mirror is not None else None
        return updated >= self.known_until or (before is not None and updated > before)

    def look_for_missing(self) -> None:
        """Counts the mirror's side, and finds what BILL's list did not show."""
        t = self.sync.warehouse.mirror.table(self.entity.name)
        live = (t.c.integration == self.sync.integration, t.c.deleted_at.is_(None))
        with self.sync.warehouse.read() as connection:
            query = select(t.c.id, *self._facts()).where(*live).order_by(t.c.id)
            for row in connection.execution_options(yield_per=1_000).execute(query):
                facts = _Facts.of(*row[1:])
                _count(self.in_mirror, facts)
                if row.id not in self.seen:
                    self._differ(document(self.entity.name, row.id, facts.number), facts.words, None)

    def _differ(self, one: Document, left: str | None, right: str | None) -> None:
        self.differences += 1
        if len(self.first) < SHOWN:
            self.first.append(Difference(title(one), left, right, (one,)))

    def _facts(self) -> list[Any]:
        t = self.sync.warehouse.mirror.table(self.entity.name)
        return [*(t.c[name] for name in self.columns), t.c.updated_time]

    def _stored(self, connection: Connection, ids: Sequence[str]) -> dict[str, _Facts]:
        t = self.sync.warehouse.mirror.table(self.entity.name)
        live = (t.c.integration == self.sync.integration, t.c.deleted_at.is_(None), is_among_ids(connection, t.c.id))
        rows = connection.execute(select(t.c.id, *self._facts()).where(*live), {"ids": list(ids)})
        return {row[0]: _Facts.of(*row[1:]) for row in rows}

    def result(self, requests: int) -> Recount:
        """What was found."""
        groups = sorted(self.in_bill.keys() | self.in_mirror.keys(), key=lambda one: (one[0] or 0, one[1]))
        lines = [Line(*one, Total(*self.in_mirror[one]), Total(*self.in_bill[one])) for one in groups]
        compared = max(
            sum(line.mirror.documents for line in lines),
            sum(line.bill.documents for line in lines),
        )
        return Recount(
            entity=self.entity.name,
            lines=tuple(lines),
            compared=compared,
            differences=self.differences,
            first=tuple(self.first),
            changed=self.changed,
            left_out=self.left_out,
            unreadable=self.unreadable,
            requests=requests,
        )


def _count(totals: defaultdict[Group, list[Any]], one: _Facts) -> None:
    total = totals[one.group]
    total[0] += 1
    total[1] += one.amount
