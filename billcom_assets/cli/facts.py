"""What the database tells about integrations: how far they are, how much they hold, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, case, func, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors, integrations, sync_runs, sync_state

_HELD = ("bills", "vendor_credits", "vendor_payments")
"""The documents that enter the ledger, and are held when something is open about them."""


@dataclass(frozen=True)
class Standing:
    """One integration in a line; reading it needs no credentials."""

    key: str
    company: str
    organization_id: str
    environment: str
    base_url: str | None
    v2_base_url: str | None
    cutoff: date | None
    history_start: date | None
    time_zone: str
    status: str
    status_message: str | None
    checked_at: datetime | None
    sign_in_not_before: datetime | None
    """When a run may sign in again after BILL refused it for now."""
    last_sync: datetime | None
    """When a pull last ended."""
    rows: int
    """Objects in the mirror that BILL still has."""
    open_errors: int


@dataclass(frozen=True)
class EntityStanding:
    """How far one entity of an integration is."""

    entity: str
    rows: int
    deleted: int
    """Rows that BILL no longer has."""
    watermark: datetime | None
    synced_at: datetime | None
    time_filter_refused: bool
    """BILL does not take the filter by time of change, so that every pull reads the whole list."""


@dataclass(frozen=True)
class Pull:
    """One pull of one entity as its run recorded it."""

    entity: str
    kind: str
    status: str
    fetched: int
    inserted: int
    updated: int
    unchanged: int
    skipped_by_cutoff: int
    rejected: int
    deleted: int
    requests: int
    retries: int
    logins: int
    seconds: int | None
    error: str | None


@dataclass(frozen=True)
class RunStanding:
    """The pulls of one Dagster run together."""

    run_id: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    """complete, running or failed."""
    entities: int
    fetched: int
    written: int
    requests: int


@dataclass(frozen=True)
class OpenErrors:
    """Integration errors that wait for somebody, of one entity and kind."""

    entity: str
    code: str
    count: int
    next_step: str


def standings(warehouse: Warehouse, connection: Connection) -> list[Standing]:
    """Every integration, by key."""
    rows = _rows_by_integration(warehouse, connection)
    e, s = integration_errors.c, sync_state.c
    errors = connection.execute(
        select(e.integration, func.count().label("open")).where(e.status == "open").group_by(e.integration)
    )
    synced = connection.execute(select(s.integration, func.max(s.synced_at).label("last")).group_by(s.integration))
    open_errors = {row.integration: int(row.open) for row in errors}
    last_syncs = {row.integration: row.last for row in synced}
    return [
        Standing(
            key=one.key,
            company=one.company,
            organization_id=one.organization_id,
            environment=one.environment,
            base_url=one.base_url,
            v2_base_url=one.v2_base_url,
            cutoff=one.cutoff,
            history_start=one.history_start,
            time_zone=one.time_zone,
            status=one.status,
            status_message=one.status_message,
            checked_at=one.checked_at,
            sign_in_not_before=one.sign_in_not_before,
            last_sync=last_syncs.get(one.key),
            rows=rows.get(one.key, 0),
            open_errors=open_errors.get(one.key, 0),
        )
        for one in connection.execute(select(integrations).order_by(integrations.c.key))
    ]


def _rows_by_integration(warehouse: Warehouse, connection: Connection) -> dict[str, int]:
    totals: dict[str, int] = {}
    for entity in CATALOG:
        t = warehouse.mirror.table(entity.name).c
        counted = select(t.integration, func.count()).where(t.deleted_at.is_(None)).group_by(t.integration)
        for integration, count in connection.execute(counted):
            totals[integration] = totals.get(integration, 0) + count
    return totals


def entity_standings(warehouse: Warehouse, connection: Connection, integration: str) -> list[EntityStanding]:
    """Every entity in sync order, those that were never pulled too."""
    s = sync_state.c
    states = {row.entity: row for row in connection.execute(select(sync_state).where(s.integration == integration))}
    found = []
    for entity in CATALOG:
        t = warehouse.mirror.table(entity.name).c
        counted = select(func.count(), func.count(t.deleted_at)).where(t.integration == integration)
        rows, deleted = connection.execute(counted).one()
        state = states.get(entity.name)
        found.append(
            EntityStanding(
                entity.name,
                rows=rows - deleted,
                deleted=deleted,
                watermark=state.watermark if state else None,
                synced_at=state.synced_at if state else None,
                time_filter_refused=state is not None and state.time_filter_refused,
            )
        )
    return found


def pulls_of(connection: Connection, run_id: str) -> list[Pull]:
    """The pulls of one Dagster run, in the order in which they started."""
    c = sync_runs.c
    columns = [c[name] for name in Pull.__dataclass_fields__]
    rows = connection.execute(select(*columns).where(c.run_id == run_id).order_by(c.started_at, c.id))
    return [Pull(**row._mapping) for row in rows]


def last_runs(connection: Connection, integration: str, limit: int = 5) -> list[RunStanding]:
    """The newest runs, newest first."""
    c = sync_runs.c
    run = func.coalesce(c.run_id, c.id)
    query = (
        select(
            run.label("run_id"),
            func.min(c.started_at).label("started_at"),
            func.max(c.finished_at).label("finished_at"),
            func.sum(case((c.status == "running", 1), else_=0)).label("running"),
            func.sum(case((c.status == "failed", 1), else_=0)).label("failed"),
            func.count(c.entity.distinct()).label("entities"),
            func.sum(c.fetched).label("fetched"),
            func.sum(c.inserted + c.updated).label("written"),
            func.sum(c.requests).label("requests"),
        )
        .where(c.integration == integration)
        .group_by(run)
        .order_by(func.max(c.started_at).desc())
        .limit(limit)
    )
    return [
        RunStanding(
            run_id=row.run_id,
            started_at=row.started_at,
            finished_at=row.finished_at,
            status=_status(row),
            entities=row.entities,
            fetched=int(row.fetched),
            written=int(row.written),
            requests=int(row.requests),
        )
        for row in connection.execute(query)
    ]


def _status(row: Row[tuple[object, ...]]) -> str:
    if row.running:
        return "running"
    return "failed" if row.failed else "complete"


def open_errors(connection: Connection, integration: str) -> list[OpenErrors]:
    """What waits for somebody, most frequent first."""
    e = integration_errors.c
    query = (
        select(e.entity, e.code, func.count().label("count"), func.min(e.next_step).label("next_step"))
        .where(e.integration == integration, e.status == "open")
        .group_by(e.entity, e.code)
        .order_by(func.count().desc(), e.entity, e.code)
    )
    return [OpenErrors(**row._mapping) for row in connection.execute(query)]


def held_documents(connection: Connection, integration: str) -> int:
    """Bills, vendor credits and vendor payments that have at least one open integration error."""
    e = integration_errors.c
    documents = (
        select(e.entity, e.record_id)
        .where(e.integration == integration, e.status == "open", e.entity.in_(_HELD), e.record_id != "")
        .distinct()
        .subquery()
    )
    return connection.scalar(select(func.count()).select_from(documents)) or 0
