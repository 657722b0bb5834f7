"""What BILL's v2 API adds to the objects that pulls of v3 have brought.

v2 is asked about those that are stored in another version than it was last asked about: by the range of their times, up
to 999 a request, in creation order, so that what changes in mid-walk moves nothing out of what is still to come. What
waits is what the table says, so that a run which was killed goes on with what is left, and whatever v2 did not answer
waits for the next sync. Nothing that v2 says makes or removes a row.

v2's lists: https://developer.bill.com/v2/docs/search-ops-with-lists
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, text

from billcom_assets.bill import json_text
from billcom_assets.bill.concurrency import AT_ONCE
from billcom_assets.bill.errors import (
    LIST_TROUBLE,
    AuthenticationRefused,
    BillUnavailable,
    NotFound,
    QueryRefused,
    Refused,
    SessionsExhausted,
    Unreachable,
    WrongEntityType,
)
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.canonical import canonical, digest
from billcom_assets.entities.extract import Unreadable, usable_id
from billcom_assets.entities.model import V2, Entity
from billcom_assets.entities.rows import RowMaker
from billcom_assets.entities.v2 import APPROVERS, approver, derived, is_undecided, kept, kept_fields
from billcom_assets.redaction.personal import mask_personal_data
from billcom_assets.sync.permissions import is_v2_refused
from billcom_assets.sync.report import Counts, Progress, PullKind, PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.bulk import Derived, MirrorTable, V2Record, V2Stored
from billcom_assets.warehouse.error_codes import V2_UNREADABLE
from billcom_assets.warehouse.error_log import ErrorLog, Trouble
from billcom_assets.warehouse.mirror import V2_WAITS

_log = logging.getLogger(__name__)
_ROWS = 999
"""What v2 sends at most in a response."""
_ONE_BY_ONE = 100
"""Objects that no list has shown and that are asked for by id, in one sync."""
_PATIENCE = 2
"""Lists without a response in a row that mean that v2 is away: v3's sync is not to wait for it any longer."""
_COARSEST = timedelta(seconds=1)
"""By how much the two APIs may round the same time differently."""
_IN_CREATION_ORDER = (Sort("createdTime"), Sort("id"))

Record = dict[str, Any]
Query = tuple[Sequence[Filter], Sequence[Sort]]
_WHOLE: Query = ((), ())


def read_v2(sync: Sync, entity: Entity, *, refresh: bool = False, all_of_short: bool = True) -> PullReport | None:
    """Adds what v2 knows of the entity's objects; None when nothing was to be asked.

    Where v2 refuses this login, the sync goes on without it; where it fails, what was not read waits for the next one.

    Args:
        sync: The run.
        entity: Whose objects.
        refresh: Ask about all of them.
        all_of_short: Look at all of a short list; otherwise only for objects about which v2 was never asked.

    Raises:
        BillError: BILL failed in a way that concerns v3 as well, such as its limits.
    """
    if entity.v2 is None or not sync.asks_v2:
        return None
    reading = _Reading(sync, entity, entity.v2)
    try:
        report = reading.run(everything=refresh or (entity.v2.is_short and all_of_short))
    except (*LIST_TROUBLE, AuthenticationRefused, SessionsExhausted, Unreachable) as trouble:
        if is_v2_refused(trouble, has_answered=sync.has_v2_answered):
            sync.asks_v2, sync.v2_refusal = False, trouble
        elif isinstance(trouble, BillUnavailable | Unreachable):
            sync.v2_trouble = trouble
            sync.v2_failures += 1
            sync.asks_v2 = sync.v2_failures < _PATIENCE and not isinstance(trouble, Unreachable)
        names = sync.integration, entity.name
        _log.warning("%s: what v2 knows of %s waits for another sync: %s", *names, trouble)
        report = reading.report()
    else:
        sync.v2_failures = 0
    if report is not None and report.requests:
        with sync.warehouse.write() as connection:
            sync.states.add_requests(connection, entity.name, report.requests)
    return report


@dataclass
class _Reading:
    """What v2 knows of one entity's objects."""

    sync: Sync
    entity: Entity
    v2: V2
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.turn = self.sync.turn(self.entity)
        self.maker = RowMaker(derived(self.entity))
        self.table = MirrorTable(self.sync.warehouse.mirror, self.maker.entity, self.sync.integration)
        self.fields = kept_fields(self.entity)
        self.waiting: set[str] = set()
        """Ids of the objects about which v2 has not been asked yet."""
        self.never_asked: set[str] = set()
        """Those of them about which it was not asked in any sync."""
        self.started = time.monotonic()

    def run(self, *, everything: bool) -> PullReport | None:
        """Reads and stores."""
        query = self._look(everything=everything)
        if not self.waiting:
            return None
        for name in self.v2.lists:
            for page in self._short_list(name) if self.v2.is_short else self._pages(name, query):
                self._store({usable_id(record.get("id")): record for record in page})
        if self.v2.is_short:
            self._note_unknown(self.waiting & self.never_asked)
        else:
            self._ask_one_by_one()
        return self.report(done=True)

    def _short_list(self, name: str) -> Sequence[Sequence[Record]]:
        """All of it, read once in a run."""
        if name not in self.sync.v2_lists:
            self.sync.v2_lists[name] = [record for page in self._pages(name, _WHOLE) for record in page]
        return [self.sync.v2_lists[name]]

    def report(self, *, done: bool = False) -> PullReport:
        """What was done so far."""
        tally = self.turn.tally
        self._tell(done=done)
        seconds = time.monotonic() - self.started
        return PullReport(
            self.entity.name, PullKind.V2, self.counts, 0, tally.requests, tally.retries, 0, seconds, None, None
        )

    def _tell(self, *, done: bool) -> None:
        counts, requests = self.counts, self.sync.client.stats.requests
        kind = PullKind.V2.value
        self.sync.on_progress(Progress(self.entity.name, kind, counts.fetched, counts.written, requests, done))

    # What to ask ------------------------------------------------------------------------------------------------------

    def _look(self, *, everything: bool) -> Query:
        """Finds what to ask about; returns the query whose answer holds it, as far as the objects' times say."""
        t = self.table.table.c
        mine = (t.integration == self.sync.integration, t.deleted_at.is_(None))
        query = select(t.id, t.updated_time, t.created_time, t.v2_digest).where(*mine)
        if not everything:
            query = query.where(text(V2_WAITS))
        with self.sync.warehouse.read() as connection:
            found = connection.execute(query).all()
        self.waiting = {row.id for row in found}
        self.never_asked = {row.id for row in found if row.v2_digest is None}
        if self.v2.is_short or not found:
            return _WHOLE
        return self._since("updatedTime", [row[1] for row in found]) + self._since(
            "createdTime", [row[2] for row in found]
        ), _IN_CREATION_ORDER

    def _since(self, name: str, times: Sequence[datetime | None]) -> tuple[Filter, ...]:
        # A time that makes no sense says nothing about where in v2's list the object is.
        is_dated = all(moment is not None and self.sync.is_plausible(moment) for moment in times)
        return (Filter(name, Op.GTE, min(filter(None, times)) - _COARSEST),) if is_dated else ()

    # Asking -----------------------------------------------------------------------------------------------------------

    def _pages(self, name: str, query: Query) -> Iterator[Sequence[Record]]:
        """The list's pages until it has shown what waits, or all that it has."""
        first, query = self._first_page(name, query)
        ahead: dict[int, Future[Sequence[Record]]] = {}
        # What is known to come is fetched side by side.
        expected = 0 if self.v2.is_short else len(self.waiting)
        start, page, seen = 0, first, 0
        known: set[str] = set()
        while page:
            if len(page) == _ROWS:
                for following in range(start + _ROWS, min(expected, start + (AT_ONCE + 1) * _ROWS), _ROWS):
                    if following not in ahead:
                        ahead[following] = self._submit(name, following, query)
            yield page
            known |= {usable_id(record.get("id")) for record in page}
            # Nothing new: the list does not obey where it is to start.
            if len(known) == seen or not self._goes_on(page):
                return
            seen, start = len(known), start + len(page)
            page = (ahead.pop(start, None) or self._submit(name, start, query)).result()

    def _goes_on(self, page: Sequence[Record]) -> bool:
        return len(page) == _ROWS if self.v2.is_short else bool(self.waiting)

    def _first_page(self, name: str, query: Query) -> tuple[Sequence[Record], Query]:
        try:
            return self._answer(name, query), query
        except QueryRefused:
            if query == _WHOLE:
                raise
        key = self.sync.integration
        _log.warning("%s: BILL's v2 refused a filter or sort of %s; reading the whole list", key, name)
        return self._answer(name, _WHOLE), _WHOLE

    def _answer(self, name: str, query: Query) -> Sequence[Record]:
        page = self._submit(name, 0, query).result()
        self.sync.has_v2_answered = True
        return page

    def _submit(self, name: str, start: int, query: Query) -> Future[Sequence[Record]]:
        filters, sort = query
        ask = partial(self.sync.client.v2_list, name, start=start, max_rows=_ROWS, filters=filters, sort=sort)
        if self.v2.picks:
            ask = partial(ask, nested=True)
        return self.sync.pool.submit(self.turn, ask)

    def _ask_one_by_one(self) -> None:
        """Asks by id for what the list did not show, and notes what v2 does not have."""
        asked = sorted(self.waiting)[:_ONE_BY_ONE]
        answers = {one: self.sync.pool.submit(self.turn, partial(self._read, one)) for one in asked}
        found = {one: answer.result() for one, answer in answers.items()}
        self._store({one: record for one, record in found.items() if record is not None})
        self._note_unknown({one for one, record in found.items() if record is None})

    def _note_unknown(self, ids: set[str]) -> None:
        """Notes that v2 does not have these."""
        if ids:
            with self.sync.warehouse.write() as connection:
                self.sync.fence.check(connection)
                self.table.note_v2_read(connection, ids)
            self.waiting -= ids

    def _read(self, identifier: str) -> Record | None:
        try:
            return self.sync.client.v2_read(self.v2.lists[0], identifier)
        except (NotFound, WrongEntityType, QueryRefused):
            return None

    def _approvers(
        self, records: Mapping[str, Record], stored: Mapping[str, V2Stored], objects: Mapping[str, Record]
    ) -> Mapping[str, Sequence[Record]]:
        """Who has to approve what is still undecided, or was when v2 was last asked."""
        asked: dict[str, Future[Sequence[Record]]] = {}
        for one, record in records.items():
            before = stored[one].v2_payload
            known = _decoded(before).get(APPROVERS) if before is not None else None
            if known is not None or is_undecided(self.v2, objects[one], record):
                asked[one] = self.sync.pool.submit(self.turn, partial(self._list_approvers, one, known or []))
        return {one: answer.result() for one, answer in asked.items()}

    def _list_approvers(self, identifier: str, known: Sequence[Record]) -> Sequence[Record]:
        """Who has to approve it; who was known before where v2 does not say."""
        try:
            found = self.sync.client.v2_approvers(self.v2.lists[0], identifier)
        except (NotFound, WrongEntityType, Refused):
            return known
        return sorted(map(approver, found), key=_place)

    # Storing ----------------------------------------------------------------------------------------------------------

    def _store(self, page: Mapping[str, Record]) -> None:
        """Keeps the records of objects that are waited for, in one transaction."""
        self.counts.fetched += len(page)
        records = {one: kept(self.v2, self.fields, page[one]) for one in page.keys() & self.waiting}
        with self.sync.warehouse.read() as connection:
            stored = self.table.v2_stored(connection, list(records))
        objects = {one: _decoded(stored[one].payload) for one in records}
        if self.v2.has_approvers:
            for one, approvers in self._approvers(records, stored, objects).items():
                records[one][APPROVERS] = approvers
        made = {one: self._made(one, record, objects[one], stored[one]) for one, record in records.items()}
        changed = [one for one in made.values() if isinstance(one, V2Record)]
        problems = {one: problem for one, problem in made.items() if isinstance(problem, str)}
        settled = [one for one in made if made[one] is None and _is_behind(stored[one])]
        self._write(changed, settled, problems)
        self.waiting -= records.keys()
        self.counts.updated += len(changed)
        self.counts.rejected += len(problems)
        self.counts.unchanged += len(page) - len(changed) - len(problems)
        self._tell(done=False)

    def _made(self, identifier: str, record: Record, obj: Record, stored: V2Stored) -> V2Record | str | None:
        """What to write of a record; None when it is known already, a text when it cannot be read."""
        try:
            payload = canonical(record)
            name = digest(payload)
            if name == stored.v2_digest:
                return None
            values = Derived(identifier, *self.maker.derived(obj, _decoded(payload.decode())))
        except Unreadable as problem:
            return mask_personal_data(str(problem))
        return V2Record(values, payload.decode(), name, stored.updated_time)

    def _write(self, changed: Sequence[V2Record], settled: Sequence[str], problems: Mapping[str, str]) -> None:
        if not (changed or settled or problems):
            return
        sync, now = self.sync, self.sync.clock()
        errors = ErrorLog(sync.integration, self.entity.name)
        ids = [one.derived.id for one in changed]
        advice = "Correct the record in BILL; the next sync asks again."
        troubles = {one: Trouble(said, advice) for one, said in problems.items()}
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            self.table.write_v2(connection, changed, now)
            # What cannot be read is asked for again when it changes.
            self.table.note_v2_read(connection, [*settled, *problems])
            errors.resolve(connection, V2_UNREADABLE, ids, now)
            errors.report(connection, V2_UNREADABLE, troubles, now)
        sync.note_changed(self.entity.name, set(ids))


def _place(one: Record) -> int:
    order = str(one["approverOrder"])
    return int(order) if order.isdecimal() else 0


def _is_behind(stored: V2Stored) -> bool:
    return stored.v2_read_for != stored.updated_time


def _decoded(payload: str) -> Record:
    return json_text.decode(payload.encode())
