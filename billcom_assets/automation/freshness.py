"""The sensor that reports how fresh the data is: without a run, because what is late is late because nothing ran."""

# No postponed annotations: Dagster reads those of the resources.
from datetime import datetime, timedelta

import dagster as dg
import msgspec

from billcom_assets.automation.run_requests import INTERVAL_SECONDS, unreadable
from billcom_assets.checks.freshness import evaluation
from billcom_assets.clock import utc_now
from billcom_assets.resources import Billcom
from billcom_assets.status.freshness import freshness_of_all
from billcom_assets.warehouse.engine import Warehouse

REPEATED_AFTER = timedelta(hours=1)
"""A result that stays the same is reported again after this, with the data's new age."""


class LastReport(msgspec.Struct, frozen=True):
    """The sensor's cursor: what was reported last."""

    troubled: list[str]
    never: int
    at: datetime


def evaluate_freshness(warehouse: Warehouse, now: datetime, cursor: str | None) -> dg.SensorResult:
    """The check's result, when it has changed or was reported long ago.

    Raises:
        DBAPIError: the list of integrations cannot be read.
    """
    report, before = freshness_of_all(warehouse, now), _read(cursor)
    is_same = before is not None and (before.troubled, before.never) == (report.troubled, report.never)
    if before is not None and is_same and now - before.at < REPEATED_AFTER:
        return dg.SensorResult(skip_reason=dg.SkipReason(f"As before: {report.description}"), cursor=cursor)
    return dg.SensorResult(
        asset_events=[evaluation(report)],
        skip_reason=dg.SkipReason(report.description),
        cursor=msgspec.json.encode(LastReport(report.troubled, report.never, now)).decode(),
    )


def _read(cursor: str | None) -> LastReport | None:
    try:
        return msgspec.json.decode(cursor, type=LastReport) if cursor else None
    except msgspec.MsgspecError:
        return None


@dg.sensor(
    name="freshness",
    description="Reports whose data is old, as results of the check freshness on bills. Launches nothing.",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def freshness(context: dg.SensorEvaluationContext, billcom: Billcom) -> dg.SensorResult | dg.SkipReason:
    """Reports what is news."""
    try:
        return evaluate_freshness(billcom.warehouse, utc_now(), context.cursor)
    except Exception as error:  # noqa: BLE001 - Dagster would keep its text
        return unreadable(error)
