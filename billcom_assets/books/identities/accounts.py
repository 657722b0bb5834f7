"""Accounts that the posting policy has named, now or earlier: what was posted before a change stays where it is."""

from __future__ import annotations

from sqlalchemy import Connection, select

from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import posting_policies


def accounts_of(connection: Connection, run: Run, setting: str) -> list[str]:
    """Ids of the ledger accounts that the setting has ever had as its value, sorted."""
    p = posting_policies.c
    query = select(p.value).where(p.integration == run.integration, p.setting == setting, p.value.is_not(None))
    now = getattr(run.policy, setting)
    return sorted({*connection.scalars(query), *([now] if now is not None else [])})
