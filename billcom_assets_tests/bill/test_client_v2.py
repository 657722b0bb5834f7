"""v2 over real HTTP: form-encoded, enveloped, on the v3 session."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import BillError, BillUnavailable, NotFound, QueryRefused, Refused, WrongEntityType
from billcom_assets.bill.query import Filter, Sort
from billcom_assets_tests.bill.conftest import Waits
from billcom_assets_tests.bill.scripted import DEAD_SESSION, DEV_KEY, HTML_502, Reply, ScriptedBill

BILLS = "/api/v2/List/Bill.json"
READ = "/api/v2/Crud/Read/SentPay.json"


def success(data: Any) -> Reply:
    return Reply(200, {"response_status": 0, "response_message": "Success", "response_data": data})


def failure(code: str, message: str = "Something.", status: int = 200) -> Reply:
    data = {"error_code": code, "error_message": message}
    return Reply(status, {"response_status": 1, "response_message": "Error", "response_data": data})


def test_a_list_is_one_form_with_one_json_document(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, Reply(200, '{"response_status":0,"response_data":[{"id":"00n1","amount":228.90}]}'))
    rows = client.v2_list(
        "Bill",
        start=999,
        filters=[Filter("updatedTime", "gte", datetime(2026, 1, 1, tzinfo=UTC)), Filter("name", "eq", "A & B+C=")],
        sort=[Sort("createdTime"), Sort("id")],
    )
    assert rows == ({"id": "00n1", "amount": Decimal("228.90")},)
    sent = bill.got[-1]
    assert (sent.method, sent.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
    assert set(sent.form) == {"devKey", "sessionId", "data"}
    assert (sent.form["devKey"], sent.form["sessionId"]) == (DEV_KEY, "sessionSECRET1")
    assert json.loads(sent.form["data"]) == {
        "start": 999,
        "max": 999,
        "filters": [
            {"field": "updatedTime", "op": ">=", "value": "2026-01-01T00:00:00.000+0000"},
            {"field": "name", "op": "=", "value": "A & B+C="},
        ],
        "sort": [{"field": "createdTime", "asc": "true"}, {"field": "id", "asc": "true"}],
    }


def test_start_and_max_are_always_sent_and_the_rest_only_when_given(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, success([]))
    assert client.v2_list("Bill") == ()
    assert json.loads(bill.got[-1].form["data"]) == {"start": 0, "max": 999}


def test_v2_and_v3_share_one_session(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, success([]))
    bill.always("/connect/v3/bills", Reply(200, {"results": []}))
    client.v2_list("Bill")
    client.page("/v3/bills")
    assert bill.logins == 1


@pytest.mark.parametrize(
    "reply",
    [failure("BDC_1109", "Session is invalid.  Please log in."), Reply(401), Reply(403, b"Forbidden"), DEAD_SESSION],
)
def test_a_dead_session_is_renewed_for_v2_too(reply: Reply, client: BillClient, bill: ScriptedBill) -> None:
    bill.then(BILLS, reply)
    bill.always(BILLS, success([]))
    client.v2_list("Bill")
    assert bill.logins == 2
    assert bill.got[-1].form["sessionId"] == "sessionSECRET2"


@pytest.mark.parametrize(
    "reply",
    [
        HTML_502,
        failure("BDC_1322"),
        failure("BDC_1144"),
        failure("BDC_1001"),
        Reply(200, b'{"response_status":0,"response_data":['),
        Reply(200, b"<html></html>"),
        Reply(200, b""),
        Reply(200, {}),
        success(None),
        success({"id": "1"}),
        success(["1"]),
        Reply(200, {"response_status": 2, "response_message": "Timeout"}),
        Reply(drop=True),
    ],
)
def test_a_v2_read_outlives_what_passes(reply: Reply, client: BillClient, bill: ScriptedBill, waits: Waits) -> None:
    bill.then(BILLS, reply, reply, success([]))
    assert client.v2_list("Bill") == ()
    assert len(waits.seconds) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (failure("BDC_1130", "Invalid list filter field: x."), QueryRefused),
        (failure("BDC_1002", "Unknown error"), QueryRefused),
        (failure("BDC_1130", status=400), QueryRefused),
    ],
)
def test_a_refused_v2_query_is_raised_at_once(
    reply: Reply, kind: type[BillError], client: BillClient, bill: ScriptedBill
) -> None:
    bill.always(BILLS, reply)
    with pytest.raises(kind):
        client.v2_list("Bill")
    assert bill.count(BILLS) == 1


@pytest.mark.parametrize("data", [{"id": "stp1", "amount": "1"}, {"obj": {"id": "stp1", "amount": "1"}}])
def test_an_object_is_read_flat_or_nested(data: dict[str, Any], client: BillClient, bill: ScriptedBill) -> None:
    bill.always(READ, success(data))
    assert client.v2_read("SentPay", "stp1") == {"id": "stp1", "amount": "1"}
    assert json.loads(bill.got[-1].form["data"]) == {"id": "stp1"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (failure("BDC_1205"), NotFound),
        (failure("BDC_1120", "No data found."), NotFound),
        (failure("BDC_1302"), WrongEntityType),
        (success([]), BillUnavailable),
    ],
)
def test_a_v2_object_that_is_not_there_is_told_apart(
    reply: Reply, kind: type[BillError], client: BillClient, bill: ScriptedBill
) -> None:
    bill.always(READ, reply)
    with pytest.raises(kind):
        client.v2_read("SentPay", "stp1")


@pytest.mark.parametrize("entity", ["", "../Login", "Bill.json", "A B", "1"])
def test_an_entity_cannot_change_the_path(entity: str, client: BillClient) -> None:
    with pytest.raises(ValueError, match="v2 entity"):
        client.v2_list(entity)


@pytest.mark.parametrize(("start", "rows"), [(0, 0), (0, 1000), (-1, 10)])
def test_a_window_that_bill_refuses_is_refused_here(start: int, rows: int, client: BillClient) -> None:
    with pytest.raises(ValueError, match="1 to 999"):
        client.v2_list("Bill", start=start, max_rows=rows)


def test_a_v2_that_stays_forbidden_is_a_missing_right_after_one_new_session(
    client: BillClient, bill: ScriptedBill
) -> None:
    bill.always(BILLS, Reply(403, {"message": "Forbidden"}))
    with pytest.raises(Refused, match="administrator"):
        client.v2_list("Bill")
    assert bill.logins == 2
