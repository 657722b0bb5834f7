"""The currency that a company keeps its books in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from billcom_assets.warehouse.known_integrations import require_integration
from billcom_assets.warehouse.tables import integrations


def home_currency(conn: Connection, key: str) -> str:
    """The ISO 4217 code.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, key)
    return str(conn.scalar(select(integrations.c.home_currency).where(integrations.c.key == key)))


def set_home_currency(conn: Connection, key: str, code: str, now: datetime) -> None:
    """Stores the code."""
    conn.execute(update(integrations).where(integrations.c.key == key).values(home_currency=code, updated_at=now))
