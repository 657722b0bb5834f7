"""Connecting with an OAuth client, or with a console token, from the command line to the tables."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from billcom_assets.cli import given
from billcom_assets.environment import open_database, seal_for
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.bill_access import SEALED_AS as SESSION
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.integrations import SEALED_AS as CREDENTIALS
from billcom_assets.warehouse.integrations import Destination, Status
from billcom_assets.warehouse.sealing import Purpose
from billcom_assets.warehouse.tables import bill_sessions, integrations
from billcom_assets_tests.cli.commands import DEV_KEY, Answered, Desk

TOKEN = "POST /authx/token"
NO_LOGIN = {"username": None, "password": None, "dev_key": None}
READ_ROLES = """
from billcom_assets.environment import open_database, seal_for
from billcom_assets.warehouse.bill_clients import bill_client
from billcom_assets.warehouse.integrations import Integrations
warehouse = open_database()
with warehouse.read() as connection:
    acme = Integrations(seal_for(warehouse)).get(connection, "acme")
with bill_client(warehouse, seal_for(warehouse), acme) as client:
    print(len(client.page("/v3/roles").rows))
"""


@pytest.fixture
def own_desk(desk: Desk) -> Iterator[Desk]:
    """A desk with a simulated BILL of its own, to count and end tokens in."""
    with SandboxServer(Settings(bills=5, orgs=1, dev_keys=(DEV_KEY,))) as server:
        yield Desk(desk.home, server)


def connect_app(desk: Desk, *more: str, **changes: str | None) -> Answered:
    client = desk.bill.world.organizations[0].client
    options: dict[str, str | None] = NO_LOGIN | {"client_id": client.id, "client_secret": client.secret}
    return desk.connect("acme", *more, **options | changes)


def connect_accountant(desk: Desk, *more: str, **changes: str | None) -> Answered:
    accountant = desk.bill.world.organizations[0].accountant
    options = {"username": accountant.username, "password": None, "console_token": accountant.password}
    return desk.connect("acme", *more, **options | changes)


def kept_token() -> str:
    """The session id that is sealed in the database."""
    warehouse = open_database()
    session = SealedSessions(warehouse, seal_for(warehouse), "acme").load()
    warehouse.close()
    assert session is not None
    return session.session_id


def test_an_oauth_client_connects_and_its_token_serves_the_runs(own_desk: Desk) -> None:
    connected = connect_app(own_desk, "--json").document

    organization = own_desk.bill.world.organizations[0]
    assert (connected["signed_in_with"], connected["user_id"]) == ("OAuth client", organization.user.user_id)
    assert own_desk.run("sync", "acme", "--only", "vendors").code == 0
    assert own_desk.bill.sandbox.stats.logins == 1
    assert own_desk.bill.sandbox.stats.paths[TOKEN] == 1
    told = " ".join(own_desk.run("errors", "acme").out.split())
    assert "sign in with a sync token: billcom connect acme" in told
    assert not any(route.startswith("POST /List/") for route in own_desk.bill.sandbox.stats.paths)


def test_two_processes_whose_token_ended_ask_for_one_new_one(own_desk: Desk) -> None:
    assert connect_app(own_desk).code == 0
    own_desk.bill.sandbox.sessions.end_all()

    both = [
        subprocess.Popen([sys.executable, "-c", READ_ROLES], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0] != "0\n"
    assert own_desk.bill.sandbox.stats.paths[TOKEN] == 2


def test_neither_the_secret_nor_the_token_is_stored_or_shown_in_clear(own_desk: Desk) -> None:
    said = connect_app(own_desk)
    audited = own_desk.run("audit", "acme", "--json")

    secret = own_desk.bill.world.organizations[0].client.secret
    token = kept_token()
    assert own_desk.bill.sandbox.sessions.living(f"Bearer {token}")
    stored = (own_desk.home / "billcom.db").read_bytes()
    for hidden in (secret, token):
        assert hidden not in said.everything + audited.everything
        assert hidden.encode() not in stored
    assert audited.document["entries"][0]["after"]["credentials"] == {"client_id": "stored", "client_secret": "stored"}
    assert "Warning: --client-secret written out can be read by others" in said.err


def test_a_revoked_client_is_told_in_bills_words_with_the_command_to_go_on(own_desk: Desk) -> None:
    connect_app(own_desk)
    own_desk.bill.world.organizations[0].client.revoked = True

    refused = own_desk.run("validate", "acme")

    assert refused.code == 1
    assert "invalid_client): Client authentication failed. Next step: Check the client id" in refused.err
    assert "billcom connect acme" in refused.err
    assert (own_desk.stored("acme").status, own_desk.stored("acme").status_code) == (Status.ERROR, "invalid_client")


def test_disconnecting_an_oauth_client_says_how_its_token_ends_and_sends_nothing(desk: Desk) -> None:
    connect_app(desk)
    before = desk.bill.sandbox.stats.requests

    left = desk.run("disconnect", "acme", "--json").document

    assert left["session_at_bill"] == "an access token, which ends by itself; to end it at once delete the app in BILL"
    assert desk.bill.sandbox.stats.requests == before


def test_a_console_token_connects_an_accounting_firm(desk: Desk) -> None:
    connected = connect_accountant(desk, "--json").document

    accountant = desk.bill.world.organizations[0].accountant
    assert (connected["signed_in_with"], connected["user_id"]) == ("console token", accountant.user_id)
    refused = connect_accountant(desk, console_token="wrong")
    assert (refused.code, "BDC_1101" in refused.err) == (1, True)


def test_connecting_again_changes_the_way(desk: Desk) -> None:
    desk.connect("acme")
    for connect, says in ((connect_app, "an OAuth client as 006"), (connect_accountant, "a console token as 006")):
        again = connect(desk)
        assert (again.code, f"signed in with {says}" in again.out) == (0, True)
        assert "Nothing" not in again.err
    assert desk.connect("acme").code == 0
    sources = desk.stored("acme").sources
    assert (sources.console_token, sources.client_id, sources.client_secret) == ("", "", "")
    assert "signed in with a sync token" in desk.run("validate", "acme").out


@pytest.mark.parametrize(
    "mixed", [{"client_id": "client-77"}, {"console_token": "t"}, {"dev_key": None, "client_secret": "s"}], ids=str
)
def test_credentials_of_two_ways_are_refused_before_anything_is_sent(desk: Desk, mixed: dict[str, str | None]) -> None:
    before = desk.bill.sandbox.stats.requests

    refused = desk.connect("acme", **mixed)

    assert refused.code == 2
    said = " ".join(refused.err.split())
    assert "do not belong together. Sign in in exactly one way:" in said
    assert "--client-id, --client-secret" in said
    assert desk.bill.sandbox.stats.requests == before


def test_a_secret_without_its_id_is_not_enough(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLCOM_DEV_KEY", DEV_KEY)
    refused = connect_app(desk, client_id=None)
    assert refused.code == 2
    assert "--client-id missing: all of them are needed" in refused.err
    assert "developer key" not in refused.err


def test_at_a_terminal_it_asks_for_the_credentials_of_the_way_in_use(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_app(desk)
    client = desk.bill.world.organizations[0].client
    monkeypatch.setattr(given, "is_typing", lambda: True)

    again = desk.run("connect", "acme", stdin=f"\n{client.id}\n{client.secret}\n")

    assert again.code == 0, again.err
    assert "Client id" in again.err
    assert "User name" not in again.err
    assert client.secret not in again.everything


def test_what_was_sealed_before_there_were_other_ways_still_signs_in(desk: Desk) -> None:
    desk.connect("acme")
    before = desk.stored("acme").sources
    warehouse = open_database()
    seal = seal_for(warehouse)
    with warehouse.write() as connection:
        row = connection.execute(integrations.select()).mappings().one()
        old = {
            "sources": {name: getattr(before, name) for name in ("username", "password", "dev_key")},
            "given_for": msgspec.to_builtins(Destination.of(row)),
        }
        sealed = seal.close(json.dumps(old), Purpose(CREDENTIALS, "acme"))
        connection.execute(integrations.update().values(credentials=sealed))
        session = {"id": "of-an-older-version", "fingerprint": ""}
        kept = seal.close(json.dumps(session), Purpose(SESSION, "acme"))
        connection.execute(bill_sessions.update().values(session=kept))
    warehouse.close()

    assert desk.stored("acme").sources == before
    assert kept_token() == "of-an-older-version"
    assert desk.run("validate", "acme").code == 0
