"""How fresh each integration's data is, told without a run: what is late is late because nothing ran."""

# No postponed annotations: Dagster reads those of the resources.
from collections.abc import Callable
from datetime import datetime, timedelta

import dagster as dg
import msgspec
from sqlalchemy.exc import DBAPIError

from billcom_assets.automation.launching import INTERVAL_SECONDS, Tick, in_turn, unreadable, words_for
from billcom_assets.automation.standing import Row
from billcom_assets.ledger.data_quality import Quality
from billcom_assets.ledger.data_quality import freshness as measure
from billcom_assets.resources import Billcom
from billcom_assets.sync.pull import utc_now
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError

WATCHED = "bills"
"""The entity whose last pull stands for the integration's."""
CHECK = dg.AssetCheckKey(dg.AssetKey(WATCHED), "freshness")
REPEATED_AFTER = timedelta(hours=1)
"""A verdict that stays the same is told again after this, with the data's new age."""
BUDGET = 100
"""Evaluations that one tick reports."""


class Told(msgspec.Struct, frozen=True):
    """What was last reported of an integration."""

    passed: bool
    at: datetime


class Memory(msgspec.Struct, frozen=True):
    """The sensor's cursor."""

    last: str = ""
    """The integration that the last tick looked at last; empty after a full round."""
    told: dict[str, Told] = {}


def evaluation(key: str, quality: Quality) -> dg.AssetCheckEvaluation:
    """The verdict as Dagster keeps it for the integration's partition."""
    metadata = {"how_to_fix": dg.MetadataValue.md(f"`{quality.fix}`")} if quality.fix else {}
    return dg.AssetCheckEvaluation(
        asset_key=CHECK.asset_key,
        check_name=CHECK.name,
        passed=quality.passed,
        severity=dg.AssetCheckSeverity(quality.severity.value),
        description=quality.description,
        metadata=metadata,
        blocking=False,
        partition=key,
    )


def report(
    tick: Tick, cursor: str | None, log: Callable[[str], None], *, budget: int = BUDGET
) -> tuple[list[dg.AssetCheckEvaluation], str]:
    """The verdicts that are news, and the cursor for the next tick.

    Raises:
        DBAPIError: the list of integrations cannot be read.
    """
    memory = _read(cursor)
    found = tick.rows()
    told = {row.key: memory.told[row.key] for row in found if row.key in memory.told}
    events: list[dg.AssetCheckEvaluation] = []
    last = ""
    for row in in_turn(found, memory.last):
        if len(events) >= budget:
            return events, _write(Memory(last, told))
        last = row.key
        try:
            quality = _measure(tick, row)
        except Exception as error:  # noqa: BLE001 - the trouble of one integration must not hold up the others
            log(f"{row.key}: {words_for(error)}")
            continue
        before = told.get(row.key)
        if before is None or before.passed != quality.passed or tick.now - before.at >= REPEATED_AFTER:
            events.append(evaluation(row.key, quality))
            told[row.key] = Told(quality.passed, tick.now)
    return events, _write(Memory("", told))


def _measure(tick: Tick, row: Row) -> Quality:
    with tick.warehouse.read() as connection:
        return measure(connection, row.key, WATCHED, tick.now)


def _read(cursor: str | None) -> Memory:
    try:
        return msgspec.json.decode(cursor or "{}", type=Memory)
    except msgspec.MsgspecError:
        return Memory()


def _write(memory: Memory) -> str:
    return msgspec.json.encode(memory).decode()


def evaluate_freshness(
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    now: datetime,
    cursor: str | None,
    log: Callable[[str], None],
) -> dg.SensorResult:
    """What is to be reported now.

    Raises:
        DBAPIError: the list of integrations cannot be read.
    """
    events, following = report(Tick(instance=instance, warehouse=warehouse, now=now), cursor, log)
    reason = f"{len(events)} verdicts reported; freshness needs no run." if events else "No verdict has changed."
    return dg.SensorResult(asset_events=events, skip_reason=dg.SkipReason(reason), cursor=following)


@dg.sensor(
    name="freshness",
    description="Tells for every integration how old its data is, as results of the check freshness on bills. "
    "Launches nothing.",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def freshness(context: dg.SensorEvaluationContext, billcom: Billcom) -> dg.SensorResult | dg.SkipReason:
    """Reports what is news."""
    try:
        return evaluate_freshness(context.instance, billcom.warehouse, utc_now(), context.cursor, context.log.info)
    except (WarehouseError, DBAPIError) as error:
        return unreadable(error)
