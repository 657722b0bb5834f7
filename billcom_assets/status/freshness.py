"""How old the data of every integration is: what is late is late because nothing ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import seed_plan
from billcom_assets.quality.measures import Quality, Severity
from billcom_assets.redaction.counted import counted
from billcom_assets.status.integrations import SyncStatus, every_integration, statuses_apart
from billcom_assets.sync.probe import WATCHED
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import describe

STALE_AFTER = timedelta(hours=3)
"""Age from which bills count as old: BILL is asked about them hourly, and two hours may be missed."""
OTHERS_STALE_AFTER = timedelta(hours=28)
"""Age from which other lists do: with many integrations they are asked about in turn, and pulled every night."""
_SEEDED = frozenset(seed_plan(CATALOG))
_LISTS_SHOWN = 10
_INTEGRATIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FreshnessReport:
    """How fresh the data of all integrations is."""

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
    def is_measured(self) -> bool:
        """False while no integration was ever synced."""
        return bool(self.fresh or self.troubled)

    @property
    def description(self) -> str:
        """The report in a sentence or two."""
        if not self.is_measured:
            return "Not measured yet: no integration was synced."
        shown = ", ".join(self.troubled[:_INTEGRATIONS_SHOWN])
        hidden = len(self.troubled) - _INTEGRATIONS_SHOWN
        parts = [
            f"{self.fresh} of {self.fresh + len(self.troubled)} synced integrations are fresh.",
            *([f"Late: {shown}{f' and {hidden} more' if hidden > 0 else ''}."] if shown else []),
            *([f"Not synced yet: {self.never}."] if self.never else []),
        ]
        return " ".join(parts)

    def fixes(self) -> list[tuple[str, str, str]]:
        """Integration, what was found and what to do, for the first of the troubled."""
        return [
            (key, late.description, late.fix) if (late := self.late.get(key)) else (key, self.unknown[key], "")
            for key in self.troubled[:_INTEGRATIONS_SHOWN]
        ]


def freshness_of_all(warehouse: Warehouse, now: datetime) -> FreshnessReport:
    """How fresh the data of every integration is.

    Raises:
        DBAPIError: the list of integrations cannot be read.
    """
    with warehouse.read() as connection:
        every = [one for one in every_integration(connection) if one.left is None]
    late: dict[str, Quality] = {}
    unknown: dict[str, str] = {}
    never = 0
    for key, status in statuses_apart(warehouse, every).items():
        if isinstance(status, Exception):
            unknown[key] = describe(status)
        elif not any(state.first_pulled_at and name not in _SEEDED for name, state in status.entities.items()):
            never += 1
        elif not (quality := freshness(status, now)).passed:
            late[key] = quality
    return FreshnessReport(len(every) - never - len(late) - len(unknown), never, late, unknown)


def freshness(status: SyncStatus, now: datetime) -> Quality:
    """Whether every entity that was ever pulled was lately brought up to date, or found to be; the late ones first."""
    key = status.integration.key
    ages = {
        entity: now - state.looked_at
        for entity, state in status.entities.items()
        if state.synced_at is not None and state.looked_at is not None and status.scope.expects(entity)
    }
    ages = dict(sorted(ages.items(), key=lambda one: (-one[1], one[0])))
    if not ages:
        return Quality(False, Severity.WARN, "nothing has ever been pulled", 1, (), f"billcom sync {key}")
    late = [f"{entity.replace('_', ' ')} {_hours(age)} ago" for entity, age in ages.items() if age > _limit(entity)]
    if not late:
        oldest = _hours(next(iter(ages.values())))
        lists = counted(len(ages), "list was", "lists were")
        return Quality(True, Severity.WARN, f"{lists} up to date within the last {oldest}", 0, (), "")
    more = f" and {len(late) - _LISTS_SHOWN} more" if len(late) > _LISTS_SHOWN else ""
    lists, are = counted(len(ages), "list", "lists"), "is" if len(late) == 1 else "are"
    described = f"{len(late)} of {lists} {are} late, last up to date: {', '.join(late[:_LISTS_SHOWN])}{more}"
    fix = f"billcom status {key} shows why; billcom sync {key} pulls now"
    return Quality(False, Severity.WARN, described, len(late), (), fix)


def _limit(entity: str) -> timedelta:
    return STALE_AFTER if entity == WATCHED else OTHERS_STALE_AFTER


def _hours(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
