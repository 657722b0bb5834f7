"""How far integrations are, as automation looks at it; read without opening a single credential."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.integrations import InvalidSetting, Status, left
from billcom_assets.warehouse.tables import integrations, sync_state

SEEDED = tuple(entity.name for entity in CATALOG.seed_plan())
GATED = tuple(entity.name for entity in CATALOG if entity.gated)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of ``integrations`` as it is stored; nothing in it was examined yet."""

    key: str
    status: str
    status_code: str | None
    status_message: str | None
    time_zone: str
    cutoff: date | None
    sign_in_not_before: datetime | None
    """When a sign-in may be tried again that BILL refused for now; None after any other outcome."""
    changed_at: datetime
    """When its settings or the outcome of its sign-in last changed: from then on, a new attempt is worth making."""

    @property
    def left(self) -> str | None:
        """Why nothing is to be done for it any more, as long as it is disconnected or being forgotten."""
        how = left(self.key, self.status)
        return f"it is {how.state} ({how.next_step})" if how else None


def rows(connection: Connection) -> list[Row]:
    """Every integration, by key."""
    c = integrations.c
    found = connection.execute(
        select(
            *(c.key, c.status, c.status_code, c.status_message, c.time_zone, c.cutoff),
            *(c.sign_in_not_before, c.updated_at, c.checked_at),
        ).order_by(c.key)
    )
    return [
        Row(
            one.key,
            one.status,
            one.status_code,
            one.status_message,
            one.time_zone,
            one.cutoff,
            one.sign_in_not_before,
            max(moment for moment in (one.updated_at, one.checked_at) if moment is not None),
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """One integration, and how far its entities are."""

    row: Row
    states: Mapping[str, EntityState]
    """Entities that were ever pulled, or begun."""

    @property
    def key(self) -> str:
        """Key of the integration."""
        return self.row.key

    @property
    def is_connected(self) -> bool:
        """The last sign-in succeeded."""
        return Status(self.row.status) is Status.CONNECTED

    @property
    def zone(self) -> ZoneInfo:
        """Where the company keeps its hours.

        Raises:
            InvalidSetting: this machine does not know it.
        """
        try:
            return ZoneInfo(self.row.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise InvalidSetting(
                "its time zone is not known on this machine; set another with "
                f"billcom connect {self.key} --time-zone ZONE"
            ) from None

    def state(self, entity: str) -> EntityState:
        """How far the entity is."""
        return self.states.get(entity, EntityState())

    def has_pulled(self, entities: Iterable[str]) -> bool:
        """Each of the entities was pulled completely at least once."""
        return all(self.state(entity).first_pulled_at is not None for entity in entities)


def standing(connection: Connection, row: Row) -> Standing:
    """How far the integration is."""
    found = connection.execute(select(sync_state).where(sync_state.c.integration == row.key)).mappings()
    return Standing(
        row, {one["entity"]: EntityState(**{name: one[name] for name in EntityState.__slots__}) for one in found}
    )
