"""Writes over real HTTP: never twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import (
    BillError,
    BillUnavailable,
    HourlyLimitReached,
    Refused,
    TooManyAtOnce,
    Unreachable,
    WriteOutcomeUnknown,
)
from billcom_assets.bill.session import MemorySessionStore
from billcom_assets_tests.bill.conftest import Waits
from billcom_assets_tests.bill.scripted import DEAD_SESSION, HTML_502, Reply, ScriptedBill, error, scripted_bill

ACCOUNTS = "/connect/v3/classifications/chart-of-accounts"
PATH = "/v3/classifications/chart-of-accounts"
CREATED = Reply(201, '{"id":"0ca1","amount":1.10}')


def test_a_post_sends_exact_json_and_gives_the_created_object(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(ACCOUNTS, CREATED)
    made = client.post(PATH, {"name": "Überweisung", "amount": Decimal("228.90"), "archived": False, "parentId": None})
    assert made == {"id": "0ca1", "amount": Decimal("1.10")}
    sent = bill.got[-1]
    assert sent.headers["content-type"] == "application/json"
    assert sent.body == '{"name":"Überweisung","amount":228.90,"archived":false,"parentId":null}'.encode()


def test_a_patch_is_sent_as_such(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(f"{ACCOUNTS}/0ca1", Reply(200, {"id": "0ca1"}))
    assert client.patch(f"{PATH}/0ca1", {"name": "x"}) == {"id": "0ca1"}
    assert bill.got[-1].method == "PATCH"


@pytest.mark.parametrize("reply", [Reply(200, b""), Reply(204), Reply(201, b"  ")])
def test_a_write_may_answer_nothing(reply: Reply, client: BillClient, bill: ScriptedBill) -> None:
    bill.always(f"{ACCOUNTS}/0ca1/archive", reply)
    assert client.post(f"{PATH}/0ca1/archive", params={"ids": "a,b"}) is None
    sent = bill.got[-1]
    assert (sent.body, sent.query) == (b"", {"ids": "a,b"})
    assert "content-type" not in sent.headers


LOST = {
    "a reset": Reply(drop=True, reset=True),
    "a closed connection": Reply(drop=True),
    "a cut answer": Reply(201, b'{"id":"0ca1"', content_length=500),
    "cut JSON": Reply(201, b'{"id":"0ca1"'),
    "a web page with 200": Reply(200, "<html></html>"),
    "a 502 page": HTML_502,
    "a 503": Reply(503),
    "a system error": error("BDC_1001", status=500),
    "an unknown error": error("BDC_1002", status=500),
    "an error without code on 200": Reply(200, {"message": "Something"}),
}


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
def test_a_write_whose_answer_is_lost_is_never_sent_again(
    reply: Reply, client: BillClient, bill: ScriptedBill, waits: Waits
) -> None:
    bill.then(ACCOUNTS, reply)
    bill.always(ACCOUNTS, CREATED)
    with pytest.raises(WriteOutcomeUnknown) as caught:
        client.post(PATH, {"name": "x"})
    assert (bill.count(ACCOUNTS), waits.seconds) == (1, [])
    assert "Read the object or list again" in caught.value.next_step


def test_a_patch_whose_answer_is_lost_is_never_sent_again_either(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(f"{ACCOUNTS}/0ca1", Reply(drop=True))
    with pytest.raises(WriteOutcomeUnknown):
        client.patch(f"{PATH}/0ca1", {"name": "x"})
    assert bill.count(f"{ACCOUNTS}/0ca1") == 1


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
def test_a_write_that_may_happen_twice_is_repeated(reply: Reply, client: BillClient, bill: ScriptedBill) -> None:
    bill.then(ACCOUNTS, reply)
    bill.always(ACCOUNTS, CREATED)
    client.post(PATH, idempotent=True)
    assert bill.count(ACCOUNTS) == 2


def test_a_repeatable_write_that_never_gets_through_is_unavailable(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(ACCOUNTS, HTML_502)
    with pytest.raises(BillUnavailable):
        client.post(PATH, idempotent=True)
    assert bill.count(ACCOUNTS) == 8


@pytest.mark.parametrize(
    "reply", [error("BDC_1322", status=422), error("BDC_1144", status=429), Reply(429), DEAD_SESSION, Reply(401)]
)
def test_a_write_that_bill_turned_away_unread_is_sent_again(
    reply: Reply, client: BillClient, bill: ScriptedBill
) -> None:
    bill.then(ACCOUNTS, reply)
    bill.always(ACCOUNTS, CREATED)
    assert client.post(PATH, {"name": "x"})["id"] == "0ca1"
    assert bill.count(ACCOUNTS) == 2
    assert bill.got[-1].json == {"name": "x"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error("BDC_1322", status=422), TooManyAtOnce),
        (error("BDC_1144", status=422), HourlyLimitReached),
        (error("BDC_1171", "Number exists.", status=422), Refused),
        (error(None, "name: must not be blank", status=400), Refused),
    ],
)
def test_a_write_that_surely_did_not_happen_is_not_called_unknown(
    reply: Reply, kind: type[BillError], client: BillClient, bill: ScriptedBill
) -> None:
    bill.always(ACCOUNTS, reply)
    with pytest.raises(kind) as caught:
        client.post(PATH, {"name": "x"})
    assert type(caught.value) is kind


def test_a_write_that_could_not_be_sent_is_sent_when_it_can(
    connect: Callable[..., BillClient], bill: ScriptedBill, credentials: Credentials, waits: Waits
) -> None:
    bill.always(ACCOUNTS, CREATED)
    with scripted_bill() as (other, url):
        sessions = MemorySessionStore()
        client = connect(sessions=sessions, credentials=replace(credentials, base_url=url))
        client.login()
    with pytest.raises(Unreachable):
        client.post(PATH, {"name": "x"})
    assert other.count(ACCOUNTS) == 0
    assert len(waits.seconds) == 3


def test_a_write_does_not_use_a_connection_that_bill_may_have_closed(client: BillClient, bill: ScriptedBill) -> None:
    """The server closes a kept connection just before the write comes; the write must not be lost with it."""
    bill.always("/connect/v3/bills", Reply(200, {"results": []}))
    bill.always(ACCOUNTS, CREATED)
    for _ in range(5):
        client.page("/v3/bills")
        client.post(PATH, {"name": "x"})
    ports = [got.headers["x-test-port"] for got in bill.got if got.path == ACCOUNTS]
    assert len(set(ports)) == 5
