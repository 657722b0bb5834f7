"""``billcom connect`` and ``billcom validate``: storing an integration and signing in to BILL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import click
from rich.console import Console
from sqlalchemy import Connection, RowMapping, select

from billcom_assets.bill.credentials import Environment
from billcom_assets.bill.errors import BillError
from billcom_assets.bill.session import StoredSession
from billcom_assets.cli import given, lazy_dagster
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.options import NONE, Day, acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, shown
from billcom_assets.clock import utc_now
from billcom_assets.environment import bill_client, seal_for
from billcom_assets.redaction.display import one_line
from billcom_assets.status.integrations import entity_states
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import (
    CredentialSources,
    Destination,
    Integration,
    Integrations,
    InvalidSetting,
)
from billcom_assets.warehouse.keys import KEY_LOCK
from billcom_assets.warehouse.sealing import Seal
from billcom_assets.warehouse.tables import integrations

_CREDENTIALS = {
    "organization_id": "organization id",
    "username": "user name",
    "password": "password",
    "dev_key": "developer key",
}
_SECRET = ("password", "dev_key")
_EXAMPLE = """billcom connect acme-us --company "Acme Inc" --organization-id 00801ABCDEFGHIJ1a2b3 \\
  --username my-sync-token --password - --dev-key env:BILL_DEV_KEY --cutoff 2025-01-01"""
_USUAL_DESTINATION = {"environment": Environment.PRODUCTION.value, "base_url": None, "v2_base_url": None}
_LOCK_WAIT_SECONDS = 60
_SETTINGS = (
    *("company", "organization_id", "environment", "base_url", "v2_base_url"),
    *("cutoff", "history_start", "time_zone"),
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


@dataclass(frozen=True)
class Connected:
    """An integration that has just signed in."""

    integration: Integration
    session: StoredSession


def connect_integration(
    warehouse: Warehouse,
    key: str,
    organization_id: str,
    sources: CredentialSources,
    settings: ConnectionSettings,
    *,
    actor: Actor | None = None,
) -> Connected:
    """Stores an integration as pending, makes it known to Dagster, signs in and records the outcome.

    What cannot be right is refused before anything is stored. ``actor`` is whoever runs the process unless given.

    Raises:
        InvalidSetting: a setting cannot be used.
        BillError: BILL cannot be reached or refuses the sign-in; ConfigurationError: a credential cannot be right.
    """
    # A key that changes meanwhile would leave the credentials sealed with the one before.
    with warehouse.exclusive(KEY_LOCK, wait_seconds=_LOCK_WAIT_SECONDS):
        seal = seal_for(warehouse)
        store = Integrations(seal)
        with warehouse.read() as connection:
            stored = _stored(connection, key)
            if stored is not None:
                given_for = store.given_for(stored)
                _refuse_other_organization(connection, stored, given_for, organization_id)
                _refuse_doubtful(stored, given_for, settings)
        integration = _merged(key, organization_id, sources, settings, stored)
        integration.credentials()
        now = utc_now()
        with warehouse.write() as connection:
            before = _stored(connection, key)
            store.save(connection, integration, now)
            decisions = _decisions(before, integration, _stored(connection, key))
            audit.record_all(connection, actor or acting(), decisions, now)
    lazy_dagster.add_partition(key)
    return sign_in(warehouse, seal, integration)


def sign_in(warehouse: Warehouse, seal: Seal, integration: Integration) -> Connected:
    """Signs in again and records the outcome, BILL's own message when it fails.

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


def _stored(connection: Connection, key: str) -> RowMapping | None:
    # Without opening the seal: giving the credentials again is the way out when its key is lost.
    query = select(integrations).where(integrations.c.key == key).with_for_update()
    return connection.execute(query).mappings().first()


def _decisions(before: RowMapping | None, integration: Integration, stored: RowMapping | None) -> Iterator[Decision]:
    """What connecting decides: everything the first time, later each setting that changes. Never a credential."""
    after = {name: stored[name] for name in _SETTINGS} if stored else {}
    credentials = {name: integration.sources.origin(name) for name in ("username", "password", "dev_key")}
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
    if entity_states(connection, stored["key"]):
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
    before: dict[str, Any] = dict(stored) if stored else {}
    return Integration(
        key=key,
        company=settings.company or before.get("company", ""),
        organization_id=organization_id,
        environment=Environment(settings.environment or before.get("environment", Environment.PRODUCTION)),
        base_url=_kept(settings.base_url, before.get("base_url")),
        v2_base_url=_kept(settings.v2_base_url, before.get("v2_base_url")),
        sources=sources,
        cutoff=_kept(settings.cutoff, before.get("cutoff")),
        history_start=_kept(settings.history_start, before.get("history_start")),
        time_zone=settings.time_zone or before.get("time_zone", "UTC"),
    )


def _kept(wanted: _T | str | None, before: _T | None) -> Any:
    if wanted is None:
        return before
    return None if isinstance(wanted, str) and wanted.strip().lower() in {NONE, ""} else wanted


@click.command(cls=BillcomCommand, examples=[_EXAMPLE])
@key_argument
@click.option("--company", metavar="NAME", help="The company whose books this is; needed the first time.")
@click.option("--organization-id", metavar="ID", help="The organization's id in BILL; it begins with 008.")
@click.option("--username", metavar="NAME", help="A sync token's name, or a user's e-mail address.")
@click.option("--password", metavar="VALUE", help="The sync token's value, or the user's password.")
@click.option("--dev-key", metavar="VALUE", help=f"The developer key; without it, what {given.DEV_KEY_VARIABLE} holds.")
@click.option(
    "--environment",
    type=click.Choice([environment.value for environment in Environment]),
    help="BILL's real environment, production (what counts unless you say otherwise), or its test environment, stage.",
)
@click.option("--base-url", metavar="URL", help="Another address of BILL's API, such as the sandbox's; none clears it.")
@click.option("--v2-base-url", metavar="URL", help="Another address of BILL's older API; none clears it.")
@click.option(
    "--cutoff",
    type=Day(),
    metavar="DATE",
    help="Leave out bills, vendor credits and vendor payments dated before this day; none brings in all.",
)
@click.option(
    "--history-start",
    type=Day(),
    metavar="DATE",
    help="Fetch nothing the first time that last changed before; or none.",
)
@click.option("--time-zone", metavar="ZONE", help="Where the company keeps its hours, such as America/New_York.")
@as_option
@pass_output
def connect(
    output: Output,
    /,
    key: str,
    as_name: str | None,
    **options: Any,
) -> None:
    """Connects a BILL organization to one company, or changes the settings of a connected one.

    KEY is the name you give it: small letters, digits and hyphens, such as acme-us. A user name, password or
    developer key is written out (it is stored encrypted), or env:NAME to have it read from an environment variable
    whenever it is needed (it is never stored), or - to type it unseen. Without --dev-key the developer key is read
    from BILLCOM_DEV_KEY, as with env:BILLCOM_DEV_KEY.

    To change a setting run it again. Company, dates, environment and addresses stay unless you give new ones; the
    credentials must be given again, because what is stored is never shown.
    """
    warehouse = opened()
    values = _given_credentials(warehouse, key, options)
    _warn_of_written_out(output, values)
    organization = given.read_now(values.pop("organization_id"), _CREDENTIALS["organization_id"])
    sources = CredentialSources(**{name: given.to_store(value, _CREDENTIALS[name]) for name, value in values.items()})
    wanted = ConnectionSettings(**options)
    connected = connect_integration(warehouse, key, organization, sources, wanted, actor=acting(as_name))
    if wanted.environment and connected.integration.base_url and not wanted.base_url:
        output.note(
            f"{key} still uses the address {connected.integration.base_url}; give --base-url none to use BILL's own."
        )
    _show_result(output, connected, next_step=f"billcom seed {key}")


def _warn_of_written_out(output: Output, values: Mapping[str, str]) -> None:
    written_out = [_option(name) for name in _SECRET if given.is_written_out(values[name])]
    if written_out:
        output.warn(
            f"{' and '.join(written_out)} written out can be read by others: in the list of processes while this runs, "
            "in the shell's history afterwards. Give env:NAME to name an environment variable, or - to type it unseen."
        )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _given_credentials(warehouse: Warehouse, key: str, options: dict[str, Any]) -> dict[str, str]:
    """Takes the credentials, of which none may be missing, out of the options."""
    values: dict[str, str | None] = {name: options.pop(name) for name in _CREDENTIALS}
    values["dev_key"] = given.dev_key(values["dev_key"])
    missing = [_option(name) for name, value in values.items() if value is None]
    if not missing:
        return {name: value for name, value in values.items() if value is not None}
    is_without_key = values["dev_key"] is None
    hint = f" A developer key may also be in {given.DEV_KEY_VARIABLE}, which is not set." if is_without_key else ""
    with warehouse.read() as connection:
        is_edit = _stored(connection, key) is not None
    if is_edit:
        raise click.UsageError(
            f"Give the credentials again to change {key}: {', '.join(missing)} missing. What is stored is never shown."
            f"{hint}"
        )
    raise click.UsageError(f"{', '.join(missing)} missing: all of them are needed to sign in to BILL.{hint}")


@click.command(cls=BillcomCommand, examples=("billcom validate acme-us",))
@key_argument
@pass_output
def validate(output: Output, key: str) -> None:
    """Signs in to BILL again with the stored credentials and says who is signed in."""
    warehouse = opened()
    seal = seal_for(warehouse)
    with warehouse.read() as connection:
        integration = Integrations(seal).get(connection, key)
    until = SealedSessions(warehouse, seal, key).postponed_until()
    if until is not None and utc_now() < until:
        output.note(
            f"BILL refused an earlier sign-in for now, so runs wait until {until:%Y-%m-%d %H:%M} UTC. "
            "This one tries at once."
        )
    _show_result(output, sign_in(warehouse, seal, integration), next_step=f"billcom status {key}")


def _show_result(output: Output, connected: Connected, *, next_step: str) -> None:
    integration, session = connected.integration, connected.session
    kind = "sync token" if session.is_token else "password"
    document = {
        "integration": integration.key,
        "company": integration.company,
        "status": integration.status,
        "organization_id": session.organization_id,
        "environment": integration.environment,
        "base_url": integration.base_url,
        "v2_base_url": integration.v2_base_url,
        "cutoff": integration.cutoff,
        "history_start": integration.history_start,
        "time_zone": integration.time_zone,
        "signed_in_with": kind,
        "user_id": session.user_id,
        "next_step": next_step,
    }

    def render(console: Console) -> None:
        where = integration.base_url or f"BILL {integration.environment.value}"
        console.print(
            f"{integration.key} is connected: {shown(integration.company)}, BILL organization "
            f"{shown(session.organization_id)}, signed in with a {kind} as {shown(session.user_id)} at {where}.",
            soft_wrap=True,
        )
        console.print(f"Next: {next_step}")

    output.result(document, render)
