"""The integrations and how far their entities are; read without opening a single credential."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, select

from billcom_assets.status.approved_plans import PlanToApply, plans_to_apply
from billcom_assets.status.scope import Scope, scopes
from billcom_assets.sync.state import EntityState, waiting_for_rereads
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import InvalidSetting, Status, UnknownIntegration, left
from billcom_assets.warehouse.tables import integrations, sync_state


@dataclass(frozen=True, slots=True)
class IntegrationStatus:
    """One row of ``integrations`` as it is stored; nothing in it was examined yet."""

    key: str
    company: str
    organization_id: str
    environment: str
    base_url: str | None
    v2_base_url: str | None
    cutoff: date | None
    history_start: date | None
    time_zone: str
    owner: str | None
    excluded_entities: str | None
    """Names with commas between; see ``Scope``."""
    api: str
    documents: bool
    status: str
    status_code: str | None
    status_message: str | None
    checked_at: datetime | None
    sign_in_not_before: datetime | None
    """When a run may sign in again after BILL refused it for now; None after any other outcome."""
    updated_at: datetime

    @property
    def is_connected(self) -> bool:
        """True when the last sign-in succeeded."""
        return Status(self.status) is Status.CONNECTED

    @property
    def left(self) -> str | None:
        """Why nothing is to be done for it any more, as long as it is disconnected or being forgotten."""
        how = left(self.key, self.status)
        return f"it is {how.state} ({how.next_step})" if how else None

    @property
    def changed_at(self) -> datetime:
        """When its settings or the outcome of its sign-in last changed: from then on a new attempt is worth making."""
        return max(self.updated_at, self.checked_at or self.updated_at)

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone.

        Raises:
            InvalidSetting: this machine does not know it.
        """
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise InvalidSetting(
                "its time zone is not known on this machine; set another with "
                f"billcom connect {self.key} --time-zone ZONE"
            ) from None


_COLUMNS = [integrations.c[field.name] for field in fields(IntegrationStatus)]


def every_integration(connection: Connection) -> list[IntegrationStatus]:
    """Every integration, by key."""
    rows = connection.execute(select(*_COLUMNS).order_by(integrations.c.key))
    return [IntegrationStatus(**row._mapping) for row in rows]


def find_integration(connection: Connection, key: str) -> IntegrationStatus | None:
    """The integration of this key, if there is one."""
    row = connection.execute(select(*_COLUMNS).where(integrations.c.key == key)).mappings().first()
    return IntegrationStatus(**row) if row is not None else None


def one_integration(connection: Connection, key: str) -> IntegrationStatus:
    """The integration of this key.

    Raises:
        UnknownIntegration: there is none.
    """
    found = find_integration(connection, key)
    if found is None:
        raise UnknownIntegration(key, list(connection.scalars(select(integrations.c.key).order_by(integrations.c.key))))
    return found


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """One integration, and how far its entities are."""

    integration: IntegrationStatus
    entities: Mapping[str, EntityState]
    """Entities that were ever pulled, or begun."""
    scope: Scope = field(default_factory=Scope)
    """What its syncs do without."""
    waits_for_rereads: bool = False
    """Objects wait to be read again that the last run could not read."""
    plan_to_apply: PlanToApply | None = None
    """The plan of the chart of accounts that is to be applied by itself."""

    def entity(self, name: str) -> EntityState:
        """How far the entity is."""
        return self.entities.get(name, EntityState())

    def has_pulled(self, entities: Iterable[str]) -> bool:
        """True when each of the entities that are to be had was pulled completely at least once."""
        return all(self.entity(name).first_pulled_at is not None or not self.scope.expects(name) for name in entities)


def sync_status(connection: Connection, integration: IntegrationStatus) -> SyncStatus:
    """How far the entities of the integration are."""
    return sync_statuses(connection, [integration], integration.key)[integration.key]


def sync_statuses(
    connection: Connection, found: Iterable[IntegrationStatus], key: str | None = None
) -> dict[str, SyncStatus]:
    """How far the entities of the integrations are, by key.

    Args:
        connection: A reading one.
        found: The integrations.
        key: Of the only one of them.
    """
    states, wanted, waiting = _states(connection, key), scopes(connection, key), waiting_for_rereads(connection, key)
    plans = plans_to_apply(connection)
    statuses = {}
    for one in found:
        mine = wanted.get(one.key, Scope())
        waits = bool(waiting.get(one.key, frozenset()) - mine.excluded)
        statuses[one.key] = SyncStatus(one, states.get(one.key, {}), mine, waits, plans.get(one.key))
    return statuses


def statuses_apart(warehouse: Warehouse, found: Sequence[IntegrationStatus]) -> dict[str, SyncStatus | Exception]:
    """The same, with the error in place of one that cannot be read: the trouble of one must not hold up the others."""
    try:
        with warehouse.read() as connection:
            return {**sync_statuses(connection, found)}
    except Exception:  # noqa: BLE001 - each by itself tells whose it is
        return {one.key: _status_or_error(warehouse, one) for one in found}


def _status_or_error(warehouse: Warehouse, integration: IntegrationStatus) -> SyncStatus | Exception:
    try:
        with warehouse.read() as connection:
            return sync_status(connection, integration)
    except Exception as error:  # noqa: BLE001 - told where the others go on
        return error


def entity_states(connection: Connection, key: str) -> dict[str, EntityState]:
    """The state of every entity that was ever pulled, or begun."""
    return _states(connection, key).get(key, {})


_STATE_COLUMNS = [sync_state.c[name] for name in ("integration", "entity", *EntityState.__slots__)]


def _states(connection: Connection, key: str | None) -> dict[str, dict[str, EntityState]]:
    found: dict[str, dict[str, EntityState]] = defaultdict(dict)
    mine = [] if key is None else [sync_state.c.integration == key]
    for integration, entity, *state in connection.execute(select(*_STATE_COLUMNS).where(*mine)):
        found[integration][entity] = EntityState(*state)
    return found
