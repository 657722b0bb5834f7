"""Bringing an entity up to date: the one call that assets make."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from billcom_assets.bill.errors import QueryRefused
from billcom_assets.bill.query import Filter, Op, Sort
from billcom_assets.entities.model import Entity, Walk
from billcom_assets.sync.beginnings import UPDATED
from billcom_assets.sync.pull import EntityPull, Sync
from billcom_assets.sync.report import Kind, PullReport
from billcom_assets.sync.second_looks import look_at_named, look_at_unsettled
from billcom_assets.sync.state import EntityState

_log = logging.getLogger(__name__)
_PROBE_EVERY = timedelta(hours=20)
"""How long BILL's refusal of a time filter is believed without asking again."""
_BUSY = 2
"""Requests of an incremental pull from which what is not final waits for the next one."""


def pull(sync: Sync, entity: Entity, *, refresh: bool = False) -> list[PullReport]:
    """Brings ``entity`` up to date, and what its changes touch; the entity's own pulls come first.

    Args:
        sync: The run's connection to BILL and the warehouse; the caller holds ``sync.alone()``.
        entity: What to pull.
        refresh: Read everything and note what BILL no longer has.

    Raises:
        BillError: BILL refused or failed for good; everything stored so far stays, the next pull goes on from there.
    """
    state = sync.state(entity.name)
    reports = [_pull_once(sync, entity, state, refresh=refresh)]
    if state.walk is not None:
        # What an interrupted run had begun is now complete; what happened since is still to be read.
        reports.append(_pull_once(sync, entity, sync.state(entity.name), refresh=False))
    if reports[-1].kind is Kind.INCREMENTAL and reports[-1].requests < _BUSY:
        report = look_at_unsettled(sync, entity)
        if report is not None:
            reports.append(report)
    return [*reports, *look_at_named(sync, entity)]


def _pull_once(sync: Sync, entity: Entity, state: EntityState, *, refresh: bool) -> PullReport:
    if state.time_filter_refused and _is_probe_due(state, sync, refresh=refresh):
        state = _probe_time_filter(sync, entity, state)
    kind = choose(entity, state, sync.cutoff, refresh=refresh)
    if not _resumes(kind, state, sync.cutoff):
        state = replace(state, walk=None)
    attempt = EntityPull(sync, entity, kind, state)
    if _reads_whole_list(entity, state):
        return attempt.run(attempt.walk_everything)
    walk: Callable[[], None] = attempt.walk_news if kind is Kind.INCREMENTAL else attempt.walk_windows
    try:
        return attempt.run(walk)
    except QueryRefused as refusal:
        if refusal.cursor_in_play:
            raise
        _log.warning("%s: BILL refused a time filter on %s; reading the whole list", sync.integration, entity.path)
    again = EntityPull(sync, entity, Kind.FULL if kind is Kind.INCREMENTAL else kind, replace(state, walk=None))
    report = again.run(again.walk_everything)
    # One refusal may be a passing one: only another, after the list itself could be read, makes it a rule.
    _probe_time_filter(sync, entity, sync.state(entity.name))
    return report


def _is_probe_due(state: EntityState, sync: Sync, *, refresh: bool) -> bool:
    probed = state.time_filter_probed_at
    return refresh or probed is None or sync.clock() - probed >= _PROBE_EVERY


def _probe_time_filter(sync: Sync, entity: Entity, state: EntityState) -> EntityState:
    """Asks for one object by updated time, and keeps whether BILL refuses that."""
    since = state.watermark or sync.bill_now()
    probed: datetime | None = None
    try:
        sync.client.page(entity.path, filters=[Filter(UPDATED, Op.GTE, since)], sort=Sort(UPDATED), max_rows=1)
    except QueryRefused:
        probed = sync.clock()
    changes: dict[str, Any] = {"time_filter_refused": probed is not None, "time_filter_probed_at": probed}
    with sync.warehouse.write() as connection:
        sync.fence.check(connection)
        sync.states.save(connection, entity.name, **changes)
    return replace(state, **changes)


def choose(entity: Entity, state: EntityState, cutoff: date | None, *, refresh: bool) -> Kind:
    """What kind of pull the entity needs next."""
    if refresh and state.first_pulled_at is not None:
        return Kind.SWEEP
    if state.walk is not None:
        return Kind(state.walk["kind"])
    if state.first_pulled_at is None:
        return Kind.FIRST_PULL
    if needs_rewalk(entity, state, cutoff) or _reads_whole_list(entity, state):
        return Kind.FULL
    return Kind.INCREMENTAL


def needs_rewalk(entity: Entity, state: EntityState, cutoff: date | None) -> bool:
    """True when the cutoff has moved earlier, so that objects skipped before must be read now."""
    if entity.cutoff is None or state.first_pulled_at is None or state.cutoff is None:
        return False
    return cutoff is None or cutoff < state.cutoff


def _reads_whole_list(entity: Entity, state: EntityState) -> bool:
    return entity.walk is Walk.FULL or state.time_filter_refused


def _resumes(kind: Kind, state: EntityState, cutoff: date | None) -> bool:
    """True when the checkpoint belongs to a walk of this kind, with a cutoff that hid nothing we want now."""
    walk: dict[str, Any] | None = state.walk
    if walk is None or walk["kind"] != kind.value:
        return False
    was = walk.get("cutoff")
    return was is None or (cutoff is not None and cutoff >= date.fromisoformat(was))
