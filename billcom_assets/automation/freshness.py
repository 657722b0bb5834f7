"""How fresh every integration's data is, told without a run: what is late is late because nothing ran.

One result stands for all integrations and names the late ones. Dagster keeps a result without a run only once for each
partition (``asset_check_executions`` is unique by asset, check, run and partition), so one per integration cannot be
told a second time.
"""

# No postponed annotations: Dagster reads those of the resources.
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg
import msgspec
from sqlalchemy import select

from billcom_assets.automation.display import table
from billcom_assets.automation.launching import INTERVAL_SECONDS, unreadable
from billcom_assets.automation.standing import SEEDED, rows
from billcom_assets.quality.freshness import freshness as measure
from billcom_assets.quality.measures import Quality
from billcom_assets.resources import Billcom
from billcom_assets.sync.run import utc_now
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import describe
from billcom_assets.warehouse.tables import sync_state

WATCHED = "bills"
"""The asset on which the check stands; it looks at every entity."""
CHECK = dg.AssetCheckKey(dg.AssetKey(WATCHED), "freshness")
REPEATED_AFTER = timedelta(hours=1)
"""A verdict that stays the same is told again after this, with the data's new age."""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """How fresh all integrations are."""

    fresh: int = 0
    never: int = 0
    """Not synced beyond the seed yet: their setup says why."""
    late: Mapping[str, Quality] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Why an integration could not be looked at."""

    @property
    def troubled(self) -> list[str]:
        """Keys of those that are late or could not be looked at."""
        return sorted({*self.late, *self.unknown})

    @property
    def description(self) -> str:
        """The verdict in a sentence or two."""
        shown = ", ".join(self.troubled[:_SHOWN])
        more = f" and {len(self.troubled) - _SHOWN} more" if len(self.troubled) > _SHOWN else ""
        parts = [
            f"{self.fresh} of {self.fresh + len(self.troubled)} synced integrations are fresh.",
            *([f"Late: {shown}{more}."] if shown else []),
            *([f"Not synced yet: {self.never}."] if self.never else []),
        ]
        return " ".join(parts)

    def evaluation(self) -> dg.AssetCheckEvaluation:
        """What Dagster keeps of it."""
        metadata: dict[str, dg.MetadataValue] = {
            "fresh": dg.MetadataValue.int(self.fresh),
            "late": dg.MetadataValue.int(len(self.troubled)),
            "not_synced_yet": dg.MetadataValue.int(self.never),
        }
        if self.troubled:
            metadata["how_to_fix"] = table(
                ("integration", "found", "fix"), [self._line(key) for key in self.troubled[:_SHOWN]]
            )
        return dg.AssetCheckEvaluation(
            asset_key=CHECK.asset_key,
            check_name=CHECK.name,
            passed=not self.troubled,
            severity=dg.AssetCheckSeverity.WARN,
            description=self.description,
            metadata=metadata,
            blocking=False,
        )

    def _line(self, key: str) -> tuple[str, str, str]:
        late = self.late.get(key)
        return (key, late.description, late.fix) if late else (key, self.unknown[key], "")


def assess(warehouse: Warehouse, now: datetime) -> Verdict:
    """Looks at every integration.

    Raises:
        DBAPIError: the list of integrations cannot be read.
    """
    s = sync_state.c
    with warehouse.read() as connection:
        keys = [row.key for row in rows(connection) if row.left is None]
        synced = set(
            connection.scalars(select(s.integration).where(s.entity.not_in(SEEDED), s.first_pulled_at.is_not(None)))
        )
    late: dict[str, Quality] = {}
    unknown: dict[str, str] = {}
    for key in keys:
        if key not in synced:
            continue
        try:
            with warehouse.read() as connection:
                quality = measure(connection, key, now)
        except Exception as error:  # noqa: BLE001 - the trouble of one integration must not hold up the others
            unknown[key] = describe(error)
            continue
        if not quality.passed:
            late[key] = quality
    never = len(set(keys) - synced)
    return Verdict(len(keys) - never - len(late) - len(unknown), never, late, unknown)


class Told(msgspec.Struct, frozen=True):
    """The sensor's cursor: what was told last."""

    troubled: list[str]
    never: int
    at: datetime


def evaluate_freshness(warehouse: Warehouse, now: datetime, cursor: str | None) -> dg.SensorResult:
    """The verdict, when it has changed or was told long ago.

    Raises:
        DBAPIError: the list of integrations cannot be read.
    """
    verdict, before = assess(warehouse, now), _read(cursor)
    is_same = before is not None and (before.troubled, before.never) == (verdict.troubled, verdict.never)
    if before is not None and is_same and now - before.at < REPEATED_AFTER:
        return dg.SensorResult(skip_reason=dg.SkipReason(f"As before: {verdict.description}"), cursor=cursor)
    told = Told(verdict.troubled, verdict.never, now)
    return dg.SensorResult(
        asset_events=[verdict.evaluation()],
        skip_reason=dg.SkipReason(verdict.description),
        cursor=msgspec.json.encode(told).decode(),
    )


def _read(cursor: str | None) -> Told | None:
    try:
        return msgspec.json.decode(cursor, type=Told) if cursor else None
    except msgspec.MsgspecError:
        return None


@dg.sensor(
    name="freshness",
    description="Tells which integrations' data is old, as results of the check freshness on bills. Launches nothing.",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def freshness(context: dg.SensorEvaluationContext, billcom: Billcom) -> dg.SensorResult | dg.SkipReason:
    """Reports what is news."""
    try:
        return evaluate_freshness(billcom.warehouse, utc_now(), context.cursor)
    except Exception as error:  # noqa: BLE001 - Dagster would keep its text
        return unreadable(error)
