"""Sessions, limits and threads over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    BillUnavailable,
    HourlyLimitReached,
    Refused,
    SessionsExhausted,
    SignInPostponed,
    UnsupportedCall,
    UntrustedSession,
)
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.bill.session import MemorySessionStore
from billcom_assets_tests.bill.conftest import MovableClock, Waits
from billcom_assets_tests.bill.scripted import (
    DEAD_SESSION,
    HTML_502,
    ORGANIZATION,
    SESSION_MARK,
    Got,
    Reply,
    ScriptedBill,
    error,
    rows,
)

BILLS = "/connect/v3/bills"
LOGIN = "/connect/v3/login"
PAGE = rows("00n1")

DEAD = {
    "1109 as 401": DEAD_SESSION,
    "1109 as 403": error("BDC_1109", status=403),
    "1109 as 422": error("BDC_1109", status=422),
    "1109 as 200": error("BDC_1109", status=200),
    "1120": error("BDC_1120", "Session gone.", status=401),
    "a single object": Reply(401, {"message": "Unauthorized"}),
    "an errors object": Reply(401, {"errors": [{"message": "Unauthorized"}]}),
    "a bare 401": Reply(401),
    "a 401 page": Reply(401, "<html>401</html>"),
    "1361 that says expired": error("BDC_1361", "Your session has expired.", status=403),
    "words without a code": Reply(403, {"message": "Session is invalid.  Please log in."}),
}


@pytest.mark.parametrize("reply", DEAD.values(), ids=DEAD)
def test_a_dead_session_is_renewed_and_the_call_repeated_without_waiting(
    reply: Reply, client: BillClient, bill: ScriptedBill, waits: Waits
) -> None:
    bill.then(BILLS, PAGE, reply, PAGE)
    client.page("/v3/bills")
    client.page("/v3/bills")
    assert (bill.logins, bill.count(BILLS), waits.seconds) == (2, 3, [])
    assert bill.got[-1].session == f"{SESSION_MARK}2"


def test_a_session_that_dies_twice_over_is_renewed_twice(client: BillClient, bill: ScriptedBill) -> None:
    bill.then(BILLS, DEAD_SESSION, DEAD_SESSION, PAGE)
    client.page("/v3/bills")
    assert bill.logins == 3


def test_an_untrusted_session_does_not_sign_in_again(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, error("BDC_1361", "Untrusted session.", status=403))
    with pytest.raises(UntrustedSession):
        client.page("/v3/bills")
    assert bill.logins == 1


def test_an_ambiguous_1361_is_given_one_new_session(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, error("BDC_1361", "Session has expired.", status=403))
    with pytest.raises(UntrustedSession):
        client.page("/v3/bills")
    assert bill.logins == 2


def test_a_401_with_a_code_we_do_not_know_is_given_one_new_session(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, error("BDC_7777", "Something new.", status=401))
    with pytest.raises(Refused, match=r"Something new\."):
        client.page("/v3/bills")
    assert bill.logins == 2


def test_a_401_without_a_code_is_a_refusal_of_its_list_after_one_new_session(
    client: BillClient, bill: ScriptedBill
) -> None:
    bill.always(BILLS, error(None, "Unauthorized", status=401))
    bill.always("/connect/v3/vendors", PAGE)
    for _ in range(3):
        with pytest.raises(Refused, match="Unauthorized"):
            client.page("/v3/bills")
    assert len(client.page("/v3/vendors").rows) == 1
    assert bill.logins == 2


def test_a_session_that_dies_without_a_code_is_renewed_for_every_worker(client: BillClient, bill: ScriptedBill) -> None:
    everyone_is_in = threading.Barrier(3)
    bare = error(None, "Unauthorized", status=401)

    def dead(_got: Got) -> Reply:
        everyone_is_in.wait(5)
        return bare

    bill.always(BILLS, PAGE)
    client.page("/v3/bills")
    bill.then(BILLS, dead, dead, dead)
    with ThreadPoolExecutor(3) as pool:
        pages = list(pool.map(lambda _: client.page("/v3/bills"), range(3)))
    assert [len(page.rows) for page in pages] == [1, 1, 1]
    assert bill.logins == 2


def test_a_session_is_shared_between_runs(connect: Callable[..., BillClient], bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    sessions = MemorySessionStore()
    for _ in range(3):
        with connect(sessions=sessions) as client:
            client.page("/v3/bills")
    assert bill.logins == 1
    assert {got.session for got in bill.got if got.path == BILLS} == {f"{SESSION_MARK}1"}


def test_nobody_is_signed_out_when_a_client_closes(connect: Callable[..., BillClient], bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    with connect() as client:
        client.page("/v3/bills")
    assert bill.count("/connect/v3/logout") == 0


@pytest.mark.parametrize(("user", "minutes", "logins"), [("00602USER", 31, 2), ("syu02SYSTEM", 31, 1)])
def test_a_password_session_is_renewed_before_bill_ends_it_and_a_token_session_lives_on(
    user: str,
    minutes: int,
    logins: int,
    connect: Callable[..., BillClient],
    bill: ScriptedBill,
    clock: MovableClock,
) -> None:
    bill.session_user = user
    bill.always(BILLS, PAGE)
    client = connect()
    client.page("/v3/bills")
    clock.advance(minutes=minutes)
    client.page("/v3/bills")
    assert bill.logins == logins


def test_a_stored_session_opened_with_a_replaced_key_is_given_one_new_sign_in(
    connect: Callable[..., BillClient], bill: ScriptedBill
) -> None:
    bill.always(BILLS, PAGE)
    sessions = MemorySessionStore()
    stored = connect(sessions=sessions).login()
    sessions.save(replace(stored, fingerprint=""))
    bill.then(BILLS, error("BDC_1102", "Developer key is invalid.", status=401), PAGE)
    connect(sessions=sessions).page("/v3/bills")
    assert bill.logins == 2


def test_a_wrong_key_in_mid_run_is_not_answered_with_sign_ins(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, error("BDC_1102", "Developer key is invalid.", status=401))
    with pytest.raises(AuthenticationRefused):
        client.page("/v3/bills")
    assert bill.logins == 1


REFUSED = {
    "wrong password as 401": (error("BDC_1101", "User name and/or password do not match.", status=401), "BDC_1101"),
    "wrong password as 400": (error("BDC_1101", status=400), "BDC_1101"),
    "wrong password as 403": (error("BDC_1101", status=403), "BDC_1101"),
    "wrong password as 200": (error("BDC_1101", status=200), "BDC_1101"),
    "wrong key": (error("BDC_1102", status=401), "BDC_1102"),
    "API access off": (error("BDC_1105", status=403), "BDC_1105"),
    "bare 401": (Reply(401), None),
    "single object": (Reply(401, {"message": "Unauthorized"}), None),
    "session is invalid": (DEAD_SESSION, "BDC_1109"),
    "missing field": (error(None, "devKey: must not be null", status=400), None),
    "unknown organization": (error("BDC_1123", "Invalid organization id.", status=400), "BDC_1123"),
    "wrong password as 500": (error("BDC_1101", status=500), "BDC_1101"),
}


@pytest.mark.parametrize(("reply", "code"), REFUSED.values(), ids=REFUSED)
def test_a_refused_sign_in_is_tried_once_and_told_in_bills_words(
    reply: Reply, code: str | None, client: BillClient, bill: ScriptedBill, waits: Waits
) -> None:
    bill.always(LOGIN, reply)
    for _ in range(3):
        with pytest.raises(AuthenticationRefused) as caught:
            client.page("/v3/bills")
        assert caught.value.code == code
        assert caught.value.integration == "acme-us"
        assert caught.value.endpoint == "POST /v3/login"
    assert (bill.logins, bill.count(BILLS), waits.seconds) == (1, 0, [])


FOR_NOW = {
    "locked": error("BDC_1107", status=423),
    "locked as 401": error("BDC_1110", "Too many failed attempts.", status=401),
    "locked without code": Reply(423, {"message": "Locked"}),
    "a bare 403": Reply(403, {"message": "Forbidden"}),
    "an unknown code that says later": error("BDC_9999", "Something went wrong. Try again later.", status=400),
}


@pytest.mark.parametrize("reply", FOR_NOW.values(), ids=FOR_NOW)
def test_a_sign_in_refused_for_now_is_not_repeated_before_its_time(
    reply: Reply, connect: Callable[..., BillClient], bill: ScriptedBill, clock: MovableClock
) -> None:
    sessions = MemorySessionStore()
    bill.always(BILLS, PAGE)
    bill.always(LOGIN, reply)
    for minutes, logins in ((0, 1), (14, 1), (2, 2), (29, 2), (2, 3), (59, 3), (2, 4)):
        clock.advance(minutes=minutes)
        with pytest.raises(SignInPostponed, match="Try again at") as caught:
            connect(sessions=sessions).page("/v3/bills")
        assert bill.logins == logins
        assert caught.value.not_before is not None
        assert caught.value.not_before > clock()


def test_a_person_may_sign_in_before_that_and_success_ends_the_wait(
    connect: Callable[..., BillClient], bill: ScriptedBill
) -> None:
    sessions = MemorySessionStore()
    bill.then(LOGIN, FOR_NOW["locked"])
    bill.always(BILLS, PAGE)
    with pytest.raises(SignInPostponed):
        connect(sessions=sessions).page("/v3/bills")
    connect(sessions=sessions).login()
    assert sessions.postponed_until() is None
    connect(sessions=sessions).page("/v3/bills")
    assert bill.logins == 2


@pytest.mark.parametrize("code", ["BDC_1101", "BDC_1102", "BDC_1105", "BDC_1123"])
def test_what_a_code_explains_is_final_whatever_the_wording(code: str, client: BillClient, bill: ScriptedBill) -> None:
    bill.always(LOGIN, error(code, "Not accepted. Please try again later.", status=403))
    with pytest.raises(AuthenticationRefused):
        client.page("/v3/bills")


def test_a_sign_in_at_a_wrong_address_says_so(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(LOGIN, Reply(404, {"message": "no Route matched"}))
    with pytest.raises(UnsupportedCall, match="base URL"):
        client.login()
    bill.always(LOGIN, Reply(404, "<html>404 Not Found</html>"))
    with pytest.raises(UnsupportedCall, match="base URL"):
        client.login()


@pytest.mark.parametrize(
    "reply",
    [
        HTML_502,
        Reply(200, "<html></html>"),
        Reply(200, b""),
        Reply(200, {"organizationId": ORGANIZATION}),
        Reply(200, {"sessionId": None}),
        Reply(200, []),
        Reply(200, b'{"sessionId":"s'),
        Reply(drop=True),
        error("BDC_1322", status=422),
        error("BDC_1144", status=429),
    ],
)
def test_a_sign_in_outlives_what_passes(reply: Reply, client: BillClient, bill: ScriptedBill, waits: Waits) -> None:
    bill.then(LOGIN, reply, reply)
    bill.always(BILLS, PAGE)
    client.page("/v3/bills")
    assert (bill.logins, len(waits.seconds)) == (3, 2)


def test_a_sign_in_that_never_gets_through_is_bounded(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(LOGIN, HTML_502)
    with pytest.raises(BillUnavailable):
        client.page("/v3/bills")
    assert bill.logins == 8


def test_the_hourly_limit_of_logins_is_told_apart(client: BillClient, bill: ScriptedBill) -> None:
    reply = error("BDC_1144", "Max number of allowed requests per hour reached: 200.", status=422)
    bill.always(LOGIN, reply)
    with pytest.raises(HourlyLimitReached, match="counts logins") as caught:
        client.page("/v3/bills")
    assert caught.value.counted == "logins"
    assert bill.logins == 4


def test_a_session_of_another_organization_is_not_used(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(LOGIN, Reply(200, {"sessionId": "s1", "organizationId": "008other", "userId": "006"}))
    with pytest.raises(AuthenticationRefused, match="another organization"):
        client.page("/v3/bills")
    assert bill.count(BILLS) == 0


def test_a_sign_in_can_be_forced(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    client.page("/v3/bills")
    stored = client.login()
    client.page("/v3/bills")
    assert (stored.session_id, bill.got[-1].session) == (f"{SESSION_MARK}2", f"{SESSION_MARK}2")
    assert stored.organization_id == ORGANIZATION


def test_sign_ins_are_capped_per_client(connect: Callable[..., BillClient], bill: ScriptedBill) -> None:
    client = connect(max_logins=4)
    bill.always(BILLS, PAGE)
    for _ in range(3):
        bill.then(BILLS, PAGE, DEAD_SESSION)
        client.page("/v3/bills")
        client.page("/v3/bills")
    bill.then(BILLS, DEAD_SESSION)
    with pytest.raises(SessionsExhausted, match="4 times"):
        client.page("/v3/bills")
    assert bill.logins == 4


def test_three_threads_whose_session_dies_together_sign_in_exactly_once(client: BillClient, bill: ScriptedBill) -> None:
    together = threading.Barrier(3)

    def dies_while_three_wait(got: object) -> Reply:
        together.wait(5)
        return DEAD_SESSION

    bill.then(BILLS, PAGE, *[dies_while_three_wait] * 3)
    bill.always(BILLS, PAGE)
    client.page("/v3/bills")
    with ThreadPoolExecutor(3) as pool:
        pages = [future.result() for future in [pool.submit(client.page, "/v3/bills") for _ in range(3)]]
    assert [len(page.rows) for page in pages] == [1, 1, 1]
    assert bill.logins == 2
    assert {got.session for got in bill.got[-3:]} == {f"{SESSION_MARK}2"}


def test_three_threads_that_start_together_sign_in_exactly_once(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(client.page, "/v3/bills") for _ in range(3)]:
            future.result()
    assert bill.logins == 1


def test_two_clients_of_one_store_whose_session_dies_sign_in_once(
    connect: Callable[..., BillClient], bill: ScriptedBill
) -> None:
    bill.checks_sessions = True
    bill.always(BILLS, PAGE)
    sessions = MemorySessionStore()
    clients = [connect(sessions=sessions) for _ in range(3)]
    for client in clients:
        client.page("/v3/bills")
    bill.live_sessions.clear()
    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(client.page, "/v3/bills") for client in clients]:
            future.result()
    assert bill.logins == 2


def test_never_more_than_three_requests_are_in_flight_over_all_clients(
    connect: Callable[..., BillClient], bill: ScriptedBill
) -> None:
    three = threading.Semaphore(0)
    go_on = threading.Event()

    def held(got: object) -> Reply:
        three.release()
        go_on.wait(5)
        return PAGE

    sessions = MemorySessionStore()
    clients = [connect(sessions=sessions) for _ in range(3)]
    clients[0].login()
    bill.always(BILLS, held)
    with ThreadPoolExecutor(9) as pool:
        futures = [pool.submit(client.page, "/v3/bills") for client in clients for _ in range(3)]
        for _ in range(3):
            assert three.acquire(timeout=5)
        assert not three.acquire(timeout=0.1)
        go_on.set()
        for future in futures:
            future.result(5)
    assert bill.peak == 3
    assert max(client.stats.peak_in_flight for client in clients) == 3


def test_organizations_do_not_wait_for_each_other(
    connect: Callable[..., BillClient], bill: ScriptedBill, credentials: Credentials
) -> None:
    four = threading.Barrier(4)

    def together(got: object) -> Reply:
        four.wait(5)
        return PAGE

    bill.always(BILLS, together)
    bill.always(LOGIN, lambda got: Reply(200, {"sessionId": "s", "organizationId": got.json["organizationId"]}))
    clients = [connect(credentials=replace(credentials, organization_id=f"008ORG{number}")) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(client.page, "/v3/bills") for client in clients]:
            assert len(future.result(5).rows) == 1


def test_a_spent_budget_stops_before_anything_is_sent(
    connect: Callable[..., BillClient], bill: ScriptedBill, clock: MovableClock
) -> None:
    client = connect(budget=MemoryBudget(clock, requests=3))
    bill.always(BILLS, PAGE)
    client.page("/v3/bills")
    client.page("/v3/bills")
    with pytest.raises(HourlyLimitReached, match="10:00 UTC") as caught:
        client.page("/v3/bills")
    assert (caught.value.integration, caught.value.endpoint) == ("acme-us", "GET /v3/bills")
    assert len(bill.got) == 3
    clock.advance(minutes=29, seconds=59)
    with pytest.raises(HourlyLimitReached):
        client.page("/v3/bills")
    clock.advance(seconds=1)
    client.page("/v3/bills")


def test_a_spent_budget_of_logins_stops_signing_in(
    connect: Callable[..., BillClient], bill: ScriptedBill, clock: MovableClock
) -> None:
    client = connect(budget=MemoryBudget(clock, logins=1))
    bill.then(BILLS, PAGE, DEAD_SESSION)
    client.page("/v3/bills")
    with pytest.raises(HourlyLimitReached, match="logins"):
        client.page("/v3/bills")
    assert bill.logins == 1


def test_clients_of_one_key_share_a_budget_by_default(
    connect: Callable[..., BillClient], bill: ScriptedBill, credentials: Credentials, clock: MovableClock
) -> None:
    bill.always(BILLS, PAGE)
    shared = MemoryBudget.shared(credentials.key_digest, clock)
    # The system may give a port a second time, and with it what an earlier test has used there.
    requests, logins = shared.used
    for _ in range(2):
        with connect() as client:
            client.page("/v3/bills")
    assert shared.used == (requests + 4, logins + 2)


def test_a_failing_store_is_not_hidden(connect: Callable[..., BillClient], bill: ScriptedBill) -> None:
    class Broken(MemorySessionStore):
        def load(self) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full") as caught:
        connect(sessions=Broken()).page("/v3/bills")
    assert not isinstance(caught.value, BillError)
    assert bill.got == []
