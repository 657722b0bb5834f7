"""What an integration needs from day to day: every hour what changed; every night everything, and a look at the books.

Each is decided more often than it is launched: an integration that was busy or not ready, or that found the queue full,
gets its turn a few minutes later, and the runs' tags say who had theirs. A run that failed is launched again after a
growing wait, in the same hour or night, for the lists that it left undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billcom_assets.automation.run_requests import Launch, Skip
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import sync_plan
from billcom_assets.status.integrations import SyncStatus
from billcom_assets.sync.probe import Question, questions
from billcom_assets.sync.state import EntityState

NIGHT = time(2)
"""Local hour from which the nightly sweep is due."""
NIGHT_LASTS = timedelta(hours=4)
"""How long a sweep that could not be launched is still worth it; after that the next night does."""
LOOK_LASTS = NIGHT_LASTS
"""How long after that a look at the books that could not be launched is still worth it."""
AT_LATEST = timedelta(hours=26)
"""Age from which a list is pulled whether BILL has something new or not: a night was missed."""


def night_begins(day: date, zone: ZoneInfo) -> datetime:
    """The one instant, in UTC, at which the night's hour comes on that local day.

    An hour that the clocks leave out comes when they have moved; one that they show twice comes the first time.
    """
    return datetime.combine(day, NIGHT, zone).astimezone(UTC)


def this_hour(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The sync of the current hour, if BILL has something new."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    due = [name for name in _to_be_had(status, now) if not _is_since(hour, status.entity(name).looked_at)]
    if not due:
        return None
    night = night_begins(now.astimezone(status.integration.zone).date(), status.integration.zone)
    if hour <= night <= now:
        return Skip("the nightly sweep takes this hour")
    only_if = None if _must_run(status, due, now) else _questions(status, due, hour)
    return Launch("hourly_sync", f"{hour:%Y-%m-%dT%H}Z", entities=selection(due), only_if=only_if)


def _must_run(status: SyncStatus, due: Sequence[str], now: datetime) -> bool:
    """Whether a run is needed whatever BILL would say."""
    return status.waits_for_rereads or any(
        state.first_pulled_at is None
        or state.walk is not None
        or state.time_filter_refused
        or not _is_since(now - AT_LATEST, state.looked_at)
        for state in map(status.entity, due)
    )


def _questions(status: SyncStatus, due: Sequence[str], hour: datetime) -> Sequence[Question]:
    """What to ask; nothing when BILL was asked in this hour."""
    if any(_is_since(hour, state.probed_at) for state in status.entities.values()):
        return ()
    return questions(CATALOG, status.entities, due)


def this_night(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The sweep of the current local night."""
    day = now.astimezone(status.integration.zone).date()
    begins = night_begins(day, status.integration.zone)
    if not begins <= now < begins + NIGHT_LASTS:
        return None
    due = _unread_since(begins, status, now)
    return Launch("nightly_sweep", day.isoformat(), entities=selection(due)) if due else None


def after_the_sweep(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The look at the books, once in a local night: when all lists have been read, or the time for that is over."""
    day = now.astimezone(status.integration.zone).date()
    begins = night_begins(day, status.integration.zone)
    ends = begins + NIGHT_LASTS
    if not begins <= now < ends + LOOK_LASTS:
        return None
    if now < ends and _unread_since(begins, status, now):
        return Skip("the nightly sweep comes first")
    return Launch("nightly_reconciliation", day.isoformat())


def _unread_since(moment: datetime, status: SyncStatus, now: datetime) -> list[str]:
    """The entities that were not read from end to end since then."""
    return [name for name in _to_be_had(status, now) if not _was_read_since(moment, status.entity(name))]


def _to_be_had(status: SyncStatus, now: datetime) -> Iterator[str]:
    """The entities, without those that are left out and those that BILL has lately refused to show."""
    left_alone = status.scope.left_alone(now)
    yield from (name for name in CATALOG.names() if name not in left_alone)


def _was_read_since(moment: datetime, state: EntityState) -> bool:
    """A first pull reads as much as a sweep."""
    return _is_since(moment, state.swept_at) or _is_since(moment, state.first_pulled_at)


def _is_since(moment: datetime, done: datetime | None) -> bool:
    return done is not None and done >= moment


def selection(due: Sequence[str]) -> tuple[str, ...]:
    """The assets to launch for these entities; none named, and so the whole job, when that is all of them."""
    if len(due) == len(CATALOG):
        return ()
    chosen: list[str] = []
    for step in sync_plan(CATALOG):
        # A step that pulls nothing looks at what those before it have brought.
        if step.name in due or (step.entity is None and not set(chosen).isdisjoint(step.reads)):
            chosen.append(step.name)
    return tuple(chosen)
