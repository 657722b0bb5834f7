"""The current session of a client, renewed by one sign-in at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    ConfigurationError,
    SessionsExhausted,
    SignInPostponed,
)
from billcom_assets.bill.quotas import Clock
from billcom_assets.bill.session import SessionStore, StoredSession
from billcom_assets.clock import utc_now

_SAVE_EVERY: Final = timedelta(minutes=1)
_LOGINS_IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class Lease:
    """A session handed to one call; ``generation`` grows with every change of session."""

    session: StoredSession
    generation: int
    opened_here: bool
    """This client signed in for it, rather than finding it in the store."""


class SessionKeeper:
    """Hands out the current session and renews it, one sign-in at a time.

    Args:
        sign_in: Signs in to BILL; raises a BillError when that fails.
        store: Where sessions live between runs.
        organization_id: Stored sessions of another organization are never used.
        fingerprint: Stored sessions of other credentials are never used.
        max_logins: Sign-ins this keeper may cause, besides those after a session's foreseen end.
    """

    def __init__(
        self,
        sign_in: Callable[[], StoredSession],
        *,
        store: SessionStore,
        organization_id: str,
        fingerprint: str = "",
        clock: Clock = utc_now,
        max_logins: int = 10,
    ) -> None:
        self._sign_in = sign_in
        self._store = store
        self._organization_id = organization_id
        self._fingerprint = fingerprint
        self._clock = clock
        self._max_logins = max_logins
        self._renewing = threading.Lock()
        self._state = threading.Lock()
        self._lease: Lease | None = None
        self._last_used: datetime | None = None
        self._last_saved: datetime | None = None
        self._dead: set[str] = set()
        self._past: set[str] = set()
        self._logins = 0
        self._in_a_row = 0
        self._accepted = 0
        self._refusal: Callable[[], BillError] | None = None

    def current(self) -> Lease:
        """The session to use now: the one at hand, a stored one, or a new one."""
        lease = self._at_hand()
        if lease is not None:
            return lease
        with self._renewing:
            return self._at_hand() or self._obtain()

    def renew(self, dead: Lease) -> Lease:
        """Another session than ``dead``, which BILL refused; taken from a thread or process that renewed it already."""
        with self._renewing:
            with self._state:
                self._dead.add(dead.session.session_id)
            if self._lease is not None and self._lease.generation != dead.generation:
                return self._lease
            return self._obtain()

    def fresh(self) -> Lease:
        """A session from a new sign-in, whatever there is and however short ago BILL refused one."""
        with self._renewing, self._store.lock():
            self._refusal = None
            return self._open(waits=False)

    def succeeded(self, lease: Lease) -> None:
        """Tells that BILL answered a call made with ``lease``."""
        now = self._clock()
        with self._state:
            self._in_a_row = 0
            is_first = self._accepted < lease.generation
            self._accepted = max(self._accepted, lease.generation)
        if is_first:
            self._store.accepted()
        with self._state:
            if self._lease is None or self._lease.generation != lease.generation:
                return
            self._last_used = now
            if self._last_saved is not None and now - self._last_saved < _SAVE_EVERY:
                return
            self._last_saved = now
        self._save_use(lease, now)

    def known_session_ids(self) -> tuple[str, ...]:
        """The ids of the current session and of those before, to keep them out of messages."""
        with self._state:
            return (*self._past, *((self._lease.session.session_id,) if self._lease else ()))

    def close(self) -> None:
        """Keeps the time of last use. The session stays open for others."""
        with self._state:
            lease, used = self._lease, self._last_used
            due = used is not None and used != self._last_saved
            self._last_saved = used
        if lease is not None and used is not None and due:
            self._save_use(lease, used)

    def _at_hand(self) -> Lease | None:
        """The session in memory unless it has been idle too long."""
        with self._state:
            if self._lease is None or self._last_used is None:
                return None
            in_use = replace(self._lease.session, last_used_at=self._last_used)
            return self._lease if in_use.usable_at(self._clock()) else None

    def _obtain(self) -> Lease:
        """A stored session, else a new one. Called with ``_renewing`` held."""
        if self._refusal is not None:
            raise self._refusal()
        with self._store.lock():
            stored = self._store.load()
            if stored is not None and self._fits(stored):
                return self._adopt(stored, opened_here=False)
            if stored is not None and stored.session_id in self._dead:
                self._store.clear(stored.session_id)
            return self._open()

    def _fits(self, stored: StoredSession) -> bool:
        """True for a live session of the same organization and credentials."""
        return (
            stored.session_id not in self._dead
            and stored.organization_id == self._organization_id
            and stored.fingerprint in {"", self._fingerprint}
            and stored.usable_at(self._clock())
        )

    def _open(self, *, waits: bool = True) -> Lease:
        """Signs in, within the caps. Called with ``_renewing`` and the store's lock held."""
        self._check_caps()
        try:
            if waits:
                self._check_wait()
            session = self._signed_in()
        except BillError as error:
            self._refusal = _repeated(error)
            raise
        with self._state:
            self._dead.discard(session.session_id)
            self._logins += 0 if self._ended_as_foreseen() else 1
            self._in_a_row += 1
        self._store.save(session)
        self._store.accepted()
        return self._adopt(session, opened_here=True)

    def _ended_as_foreseen(self) -> bool:
        """True when the session at hand has come to the end that was known when it was opened."""
        end = self._lease.session.renew_at if self._lease else None
        return end is not None and self._clock() >= end

    def _signed_in(self) -> StoredSession:
        try:
            return self._sign_in()
        except SignInPostponed as refusal:
            raise refusal.until(self._store.postpone(self._clock())) from None

    def _check_wait(self) -> None:
        until = self._store.postponed_until()
        if until is not None and self._clock() < until:
            raise SignInPostponed("It refused an earlier one; nothing was sent").until(until)

    def _check_caps(self) -> None:
        with self._state:
            logins, in_a_row = self._logins, self._in_a_row
        if in_a_row >= _LOGINS_IN_A_ROW:
            raise SessionsExhausted(f"{in_a_row} new sessions in a row were refused before a single call succeeded")
        if logins >= self._max_logins and not self._ended_as_foreseen():
            raise SessionsExhausted(f"This run already signed in {logins} times, its limit")

    def _adopt(self, session: StoredSession, *, opened_here: bool) -> Lease:
        with self._state:
            if self._lease is not None:
                self._past.add(self._lease.session.session_id)
            generation = self._lease.generation + 1 if self._lease else 1
            self._lease = Lease(session, generation, opened_here)
            self._last_used = self._last_saved = session.last_used_at
            return self._lease

    def _save_use(self, lease: Lease, used: datetime) -> None:
        """Keeps the time of last use, unless another process has put another session in place."""
        with self._store.lock():
            stored = self._store.load()
            if stored is not None and stored.session_id == lease.session.session_id and stored.last_used_at < used:
                self._store.save(replace(stored, last_used_at=used))


def _repeated(error: BillError) -> Callable[[], BillError] | None:
    """Raises the same refusal for every later caller, because repeated failed sign-ins lock the organization."""
    if not isinstance(error, AuthenticationRefused | SignInPostponed | ConfigurationError):
        return None

    def again() -> BillError:
        function, arguments = error.__reduce__()[:2]
        copy: BillError = function(*arguments)
        return copy

    return again
