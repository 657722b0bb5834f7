"""The one session table behind v2 and v3; an access token of OAuth is a session that ends by the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.errors import (
    Refusal,
    dead_session,
    dead_token,
    organization_locked,
    wrong_client,
    wrong_dev_key,
    wrong_password,
)
from billcom_assets.sandbox.organization import Login, Organization
from billcom_assets.sandbox.settings import Readings
from billcom_assets.sandbox.world import World

BEARER = "Bearer "
"""Begins the ids of sessions that an access token carries: the whole header ``Authorization``."""


@dataclass(slots=True)
class Session:
    """A login that is still alive.

    Attributes:
        id: Opaque session id.
        organization: The only organization it reaches.
        user_id: ``006...``, or ``syu...`` of a sync token.
        dev_key: The only developer key it works with; of an access token, the OAuth client's id.
        is_token: Whether a sync token opened it.
        trusted: Whether multi-factor authentication was passed.
        last_used: The instant of the last call.
        ends: When it ends, used or not; None where only idling ends it.
    """

    id: str
    organization: Organization
    user_id: str
    dev_key: str
    is_token: bool
    trusted: bool
    last_used: datetime = field(repr=False)
    ends: datetime | None = None

    @property
    def is_oauth(self) -> bool:
        """Whether an access token carries it."""
        return self.id.startswith(BEARER)


class Sessions:
    """Opens, finds and ends sessions; idle ones die by the clock."""

    def __init__(self, world: World, readings: Readings, clock: Clock) -> None:
        self._world = world
        self._readings = readings
        self._clock = clock
        self._alive: dict[str, Session] = {}
        self._opened = 0
        self._failures: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def open(
        self,
        *,
        username: str,
        password: str,
        organization_id: str,
        dev_key: str,
        remember_me_id: str | None = None,
        device: str | None = None,
        console: bool = False,
    ) -> Session:
        """Log in; with ``console`` the password is the console token of an accounting firm's user.

        Raises:
            Refusal: BDC_1102 wrong developer key, BDC_1101 wrong user, password or organization, BDC_1107 locked.
        """
        if dev_key not in self._readings.settings.dev_keys:
            raise wrong_dev_key()
        organization = self._world.find(organization_id)
        if organization is None:
            raise wrong_password()
        if organization.locked:
            raise organization_locked()
        logins = (organization.accountant,) if console else organization.logins
        login = _login_of(logins, username, password)
        if login is None:
            self._failed(organization)
            raise wrong_password()
        self._failures.pop(organization.id, None)
        trusted = not login.is_token and remember_me_id == organization.remember_me_id and device == organization.device
        return self._open(organization, login, dev_key, trusted=trusted)

    def open_for_client(self, client_id: str, secret: str) -> Session:
        """The session of a new access token, which stands after ``Bearer`` in its id.

        Raises:
            Refusal: 401; no client has this id, it has another secret, or it was revoked.
        """
        settings = self._readings.settings
        organization = self._world.by_client.get(client_id)
        if organization is None or organization.client.secret != secret or organization.client.revoked:
            raise wrong_client(settings.token_errors)
        life = timedelta(minutes=settings.oauth_token_minutes)
        return self._open(organization, organization.user, client_id, trusted=settings.oauth_full_access, life=life)

    def _open(
        self, organization: Organization, login: Login, key: str, *, trusted: bool, life: timedelta | None = None
    ) -> Session:
        now = self._clock.now()
        self._opened += 1
        session = Session(
            id=("" if life is None else BEARER) + self._new_id(organization),
            organization=organization,
            user_id=login.user_id,
            dev_key=key,
            is_token=login.is_token,
            trusted=trusted,
            last_used=now,
            ends=None if life is None else now + life,
        )
        self._alive[session.id] = session
        return session

    def client_of(self, session_id: str) -> str:
        """The OAuth client of an access token that was not taken back; "" for any other."""
        session = self._alive.get(session_id)
        return session.dev_key if session is not None and session.is_oauth else ""

    def organizations_of(self, username: str, password: str, dev_key: str) -> list[Organization]:
        """The organizations that a user name and password reach.

        Raises:
            Refusal: BDC_1102 wrong developer key, BDC_1101 there is none.
        """
        if dev_key not in self._readings.settings.dev_keys:
            raise wrong_dev_key()
        reached = [one for one in self._world.organizations if _login_of(one.logins, username, password)]
        if not reached:
            raise wrong_password()
        return reached

    def use(self, session_id: str | None, dev_key: str | None) -> Session:
        """The living session of a call; its idle time starts again.

        Raises:
            Refusal: 401; unknown, idle too long or over, logged out, or opened with another developer key.
        """
        session = self._alive.get(session_id or "")
        if session is None or session.dev_key != dev_key:
            raise self.dead(session_id or "")
        if self._is_over(session):
            del self._alive[session.id]
            raise self.dead(session.id)
        session.last_used = self._clock.now()
        return session

    def dead(self, session_id: str) -> Refusal:
        """The refusal of a session that ended."""
        return dead_token(self._readings.settings.dead_token) if session_id.startswith(BEARER) else dead_session()

    def living(self, session_id: str) -> Session | None:
        """The session if it is alive; asking does not keep it so."""
        session = self._alive.get(session_id)
        return None if session is None or self._is_over(session) else session

    def end(self, session_id: str) -> None:
        """Log out, or kill from outside; ending a dead session is no error."""
        self._alive.pop(session_id, None)

    def end_all(self, organization_id: str | None = None) -> int:
        """Kill every session, or those of one organization; gives how many."""
        doomed = [session.id for session in self._alive.values() if organization_id in (None, session.organization.id)]
        for session_id in doomed:
            del self._alive[session_id]
        return len(doomed)

    def end_client(self, client_id: str) -> None:
        """Take back every access token of an OAuth client."""
        self._alive = {key: one for key, one in self._alive.items() if not (one.is_oauth and one.dev_key == client_id)}

    def _is_over(self, session: Session) -> bool:
        now = self._clock.now()
        if session.ends is not None:
            return now >= session.ends
        return now - session.last_used > self._idle_life(session)

    def _idle_life(self, session: Session) -> timedelta:
        settings = self._readings.settings
        if session.is_token:
            return timedelta(hours=settings.token_idle_hours)
        return timedelta(minutes=settings.user_idle_minutes)

    def _failed(self, organization: Organization) -> None:
        limit = self._readings.settings.failed_logins_to_lock
        count = self._failures[organization.id] = self._failures.get(organization.id, 0) + 1
        organization.locked = organization.locked or 0 < limit <= count

    def _new_id(self, organization: Organization) -> str:
        seed = self._readings.settings.seed
        return sha256(f"{seed}/{organization.id}/{self._opened}".encode()).hexdigest()[:45]


def _login_of(logins: Iterable[Login], username: str, password: str) -> Login | None:
    return next((one for one in logins if (one.username, one.password) == (username, password)), None)
