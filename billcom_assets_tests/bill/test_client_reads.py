"""Reads over real HTTP, against a BILL that answers what the test scripts."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billcom_assets.bill.client import BillClient, CallEvent, EventKind, decode
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    BillUnavailable,
    HourlyLimitReached,
    NotFound,
    QueryRefused,
    Refused,
    SessionsExhausted,
    TooManyAtOnce,
    Unreachable,
    UnsupportedCall,
    UntrustedSession,
    WrongEntityType,
)
from billcom_assets.bill.query import Filter, Sort
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets_tests.bill.conftest import Waits
from billcom_assets_tests.bill.scripted import (
    DEAD_SESSION,
    DEV_KEY,
    HTML_502,
    ORGANIZATION,
    PASSWORD,
    USERNAME,
    Reply,
    ScriptedBill,
    error,
    rows,
)

BILLS = "/connect/v3/bills"
PAGE = rows("00n1", "00n2", cursor="c 1+/==")


def test_a_page_gives_rows_and_the_cursor(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    page = client.page("/v3/bills")
    assert [decode(row)["id"] for row in page.rows] == ["00n1", "00n2"]
    assert page.next_cursor == "c 1+/=="


def test_a_walk_sends_identical_parameters_with_the_cursor(client: BillClient, bill: ScriptedBill) -> None:
    bill.then(BILLS, PAGE, rows("00n3"))
    query: dict[str, Any] = {
        "filters": [Filter("archived", "eq", False), Filter("name", "sw", "A+B")],
        "sort": Sort("updatedTime"),
    }
    first = client.page("/v3/bills", **query)
    second = client.page("/v3/bills", **query, cursor=first.next_cursor)
    assert second.next_cursor is None
    asked = [got.query for got in bill.got if got.path == BILLS]
    assert asked[0] == {"max": "100", "filters": 'archived:eq:false,name:sw:"A+B"', "sort": "updatedTime:asc"}
    assert asked[1] == {**asked[0], "page": "c 1+/=="}


def test_every_request_carries_the_key_the_session_and_our_name(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    client.page("/v3/bills")
    login, read = bill.got
    assert (login.method, login.path) == ("POST", "/connect/v3/login")
    assert login.json == {
        "username": USERNAME,
        "password": PASSWORD,
        "organizationId": ORGANIZATION,
        "devKey": DEV_KEY,
    }
    assert "devkey" not in login.headers
    assert (read.headers["devkey"], read.headers["sessionid"]) == (DEV_KEY, "sessionSECRET1")
    assert read.headers["accept"] == "application/json"
    assert "content-type" not in read.headers
    for got in bill.got:
        assert got.headers["user-agent"].startswith("billcom-assets/")
        assert "authorization" not in got.headers
        assert "cookie" not in got.headers


PASSING = {
    "a 502 page": HTML_502,
    "a bare 500": Reply(500),
    "a 503 object": Reply(503, {"message": "Service Unavailable"}),
    "a 504 text": Reply(504, "upstream request timeout"),
    "a system error": error("BDC_1001", status=500),
    "an unknown error": error("BDC_1002", status=500),
    "a web page with 200": Reply(200, "<html><body>maintenance</body></html>"),
    "an empty 200": Reply(200, b""),
    "cut JSON": Reply(200, b'{"results":[{"id":"00n1"},{"id'),
    "a cut transfer": Reply(200, b'{"results":[{"id":"00n1"}]}', content_length=5000),
    "too short a length": Reply(200, b'{"results":[{"id":"00n1"}]}', content_length=10),
    "a cut chunk": Reply(200, b'{"results":[{"id":"00n1"}]}', chunked_cut=True),
    "a reset in mid-body": Reply(200, b'{"results":[', content_length=5000, reset=True),
    "a reset before the answer": Reply(drop=True, reset=True),
    "a closed connection": Reply(drop=True),
    "no UTF-8": Reply(200, b'{"results":[{"id":"\xff\xfe"}]}'),
    "broken gzip": Reply(200, b"no gzip", headers={"Content-Encoding": "gzip"}),
    "cut gzip": Reply(200, gzip.compress(b'{"results":[]}')[:-12], headers={"Content-Encoding": "gzip"}),
    "results that are no list": Reply(200, {"results": {}}),
    "no results": Reply(200, {}),
    "null results": Reply(200, {"results": None}),
    "an error without code and status": Reply(200, {"message": "Something went wrong"}),
    "the concurrency limit as 422": error("BDC_1322", status=422),
    "the concurrency limit as 429": error("BDC_1322", status=429),
    "the concurrency limit as 200": error("BDC_1322", status=200),
    "a bare 429": Reply(429),
    "the hourly limit, misreported": error("BDC_1144", status=422),
    "the hourly limit as 429": error("BDC_1144", status=429),
    "a 403 page": Reply(403, "<html>blocked</html>"),
}


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING)
def test_a_read_outlives_what_passes(reply: Reply, client: BillClient, bill: ScriptedBill, waits: Waits) -> None:
    bill.then(BILLS, reply, reply, PAGE)
    assert len(client.page("/v3/bills").rows) == 2
    assert bill.count(BILLS) == 3
    assert len(waits.seconds) == 2
    assert client.stats.retries == 2
    assert bill.logins == 1


@pytest.mark.parametrize(
    ("reply", "kind", "attempts"),
    [
        (HTML_502, BillUnavailable, 8),
        (PASSING["cut JSON"], BillUnavailable, 8),
        (PASSING["a closed connection"], BillUnavailable, 8),
        (PASSING["the concurrency limit as 422"], TooManyAtOnce, 8),
        (PASSING["a bare 429"], TooManyAtOnce, 8),
        (PASSING["the hourly limit, misreported"], HourlyLimitReached, 4),
        (PASSING["a 403 page"], Refused, 3),
        (PASSING["an unknown error"], QueryRefused, 3),
    ],
)
def test_what_stays_is_raised_after_a_bounded_number_of_attempts(
    reply: Reply, kind: type[BillError], attempts: int, client: BillClient, bill: ScriptedBill, waits: Waits
) -> None:
    bill.always(BILLS, reply)
    with pytest.raises(kind) as caught:
        client.page("/v3/bills")
    assert type(caught.value) is kind
    assert (bill.count(BILLS), len(waits.seconds)) == (attempts, attempts - 1)
    assert (caught.value.integration, caught.value.endpoint) == ("acme-us", "GET /v3/bills")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(None, "max: must be between 1 and 100"), QueryRefused),
        (error("BDC_1143", "Invalid entity data."), QueryRefused),
        (error(None, "Cannot construct instance of Filter"), QueryRefused),
        (Reply(400), QueryRefused),
        (error(None, "Invalid filter", status=422), QueryRefused),
        (error("BDC_1121", "API not supported.", status=404), UnsupportedCall),
        (Reply(404, {"message": "no Route matched with those values"}), UnsupportedCall),
        (error(None, "Not allowed.", status=403), Refused),
        (error("BDC_1361", "Untrusted session.", status=403), UntrustedSession),
        (error("BDC_1302", "The entity type of id syu0 does not match.", status=400), WrongEntityType),
        (Reply(302, b"", headers={"Location": "https://elsewhere.example/"}), Refused),
    ],
)
def test_what_will_not_pass_is_raised_at_once(
    reply: Reply, kind: type[BillError], client: BillClient, bill: ScriptedBill, waits: Waits
) -> None:
    bill.always(BILLS, reply)
    with pytest.raises(kind) as caught:
        client.page("/v3/bills")
    assert type(caught.value) is kind
    assert (bill.count(BILLS), bill.logins, waits.seconds) == (1, 1, [])


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_refused_cursor_is_told_apart_from_a_refused_filter(
    status: int, client: BillClient, bill: ScriptedBill
) -> None:
    bill.always(BILLS, error(None, "Invalid page.", status=status))
    with pytest.raises(QueryRefused) as caught:
        client.page("/v3/bills", cursor="old")
    assert caught.value.cursor_in_play


def test_redirects_are_never_followed(client: BillClient, bill: ScriptedBill, credentials: Credentials) -> None:
    bill.always(BILLS, Reply(307, b"", headers={"Location": f"{credentials.v3_url}/elsewhere"}))
    with pytest.raises(Refused, match="redirect"):
        client.page("/v3/bills")
    assert bill.count("/connect/elsewhere") == 0


def test_an_object_is_read_with_exact_numbers(client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/bills/00n1", Reply(200, '{"id":"00n1","amount":228.99,"paid":149.00,"count":3}'))
    read = client.get("/v3/bills/00n1", {"billApprovals": True})
    assert read == {"id": "00n1", "amount": Decimal("228.99"), "paid": Decimal("149.00"), "count": 3}
    assert bill.got[-1].query == {"billApprovals": "true"}


@pytest.mark.parametrize("body", [[], [{"policyName": "x"}], {"bills": []}])
def test_bare_arrays_and_keyed_objects_are_read_as_they_are(body: Any, client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/x", Reply(200, body))
    assert client.get("/v3/x") == body


def test_no_content_is_none(client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/x", Reply(204))
    assert client.get("/v3/x") is None


def test_a_missing_object_is_not_found(client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/bills/00n1", error("BDC_1205", "No data found.", status=404))
    with pytest.raises(NotFound) as caught:
        client.get("/v3/bills/00n1")
    assert caught.value.confirmed
    assert bill.count("/connect/v3/bills/00n1") == 1


def test_several_field_errors_are_told_together(client: BillClient, bill: ScriptedBill) -> None:
    body = [{"message": "email: must not be blank"}, {"message": "address: must not be null"}]
    bill.always("/connect/v3/x", Reply(400, body))
    with pytest.raises(Refused, match="email: must not be blank; address: must not be null"):
        client.get("/v3/x")


def test_a_refused_connection_is_retried_briefly_and_explained(
    connect: Callable[..., BillClient], waits: Waits
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/connect"
        client = connect(credentials=Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=url))
        with pytest.raises(Unreachable, match="refused") as caught:
            client.page("/v3/bills")
    assert len(waits.seconds) == 3
    assert "base URL" in caught.value.next_step


def test_an_unknown_host_is_explained(connect: Callable[..., BillClient], waits: Waits) -> None:
    url = "https://bill.invalid/connect"
    client = connect(credentials=Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=url))
    with pytest.raises(Unreachable):
        client.page("/v3/bills")
    assert len(waits.seconds) == 3


def test_a_slow_answer_times_out_and_is_tried_again(
    connect: Callable[..., BillClient], bill: ScriptedBill, waits: Waits
) -> None:
    import threading

    never = threading.Event()
    bill.then(BILLS, Reply(200, b"{}", wait_for=never), PAGE)
    client = connect(timeout=(5, 0.1))
    assert len(client.page("/v3/bills").rows) == 2
    assert len(waits.seconds) == 1
    never.set()


def test_a_wait_that_the_edge_asks_for_is_kept(client: BillClient, bill: ScriptedBill, waits: Waits) -> None:
    bill.then(BILLS, Reply(429, b"", headers={"Retry-After": "9"}), PAGE)
    client.page("/v3/bills")
    assert waits.seconds == [9.0]


@pytest.mark.parametrize("header", ["soon", "-1", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_strange_retry_after_is_ignored(header: str, client: BillClient, bill: ScriptedBill, waits: Waits) -> None:
    bill.then(BILLS, Reply(503, b"", headers={"Retry-After": header}), PAGE)
    client.page("/v3/bills")
    assert waits.seconds[0] <= 1.0


def test_statistics_count_requests_retries_logins_and_throttling(
    connect: Callable[..., BillClient], bill: ScriptedBill, waits: Waits
) -> None:
    client = connect()
    bill.then(BILLS, HTML_502, error("BDC_1322", status=422), DEAD_SESSION, PAGE)
    client.page("/v3/bills")
    stats = client.stats
    assert (stats.requests, stats.retries, stats.logins, stats.peak_in_flight) == (6, 2, 2, 1)
    assert stats.throttled_seconds == pytest.approx(waits.seconds[1])


def test_events_tell_requests_waits_and_sign_ins_in_order(
    connect: Callable[..., BillClient], bill: ScriptedBill
) -> None:
    events: list[CallEvent] = []
    client = connect(on_event=events.append)
    bill.then(BILLS, error("BDC_1322", "Max number of concurrent requests.", status=422), PAGE)
    client.page("/v3/bills")
    assert [(event.kind, event.endpoint, event.http_status, event.code) for event in events] == [
        (EventKind.REQUEST, "POST /v3/login", 200, None),
        (EventKind.LOGIN, "POST /v3/login", 200, None),
        (EventKind.REQUEST, "GET /v3/bills", 422, "BDC_1322"),
        (EventKind.RETRY, "GET /v3/bills", 422, "BDC_1322"),
        (EventKind.REQUEST, "GET /v3/bills", 200, None),
    ]


def test_a_client_can_be_closed_twice_and_used_again(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, PAGE)
    with client:
        client.page("/v3/bills")
    client.close()
    client.page("/v3/bills")
    assert bill.logins == 1


def test_who_am_i_tells_what_bill_tells(client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/login/session", Reply(200, {"organizationId": "008x", "userId": "006x", "mfaStatus": "S"}))
    assert client.who_am_i() == {"organizationId": "008x", "userId": "006x", "mfaStatus": "S"}


@pytest.mark.parametrize(
    "reply",
    [
        error("BDC_1121", "API not supported.", status=404),
        Reply(404, {"message": "no Route"}),
        error("BDC_1302", "syu0 does not match the expected entity types: User.", status=422),
        Reply(200, []),
    ],
)
def test_who_am_i_falls_back_to_what_the_sign_in_told(reply: Reply, client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/login/session", reply)
    assert client.who_am_i() == {"organizationId": ORGANIZATION, "userId": bill.session_user}


def test_who_am_i_does_not_hide_other_failures(client: BillClient, bill: ScriptedBill) -> None:
    bill.always("/connect/v3/login/session", error("BDC_1101", status=401))
    bill.always("/connect/v3/login", error("BDC_1101", status=401))
    with pytest.raises(AuthenticationRefused):
        client.who_am_i()


def test_an_endless_dead_session_ends_in_an_explanation(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, DEAD_SESSION)
    with pytest.raises(SessionsExhausted) as caught:
        client.page("/v3/bills")
    assert bill.logins == 3
    assert (caught.value.integration, caught.value.endpoint) == ("acme-us", "GET /v3/bills")


def test_a_retry_policy_of_one_attempt_never_waits(
    connect: Callable[..., BillClient], bill: ScriptedBill, waits: Waits
) -> None:
    bill.always(BILLS, HTML_502)
    with pytest.raises(BillUnavailable):
        connect(retry=RetryPolicy(attempts=1, sleep=waits)).page("/v3/bills")
    assert waits.seconds == []
