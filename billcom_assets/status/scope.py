"""Which lists of an integration its syncs ask for: not what was left out, nor for now what BILL does not show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from billcom_assets.sync.permissions import V2_API
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.integrations import excluded_from
from billcom_assets.warehouse.tables import integration_errors, integrations

AGAIN_AFTER = timedelta(hours=20)
"""So that a sync of the next day tries again, whatever the hour."""
V2_AGAIN_AFTER = timedelta(days=6, hours=20)
"""Whether a developer key may use v2 changes with contracts, not with roles."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A list that BILL did not show."""

    message: str
    next_step: str
    at: datetime
    """When it last refused, UTC."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an integration's syncs do without."""

    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """What its login may not read, as far as BILL has said; by entity."""
    excluded: frozenset[str] = frozenset()
    """Entities that somebody has left out."""
    tested_at: datetime | None = None
    """When the sign-in was last tested, UTC."""

    def left_alone(self, now: datetime) -> frozenset[str]:
        """Entities that are not asked for now: left out, or refused within a day and nothing was tested since."""
        refused = (
            entity
            for entity, refusal in self.refusals.items()
            if now - refusal.at < (V2_AGAIN_AFTER if entity == V2_API else AGAIN_AFTER)
            and (self.tested_at is None or self.tested_at < refusal.at)
        )
        return self.excluded.union(refused)

    def expects(self, entity: str) -> bool:
        """Whether its data should be there and recent."""
        return entity not in self.excluded and entity not in self.refusals


def scope(connection: Connection, key: str) -> Scope:
    """What is left out of the integration, and what BILL has refused to show of its organization."""
    return scopes(connection, key).get(key, Scope())


def scopes(connection: Connection, key: str | None = None) -> dict[str, Scope]:
    """The same of every integration, or of one; by its key."""
    e, i = integration_errors.c, integrations.c
    refused = select(e.integration, e.entity, e.message, e.next_step, e.last_seen_at).where(
        e.code == NOT_PERMITTED, e.status != "resolved", *([e.integration == key] if key else [])
    )
    refusals: dict[str, dict[str, Refusal]] = defaultdict(dict)
    for row in connection.execute(refused):
        refusals[row.integration][row.entity] = Refusal(*row[2:])
    known = select(i.key, i.excluded_entities, i.checked_at).where(*([i.key == key] if key else []))
    return {
        row.key: Scope(refusals.get(row.key, {}), excluded_from(row.excluded_entities), row.checked_at)
        for row in connection.execute(known)
    }
