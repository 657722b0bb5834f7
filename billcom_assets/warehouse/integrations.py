"""The integrations as they are stored: settings in clear, credentials sealed or named by environment variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, select

from billcom_assets.bill.credentials import Credentials, Environment
from billcom_assets.bill.errors import BillError, ConfigurationError
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.warehouse.errors import describe
from billcom_assets.warehouse.sealing import Seal
from billcom_assets.warehouse.tables import integrations

_KEY = re.compile(r"[a-z0-9-]+")
_ENVIRONMENT_PREFIX = "env:"


class Status(StrEnum):
    """Whether the integration can sign in."""

    PENDING = "pending"
    CONNECTED = "connected"
    ERROR = "error"


class InvalidSetting(UserFacingError):
    """A setting of an integration cannot be used; the text says which and what would do."""


class UnknownIntegration(UserFacingError):
    """There is no integration of that key; the text names those there are."""

    def __init__(self, key: str, known: list[str]) -> None:
        there = f"There is: {', '.join(known)}." if known else "There is none yet."
        super().__init__(
            f"There is no integration {key!r}. {there} Make one with: billcom connect {key} --company NAME"
        )
        self.key = key


@dataclass(frozen=True)
class CredentialSources:
    """Where each credential comes from: a literal, or ``env:NAME``, which is read when a run needs it."""

    username: str
    password: str
    dev_key: str

    def __repr__(self) -> str:
        return "CredentialSources(...)"

    def resolve(self, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """The credentials themselves; raises ConfigurationError naming a variable that is not set."""
        variables = os.environ if environment is None else environment
        values = {}
        for name in ("username", "password", "dev_key"):
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
    status: Status = Status.PENDING
    status_code: str | None = None
    status_message: str | None = None
    checked_at: datetime | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise InvalidSetting(f"{self.key!r} is not an integration key: use a-z, 0-9 and hyphens, as in acme-us.")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise InvalidSetting(
                f"{self.time_zone!r} is not a time zone. Use an IANA name such as America/New_York."
            ) from None

    def credentials(self) -> Credentials:
        """What signs in; raises ConfigurationError when a value is missing or unsafe to use."""
        try:
            return Credentials(
                organization_id=self.organization_id,
                environment=self.environment,
                base_url=self.base_url,
                v2_base_url=self.v2_base_url,
                **self.sources.resolve(),
            )
        except BillError as error:
            raise error.located(integration=self.key, endpoint="") from None


@dataclass(frozen=True)
class Integrations:
    """Reads and writes the table ``integrations``; the caller owns the transaction."""

    seal: Seal

    def get(self, connection: Connection, key: str) -> Integration:
        """The integration; raises UnknownIntegration."""
        row = connection.execute(select(integrations).where(integrations.c.key == key)).mappings().first()
        if row is None:
            raise UnknownIntegration(key, self.keys(connection))
        return self._from_row(dict(row))

    def keys(self, connection: Connection) -> list[str]:
        """The keys of all integrations, sorted."""
        return list(connection.scalars(select(integrations.c.key).order_by(integrations.c.key)))

    def save(self, connection: Connection, integration: Integration, now: datetime) -> None:
        """Stores the integration as pending; an existing one of the same key is replaced, its data stays.

        Raises:
            InvalidSetting: no company is named, or the company or the BILL organization belongs to another integration
                already.
        """
        # Only refused here: a stored one that lost its company is told by the prerequisites, with all that is missing.
        if not integration.company.strip():
            raise InvalidSetting("The company's name is empty. Give it with --company NAME.")
        self._refuse_second(connection, integration)
        sealed = self.seal.close(_to_json(integration.sources), purpose=integration.key)
        values = {
            "company": integration.company.strip(),
            "organization_id": integration.organization_id.strip(),
            "environment": integration.environment.value,
            "base_url": integration.base_url,
            "v2_base_url": integration.v2_base_url,
            "credentials": sealed,
            "cutoff": integration.cutoff,
            "history_start": integration.history_start,
            "time_zone": integration.time_zone,
            "status": Status.PENDING.value,
            "status_code": None,
            "status_message": None,
            "updated_at": now,
        }
        mine = integrations.c.key == integration.key
        if connection.execute(integrations.update().where(mine), values).rowcount == 0:
            connection.execute(integrations.insert().values(key=integration.key, created_at=now, **values))

    def set_status(
        self, connection: Connection, key: str, status: Status, now: datetime, error: BillError | None = None
    ) -> None:
        """Records the outcome of a sign-in, with BILL's own message when it failed."""
        connection.execute(
            integrations.update().where(integrations.c.key == key),
            {
                "status": status.value,
                "status_code": error.code if error else None,
                "status_message": describe(error) if error else None,
                "checked_at": now,
            },
        )

    def _refuse_second(self, connection: Connection, integration: Integration) -> None:
        others = connection.execute(
            select(integrations.c.key, integrations.c.company, integrations.c.organization_id).where(
                integrations.c.key != integration.key
            )
        )
        for other in others:
            if other.company.casefold() == integration.company.strip().casefold():
                raise InvalidSetting(
                    f"The company {other.company!r} has an integration already: {other.key}. "
                    f"Edit that one with: billcom connect {other.key}"
                )
            if other.organization_id == integration.organization_id.strip():
                raise InvalidSetting(
                    f"The BILL organization {other.organization_id} belongs to the integration {other.key} already. "
                    f"Edit that one with: billcom connect {other.key}"
                )

    def _from_row(self, row: Mapping[str, Any]) -> Integration:
        sources = msgspec.json.decode(self.seal.open(row["credentials"], purpose=row["key"]))
        return Integration(
            key=row["key"],
            company=row["company"],
            organization_id=row["organization_id"],
            environment=Environment(row["environment"]),
            base_url=row["base_url"],
            v2_base_url=row["v2_base_url"],
            sources=CredentialSources(**sources),
            cutoff=row["cutoff"],
            history_start=row["history_start"],
            time_zone=row["time_zone"],
            status=Status(row["status"]),
            status_code=row["status_code"],
            status_message=row["status_message"],
            checked_at=row["checked_at"],
        )


def _to_json(sources: CredentialSources) -> str:
    plain = {"username": sources.username, "password": sources.password, "dev_key": sources.dev_key}
    return msgspec.json.encode(plain).decode()
