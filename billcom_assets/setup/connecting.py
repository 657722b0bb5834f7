"""Connecting an integration to BILL: what must hold, what BILL is asked, and what is stored when.

A new integration is stored before BILL is asked, so that one whose sign-in is refused shows in the status and can be
tried again. One that is there already is changed only by what BILL has accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, select

from billcom_assets.bill.credentials import Environment
from billcom_assets.bill.errors import BillError
from billcom_assets.bill.session import MemorySessionStore, StoredSession
from billcom_assets.bill.ways import Way
from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.v2_shapes import not_in_v2
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.setup.exclusions import exclusions
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.bill_clients import bill_client
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.integrations import (
    Api,
    CredentialSources,
    Destination,
    Integration,
    Integrations,
    InvalidSetting,
    Status,
    check_storable,
    check_time_zone,
    left,
)
from billcom_assets.warehouse.keys import KEY_LOCK, find_seal
from billcom_assets.warehouse.sealing import Seal
from billcom_assets.warehouse.tables import integrations, sync_state

NONE = "none"
"""Clears a setting."""
_USUAL_DESTINATION = {"environment": Environment.PRODUCTION.value, "base_url": None, "v2_base_url": None}
_LOCK_WAIT_SECONDS = 60
_LONGEST_OWNER = 100
_OWNER = re.compile(r"(?=.{3,100}$)(?:[^@\s]+@[^@\s]+|team:[\w-]+)")
_SETTINGS = (
    "company",
    "organization_id",
    *_USUAL_DESTINATION,
    "cutoff",
    "history_start",
    "time_zone",
    "owner",
    "excluded_entities",
    "api",
    "documents",
    "alignment",
    "source_of_truth",
    "second_approver",
)
"""What the audit log keeps of an integration."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class ConnectionSettings:
    """What is to be set; None leaves a setting as it is, ``none`` clears it."""

    company: str | None = None
    environment: str | None = None
    base_url: str | None = None
    v2_base_url: str | None = None
    cutoff: date | str | None = None
    history_start: date | str | None = None
    time_zone: str | None = None
    owner: str | None = None
    without: tuple[str, ...] = ()
    """Entities to be left out, besides those that are."""
    included: tuple[str, ...] = ()
    """Entities to be left out no longer."""
    api: str | None = None
    documents: bool | None = None
    """Keep the files attached to bills, invoices and vendor credits."""
    alignment: str | None = None
    source_of_truth: str | None = None
    second_approver: bool | None = None
    """Of plans of the chart of accounts."""


@dataclass(frozen=True)
class Connected:
    """An integration that has just signed in."""

    integration: Integration
    session: StoredSession


@dataclass(frozen=True)
class Known:
    """An integration that is there already, as far as connecting it again needs to know."""

    organization_id: str
    company: str
    is_left: bool
    """It has no credentials any more."""
    destination: Destination
    cutoff: date | None
    way: Way = Way.LOGIN
    """How it signs in."""

    def check(self, settings: ConnectionSettings) -> None:
        """Raises InvalidSetting where the way of signing in does not go with the settings."""
        if settings.api == Api.V2 and self.way is not Way.LOGIN:
            raise InvalidSetting(
                f"BILL's v2 API takes no {self.way}. To read it alone, give --username, --password and --dev-key."
            )

    def needs_credentials(self, organization_id: str | None, settings: ConnectionSettings) -> bool:
        """Whether the settings need the credentials again, because they would be sent elsewhere or were forgotten."""
        wanted = {name: _kept(getattr(settings, name), getattr(self.destination, name)) for name in _USUAL_DESTINATION}
        stays = all(value == getattr(self.destination, name) for name, value in wanted.items())
        return self.is_left or not stays or organization_id not in {None, self.organization_id}


class NotConnected(UserFacingError):
    """BILL did not let an integration in; carries its refusal, and says what is stored."""

    def __init__(self, refusal: BillError, kept: str) -> None:
        super().__init__(f"{refusal} {kept}")
        self.refusal = refusal


def find_known(warehouse: Warehouse, key: str) -> Known | None:
    """The integration of this key, if there is one; the organization is the one that its credentials were given for."""
    with warehouse.read() as connection:
        stored = _stored(connection, key)
    if stored is None:
        return None
    try:
        store = Integrations(find_seal(warehouse.engine.url, make=False))
        given_for, way = store.given_for(stored), store.way(stored)
    except WarehouseError:
        given_for = way = None
    return Known(
        organization_id=given_for.organization_id if given_for else stored["organization_id"],
        company=stored["company"].strip(),
        is_left=left(key, stored["status"]) is not None,
        destination=Destination.of(stored),
        cutoff=stored["cutoff"],
        way=way or Way.LOGIN,
    )


def connect_integration(
    warehouse: Warehouse,
    key: str,
    organization_id: str,
    sources: CredentialSources,
    settings: ConnectionSettings,
    *,
    actor: Actor,
    on_new: Callable[[str], None] = lambda _key: None,
) -> Connected:
    """Signs in with credentials that somebody has given, and stores them with the settings.

    Args:
        warehouse: Where.
        key: The integration, new or known.
        organization_id: BILL's id of its organization.
        sources: The credentials, or where they come from.
        settings: What else is to be set.
        actor: Who decided it, for the audit log.
        on_new: Hears the key of an integration that was stored for the first time, before BILL is asked.

    Raises:
        InvalidSetting: a setting cannot be used; nothing was stored.
        ConfigurationError: a credential cannot be right; nothing was stored.
        NotConnected: BILL cannot be reached or refuses the sign-in.
    """
    # A key that changes meanwhile would leave the credentials sealed with the one before.
    with warehouse.exclusive(KEY_LOCK, wait_seconds=_LOCK_WAIT_SECONDS):
        seal = find_seal(warehouse.engine.url)
        store = Integrations(seal)
        with warehouse.read() as connection:
            stored = _stored(connection, key)
            if stored is not None:
                given_for = store.given_for(stored)
                _refuse_other_organization(connection, stored, given_for, organization_id)
                _refuse_doubtful(stored, given_for, settings)
            integration = _merged(key, organization_id, sources, settings, stored)
            integration.credentials()
            check_storable(connection, key, integration.company, organization_id)
        if stored is not None:
            return _reconnect(warehouse, seal, integration, stored, actor)
        with warehouse.write() as connection:
            _save(connection, store, integration, actor, utc_now())
    on_new(key)
    try:
        return sign_in(warehouse, seal, integration)
    except BillError as refusal:
        kept = f"{key} is kept so that it can be tried again; to remove it: billcom forget {key} --yes"
        raise NotConnected(refusal, kept) from None


def change_settings(warehouse: Warehouse, key: str, settings: ConnectionSettings, *, actor: Actor) -> list[Decision]:
    """Changes a known integration's settings that do not matter for signing in, and returns what changed.

    BILL is not asked.

    Raises:
        InvalidSetting: a setting cannot be used; nothing was stored.
    """
    now = utc_now()
    with warehouse.write() as connection:
        stored = (
            connection.execute(select(integrations).where(integrations.c.key == key).with_for_update()).mappings().one()
        )
        wanted = _preferences(settings, dict(stored))
        check_time_zone(wanted["time_zone"])
        check_storable(connection, key, wanted["company"], stored["organization_id"])
        changed = [
            Decision(What.SETTING_CHANGED, name, key, stored[name], value)
            for name, value in wanted.items()
            if value != stored[name]
        ]
        if changed:
            connection.execute(integrations.update().where(integrations.c.key == key).values(**wanted, updated_at=now))
            audit.record_all(connection, actor, changed, now)
    return changed


def sign_in(warehouse: Warehouse, seal: Seal, integration: Integration) -> Connected:
    """Signs in again as what is stored, and records the outcome, BILL's own message when it fails.

    Raises:
        BillError: BILL cannot be reached or refuses the sign-in.
    """
    store = Integrations(seal)
    try:
        with bill_client(warehouse, seal, integration) as client:
            session = client.login()
    except BillError as error:
        with warehouse.write() as connection:
            store.sign_in_failed(connection, integration.key, utc_now(), error)
        raise
    with warehouse.write() as connection:
        store.signed_in(connection, integration.key, utc_now())
        return Connected(store.get(connection, integration.key), session)


class _Trial(MemorySessionStore):
    """Keeps to itself the session that new credentials open, until they are stored; sign-ins are counted for all."""

    def __init__(self, sessions: SealedSessions) -> None:
        super().__init__()
        self._sessions = sessions

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Single flight among processes."""
        with self._sessions.lock():
            yield

    def postpone(self, now: datetime) -> datetime:
        """Notes for every process that BILL refuses sign-ins for now."""
        return self._sessions.postpone(now)


def _reconnect(
    warehouse: Warehouse, seal: Seal, integration: Integration, stored: RowMapping, actor: Actor
) -> Connected:
    key, store, sessions = integration.key, Integrations(seal), SealedSessions(warehouse, seal, integration.key)
    try:
        with bill_client(warehouse, seal, integration, sessions=_Trial(sessions)) as client:
            session = client.login()
    except BillError as refusal:
        stays = {Status.CONNECTED: "stays connected with the credentials that it has"}
        state = stays.get(stored["status"], f"is as it was before ({stored['status']})")
        raise NotConnected(refusal, f"Nothing was stored: {key} {state}.") from None
    now = utc_now()
    with warehouse.write() as connection:
        _save(connection, store, integration, actor, now)
        store.signed_in(connection, key, now)
        connected = store.get(connection, key)
    sessions.save(session)
    return Connected(connected, session)


def _save(connection: Connection, store: Integrations, integration: Integration, actor: Actor, now: datetime) -> None:
    before = _stored(connection, integration.key)
    store.save(connection, integration, now)
    decisions = _decisions(before, integration, _stored(connection, integration.key))
    audit.record_all(connection, actor, decisions, now)


def _stored(connection: Connection, key: str) -> RowMapping | None:
    # Without opening the seal: giving the credentials again is the way out when its key is lost.
    query = select(integrations).where(integrations.c.key == key).with_for_update()
    return connection.execute(query).mappings().first()


def _decisions(before: RowMapping | None, integration: Integration, stored: RowMapping | None) -> Iterator[Decision]:
    """What connecting decides: everything the first time, later each setting that changes. Never a credential."""
    after = {name: stored[name] for name in _SETTINGS} if stored else {}
    credentials = integration.sources.origins()
    key = integration.key
    if before is None:
        yield Decision(What.CONNECTED, key, key, after=after | {"credentials": credentials})
        return
    if before["credentials"] is None:
        yield Decision(What.CONNECTED, key, key, before={"status": before["status"]})
    for name, value in after.items():
        if value != before[name]:
            yield Decision(What.SETTING_CHANGED, name, key, before[name], value)
    yield Decision(What.CREDENTIALS_REPLACED, "credentials", key, after=credentials)


def _refuse_other_organization(
    connection: Connection, stored: RowMapping, given_for: Destination | None, organization_id: str
) -> None:
    """The mirror of one organization must not go on as that of another."""
    # What is sealed counts more than what anybody may have written into the database since.
    connected = given_for.organization_id if given_for else stored["organization_id"]
    if organization_id.strip() == connected:
        return
    begun = select(sync_state.c.entity).where(sync_state.c.integration == stored["key"]).limit(1)
    if connection.scalar(begun) is not None:
        raise InvalidSetting(
            f"{stored['key']} holds the data of the BILL organization {connected}. "
            "Give that organization id, or connect the other organization under another key."
        )


def _refuse_doubtful(stored: RowMapping, given_for: Destination | None, settings: ConnectionSettings) -> None:
    """New credentials go where the database says only if those before were given for the same destination."""
    doubtful = [
        name
        for name, usual in _USUAL_DESTINATION.items()
        if getattr(settings, name) is None
        and stored[name] != usual
        and (given_for is None or getattr(given_for, name) != stored[name])
    ]
    if doubtful:
        options = [f"--{name.replace('_', '-')}" for name in doubtful]
        found = ", ".join(
            f"{option} {one_line(stored[name] or NONE)}" for name, option in zip(doubtful, options, strict=True)
        )
        raise InvalidSetting(
            f"The database says where the credentials of {stored['key']} would be sent, and nothing proves it right: "
            f"{found}. Give {' and '.join(options)} yourself; none means BILL's own address."
        )


def _merged(
    key: str, organization_id: str, sources: CredentialSources, settings: ConnectionSettings, stored: RowMapping | None
) -> Integration:
    """The integration that the settings describe; an edit keeps what they leave out."""
    before: Mapping[str, Any] = dict(stored) if stored else {}
    preferences = _preferences(settings, before)
    return Integration(
        key=key,
        organization_id=organization_id,
        environment=Environment(settings.environment or before.get("environment", Environment.PRODUCTION)),
        base_url=_kept(settings.base_url, before.get("base_url")),
        v2_base_url=_kept(settings.v2_base_url, before.get("v2_base_url")),
        sources=sources,
        **{
            **preferences,
            "api": Api(preferences["api"]),
            "alignment": Alignment(preferences["alignment"]),
            "source_of_truth": SourceOfTruth(preferences["source_of_truth"]),
        },
    )


def _preferences(settings: ConnectionSettings, before: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that do not matter for signing in."""
    return {
        "company": (settings.company or before.get("company", "")).strip(),
        "cutoff": _kept(settings.cutoff, before.get("cutoff")),
        "history_start": _kept(settings.history_start, before.get("history_start")),
        "time_zone": settings.time_zone or before.get("time_zone", "UTC"),
        "owner": _checked_owner(_kept(settings.owner, before.get("owner"))),
        **_api(settings, before),
        "documents": bool(_kept(settings.documents, before.get("documents"))),
        "alignment": settings.alignment or before.get("alignment", Alignment.PLAN.value),
        "source_of_truth": settings.source_of_truth or before.get("source_of_truth", SourceOfTruth.LEDGER.value),
        "second_approver": bool(_kept(settings.second_approver, before.get("second_approver"))),
    }


def _api(settings: ConnectionSettings, before: Mapping[str, Any]) -> dict[str, Any]:
    """Which API is read, and what is left out: with v2 also what that does not have."""
    old, new = Api(before.get("api", Api.V3)), Api(settings.api or before.get("api", Api.V3))
    lacking = not_in_v2(tuple(CATALOG))
    without, included = settings.without, settings.included
    if new is Api.V2:
        if unknown := [name for name in included if name in lacking]:
            raise InvalidSetting(f"BILL's v2 API has no list of {', '.join(unknown)}; v3 has: --api v3")
        without = (*without, *lacking)
    elif old is Api.V2:
        included = (*included, *(name for name in lacking if name not in without))
    return {"api": new.value, "excluded_entities": exclusions(before.get("excluded_entities"), without, included)}


def _checked_owner(owner: str | None) -> str | None:
    """Who answers for an integration, in one of the two forms that Dagster has for owners."""
    if owner is not None and not _OWNER.fullmatch(owner.strip()):
        raise InvalidSetting(
            f"{one_line(owner, limit=_LONGEST_OWNER)!r} is no owner. Give an e-mail address, or a team as team:finance."
        )
    return owner and owner.strip()


def _kept(wanted: _T | str | None, before: _T | None) -> Any:
    if wanted is None:
        return before
    return None if isinstance(wanted, str) and wanted.strip().lower() in {NONE, ""} else wanted
