"""Sensors that take an integration from connected to seeded to synced, and keep it so."""

# No postponed annotations: Dagster reads those of the resources.
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from billcom_assets.assets.writing_chart import align_chart_of_accounts
from billcom_assets.automation.jobs import full_refresh, full_sync, initial_seed, reconcile
from billcom_assets.automation.routine import after_the_sweep, selection, this_hour, this_night
from billcom_assets.automation.run_requests import (
    INTERVAL_SECONDS,
    Decide,
    Launch,
    Skip,
    Tick,
    unreadable,
)
from billcom_assets.bill.failures import sign_in_command
from billcom_assets.clock import utc_now
from billcom_assets.dagster_internals import UnresolvedAssetJobDefinition
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import seed_plan
from billcom_assets.partitions import INTEGRATIONS, PARTITION_SET
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.resources import Billcom
from billcom_assets.setup.prerequisites import SETUP_INCOMPLETE
from billcom_assets.status.integrations import SyncStatus
from billcom_assets.sync.engine import needs_rewalk
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import Status

_PARTITIONS_PER_TICK = 1_000
_TEN_MINUTES = 600
_MESSAGE = 500
"""Characters shown of what BILL said."""
_SEEDED = seed_plan(CATALOG)
_GATED = tuple(entity.name for entity in CATALOG if entity.gated)
_CUT = tuple(entity for entity in CATALOG if entity.cutoff is not None)


def first_seed(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The lists that mappings are made from, as soon as BILL has let us in."""
    if status.has_pulled(_SEEDED):
        return None
    integration = status.integration
    is_due = integration.sign_in_not_before is not None and integration.sign_in_not_before <= now
    if not integration.is_connected and not (integration.status == Status.PENDING and is_due):
        said = f": {excerpt(integration.status_message, limit=_MESSAGE)}" if integration.status_message else ""
        fix = (
            sign_in_command(integration.key, integration.status_code)
            if integration.status_code is not None
            else f"billcom validate {integration.key}"
        )
        return Skip(f"its connection is {integration.status}{said} ({fix})")
    return Launch("initial_seed", _since(status), is_gated=False, until_done=True)


def first_full_sync(status: SyncStatus, _now: datetime) -> Launch | Skip | None:
    """Everything, as soon as nothing is missing any more."""
    if status.has_pulled(_GATED):
        return None
    if not status.has_pulled(_SEEDED) and status.integration.is_connected:
        return Skip(f"{SETUP_INCOMPLETE}: its lists have not all been fetched (billcom seed {status.integration.key})")
    return Launch("first_sync", _since(status), until_done=True)


def approved_plan(status: SyncStatus, now: datetime) -> Launch | Skip | None:
    """The plan of the chart of accounts that somebody has approved, where it is to be applied by itself."""
    plan = status.plan_to_apply
    if plan is None or plan.is_over(now):
        return None
    # Somebody may approve more of it later.
    return Launch("alignment", f"plan {plan.number} {plan.decided_at:%Y-%m-%dT%H:%M:%S}", until_done=True)


def rewalk(status: SyncStatus, _now: datetime) -> Launch | Skip | None:
    """What an earlier cutoff had left out."""
    cutoff = status.integration.cutoff
    if not any(needs_rewalk(entity, status.entity(entity.name), cutoff) for entity in _CUT):
        return None
    slot = f"{cutoff or 'none'} {_since(status)}"
    return Launch("moved_cutoff", slot, entities=selection([entity.name for entity in _CUT]), until_done=True)


def _since(status: SyncStatus) -> str:
    return status.integration.changed_at.isoformat(timespec="microseconds")


@dataclass(frozen=True)
class LaunchSensor:
    """What a sensor looks for and launches."""

    name: str
    job: UnresolvedAssetJobDefinition | dg.JobDefinition
    decide: Decide
    description: str
    interval_seconds: int = INTERVAL_SECONDS
    """How often it looks, at most."""
    keeps_partitions: bool = False
    """It makes every integration a partition, and removes partitions that none stands behind."""

    def evaluate(
        self,
        instance: dg.DagsterInstance,
        warehouse: Warehouse,
        now: datetime,
        cursor: str | None,
        log: Callable[[str], None],
    ) -> dg.SensorResult:
        """What to launch now, the partitions to add and where to go on.

        Raises:
            DBAPIError: the list of integrations cannot be read.
        """
        tick = Tick(instance=instance, warehouse=warehouse, now=now)
        new, gone = self._partitions(tick) if self.keeps_partitions else ([], [])
        outcome = tick.look(self.decide, cursor, new=new)
        outcome.tell(log)
        return dg.SensorResult(
            run_requests=outcome.requests,
            skip_reason=None if outcome.requests else dg.SkipReason(outcome.text),
            cursor=outcome.cursor or "",
            dynamic_partitions_requests=[
                *([INTEGRATIONS.build_add_request(new)] if new else []),
                *([INTEGRATIONS.build_delete_request(gone)] if gone else []),
            ],
        )

    def _partitions(self, tick: Tick) -> tuple[list[str], list[str]]:
        """Integrations that Dagster does not know, and partitions without an integration and without a run."""
        integrations = tick.integrations()
        known = set(tick.instance.get_dynamic_partitions(PARTITION_SET))
        new = [one.key for one in integrations if one.key not in known and one.left is None]
        # An empty table is more likely the wrong database than the end of every company.
        gone = known - {one.key for one in integrations} - tick.busy.keys() if integrations else set()
        return new[:_PARTITIONS_PER_TICK], sorted(gone)[:_PARTITIONS_PER_TICK]


LAUNCH_SENSORS = (
    LaunchSensor(
        "new_integrations",
        initial_seed,
        first_seed,
        "Makes every integration a partition and, once it is connected, fetches the lists that setup needs. Removes "
        "partitions that no integration stands behind any more.",
        keeps_partitions=True,
    ),
    LaunchSensor(
        "first_sync",
        full_sync,
        first_full_sync,
        "Launches the first full sync of an integration when the last prerequisite is met.",
    ),
    LaunchSensor(
        "moved_cutoff",
        full_sync,
        rewalk,
        "Reads bills, vendor credits and vendor payments again, and nothing else, when the cutoff has moved earlier.",
    ),
    LaunchSensor(
        "approved_plans",
        align_chart_of_accounts,
        approved_plan,
        "Writes a plan of the chart of accounts to BILL once it is approved, where alignment = apply.",
    ),
    LaunchSensor(
        "hourly_sync",
        full_sync,
        this_hour,
        "Asks BILL once an hour whether anything is new for an integration, and syncs it if so. What a tick cannot "
        "launch follows ten minutes later, what failed a little later still.",
        interval_seconds=_TEN_MINUTES,
    ),
    LaunchSensor(
        "nightly_sweep",
        full_refresh,
        this_night,
        "Reads everything of every ready integration once a night, from 02:00 in the integration's own time zone.",
        interval_seconds=_TEN_MINUTES,
    ),
    LaunchSensor(
        "nightly_reconciliation",
        reconcile,
        after_the_sweep,
        "Looks once a night whether the books of every ready integration agree: after the nightly sweep, or from 06:00 "
        "in its own time zone if that is not over by then.",
        interval_seconds=_TEN_MINUTES,
    ),
)


def _sensor(sensor: LaunchSensor) -> dg.SensorDefinition:
    @dg.sensor(
        name=sensor.name,
        job=sensor.job,
        description=sensor.description,
        minimum_interval_seconds=sensor.interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def evaluate(context: dg.SensorEvaluationContext, billcom: Billcom) -> dg.SensorResult | dg.SkipReason:
        try:
            return sensor.evaluate(context.instance, billcom.warehouse, utc_now(), context.cursor, context.log.info)
        except Exception as error:  # noqa: BLE001 - Dagster would keep its text
            return unreadable(error)

    return evaluate


SENSORS = [_sensor(sensor) for sensor in LAUNCH_SENSORS]
