"""The client with OAuth client credentials, and with a console token, against the simulated BILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from billcom_assets.bill.client import BillClient, decode
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    BillUnavailable,
    HourlyLimitReached,
    Refused,
    SessionsExhausted,
    UnsupportedCall,
)
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.session import MemorySessionStore
from billcom_assets.sandbox import FaultPlan, SandboxServer, Settings
from billcom_assets_tests.bill.conftest import MovableClock
from billcom_assets_tests.bill.scripted import DEAD_SESSION, ORGANIZATION, Reply, ScriptedBill, error, rows

TOKEN = "POST /authx/token"
TOKEN_PATH = "/connect/authx/token"
WHO_AM_I = "/connect/v3/login/session"
BILLS = "/connect/v3/bills"
SECRET = "s3cret/+&=of-nobody"
Connect = Callable[..., BillClient]


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(bills=40, orgs=2)) as running:
        yield running


@pytest.fixture
def billcom(server: SandboxServer) -> Iterator[SandboxServer]:
    """The server as it was at its start."""
    usual = Settings()
    yield server
    server.sandbox.set_faults(FaultPlan())
    names = ("dead_token", "token_errors", "oauth_session_info", "logins_per_hour", "oauth_token_minutes")
    server.sandbox.change_settings(**{name: getattr(usual, name) for name in names})
    server.world.organization().client.revoked = False
    server.clock.offset = timedelta()
    server.sandbox.reset_stats()


@pytest.fixture
def signed_in(billcom: SandboxServer) -> Iterator[Connect]:
    with ExitStack() as stack:

        def make(who: Credentials | None = None, **options: Any) -> BillClient:
            defaults: dict[str, Any] = {"clock": billcom.clock.now, "retry": RetryPolicy(sleep=lambda _: None)}
            return stack.enter_context(BillClient(who or client_of(billcom), integration="acme", **defaults | options))

        yield make


def client_of(server: SandboxServer, number: int = 0, **changes: Any) -> Credentials:
    one = server.world.organizations[number]
    values = {"organization_id": one.id, "client_id": one.client.id, "client_secret": one.client.secret}
    return Credentials(**values | {"base_url": server.base_url} | changes)


def tokens(server: SandboxServer) -> int:
    return server.sandbox.stats.paths[TOKEN]


def walk(client: BillClient, between: Callable[[], None] = lambda: None) -> list[str]:
    ids: list[str] = []
    cursor = None
    while True:
        page = client.page("/v3/bills", cursor=cursor, max_rows=10)
        ids += [str(decode(row)["id"]) for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return ids
        between()


def every_bill(server: SandboxServer) -> list[str]:
    return [row["id"] for row in server.world.organization().rows("/v3/bills")]


@pytest.mark.parametrize("dead_token", ["gateway", "bill"])
def test_a_token_that_bill_ends_in_mid_walk_is_renewed_and_no_row_is_lost(
    dead_token: str, billcom: SandboxServer, signed_in: Connect
) -> None:
    billcom.sandbox.change_settings(dead_token=dead_token)
    ended = iter([True, False, False])

    def end_one() -> None:
        if next(ended):
            billcom.sandbox.sessions.end_all()

    assert sorted(walk(signed_in(), end_one)) == sorted(every_bill(billcom))
    assert tokens(billcom) == 2


def test_a_token_is_renewed_before_it_ends_so_that_bill_refuses_none(
    billcom: SandboxServer, signed_in: Connect
) -> None:
    billcom.sandbox.change_settings(oauth_token_minutes=10)

    assert sorted(walk(signed_in(), lambda: billcom.clock.advance(timedelta(minutes=9.5)))) == sorted(
        every_bill(billcom)
    )

    assert tokens(billcom) == 4
    assert billcom.sandbox.stats.statuses.keys() == {200}


def test_renewals_that_were_foreseen_do_not_use_up_the_sign_ins_of_a_run(
    billcom: SandboxServer, signed_in: Connect
) -> None:
    client = signed_in(max_logins=2)
    for _ in range(4):
        client.get("/v3/roles")
        billcom.clock.advance(timedelta(hours=1))
    assert tokens(billcom) == 4

    client.get("/v3/roles")
    billcom.sandbox.sessions.end_all()
    client.get("/v3/roles")
    billcom.sandbox.sessions.end_all()
    with pytest.raises(SessionsExhausted):
        client.get("/v3/roles")


def test_many_threads_and_a_second_client_ask_for_one_token(billcom: SandboxServer, signed_in: Connect) -> None:
    sessions = MemorySessionStore()
    clients = [signed_in(sessions=sessions), signed_in(sessions=sessions)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: clients[number % 2].get("/v3/roles"), range(12)))
    assert tokens(billcom) == 1

    billcom.clock.advance(timedelta(hours=1))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: clients[number % 2].get("/v3/roles"), range(12)))
    assert tokens(billcom) == 2


@pytest.mark.parametrize("token_errors", ["oauth", "bill"])
def test_a_revoked_client_is_refused_in_bills_words_with_what_to_check(
    token_errors: str, billcom: SandboxServer, signed_in: Connect
) -> None:
    billcom.sandbox.change_settings(token_errors=token_errors)
    client = signed_in()
    client.get("/v3/roles")
    billcom.world.organization().client.revoked = True
    billcom.sandbox.sessions.end_all()

    for _ in range(2):
        with pytest.raises(AuthenticationRefused, match="Client authentication failed") as caught:
            client.get("/v3/roles")

    assert caught.value.code == ("invalid_client" if token_errors == "oauth" else None)
    assert caught.value.next_step.startswith("Check the client id and the client secret")
    assert "billcom connect acme" in caught.value.next_step
    assert tokens(billcom) == 2  # asked once, not again for every caller


def test_tokens_count_as_sign_ins(billcom: SandboxServer, signed_in: Connect) -> None:
    billcom.sandbox.change_settings(logins_per_hour=1)
    signed_in().login()
    with pytest.raises(HourlyLimitReached) as caught:
        signed_in().login()
    assert caught.value.counted == "logins"


def test_v2_is_refused_in_words_and_nothing_is_sent(billcom: SandboxServer, signed_in: Connect) -> None:
    with pytest.raises(UnsupportedCall, match="v2 refused") as caught:
        signed_in().v2_list("Vendor")
    assert "billcom connect acme" in caught.value.next_step
    assert billcom.sandbox.stats.requests == 0


def test_what_the_scope_does_not_hold_is_refused_in_bills_words(billcom: SandboxServer, signed_in: Connect) -> None:
    with pytest.raises(Refused, match="The application's scope does not permit this operation") as caught:
        signed_in().post("/v3/payments/stp00000000000000000/cancel")
    assert "OAuth client may not do this" in caught.value.next_step
    assert tokens(billcom) == 1


def test_a_client_of_another_organization_is_refused(billcom: SandboxServer, signed_in: Connect) -> None:
    other = client_of(billcom, number=1, organization_id=billcom.world.organization().id)
    with pytest.raises(AuthenticationRefused, match="another organization"):
        signed_in(other).login()


def test_bill_need_not_say_whose_token_it_is(billcom: SandboxServer, signed_in: Connect) -> None:
    said = signed_in().login()
    billcom.sandbox.change_settings(oauth_session_info=False)
    unsaid = signed_in().login()
    organization = billcom.world.organization()
    assert (said.user_id, said.organization_id) == (organization.user.user_id, organization.id)
    assert (unsaid.user_id, unsaid.organization_id) == ("", organization.id)


def test_the_token_endpoint_is_found_at_the_root_too_and_remembered() -> None:
    with (
        SandboxServer(Settings(bills=0, orgs=1, token_path="at_root")) as billcom,
        BillClient(client_of(billcom)) as client,
    ):
        client.login()
        first = client.stats.requests
        client.login()
        assert (first, client.stats.requests - first, tokens(billcom)) == (3, 2, 2)
        wrong = client_of(billcom, client_secret="wrong")
        with BillClient(wrong) as refused, pytest.raises(AuthenticationRefused):
            refused.login()


def test_no_message_shows_the_secret_or_the_tokens(billcom: SandboxServer, signed_in: Connect) -> None:
    organization = billcom.world.organization()
    client = signed_in()
    session = client.login()
    shown = f"{client!r} {client.credentials!r} {session!r}"
    for secret in (organization.client.secret, organization.client.id, session.session_id):
        assert secret not in shown


def test_an_accountant_signs_in_with_a_console_token(billcom: SandboxServer, signed_in: Connect) -> None:
    one = billcom.world.organization()
    who = Credentials(
        one.id,
        one.accountant.username,
        console_token=one.accountant.password,
        dev_key="sandbox-dev-key",
        base_url=billcom.base_url,
        v2_base_url=billcom.v2_base_url,
    )
    client = signed_in(who)
    assert client.login().user_id == one.accountant.user_id
    assert sorted(walk(client)) == sorted(every_bill(billcom))
    assert len(client.v2_list("Vendor", max_rows=2)) == 2

    with pytest.raises(AuthenticationRefused) as caught:
        signed_in(
            Credentials(one.id, who.username, console_token="wrong", dev_key=who.dev_key, base_url=billcom.base_url)
        ).login()
    assert (caught.value.code, "console token" in caught.value.next_step) == ("BDC_1101", True)


# --- what only a scripted BILL says ---


@pytest.fixture
def app(credentials: Credentials) -> Credentials:
    """The credentials of an OAuth client of the scripted BILL."""
    return Credentials(ORGANIZATION, client_id="client-77", client_secret=SECRET, base_url=credentials.base_url)


def granted(number: int = 1, **changes: Any) -> Reply:
    return Reply(200, {"access_token": f"tok-NOBODY-{number}", "token_type": "bearer", "expires_in": 600} | changes)


def test_the_secret_is_sent_as_a_form_and_then_the_token_alone(
    bill: ScriptedBill, connect: Connect, app: Credentials
) -> None:
    bill.then(TOKEN_PATH, granted()).always(BILLS, rows("00n1"))

    connect(credentials=app).page("/v3/bills")

    asked, _, called = bill.got
    assert asked.form == {"grant_type": "client_credentials", "client_id": "client-77", "client_secret": SECRET}
    assert called.headers["authorization"] == "Bearer tok-NOBODY-1"
    assert not {"devkey", "sessionid"} & called.headers.keys()


@pytest.mark.parametrize(
    "wrong", [{"access_token": "two\r\nlines"}, {"access_token": None}, {"token_type": "mac"}], ids=str
)
def test_what_is_no_bearer_token_is_no_sign_in(
    wrong: dict[str, Any], bill: ScriptedBill, connect: Connect, app: Credentials
) -> None:
    bill.always(TOKEN_PATH, granted(**wrong))
    with pytest.raises(BillUnavailable, match="a sign-in without a session"):
        connect(credentials=app).login()


@pytest.mark.parametrize("life", [None, 0, -5, True, "soon", 1.5, 10**40], ids=str)
def test_a_token_whose_life_is_not_said_is_used_until_bill_refuses_it(
    life: Any, bill: ScriptedBill, connect: Connect, app: Credentials, clock: MovableClock
) -> None:
    bill.then(TOKEN_PATH, granted(1, expires_in=life), granted(2)).then(BILLS, rows("00n1"), DEAD_SESSION)
    bill.always(BILLS, rows("00n1"))
    client = connect(credentials=app)
    client.page("/v3/bills")
    clock.advance(minutes=20)
    client.page("/v3/bills")
    assert bill.count(TOKEN_PATH) == 2
    assert bill.got[-1].headers["authorization"] == "Bearer tok-NOBODY-2"


def test_a_call_refused_with_a_new_token_as_well_fails_with_the_next_step(
    bill: ScriptedBill, connect: Connect, app: Credentials
) -> None:
    bill.then(TOKEN_PATH, granted(1), granted(2)).always(BILLS, Reply(401, {"message": "Unauthorized"}))
    with pytest.raises(Refused, match="OAuth client may not do this"):
        connect(credentials=app).page("/v3/bills")
    assert bill.count(TOKEN_PATH) == 2


def test_no_message_quotes_the_secret_or_a_token_old_or_new(
    bill: ScriptedBill, connect: Connect, app: Credentials, clock: MovableClock
) -> None:
    echo = error(message=f"What are {SECRET}, client-77, tok-NOBODY-1 and tok-NOBODY-2?")
    bill.then(TOKEN_PATH, granted(1), granted(2), echo).then(BILLS, rows("00n1")).always(BILLS, echo)
    client = connect(credentials=app)
    client.page("/v3/bills")
    clock.advance(minutes=10)

    with pytest.raises(BillError) as refused:
        client.page("/v3/bills")
    clock.advance(minutes=10)
    with pytest.raises(BillError) as not_signed_in:
        client.page("/v3/bills")

    for shown in (str(refused.value), str(not_signed_in.value)):
        assert "What are ***" in shown
        assert not [one for one in (SECRET, "client-77", "tok-NOBODY-1", "tok-NOBODY-2") if one in shown]


def test_a_new_token_is_not_quoted_while_bill_is_asked_whose_it_is(
    bill: ScriptedBill, connect: Connect, app: Credentials
) -> None:
    bill.then(TOKEN_PATH, granted(1)).always(WHO_AM_I, error(message="tok-NOBODY-1 is unknown", status=500))
    with pytest.raises(BillUnavailable) as caught:
        connect(credentials=app).login()
    assert "tok-NOBODY-1" not in str(caught.value)
    assert bill.count(TOKEN_PATH) == 1
