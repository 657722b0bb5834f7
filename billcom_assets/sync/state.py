"""How far each entity is: watermark, checkpoint of the walk under way, history of pulls."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, select

from billcom_assets.sync.report import Counts, PullKind
from billcom_assets.warehouse.tables import sync_rereads, sync_runs, sync_state
from billcom_assets.warehouse.upsert import upsert

REFUSED = "refused"
"""Status in ``sync_runs`` of what the gate did not let a run pull."""


@dataclass(frozen=True, slots=True)
class EntityState:
    """One row of ``sync_state``; times in UTC."""

    watermark: datetime | None = None
    walk: dict[str, Any] | None = None
    cutoff: date | None = None
    time_filter_refused: bool = False
    time_filter_probed_at: datetime | None = None
    reread_after: str | None = None
    first_pulled_at: datetime | None = None
    swept_at: datetime | None = None
    synced_at: datetime | None = None
    probed_at: datetime | None = None
    reread_at: datetime | None = None

    @property
    def looked_at(self) -> datetime | None:
        """When the mirror was last brought up to date, or found to be."""
        return max((at for at in (self.synced_at, self.probed_at) if at is not None), default=None)


def waiting_for_rereads(connection: Connection, integration: str | None = None) -> dict[str, frozenset[str]]:
    """Entities with objects that wait to be read again, of every integration that has any, or of one."""
    c = sync_rereads.c
    mine = [] if integration is None else [c.integration == integration]
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(c.integration, c.entity).where(*mine).distinct()):
        found[row.integration].add(row.entity)
    return {key: frozenset(entities) for key, entities in found.items()}


def pulled_completely(connection: Connection, integration: str) -> frozenset[str]:
    """Entities of whose lists a first pull has ended: what is not there, BILL does not have."""
    c = sync_state.c
    query = select(c.entity).where(c.integration == integration, c.first_pulled_at.is_not(None))
    return frozenset(connection.scalars(query))


@dataclass(frozen=True, slots=True)
class StateStore:
    """The rows of one integration; the caller owns the transaction."""

    integration: str

    def load(self, connection: Connection, entity: str) -> EntityState:
        """The entity's state; a fresh one when it was never pulled."""
        c = sync_state.c
        row = (
            connection.execute(select(sync_state).where(c.integration == self.integration, c.entity == entity))
            .mappings()
            .first()
        )
        if row is None:
            return EntityState()
        return EntityState(**{name: row[name] for name in EntityState.__slots__})

    def save(self, connection: Connection, entity: str, **changes: Any) -> None:
        """Changes some of the entity's state; ``walk`` is given as a dict or None."""
        if "walk" in changes and changes["walk"] is not None:
            changes["walk"] = msgspec.json.encode(changes["walk"]).decode()
        defaults = {"time_filter_refused": False} if "time_filter_refused" not in changes else {}
        row = {"integration": self.integration, "entity": entity, **changes, **defaults}
        upsert(connection, sync_state, [row], keep=tuple(defaults))

    def start_run(self, connection: Connection, run: RunRow) -> None:
        """Opens a row of ``sync_runs``; those that an interrupted process left running are closed as failed."""
        c = sync_runs.c
        connection.execute(
            sync_runs.update()
            .where(c.integration == self.integration, c.entity == run.entity, c.status == "running")
            .values(status="failed", error="The process ended before the pull did. Run again: it goes on from there.")
        )
        connection.execute(
            sync_runs.insert().values(
                id=run.id,
                run_id=run.run_id,
                integration=self.integration,
                entity=run.entity,
                kind=run.kind.value,
                status="running",
                started_at=run.started_at,
                watermark_from=run.watermark_from,
            )
        )

    def refuse_run(self, connection: Connection, run_id: str | None, entity: str, now: datetime, reason: str) -> None:
        """Notes that a run was not let on to pull the entity."""
        connection.execute(
            sync_runs.insert().values(
                id=uuid4().hex,
                run_id=run_id,
                integration=self.integration,
                entity=entity,
                kind=REFUSED,
                status=REFUSED,
                started_at=now,
                finished_at=now,
                error=reason,
            )
        )

    def count(self, connection: Connection, run_id: str, counts: Counts) -> None:
        """Writes the counts so far, in the transaction of the rows that they count."""
        connection.execute(sync_runs.update().where(sync_runs.c.id == run_id).values(**asdict(counts)))

    def add_requests(self, connection: Connection, entity: str, requests: int) -> None:
        """Counts requests that were made for the entity after its last pull."""
        c = sync_runs.c
        mine = (c.integration == self.integration, c.entity == entity)
        last = select(c.id).where(*mine).order_by(c.started_at.desc(), c.id.desc()).limit(1).scalar_subquery()
        connection.execute(sync_runs.update().where(c.id == last).values(requests=c.requests + requests))

    def end_run(self, connection: Connection, run_id: str, **values: Any) -> None:
        """Closes the row with its outcome."""
        connection.execute(sync_runs.update().where(sync_runs.c.id == run_id).values(**values))


@dataclass(frozen=True, slots=True)
class RunRow:
    """What is known of a pull when it starts."""

    id: str
    run_id: str | None
    entity: str
    kind: PullKind
    started_at: datetime
    watermark_from: datetime | None
