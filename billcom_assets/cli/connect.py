"""``billcom connect`` and ``billcom validate``: giving credentials and settings, and signing in to BILL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from billcom_assets.bill.credentials import Environment
from billcom_assets.bill.errors import ConfigurationError
from billcom_assets.bill.ways import PARTS, SECRET_PARTS, Way, way_of
from billcom_assets.books.moved_cutoff import moved_cutoff
from billcom_assets.cli import given, lazy_dagster
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.options import Day, acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, shown, words
from billcom_assets.clock import utc_now
from billcom_assets.documents.files import VARIABLE as DOCUMENTS_VARIABLE
from billcom_assets.environment import seal_for
from billcom_assets.mapping.overview import Overviews
from billcom_assets.setup.connecting import (
    NONE,
    Connected,
    ConnectionSettings,
    Known,
    change_settings,
    connect_integration,
    find_known,
    sign_in,
)
from billcom_assets.setup.exclusions import excludable
from billcom_assets.status.readiness import gate, next_command
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.audit import Decision
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import Api, CredentialSources, Integrations

_CREDENTIALS = {
    "organization_id": "organization id",
    "username": "user name",
    "password": "password",
    "console_token": "console token",
    "dev_key": "developer key",
    "client_id": "client id",
    "client_secret": "client secret",
}
_EXAMPLE = """billcom connect acme-us --company "Acme Inc" --organization-id 00801ABCDEFGHIJ1a2b3 \\
  --username my-sync-token --password - --dev-key env:BILL_DEV_KEY --cutoff 2025-01-01"""


@click.command(cls=BillcomCommand, examples=[_EXAMPLE])
@key_argument
@click.option("--company", metavar="NAME", help="The company whose books this is; needed the first time.")
@click.option("--organization-id", metavar="ID", help="The organization's id in BILL; it begins with 008.")
@click.option("--username", metavar="NAME", help="A sync token's name, or a user's e-mail address.")
@click.option("--password", metavar="VALUE", help="The sync token's value, or the user's password.")
@click.option("--console-token", metavar="VALUE", help="An accounting firm's console token, in place of the password.")
@click.option("--dev-key", metavar="VALUE", help=f"The developer key; without it, what {given.DEV_KEY_VARIABLE} holds.")
@click.option("--client-id", metavar="ID", help="An OAuth client's id, in place of user name, password and key.")
@click.option("--client-secret", metavar="VALUE", help="The OAuth client's secret.")
@click.option(
    "--environment",
    type=click.Choice([environment.value for environment in Environment]),
    help="BILL's real environment, production (what counts unless you say otherwise), or its test environment, stage.",
)
@click.option("--base-url", metavar="URL", help="Another address of BILL's API, such as the sandbox's; none clears it.")
@click.option("--v2-base-url", metavar="URL", help="Another address of BILL's older API; none clears it.")
@click.option(
    "--cutoff",
    type=Day(or_none=True),
    metavar="DATE",
    help="Leave out bills, vendor credits and vendor payments dated before this day; none brings in all.",
)
@click.option(
    "--history-start",
    type=Day(or_none=True),
    metavar="DATE",
    help="Fetch nothing the first time that last changed before; or none.",
)
@click.option("--time-zone", metavar="ZONE", help="Where the company keeps its hours, such as America/New_York.")
@click.option("--owner", metavar="NAME", help="Who answers for it: an e-mail address, or team:finance; or none.")
@click.option(
    "--without",
    multiple=True,
    metavar="ENTITY",
    help=f"Leave this out of its syncs; may be given several times: {', '.join(excludable())}.",
)
@click.option(
    "--api",
    type=click.Choice([api.value for api in Api]),
    help="Read BILL's older v2 API alone, for a developer key that v3 refuses; v3 counts unless you say otherwise.",
)
@click.option(
    "--documents/--no-documents",
    default=None,
    help=f"Keep the files attached to bills, invoices and vendor credits in {DOCUMENTS_VARIABLE}, or no longer.",
)
@click.option(
    "--alignment",
    type=click.Choice([one.value for one in Alignment]),
    help="What becomes of differences between the charts of accounts: off looks at none, plan (what counts unless you "
    "say otherwise) lets syncs plan and never write, apply lets them write what somebody has approved.",
)
@click.option(
    "--source-of-truth",
    type=click.Choice([one.value for one in SourceOfTruth]),
    help="Whose chart of accounts the other follows; with bill nothing is ever written to BILL.",
)
@click.option(
    "--second-approver/--no-second-approver",
    default=None,
    help="Have plans of the chart of accounts approved by somebody else than who made them, or no longer.",
)
@click.option("--with", "included", multiple=True, metavar="ENTITY", help="Leave this out no longer.")
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

    KEY is the name you give it: small letters, digits and hyphens, such as acme-us.

    Sign in in one of three ways: with --username, --password and --dev-key; as an accounting firm with --username,
    --console-token and --dev-key; or with an OAuth client's --client-id and --client-secret. Each of them is written
    out (it is stored encrypted), or env:NAME to have it read from an environment variable whenever it is needed (it is
    never stored), or - to type it unseen. Without --dev-key the developer key is read from BILLCOM_DEV_KEY, as with
    env:BILLCOM_DEV_KEY.

    What is missing is asked for when you are at a terminal.

    To change a setting run it again: what you do not give stays. The credentials are needed again only where they
    would be sent somewhere else, and new ones are stored only when BILL accepts them.
    """
    warehouse = opened(make=True)
    actor = acting(as_name)
    values = {name: options.pop(name) for name in _CREDENTIALS}
    if values["organization_id"] is not None:
        values["organization_id"] = given.read_now(values["organization_id"], _CREDENTIALS["organization_id"])
    wanted = ConnectionSettings(**options)
    known = find_known(warehouse, key)
    if known is not None and _changes_settings_alone(known, values, wanted):
        known.check(wanted)
        changed = change_settings(warehouse, key, wanted, actor=actor)
        _show_changed(output, warehouse, key, changed, moved_cutoff(warehouse, key, known.cutoff))
        return
    values = _of_one_way(values, known)
    complete = _complete(key, known, values)
    _warn_of_written_out(output, values)
    organization = complete.pop("organization_id")
    sources = CredentialSources(**{name: given.to_store(value, _CREDENTIALS[name]) for name, value in complete.items()})
    if given.is_typing() and not (wanted.company or (known and known.company)):
        wanted = replace(wanted, company=given.ask("company's name", hidden=False))
    connected = connect_integration(
        warehouse, key, organization, sources, wanted, actor=actor, on_new=lazy_dagster.add_partition
    )
    if wanted.environment and connected.integration.base_url and not wanted.base_url:
        output.note(
            f"{key} still uses the address {connected.integration.base_url}; give --base-url none to use BILL's own."
        )
    _show_result(output, warehouse, connected, moved_cutoff(warehouse, key, known.cutoff) if known else ())


def _changes_settings_alone(known: Known, values: Mapping[str, str | None], wanted: ConnectionSettings) -> bool:
    """Whether somebody changes settings of a connection that stays as it is."""
    is_change = wanted != ConnectionSettings() or values["organization_id"] is not None
    credentials = [value for name, value in values.items() if name != "organization_id" and value is not None]
    return is_change and not credentials and not known.needs_credentials(values["organization_id"], wanted)


def _of_one_way(values: Mapping[str, str | None], known: Known | None) -> dict[str, str | None]:
    """The credentials that belong to the way of signing in that they name; without any, to the one in use."""
    named = [name for name in PARTS if values[name] is not None]
    try:
        way = way_of(named, known.way if known is not None else Way.LOGIN)
    except ConfigurationError:
        ways = "; or ".join(", ".join(map(_option, way.parts)) for way in Way)
        raise click.UsageError(
            f"{', '.join(map(_option, named))} do not belong together. Sign in in exactly one way: {ways}."
        ) from None
    needed = {name: values[name] for name in ("organization_id", *way.parts)}
    return needed if "dev_key" not in needed else needed | {"dev_key": given.dev_key(needed["dev_key"])}


def _complete(key: str, known: Known | None, values: Mapping[str, str | None]) -> dict[str, str]:
    """The credentials with what was not given: a known organization stays, the rest is asked for at a terminal."""
    stays = {"organization_id": known.organization_id} if known is not None else {}
    missing = [name for name, value in values.items() if value is None]
    if given.is_typing():
        asked = {
            name: given.ask(_CREDENTIALS[name], hidden=name in SECRET_PARTS, default=stays.get(name))
            for name in missing
        }
        return {name: value or asked[name] for name, value in values.items()}
    complete = {name: value if value is not None else stays.get(name) for name, value in values.items()}
    lacking = [_option(name) for name, value in complete.items() if value is None]
    if not lacking:
        return {name: value for name, value in complete.items() if value is not None}
    why = (
        f"Give the credentials again to connect {key}: {', '.join(lacking)} missing. What is stored is never shown."
        if known is not None
        else f"{', '.join(lacking)} missing: all of them are needed to sign in to BILL."
    )
    hint = f" A developer key may also be in {given.DEV_KEY_VARIABLE}, which is not set."
    raise click.UsageError(why + (hint if "--dev-key" in lacking else ""))


def _warn_of_written_out(output: Output, values: Mapping[str, str | None]) -> None:
    written_out = [
        _option(name)
        for name, value in values.items()
        if name in SECRET_PARTS and given.is_written_out(value or given.PROMPT)
    ]
    if written_out:
        output.warn(
            f"{' and '.join(written_out)} written out can be read by others: in the list of processes while this runs, "
            "in the shell's history afterwards. Give env:NAME to name an environment variable, or - to type it unseen."
        )


def _article(word: str) -> str:
    return "an" if word[0] in "AEIOUaeiou" else "a"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


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
    _show_result(output, warehouse, sign_in(warehouse, seal, integration))


def _show_changed(
    output: Output, warehouse: Warehouse, key: str, changed: Sequence[Decision], notes: Sequence[str]
) -> None:
    """What a change of settings alone has changed."""
    step = _next_step(warehouse, key)
    settings = {one.subject: {"before": one.before, "after": one.after} for one in changed}

    def render(console: Console) -> None:
        for name, values in settings.items():
            before, after = (shown(value) or NONE for value in (values["before"], values["after"]))
            console.print(f"{key}: {words(name)} is {after} now, was {before}.", soft_wrap=True)
        if not changed:
            console.print(f"{key} is like that already; nothing was changed.")
        _render_end(console, notes, step)

    output.result({"integration": key, "changed": settings, "notes": notes, "next_step": step}, render)


def _render_end(console: Console, notes: Sequence[str], step: str) -> None:
    for line in (*notes, f"Next: {step}"):
        console.print(line, soft_wrap=True)


def _next_step(warehouse: Warehouse, key: str) -> str:
    with warehouse.read() as connection:
        return next_command(gate(connection, key), Overviews(connection, key))


def _show_result(output: Output, warehouse: Warehouse, connected: Connected, notes: Sequence[str] = ()) -> None:
    integration, session = connected.integration, connected.session
    next_step = _next_step(warehouse, integration.key)
    kind = "sync token" if session.is_token else str(integration.sources.way)
    who = f" as {shown(session.user_id)}" if session.user_id else ""
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
        "owner": integration.owner,
        "excluded_entities": sorted(integration.excluded),
        "api": integration.api,
        "documents": integration.documents,
        "alignment": integration.alignment,
        "source_of_truth": integration.source_of_truth,
        "second_approver": integration.second_approver,
        "signed_in_with": kind,
        "user_id": session.user_id,
        "notes": notes,
        "next_step": next_step,
    }

    def render(console: Console) -> None:
        where = integration.base_url or f"BILL {integration.environment.value}"
        console.print(
            f"{integration.key} is connected: {shown(integration.company)}, BILL organization "
            f"{shown(session.organization_id)}, signed in with {_article(kind)} {kind}{who} at {where}.",
            soft_wrap=True,
        )
        _render_end(console, notes, next_step)

    output.result(document, render)
