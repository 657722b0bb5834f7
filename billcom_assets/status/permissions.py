"""Which lists BILL does not show to an integration's login, and which of them are left alone for now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.tables import integration_errors, integrations

AGAIN_AFTER = timedelta(hours=20)
"""So that a sync of the next day tries again, whatever the hour."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A list that BILL did not show."""

    message: str
    next_step: str
    at: datetime
    """When it last refused, UTC."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What an integration's login may not read, as far as BILL has said."""

    refusals: Mapping[str, Refusal]
    """By entity."""
    tested_at: datetime | None = None
    """When the sign-in was last tested, UTC."""

    def left_alone(self, now: datetime) -> frozenset[str]:
        """Entities that are not asked for now: refused within a day, and nothing was tested since."""
        return frozenset(
            entity
            for entity, refusal in self.refusals.items()
            if now - refusal.at < AGAIN_AFTER and (self.tested_at is None or self.tested_at < refusal.at)
        )


def permissions(connection: Connection, key: str) -> Permissions:
    """What BILL has refused to show of the integration's organization."""
    e = integration_errors.c
    columns = (e.entity, e.message, e.next_step, e.last_seen_at)
    mine = (e.integration == key, e.code == NOT_PERMITTED, e.status == "open")
    refusals = {row.entity: Refusal(*row[1:]) for row in connection.execute(select(*columns).where(*mine))}
    tested = connection.scalar(select(integrations.c.checked_at).where(integrations.c.key == key)) if refusals else None
    return Permissions(refusals, tested)
