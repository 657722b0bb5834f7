"""What pulls and runs have done."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, case, cast, func, select

from billcom_assets.sync.state import REFUSED
from billcom_assets.warehouse.tables import sync_runs


@dataclass(frozen=True, slots=True)
class PullStatus:
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
    seconds: float | None
    """From start to end, in tenths; None while it runs."""
    error: str | None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The pulls of one Dagster run together."""

    run_id: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    """complete, running, failed or refused."""
    entities: int
    fetched: int
    written: int
    requests: int


def pulls_of(connection: Connection, run_id: str) -> list[PullStatus]:
    """The pulls of one Dagster run, in the order in which they started."""
    c = sync_runs.c
    columns = [c[field.name] for field in fields(PullStatus) if field.name != "seconds"]
    mine = (c.run_id == run_id, c.status != REFUSED)
    rows = connection.execute(select(*columns, c.started_at, c.finished_at).where(*mine).order_by(c.started_at, c.id))
    return [_pull(dict(row._mapping)) for row in rows]


def _pull(values: dict[str, Any]) -> PullStatus:
    started, finished = values.pop("started_at"), values.pop("finished_at")
    return PullStatus(**values, seconds=round((finished - started).total_seconds(), 1) if finished else None)


def last_runs(connection: Connection, key: str, limit: int = 5) -> list[RunStatus]:
    """The newest runs, newest first."""
    c = sync_runs.c
    run = func.coalesce(c.run_id, c.id)
    is_running, has_failed, is_refused = (
        func.max(case((c.status == status, 1), else_=0)) for status in ("running", "failed", REFUSED)
    )
    query = (
        select(
            run.label("run_id"),
            func.min(c.started_at).label("started_at"),
            func.max(c.finished_at).label("finished_at"),
            case(
                *((is_running == 1, "running"), (has_failed == 1, "failed"), (is_refused == 1, REFUSED)),
                else_="complete",
            ).label("status"),
            func.count(case((c.status != REFUSED, c.entity)).distinct()).label("entities"),
            cast(func.sum(c.fetched), BigInteger).label("fetched"),
            cast(func.sum(c.inserted + c.updated), BigInteger).label("written"),
            cast(func.sum(c.requests), BigInteger).label("requests"),
        )
        .where(c.integration == key)
        .group_by(run)
        .order_by(func.max(c.started_at).desc())
        .limit(limit)
    )
    return [RunStatus(**row._mapping) for row in connection.execute(query)]
