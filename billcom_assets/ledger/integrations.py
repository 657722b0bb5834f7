"""Whether an integration exists at all."""

from __future__ import annotations

from sqlalchemy import Connection, select

from billcom_assets.warehouse.tables import integrations


class UnknownIntegration(Exception):
    """There is no integration of that key; the text says how to make one."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no integration {key!r}. Connect it first: billcom connect {key} --company NAME ...")
        self.key = key


def require_integration(conn: Connection, key: str) -> None:
    """Raises UnknownIntegration unless the integration exists."""
    if conn.scalar(select(integrations.c.key).where(integrations.c.key == key)) is None:
        raise UnknownIntegration(key)
