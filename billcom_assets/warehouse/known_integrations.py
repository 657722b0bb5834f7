"""Whether an integration exists at all."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets.warehouse.tables import integrations


def require_integration(conn: Connection, key: str) -> None:
    """Raises UnknownIntegration unless the integration exists."""
    known = list(conn.scalars(select(integrations.c.key).order_by(integrations.c.key)))
    if key not in known:
        raise UnknownIntegration(key, known)


def lock_integration(conn: Connection, key: str) -> None:
    """Keeps others from deciding about the integration until the caller's transaction ends."""
    # On SQLite the transaction holds the write lock already; PostgreSQL locks the row.
    conn.execute(select(integrations.c.key).where(integrations.c.key == key).with_for_update())


def company_name(conn: Connection, key: str) -> str:
    """The company whose ledger the integration belongs to.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, key)
    return str(conn.scalar(select(integrations.c.company).where(integrations.c.key == key)))


def cutoff_of(conn: Connection, key: str) -> date | None:
    """The day before which documents stay out; None for no cutoff.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, key)
    return conn.scalar(select(integrations.c.cutoff).where(integrations.c.key == key))


def keeps_documents(conn: Connection, key: str) -> bool:
    """Whether the files attached in BILL are fetched for the integration."""
    return bool(conn.scalar(select(integrations.c.documents).where(integrations.c.key == key)))
