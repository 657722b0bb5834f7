"""Schedules: every hour what changed, every night everything, one run per integration that is ready.

A run that failed is launched again after a growing wait, in the same hour or night, for the lists that it left undone.
Both tick more often than they launch: an integration that was busy or not ready, or that found the queue full, gets its
turn a few minutes later, and the runs' tags say who had theirs.
"""

# No postponed annotations: Dagster reads those of the resources.
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from billcom_assets.automation.jobs import full_refresh, full_sync, look_over
from billcom_assets.automation.run_requests import QUEUE_ROOM, Decide, Launch, Skip, Tick, unreadable, write_cursor
from billcom_assets.dagster_internals import UnresolvedAssetJobDefinition
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import sync_plan
from billcom_assets.resources import Billcom
from billcom_assets.status.integrations import IntegrationStatus, SyncStatus
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.engine import Warehouse

NIGHT = time(2)
"""Local hour from which the nightly sweep is due."""
NIGHT_LASTS = timedelta(hours=4)
"""How long a sweep that could not be launched is still worth it; after that the next night does."""
_TICK_SECONDS = 600
_EVERY_TEN_MINUTES = "*/10 * * * *"


def night_begins(day: date, zone: ZoneInfo) -> datetime:
    """The one instant, in UTC, at which the night's hour comes on that local day.

    An hour that the clocks leave out comes when they have moved; one that they show twice comes the first time.
    """
    return datetime.combine(day, NIGHT, zone).astimezone(UTC)


def this_hour(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The sync of the current hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    due = [name for name in _to_be_had(status, now) if not _is_since(hour, status.entity(name).synced_at)]
    if not due:
        return None
    night = night_begins(now.astimezone(status.integration.zone).date(), status.integration.zone)
    if hour <= night <= now:
        return Skip("the nightly sweep takes this hour")
    return Launch("hourly_sync", f"{hour:%Y-%m-%dT%H}Z", entities=_selection(due))


def this_night(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The sweep of the current local night."""
    day = now.astimezone(status.integration.zone).date()
    begins = night_begins(day, status.integration.zone)
    if not begins <= now < begins + NIGHT_LASTS:
        return None
    due = [name for name in _to_be_had(status, now) if not _was_read_since(begins, status.entity(name))]
    return Launch("nightly_sweep", day.isoformat(), entities=_selection(due)) if due else None


def _to_be_had(status: SyncStatus, now: datetime) -> Iterator[str]:
    """The entities, without those that are left out and those that BILL has lately refused to show."""
    left_alone = status.scope.left_alone(now)
    yield from (name for name in CATALOG.names() if name not in left_alone)


def _was_read_since(moment: datetime, state: EntityState) -> bool:
    """A first pull reads as much as a sweep."""
    return _is_since(moment, state.swept_at) or _is_since(moment, state.first_pulled_at)


def _is_since(moment: datetime, done: datetime | None) -> bool:
    return done is not None and done >= moment


def _selection(due: Sequence[str]) -> tuple[str, ...]:
    """The assets to launch for these entities; none named, and so the whole job, when that is all of them."""
    if len(due) == len(CATALOG):
        return ()
    # A step that pulls nothing looks at what those before it have pulled.
    return tuple(
        step.name
        for step in sync_plan(CATALOG)
        if step.name in due or (step.entity is None and not set(due).isdisjoint(step.reads))
    )


def _turn(found: Sequence[IntegrationStatus], now: datetime) -> str | None:
    """Another start each time, in place of the cursor that a schedule does not have.

    The runs say who had their turn; this lets those have one that are behind many that are not ready.
    """
    if not found:
        return None
    ticks = int(now.timestamp()) // _TICK_SECONDS
    return write_cursor(found[ticks * QUEUE_ROOM % len(found) - 1].key)


@dataclass(frozen=True)
class LaunchSchedule:
    """What a schedule launches."""

    name: str
    job: UnresolvedAssetJobDefinition
    decide: Decide
    description: str

    def evaluate(
        self, instance: dg.DagsterInstance, warehouse: Warehouse, now: datetime, log: Callable[[str], None]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        """What to launch now.

        Raises:
            DBAPIError: the list of integrations cannot be read.
        """
        tick = Tick(instance=instance, warehouse=warehouse, now=now)
        outcome = tick.look(self.decide, _turn(tick.integrations(), now))
        outcome.tell(log)
        return outcome.requests or dg.SkipReason(outcome.text)


LAUNCH_SCHEDULES = (
    LaunchSchedule(
        "hourly_sync",
        full_sync,
        this_hour,
        "Syncs every ready integration once an hour. What a tick cannot launch follows ten minutes later, what failed "
        "a little later still.",
    ),
    LaunchSchedule(
        "nightly_sweep",
        full_refresh,
        this_night,
        "Reads everything of every ready integration once a night, from 02:00 in the integration's own time zone.",
    ),
)


def _schedule(schedule: LaunchSchedule) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=schedule.name,
        job=schedule.job,
        cron_schedule=_EVERY_TEN_MINUTES,
        execution_timezone="UTC",
        description=schedule.description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def evaluate(context: dg.ScheduleEvaluationContext, billcom: Billcom) -> list[dg.RunRequest] | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        try:
            return schedule.evaluate(context.instance, billcom.warehouse, now, context.log.info)
        except Exception as error:  # noqa: BLE001 - Dagster would keep its text
            return unreadable(error)

    return evaluate


_hourly_look = dg.ScheduleDefinition(
    name="look_over",
    job=look_over,
    cron_schedule="5 * * * *",
    execution_timezone="UTC",
    description="Looks at every integration once an hour, for the asset integrations.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

SCHEDULES = [*map(_schedule, LAUNCH_SCHEDULES), _hourly_look]
