"""What is known of the files attached in BILL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, func, select

from billcom_assets.warehouse.tables import documents


@dataclass(frozen=True, slots=True)
class Summary:
    """Files of one integration that BILL lists."""

    files_stored: int
    files_waiting: int
    files_failed: int
    bytes_stored: int


def summary(connection: Connection, integration: str) -> Summary:
    """How many there are of each status, and the bytes of their contents, each counted once."""
    d = documents.c
    mine = (d.integration == integration, d.detached_at.is_(None))
    query = select(d.status, func.count()).where(*mine).group_by(d.status)
    counts = {row[0]: row[1] for row in connection.execute(query)}
    contents = select(d.sha256, d.size).where(d.integration == integration, d.sha256.is_not(None)).distinct().subquery()
    size = connection.scalar(select(func.sum(contents.c.size)))
    return Summary(counts.get("stored", 0), counts.get("waiting", 0), counts.get("failed", 0), int(size or 0))


def files(connection: Connection, integration: str, record_id: str | None = None) -> Sequence[RowMapping]:
    """Every file that BILL lists, or those of one object; one row per file, in the order in which they were attached.

    Columns are those of the table ``documents``.
    """
    d = documents.c
    mine = [d.integration == integration, d.detached_at.is_(None)]
    if record_id is not None:
        mine.append(d.record_id == record_id)
    query = select(documents).where(*mine).order_by(d.entity, d.record_id, d.created_time, d.id)
    return connection.execute(query).mappings().all()
