"""Whose writes count: the run that began last, and no other.

The lock that keeps runs of one integration apart can be lost without notice, when the connection that holds it is ended
by the server or by a pooler. Each run therefore puts a token of its own in place, and every transaction that matters
looks whether it is still there.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tables import sync_locks
from billcom_assets.warehouse.upsert import upsert


class LockLost(WarehouseError):
    """Another run of the integration has begun; what this one was about to write is not written."""


@dataclass(frozen=True)
class Fence:
    """The token of one run."""

    integration: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def raise_up(self, connection: Connection, now: datetime) -> None:
        """Puts the token in place of any other; from now on runs that began earlier cannot write."""
        upsert(
            connection,
            sync_locks,
            [{"integration": self.integration, "holder": self.token, "acquired_at": now}],
        )

    def check(self, connection: Connection) -> None:
        """Looks, in a transaction that writes, whether the token is in place, and keeps it there until the commit.

        Raises:
            LockLost: another run has begun.
        """
        query = select(sync_locks.c.holder).where(sync_locks.c.integration == self.integration)
        # A run that begins now waits for this transaction; SQLite has one writer at a time anyway.
        if connection.scalar(query.with_for_update(read=True)) != self.token:
            raise LockLost(
                f"{self.integration}: another run has begun while this one went on, because the database ended the "
                "connection that kept it out. Nothing was written since.",
                "See that no connection pooler stands between billcom-assets and PostgreSQL; the other run does the "
                "work.",
            )
