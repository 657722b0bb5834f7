"""What waits for somebody: open integration errors, and held documents."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from billcom_assets.warehouse.books_tables import ledger_documents
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
    """Documents of one integration, or of all, that are held out of the books, set aside or not.

    Nothing is held before the books were posted for the first time: no document was looked at.
    """
    d = ledger_documents.c
    mine = [d.integration == key] if key is not None else []
    return connection.scalar(select(func.count()).select_from(ledger_documents).where(*mine, d.state == "held")) or 0
