"""What the BILL client keeps in the database: sealed sessions, and the hourly allowance of a developer key."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import or_, select

from billcom_assets.bill.errors import HourlyLimitReached
from billcom_assets.bill.quotas import LOGINS_PER_HOUR, REQUESTS_PER_HOUR, Clock, hour_of, next_hour
from billcom_assets.bill.session import StoredSession, wait_after
from billcom_assets.clock import utc_now
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.sealing import Purpose, Seal
from billcom_assets.warehouse.tables import bill_sessions, integrations, request_budget
from billcom_assets.warehouse.upsert import upsert

SEALED_AS = "session"
"""What is sealed in the table ``bill_sessions``."""
_LOCK_WAIT_SECONDS = 60
_CHUNK = 50


@dataclass(frozen=True)
class SealedSessions:
    """The SessionStore of one integration: one sealed row, shared by all processes."""

    warehouse: Warehouse
    seal: Seal
    integration: str

    def load(self) -> StoredSession | None:
        """The session kept last; None when there is none that opens: a new sign-in replaces it."""
        with self.warehouse.read() as connection:
            row = connection.execute(
                select(bill_sessions).where(bill_sessions.c.integration == self.integration)
            ).first()
        if row is None:
            return None
        try:
            secret = msgspec.json.decode(self.seal.open(row.session, self._purpose))
        except WarehouseError:
            return None
        return StoredSession(
            session_id=secret["id"],
            user_id=row.user_id or "",
            organization_id=row.organization_id or "",
            is_token=row.is_token,
            last_used_at=row.last_used_at,
            fingerprint=secret["fingerprint"],
            renew_at=datetime.fromisoformat(secret["renew_at"]) if secret.get("renew_at") else None,
        )

    def save(self, session: StoredSession) -> None:
        """Keeps ``session`` in place of any other, unless another key is in use by now or the integration was left."""
        secret = {"id": session.session_id, "fingerprint": session.fingerprint, "renew_at": session.renew_at}
        values = {
            "session": self.seal.close(msgspec.json.encode(secret).decode(), self._purpose),
            "user_id": session.user_id,
            "organization_id": session.organization_id,
            "is_token": session.is_token,
            "last_used_at": session.last_used_at,
        }
        i = integrations.c
        # Locked, so that a change of keys either finds this session or has changed the credentials before.
        known = select(i.key, i.credentials).where(i.key == self.integration).with_for_update(read=True)
        with self.warehouse.write() as connection:
            row = connection.execute(known).first()
            if row is None or (row.credentials is not None and self.seal.sealed(row.credentials)):
                upsert(connection, bill_sessions, [{"integration": self.integration, **values}])

    def clear(self, session_id: str) -> None:
        """Forgets the kept session if it is this one."""
        kept = self.load()
        if kept is not None and kept.session_id == session_id:
            with self.warehouse.write() as connection:
                connection.execute(bill_sessions.delete().where(bill_sessions.c.integration == self.integration))

    def lock(self) -> AbstractContextManager[object]:
        """Held while signing in, so that of several processes one does."""
        return self.warehouse.exclusive(f"sign-in of {self.integration}", wait_seconds=_LOCK_WAIT_SECONDS)

    def postponed_until(self) -> datetime | None:
        """Before this no process signs in."""
        i = integrations.c
        with self.warehouse.read() as connection:
            until: datetime | None = connection.scalar(select(i.sign_in_not_before).where(i.key == self.integration))
        return until

    def postpone(self, now: datetime) -> datetime:
        """Notes a sign-in that was refused for now."""
        i = integrations.c
        mine = i.key == self.integration
        with self.warehouse.write() as connection:
            failures = connection.scalar(select(i.sign_in_failures).where(mine).with_for_update()) or 0
            until = now + wait_after(failures + 1)
            connection.execute(
                integrations.update().where(mine).values(sign_in_failures=failures + 1, sign_in_not_before=until)
            )
        return until

    def accepted(self) -> None:
        """Marks the integration as connected, whatever it was before, unless it was left."""
        i = integrations.c
        values = {
            "status": "connected",
            "status_code": None,
            "status_message": None,
            "sign_in_failures": 0,
            "sign_in_not_before": None,
        }
        was_not = or_(i.status != "connected", i.status_message.is_not(None), i.sign_in_failures > 0)
        mine = (i.key == self.integration, i.credentials.is_not(None), was_not)
        with self.warehouse.read() as connection:
            if connection.scalar(select(i.key).where(*mine)) is None:
                return
        with self.warehouse.write() as connection:
            connection.execute(integrations.update().where(*mine).values(**values, checked_at=utc_now()))

    @property
    def _purpose(self) -> Purpose:
        return Purpose(SEALED_AS, self.integration)


@dataclass
class SharedBudget:
    """The RequestBudget of one developer key over all processes that use this database.

    Requests are reserved some at a time, so that a request does not cost a transaction; what was reserved and not used
    is given back by ``close``.
    """

    warehouse: Warehouse
    developer_key: str
    """Digest that names the key without revealing it."""
    clock: Clock = utc_now
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _hour: datetime | None = None
    _reserved: int = 0

    def spend(self, requests: int) -> None:
        """Takes ``requests``; raises HourlyLimitReached when the hour's allowance does not suffice."""
        with self._lock:
            hour = hour_of(self.clock())
            if hour != self._hour:
                self._hour, self._reserved = hour, 0
            if self._reserved < requests:
                self._reserved += self._reserve(hour, requests - self._reserved)
            self._reserved -= requests

    def spend_login(self) -> None:
        """Takes one login; raises HourlyLimitReached when none is left."""
        with self._lock:
            if not self._take(hour_of(self.clock()), "logins", 1, LOGINS_PER_HOUR):
                raise self._used_up("logins", LOGINS_PER_HOUR)

    def close(self) -> None:
        """Gives back what was reserved and not used."""
        with self._lock:
            if self._reserved and self._hour == hour_of(self.clock()):
                self._take(self._hour, "requests", -self._reserved, REQUESTS_PER_HOUR)
            self._reserved = 0

    def _reserve(self, hour: datetime, needed: int) -> int:
        for amount in (max(_CHUNK, needed), needed):
            if self._take(hour, "requests", amount, REQUESTS_PER_HOUR):
                return amount
        raise self._used_up("requests", REQUESTS_PER_HOUR)

    def _take(self, hour: datetime, column: str, amount: int, limit: int) -> bool:
        t = request_budget.c
        mine = (t.developer_key == self.developer_key) & (t.hour == hour)
        row = {"developer_key": self.developer_key, "hour": hour, "requests": 0, "logins": 0}
        with self.warehouse.write() as connection:
            upsert(connection, request_budget, [row], keep=("requests", "logins"))
            # Yesterday's hours tell nobody anything any more.
            connection.execute(request_budget.delete().where(t.hour < hour - timedelta(days=1)))
            taken = connection.execute(
                request_budget.update().where(mine, t[column] + amount <= limit).values({column: t[column] + amount})
            )
            return taken.rowcount == 1

    def _used_up(self, counted: str, limit: int) -> HourlyLimitReached:
        opens = next_hour(self.clock())
        return HourlyLimitReached(
            f"All {limit:,} {counted} of this clock hour are used; nothing was sent",
            counted=counted,
            resets_at=opens,
        )
