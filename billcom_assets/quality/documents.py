"""Whether the files attached in BILL are kept."""

from __future__ import annotations

from sqlalchemy import Connection, select

from billcom_assets.quality.measures import Quality, warning
from billcom_assets.warehouse.tables import documents


def missing_files(conn: Connection, integration: str, entity: str) -> Quality:
    """Objects with an attached file that could not be had; another try is made every day."""
    d = documents.c
    mine = (d.integration == integration, d.entity == entity, d.status == "failed", d.detached_at.is_(None))
    title = entity.replace("_", " ")
    return warning(
        set(conn.scalars(select(d.record_id).where(*mine))),
        one=f"object of {title} has an attached file that could not be had",
        many=f"{title} have an attached file that could not be had",
        good=f"no file attached to {title} is missing",
        fix=f"billcom documents {integration} says why; look at the file in BILL, and attach it again if it is broken",
    )
