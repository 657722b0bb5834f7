"""Sessions: one sign-in serves many runs, threads and processes.

A session opened with a password ends after 35 minutes without a call
(https://developer.bill.com/reference/login), one opened with a sync token after 48 hours
(https://developer.bill.com/docs/token-based-sign-in). Every call restarts the time. An access token of OAuth ends by
the clock, however busy it is.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from billcom_assets.bill.credentials import Credentials

PASSWORD_IDLE: Final = timedelta(minutes=30)
TOKEN_IDLE: Final = timedelta(hours=47)
_SESSION_ID: Final = re.compile(r"[\x21-\x7e]{1,1024}")
"""What can be sent as a header."""
_LONGEST_USER_ID: Final = 200
_CLOCK_SKEW: Final = timedelta(minutes=5)
_WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240))
"""From a sign-in that BILL refused for now to the next; BILL's locks last 5 to 15 minutes, and each try may renew them.
The last one for all that follow."""


def wait_after(failures: int) -> timedelta:
    """How long no sign-in is tried after so many in a row were refused for now."""
    return _WAITS[min(failures, len(_WAITS)) - 1]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is kept between runs. ``repr`` does not show the session id."""

    session_id: str = field(repr=False)
    """Of OAuth, the access token."""
    user_id: str
    organization_id: str
    is_token: bool
    """Opened with an AP & AR sync token."""
    last_used_at: datetime
    fingerprint: str = ""
    """Of the credentials that opened it; empty matches any."""
    renew_at: datetime | None = None
    """From then on another one is opened in its place, shortly before it ends; None where only idling ends it."""

    def usable_at(self, now: datetime) -> bool:
        """True when it has neither been idle long enough to have ended, nor is about to end by the clock."""
        idle = now - self.last_used_at
        if self.renew_at is not None:
            return idle >= -_CLOCK_SKEW and now < self.renew_at
        return -_CLOCK_SKEW <= idle < (TOKEN_IDLE if self.is_token else PASSWORD_IDLE)


def opened_session(response: object, credentials: Credentials, now: datetime) -> StoredSession | None:
    """The session that a sign-in's decoded response names; None when it names none."""
    if not isinstance(response, dict):
        return None
    session_id, user_id = response.get("sessionId"), user_in(response)
    if not isinstance(session_id, str) or not _SESSION_ID.fullmatch(session_id):
        return None
    return StoredSession(
        session_id=session_id,
        user_id=user_id,
        organization_id=str(response.get("organizationId") or credentials.organization_id),
        is_token=is_token_user(user_id),
        last_used_at=now,
        fingerprint=credentials.fingerprint,
    )


def user_in(response: dict[str, Any]) -> str:
    """The user that BILL names; "" when it names none."""
    user_id = response.get("userId")
    return user_id if isinstance(user_id, str) and len(user_id) <= _LONGEST_USER_ID else ""


def is_token_user(user_id: str) -> bool:
    """True for the system users behind sync tokens; their ids begin with ``syu``."""
    return user_id.startswith("syu")


class SessionStore(Protocol):
    """Where sessions live between runs. The implementation seals them."""

    def load(self) -> StoredSession | None:
        """The session kept last, or None."""

    def save(self, session: StoredSession) -> None:
        """Keeps ``session`` in place of any other."""

    def clear(self, session_id: str) -> None:
        """Forgets the kept session if it is this one."""

    def lock(self) -> AbstractContextManager[object]:
        """Held while signing in, so that of several processes one does."""

    def postponed_until(self) -> datetime | None:
        """Before this no sign-in is tried; None when one may be."""

    def postpone(self, now: datetime) -> datetime:
        """Notes a sign-in that was refused for now; returns when the next one may be tried."""

    def accepted(self) -> None:
        """Notes that BILL accepts the credentials, or a session that they opened."""


class MemorySessionStore:
    """Keeps a session in this process."""

    def __init__(self) -> None:
        self._session: StoredSession | None = None
        self._lock = threading.RLock()
        self._failures = 0
        self._not_before: datetime | None = None

    def load(self) -> StoredSession | None:
        """The session kept last, or None."""
        with self._lock:
            return self._session

    def save(self, session: StoredSession) -> None:
        """Keeps ``session``."""
        with self._lock:
            self._session = session

    def clear(self, session_id: str) -> None:
        """Forgets the session if it is this one."""
        with self._lock:
            if self._session is not None and self._session.session_id == session_id:
                self._session = None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Single flight among threads."""
        with self._lock:
            yield

    def postponed_until(self) -> datetime | None:
        """Before this no sign-in is tried."""
        return self._not_before

    def postpone(self, now: datetime) -> datetime:
        """Notes a sign-in that was refused for now."""
        self._failures += 1
        self._not_before = now + wait_after(self._failures)
        return self._not_before

    def accepted(self) -> None:
        """Forgets such refusals."""
        self._failures, self._not_before = 0, None
