"""The integrations as they are stored: settings in clear, credentials sealed or named by environment variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, RowMapping, case, select

from billcom_assets.bill.credentials import Credentials, Environment
from billcom_assets.bill.errors import AuthenticationRefused, BillError, ConfigurationError, SignInPostponed
from billcom_assets.bill.failures import refusal_code
from billcom_assets.bill.ways import PARTS, Way, way_of
from billcom_assets.redaction.close_matches import did_you_mean, listed, quoted
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.errors import WarehouseError, describe
from billcom_assets.warehouse.sealing import Purpose, Seal
from billcom_assets.warehouse.tables import integrations

_KEY = re.compile(r"[a-z0-9-]+")
_ENVIRONMENT_PREFIX = "env:"
_LONGEST_KEY = 60
"""Characters shown of a key that there is not."""
SEALED_AS = "credentials"
"""What is sealed in the table ``integrations``."""


class Status(StrEnum):
    """Whether the integration can sign in."""

    PENDING = "pending"
    CONNECTED = "connected"
    ERROR = "error"
    DISCONNECTED = "disconnected"
    """Its credentials were forgotten, its data is kept."""
    FORGETTING = "forgetting"
    """Its credentials were forgotten, its data is being deleted."""


class Api(StrEnum):
    """Which of BILL's APIs is read."""

    V3 = "v3"
    """v3's lists, and what only v2 knows of their objects."""
    V2 = "v2"
    """v2's lists alone, where v3 refuses the developer key."""


@dataclass(frozen=True, slots=True)
class Left:
    """That an integration has no credentials any more."""

    state: str
    next_step: str
    """The command that it waits for."""


def left(key: str, status: str | None) -> Left | None:
    """In which way the integration was left; None for one that was not."""
    match status:
        case Status.DISCONNECTED:
            return Left("disconnected", f"billcom connect {key}")
        case Status.FORGETTING:
            return Left("being forgotten", f"billcom forget {key} --yes")
    return None


class InvalidSetting(UserFacingError):
    """A setting of an integration cannot be used; the text says which and what would do."""


class UnknownIntegration(UserFacingError):
    """There is no integration of that key; the text names those there are."""

    def __init__(self, key: str, known: list[str]) -> None:
        there = f"There is: {listed(known)}." if known else "There is none yet."
        step = f"{there} Make one with: billcom connect {one_line(key, limit=_LONGEST_KEY)}"
        super().__init__(f"There is no integration {quoted(key)}.{did_you_mean(key, known)} {step}")
        self.key = key


class Disconnected(InvalidSetting):
    """The integration has no credentials any more; the text names the command to go on with."""

    def __init__(self, key: str, how: Left) -> None:
        super().__init__(f"{key} is {how.state}. Go on with: {how.next_step}")


def excluded_from(stored: str | None) -> frozenset[str]:
    """Entities that are left out, from what is stored of them."""
    return frozenset(stored.split(",")) if stored else frozenset()


def check_time_zone(name: str) -> None:
    """Raises InvalidSetting unless this machine knows the time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidSetting(f"{name!r} is not a time zone. Use an IANA name such as America/New_York.") from None


@dataclass(frozen=True)
class CredentialSources:
    """Where each credential comes from: a literal, or ``env:NAME``, which is read when a run needs it."""

    username: str = ""
    password: str = ""
    dev_key: str = ""
    console_token: str = ""
    client_id: str = ""
    client_secret: str = ""

    @property
    def way(self) -> Way:
        """How they sign in; raises ConfigurationError where they are for different ways."""
        return way_of([part for part in PARTS if getattr(self, part)])

    def __repr__(self) -> str:
        return "CredentialSources(...)"

    def origins(self) -> dict[str, str]:
        """Where each comes from, as may be shown: ``env:NAME``, or that it is stored."""
        sources = {name: str(getattr(self, name)).strip() for name in self.way.parts}
        return {name: one if one.startswith(_ENVIRONMENT_PREFIX) else "stored" for name, one in sources.items()}

    def resolve(self, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """The credentials themselves; raises ConfigurationError naming a variable that is not set."""
        variables = os.environ if environment is None else environment
        values = {}
        for name in self.way.parts:
            source = getattr(self, name).strip()
            if source.startswith(_ENVIRONMENT_PREFIX):
                variable = source.removeprefix(_ENVIRONMENT_PREFIX).strip()
                if not variables.get(variable):
                    raise ConfigurationError(
                        f"The environment variable {variable}, which holds the {name.replace('_', ' ')}, is not set",
                        next_step=f"Set {variable} where the command, the webserver and the daemon run.",
                    )
                source = variables[variable]
            values[name] = source
        return values


@dataclass(frozen=True)
class Destination:
    """Where credentials are sent and for which organization; sealed with them, so that nobody sends them elsewhere."""

    organization_id: str
    environment: str
    base_url: str | None
    v2_base_url: str | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """What a row of ``integrations`` says now."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    def changes_since(self, before: Destination) -> list[str]:
        """Each setting that differs, in words."""
        pairs = ((name, getattr(before, name), getattr(self, name)) for name in self.__dataclass_fields__)
        return [
            f"{name.replace('_', ' ').replace(' url', ' URL')} was {_said(old)}, is {_said(new)}"
            for name, old, new in pairs
            if old != new
        ]


def _said(setting: str | None) -> str:
    return "none" if setting is None else one_line(setting) or "empty"


@dataclass(frozen=True)
class _Document:
    """What is sealed."""

    sources: CredentialSources
    given_for: Destination


@dataclass(frozen=True)
class Integration:
    """One BILL organization bound to one company."""

    key: str
    company: str
    organization_id: str
    environment: Environment
    base_url: str | None
    v2_base_url: str | None
    sources: CredentialSources
    cutoff: date | None
    history_start: date | None
    time_zone: str = "UTC"
    owner: str | None = None
    excluded_entities: str | None = None
    api: Api = Api.V3
    documents: bool = False
    alignment: Alignment = Alignment.PLAN
    source_of_truth: SourceOfTruth = SourceOfTruth.LEDGER
    second_approver: bool = False
    status: Status = Status.PENDING
    status_code: str | None = None
    status_message: str | None = None
    checked_at: datetime | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise InvalidSetting(f"{self.key!r} is not an integration key: use a-z, 0-9 and hyphens, as in acme-us.")
        check_time_zone(self.time_zone)

    @property
    def excluded(self) -> frozenset[str]:
        """Entities that are left out of its syncs."""
        return excluded_from(self.excluded_entities)

    def credentials(self) -> Credentials:
        """What signs in; raises ConfigurationError when a value is missing or unsafe to use."""
        try:
            return Credentials(
                organization_id=self.organization_id,
                environment=self.environment,
                base_url=self.base_url,
                v2_base_url=self.v2_base_url,
                v2_only=self.api is Api.V2,
                **self.sources.resolve(),
            )
        except BillError as error:
            raise error.located(integration=self.key, endpoint="") from None


@dataclass(frozen=True)
class Integrations:
    """Reads and writes the table ``integrations``; the caller owns the transaction."""

    seal: Seal

    def get(self, connection: Connection, key: str) -> Integration:
        """The integration.

        Raises:
            UnknownIntegration: there is none of this key.
            Disconnected: its credentials were forgotten.
            WarehouseError: its credentials cannot be opened, or were given for other settings than those stored now.
        """
        row = connection.execute(select(integrations).where(integrations.c.key == key)).mappings().first()
        if row is None:
            raise UnknownIntegration(key, self.keys(connection))
        return self._from_row(row)

    def refusal(self, connection: Connection, key: str) -> str | None:
        """Why the stored credentials cannot be used; None when they can, or when there are none.

        Nothing is sent, and no environment variable that a credential names is read.
        """
        row = connection.execute(select(integrations).where(integrations.c.key == key)).mappings().first()
        try:
            if row is not None:
                self._sources(row)
        except Disconnected:
            return None
        except WarehouseError as refused:
            return str(refused)
        return None

    def given_for(self, row: RowMapping) -> Destination | None:
        """Where the credentials of a stored row were meant to be sent; None when its seal does not open."""
        try:
            return self._opened(row).given_for
        except (Disconnected, WarehouseError):
            return None

    def way(self, row: RowMapping) -> Way | None:
        """How a stored row's credentials sign in; None when its seal does not open."""
        try:
            return self._opened(row).sources.way
        except (Disconnected, WarehouseError):
            return None

    def keys(self, connection: Connection) -> list[str]:
        """The keys of all integrations, sorted."""
        return list(connection.scalars(select(integrations.c.key).order_by(integrations.c.key)))

    def save(self, connection: Connection, integration: Integration, now: datetime) -> None:
        """Stores the integration as pending; an existing one of the same key is replaced, its data stays.

        Raises:
            InvalidSetting: no company is named, or the company or the BILL organization belongs to another integration
                already.
            Disconnected: it is being forgotten.
        """
        check_storable(connection, integration.key, integration.company, integration.organization_id)
        destination = Destination(
            organization_id=integration.organization_id.strip(),
            environment=integration.environment.value,
            base_url=integration.base_url,
            v2_base_url=integration.v2_base_url,
        )
        document = msgspec.json.encode(_Document(integration.sources, destination)).decode()
        values = {
            "company": integration.company.strip(),
            **asdict(destination),
            "credentials": self.seal.close(document, Purpose(SEALED_AS, integration.key)),
            "cutoff": integration.cutoff,
            "history_start": integration.history_start,
            "time_zone": integration.time_zone,
            "owner": integration.owner,
            "excluded_entities": integration.excluded_entities,
            "api": integration.api.value,
            "documents": integration.documents,
            "alignment": integration.alignment.value,
            "source_of_truth": integration.source_of_truth.value,
            "second_approver": integration.second_approver,
            "status": Status.PENDING.value,
            "status_code": None,
            "status_message": None,
            "sign_in_failures": 0,
            "sign_in_not_before": None,
            "updated_at": now,
        }
        mine = integrations.c.key == integration.key
        if connection.execute(integrations.update().where(mine), values).rowcount == 0:
            connection.execute(integrations.insert().values(key=integration.key, created_at=now, **values))

    def signed_in(self, connection: Connection, key: str, now: datetime) -> None:
        """Records a sign-in that succeeded; a disconnected one stays so."""
        self._set(connection, key, status=Status.CONNECTED.value, status_code=None, status_message=None, checked_at=now)

    def sign_in_failed(self, connection: Connection, key: str, now: datetime, error: BillError) -> None:
        """Records a sign-in that failed, with BILL's own message; a disconnected one stays so.

        Only a final refusal ends a connection: of what may pass, the next run finds out that it has.
        """
        status = integrations.c.status
        outcome: Any = Status.ERROR.value
        if isinstance(error, SignInPostponed):
            outcome = status
        elif not isinstance(error, AuthenticationRefused | ConfigurationError):
            outcome = case((status == Status.CONNECTED.value, status), else_=Status.ERROR.value)
        said = {"status_code": refusal_code(error), "status_message": describe(error)}
        self._set(connection, key, status=outcome, checked_at=now, **said)

    def _set(self, connection: Connection, key: str, **values: Any) -> None:
        mine = (integrations.c.key == key, integrations.c.credentials.is_not(None))
        connection.execute(integrations.update().where(*mine).values(**values))

    def _opened(self, row: RowMapping) -> _Document:
        how = left(row["key"], row["status"])
        if how is not None:
            raise Disconnected(row["key"], how)
        return msgspec.json.decode(self.seal.open(row["credentials"], Purpose(SEALED_AS, row["key"])), type=_Document)

    def _sources(self, row: RowMapping) -> CredentialSources:
        """The credentials, if they are meant for where the row would send them."""
        document = self._opened(row)
        changes = Destination.of(row).changes_since(document.given_for)
        if changes:
            raise WarehouseError(
                f"The stored credentials of {row['key']} were given for other settings than the database holds now: "
                f"{'; '.join(changes)}. Nothing is sent to BILL.",
                "Find out who changed the database, then give the credentials again with the right settings: "
                f"billcom connect {row['key']}",
            )
        return document.sources

    def _from_row(self, row: RowMapping) -> Integration:
        # Before anything else in the row is believed.
        sources = self._sources(row)
        return Integration(
            key=row["key"],
            company=row["company"],
            organization_id=row["organization_id"],
            environment=Environment(row["environment"]),
            base_url=row["base_url"],
            v2_base_url=row["v2_base_url"],
            sources=sources,
            cutoff=row["cutoff"],
            history_start=row["history_start"],
            time_zone=row["time_zone"],
            owner=row["owner"],
            excluded_entities=row["excluded_entities"],
            api=Api(row["api"]),
            documents=row["documents"],
            alignment=Alignment(row["alignment"]),
            source_of_truth=SourceOfTruth(row["source_of_truth"]),
            second_approver=row["second_approver"],
            status=Status(row["status"]),
            status_code=row["status_code"],
            status_message=row["status_message"],
            checked_at=row["checked_at"],
        )


def check_storable(connection: Connection, key: str, company: str, organization_id: str) -> None:
    """Whether an integration of this key may be stored for the company and BILL's organization; raises as ``save``."""
    # Only refused here: a stored one that lost its company is told by the prerequisites, with all that is missing.
    if not company.strip():
        raise InvalidSetting("The company's name is empty. Give it with --company NAME.")
    stored = connection.execute(
        select(integrations.c.key, integrations.c.company, integrations.c.organization_id, integrations.c.status)
    )
    for row in stored:
        if row.key == key:
            how = left(key, row.status)
            if how is not None and row.status == Status.FORGETTING:
                raise Disconnected(key, how)
        elif row.company.casefold() == company.strip().casefold():
            raise InvalidSetting(
                f"The company {row.company!r} has an integration already: {row.key}. "
                f"Edit that one with: billcom connect {row.key}"
            )
        elif row.organization_id == organization_id.strip():
            raise InvalidSetting(
                f"The BILL organization {row.organization_id} belongs to the integration {row.key} already. "
                f"Edit that one with: billcom connect {row.key}"
            )


@dataclass(frozen=True)
class CredentialCheck:
    """Whether the credentials of integrations can be used, as far as this process can know."""

    integrations: Integrations | None = None
    unchecked: str | None = None
    """Why it cannot know."""

    def refusal(self, connection: Connection, key: str) -> str | None:
        """Why the credentials of the integration cannot be used; None when they can, or when nobody can know."""
        return self.integrations.refusal(connection, key) if self.integrations else None
