"""The one session table behind v2 and v3."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.errors import dead_session, organization_locked, wrong_dev_key, wrong_password
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.settings import Readings
from billcom_assets.sandbox.world import World


@dataclass(slots=True)
class Session:
    """A login that is still alive.

    Attributes:
        id: Opaque session id.
        organization: The only organization it reaches.
        user_id: ``006...``, or ``syu...`` of a sync token.
        dev_key: The only developer key it works with.
        is_token: Whether a sync token opened it.
        trusted: Whether multi-factor authentication was passed.
        last_used: The instant of the last call.
    """

    id: str
    organization: Organization
    user_id: str
    dev_key: str
    is_token: bool
    trusted: bool
    last_used: datetime = field(repr=False)


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
    ) -> Session:
        """Log in.

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
        login = next(
            (
                one
                for one in (organization.user, organization.token)
                if (one.username, one.password) == (username, password)
            ),
            None,
        )
        if login is None:
            self._failed(organization)
            raise wrong_password()
        self._failures.pop(organization.id, None)
        trusted = not login.is_token and remember_me_id == organization.remember_me_id and device == organization.device
        self._opened += 1
        session = Session(
            id=self._new_id(organization),
            organization=organization,
            user_id=login.user_id,
            dev_key=dev_key,
            is_token=login.is_token,
            trusted=trusted,
            last_used=self._clock.now(),
        )
        self._alive[session.id] = session
        return session

    def use(self, session_id: str | None, dev_key: str | None) -> Session:
        """The living session of a call; its idle time starts again.

        Raises:
            Refusal: 401 BDC_1109; unknown, idle too long, logged out, or opened with another developer key.
        """
        session = self._alive.get(session_id or "")
        if session is None or session.dev_key != dev_key:
            raise dead_session()
        now = self._clock.now()
        if now - session.last_used > self._idle_life(session):
            del self._alive[session.id]
            raise dead_session()
        session.last_used = now
        return session

    def is_open(self, session_id: str) -> bool:
        """Whether this session is alive; asking does not keep it so."""
        session = self._alive.get(session_id)
        return session is not None and self._clock.now() - session.last_used <= self._idle_life(session)

    def end(self, session_id: str) -> None:
        """Log out, or kill from outside; ending a dead session is no error."""
        self._alive.pop(session_id, None)

    def end_all(self, organization_id: str | None = None) -> int:
        """Kill every session, or those of one organization; gives how many."""
        doomed = [session.id for session in self._alive.values() if organization_id in (None, session.organization.id)]
        for session_id in doomed:
            del self._alive[session_id]
        return len(doomed)

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
