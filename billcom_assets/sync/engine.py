"""Bringing an entity up to date: the one call that assets make.

What the next entities begin with is fetched while this one is stored. Everything is stored in the planned order all the
same, and a gated entity is never asked for before the gate was passed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from billcom_assets.bill.errors import BillUnavailable, QueryRefused, TooManyAtOnce, Unreachable
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.model import Entity, Walk
from billcom_assets.sync.pull import EntityPull
from billcom_assets.sync.queries import UPDATED
from billcom_assets.sync.report import PullKind, PullReport
from billcom_assets.sync.rereads import Reread, reread_named, store_unsettled, unsettled
from billcom_assets.sync.run import Sync
from billcom_assets.sync.source import FRESH_SECONDS
from billcom_assets.sync.state import EntityState
from billcom_assets.sync.v2_records import read_v2

_log = logging.getLogger(__name__)
_PROBE_EVERY = timedelta(hours=20)
"""How long BILL's refusal of a time filter is believed without asking again."""
_ENTITIES_AHEAD = 6
_MAY_HAVE_PASSED = (BillUnavailable, TooManyAtOnce, Unreachable)
"""What went wrong before an entity's turn and may work in it."""


def pull(sync: Sync, entity: Entity, *, refresh: bool = False) -> list[PullReport]:
    """Brings ``entity`` up to date, and what its changes touch; the entity's own pulls come first.

    Args:
        sync: The run's connection to BILL and the warehouse; the caller holds ``sync.alone()``.
        entity: What to pull.
        refresh: Read everything and note what BILL no longer has.

    Raises:
        BillError: BILL refused or failed for good; everything stored so far stays, the next pull goes on from there.
    """
    begun = _begun(sync, entity, refresh=refresh)
    _begin_following(sync, entity, refresh=refresh)
    reports = [_carry_out(begun)]
    if begun.state.walk is not None:
        # What an interrupted run had begun is now complete; what happened since is still to be read.
        begun = _begin(sync, entity, sync.state(entity.name), refresh=False)
        reports.append(_carry_out(begun))
    if begun.unsettled is not None and begun.unsettled.is_begun:
        report = store_unsettled(begun.unsettled)
        if report is not None:
            reports.append(report)
    reports += reread_named(sync, entity)
    return [*reports, *_read_v2(sync, entity, reports, refresh=refresh)]


def _read_v2(sync: Sync, entity: Entity, reports: Sequence[PullReport], *, refresh: bool) -> Iterator[PullReport]:
    """What v2 adds to the entity's objects, and to those of others that came or changed together with them."""
    touched = [report.entity for report in reports if report.counts.written]
    touched += [entity.column(one.reference).references or "" for one in entity.stand_ins]
    for name in dict.fromkeys([entity.name, *touched]):
        is_own = name == entity.name
        report = read_v2(sync, sync.catalog[name], refresh=refresh and is_own, all_of_short=is_own)
        if report is not None:
            yield report


def _begun(sync: Sync, entity: Entity, *, refresh: bool) -> EntityPull:
    """The entity's pull with its first requests made: before its turn, unless too long ago or in vain, else now."""
    ahead = sync.begun.pop(entity.name, None)
    if ahead is not None:
        failure = ahead.walk.failure if ahead.walk is not None else None
        is_fresh = time.monotonic() - ahead.begun_at <= FRESH_SECONDS
        if ahead.is_refresh == refresh and is_fresh and not isinstance(failure, _MAY_HAVE_PASSED):
            return ahead
        ahead.close()
    return _begin(sync, entity, sync.state(entity.name), refresh=refresh)


def _begin_following(sync: Sync, entity: Entity, *, refresh: bool) -> None:
    """Begins the pulls that come next in the run, up to the gate."""
    if entity.name not in sync.planned:
        return
    place = sync.planned.index(entity.name) + 1
    for following in map(sync.catalog.__getitem__, sync.planned[place : place + _ENTITIES_AHEAD]):
        if following.gated and not (entity.gated or sync.is_past_the_gate):
            return
        if following.name in sync.begun or (following.is_of_v2 and not sync.asks_v2):
            continue
        state = sync.state(following.name)
        if state.walk is None and not _is_probe_due(state, sync, refresh=refresh):
            sync.begun[following.name] = _begin(sync, following, state, refresh=refresh)


def _begin(sync: Sync, entity: Entity, state: EntityState, *, refresh: bool) -> EntityPull:
    if _is_probe_due(state, sync, refresh=refresh):
        state = _probe_time_filter(sync, entity, state)
    kind = choose(entity, state, sync.cutoff, refresh=refresh)
    if not _resumes(kind, state, sync.cutoff):
        state = replace(state, walk=None)
    attempt = EntityPull(sync, entity, kind, state, sync.turn(entity), is_refresh=refresh)
    if _reads_whole_list(entity, state):
        attempt.read_whole_list()
    elif kind is PullKind.INCREMENTAL:
        attempt.unsettled = unsettled(sync, entity, state)
        attempt.read_news(at_end=partial(_begin_reread, attempt.unsettled))
    else:
        attempt.read_everything()
    return attempt


def _begin_reread(reread: Reread | None) -> None:
    if reread is not None:
        reread.begin()


def _carry_out(attempt: EntityPull) -> PullReport:
    sync, entity = attempt.sync, attempt.entity
    try:
        return attempt.run(attempt.store)
    except QueryRefused as refusal:
        if refusal.cursor_in_play or _reads_whole_list(entity, attempt.state):
            raise
        _log.warning("%s: BILL refused a time filter on %s; reading the whole list", sync.integration, entity.path)
    kind = PullKind.FULL if attempt.kind is PullKind.INCREMENTAL else attempt.kind
    again = EntityPull(sync, entity, kind, replace(attempt.state, walk=None), sync.turn(entity))
    again.read_whole_list()
    report = again.run(again.store)
    # One refusal may be a passing one: only another, after the list itself could be read, makes it a rule.
    _probe_time_filter(sync, entity, sync.state(entity.name))
    return report


def _is_probe_due(state: EntityState, sync: Sync, *, refresh: bool) -> bool:
    if not state.time_filter_refused:
        return False
    probed = state.time_filter_probed_at
    return refresh or probed is None or sync.clock() - probed >= _PROBE_EVERY


def _probe_time_filter(sync: Sync, entity: Entity, state: EntityState) -> EntityState:
    """Asks for one object by updated time, and keeps whether BILL refuses that."""
    since = Filter(UPDATED, Op.GTE, state.watermark or sync.bill_now())
    asked = partial(sync.client.page, entity.path, filters=[since], sort=Sort(UPDATED), max_rows=1)
    probed: datetime | None = None
    try:
        sync.pool.submit(sync.turn(entity), asked).result()
    except QueryRefused:
        probed = sync.clock()
    changes: dict[str, Any] = {"time_filter_refused": probed is not None, "time_filter_probed_at": probed}
    with sync.warehouse.write() as connection:
        sync.fence.check(connection)
        sync.states.save(connection, entity.name, **changes)
    return replace(state, **changes)


def choose(entity: Entity, state: EntityState, cutoff: date | None, *, refresh: bool) -> PullKind:
    """What kind of pull the entity needs next."""
    if refresh and state.first_pulled_at is not None:
        return PullKind.SWEEP
    if state.walk is not None:
        return PullKind(state.walk["kind"])
    if state.first_pulled_at is None:
        return PullKind.FIRST_PULL
    if needs_rewalk(entity, state, cutoff) or _reads_whole_list(entity, state):
        return PullKind.FULL
    return PullKind.INCREMENTAL


def needs_rewalk(entity: Entity, state: EntityState, cutoff: date | None) -> bool:
    """True when the cutoff has moved earlier, so that objects skipped before must be read now."""
    if entity.cutoff is None or state.first_pulled_at is None or state.cutoff is None:
        return False
    return cutoff is None or cutoff < state.cutoff


def _reads_whole_list(entity: Entity, state: EntityState) -> bool:
    return entity.walk is Walk.FULL or state.time_filter_refused


def _resumes(kind: PullKind, state: EntityState, cutoff: date | None) -> bool:
    """True when the checkpoint belongs to a walk of this kind, with a cutoff that hid nothing we want now."""
    walk: dict[str, Any] | None = state.walk
    if walk is None or walk["kind"] != kind.value:
        return False
    was = walk.get("cutoff")
    return was is None or (cutoff is not None and cutoff >= date.fromisoformat(was))
