"""What waits for somebody: open integration errors, and the documents that they hold."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from billcom_assets.mapping.uses import PAYABLES
from billcom_assets.warehouse.tables import integration_errors


@dataclass(frozen=True, slots=True)
class OpenErrors:
    """Open integration errors of one kind."""

    entity: str
    code: str
    count: int
    next_step: str


def open_errors(connection: Connection, key: str) -> list[OpenErrors]:
    """The integration's open errors by kind, most frequent first."""
    e = integration_errors.c
    query = (
        select(e.entity, e.code, func.count().label("count"), func.min(e.next_step).label("next_step"))
        .where(e.integration == key, e.status == "open")
        .group_by(e.entity, e.code)
        .order_by(func.count().desc(), e.entity, e.code)
    )
    return [OpenErrors(**row._mapping) for row in connection.execute(query)]


def held_documents(connection: Connection, key: str | None = None) -> int:
    """Bills, vendor credits and vendor payments of one integration, or of all, that have an open integration error."""
    e = integration_errors.c
    mine = [e.integration == key] if key is not None else []
    documents = (
        select(e.integration, e.entity, e.record_id)
        .where(*mine, e.status == "open", e.entity.in_(PAYABLES), e.record_id != "")
        .distinct()
        .subquery()
    )
    return connection.scalar(select(func.count()).select_from(documents)) or 0
