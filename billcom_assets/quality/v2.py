"""Whether the mirror shows what BILL's v2 API adds to v3's objects."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select, text

from billcom_assets.quality.measures import Quality, Severity, warning
from billcom_assets.sync.permissions import V2_API
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.mirror import V2_WAITS
from billcom_assets.warehouse.tables import integration_errors

_TELLS = "bills"
"""Whose check says that v2 refuses the login; one is enough."""


def waits_for_v2(conn: Connection, integration: str, entity: str) -> Quality:
    """Live objects about which v2 was not asked since they changed."""
    title = entity.replace("_", " ")
    is_refused = _is_refused(conn, integration)
    if is_refused and entity != _TELLS:
        return Quality(True, Severity.WARN, f"BILL's v2 API is not asked; the check of {_TELLS} says why", 0, (), "")
    t = catalog_mirror().table(entity)
    waiting = conn.scalars(select(t.c.id).where(is_live(t, integration), text(V2_WAITS)))
    because = ": it does not serve this login" if is_refused else ""
    return warning(
        waiting,
        one=f"object of {title} lacks what only BILL's v2 API knows{because}",
        many=f"{title} lack what only BILL's v2 API knows{because}",
        good=f"what BILL's v2 API knows of {title} is there",
        fix=f"billcom status {integration}" if is_refused else f"billcom sync {integration} --only {entity}",
    )


def _is_refused(conn: Connection, integration: str) -> bool:
    e = integration_errors.c
    unresolved = exists().where(
        e.integration == integration, e.entity == V2_API, e.code == NOT_PERMITTED, e.status != "resolved"
    )
    return bool(conn.scalar(select(unresolved)))
