from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import requests

from billcom_assets.sandbox import Fault, FaultPlan, FaultRate
from billcom_assets.sandbox.decorate import UNKNOWN_KEY, UNKNOWN_VALUE
from billcom_assets.sandbox.faults import DEFAULT_LIMITS, IN_A_ROW, OF_WRITES, Faults
from billcom_assets.sandbox.kinds import BILLS, KINDS
from billcom_assets_tests.sandbox.api import Api, codes
from billcom_assets_tests.sandbox.conftest import Serve
from billcom_assets_tests.sandbox.walker import Walker

ROW_FAULTS = {Fault.NULLS, Fault.UNKNOWN_FIELDS, Fault.UNKNOWN_ENUM}
DATA_FAULTS = {Fault.CASE_TWIN_IDS}
ENDLESS_FAULTS = {Fault.ENDLESS_LIST}
STRIKING = [fault for fault in Fault if fault not in DATA_FAULTS | ENDLESS_FAULTS | OF_WRITES]


def switch_on(api: Api, *faults: Fault, rate: float = 1.0, limit: int | None = None, seed: int = 7) -> Api:
    api.server.sandbox.set_faults(FaultPlan({fault: FaultRate(rate, limit) for fault in faults}, seed))
    return api


def ids(api: Api, path: str) -> set[str]:
    return {doc["id"] for doc in api.organization.rows(path)}


@pytest.mark.parametrize("cursor_kind", ["keyset", "offset"])
@pytest.mark.parametrize("fault", STRIKING)
def test_each_fault_fires_and_a_careful_client_survives_it_even_at_full_rate(
    serve: Serve, fault: Fault, cursor_kind: str
) -> None:
    api = serve(bills=130, orgs=1, cursor_kind=cursor_kind, slow_ms=1)
    switch_on(api, fault, limit=DEFAULT_LIMITS.get(fault))
    walker = Walker(api)
    for path in ("/v3/bills", "/v3/payments", "/v3/roles"):
        for sort in ("createdTime:asc", "updatedTime:asc"):
            assert set(walker.everything(path, sort=sort, max=20)) == ids(api, path)
    assert api.server.sandbox.faults.fired[fault] > 0
    assert walker.worst_row_of_failures <= IN_A_ROW


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_faults_together_are_survivable_and_lose_nothing(serve: Serve, seed: int) -> None:
    api = serve(bills=150, orgs=1, slow_ms=1)
    plan = FaultPlan.parse("all=0.15", seed)
    api.server.sandbox.set_faults(plan)
    walker = Walker(api)
    for kind in KINDS:
        assert set(walker.everything(kind.path, max=25)) == ids(api, kind.path)
    assert len(api.server.sandbox.faults.fired) > 8
    assert walker.worst_row_of_failures <= IN_A_ROW
    api.server.sandbox.set_faults(FaultPlan())
    assert walker.everything("/v3/bills") == {doc["id"]: doc for doc in api.organization.rows("bills")}


@pytest.mark.parametrize(
    "fault",
    [
        Fault.HTML_502,
        Fault.RESET,
        Fault.TRUNCATED_JSON,
        Fault.SINGLE_OBJECT_ERROR,
        Fault.HOURLY_LIMIT,
        Fault.CONCURRENCY_LIMIT,
    ],
)
def test_the_same_request_fails_at_most_twice_in_a_row(serve: Serve, fault: Fault) -> None:
    api = switch_on(serve(), fault)

    def works() -> bool:
        try:
            answer = api.get("/v3/roles")
            return answer.status_code == 200 and bool(answer.json()["results"])
        except (requests.RequestException, ValueError):
            return False

    assert [works() for _ in range(6)] == [False, False, True] * 2
    assert api.server.sandbox.faults.fired == {fault: 4}


def test_an_edge_failure_is_a_page_of_html(serve: Serve) -> None:
    answer = switch_on(serve(), Fault.HTML_502).get("/v3/bills")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")


def test_a_cut_answer_has_a_matching_length_and_half_a_document(serve: Serve) -> None:
    answer = switch_on(serve(), Fault.TRUNCATED_JSON).get("/v3/bills")
    assert (answer.status_code, int(answer.headers["content-length"])) == (200, len(answer.content))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_reset_closes_the_connection_in_mid_body(serve: Serve) -> None:
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        switch_on(serve(), Fault.RESET).get("/v3/bills")


def test_a_single_object_error_is_no_array(serve: Serve) -> None:
    answer = switch_on(serve(), Fault.SINGLE_OBJECT_ERROR).get("/v3/bills")
    assert (answer.status_code, list(answer.json())) == (500, ["message"])


def test_a_dying_session_is_really_dead(serve: Serve) -> None:
    api = switch_on(serve(), Fault.SESSION_DEATH, limit=1)
    assert codes(api.get("/v3/bills")) == ["BDC_1109"]
    assert codes(api.get("/v3/vendors")) == ["BDC_1109"]
    assert api.log_in().get("/v3/bills").status_code == 200


@pytest.mark.parametrize("status", [422, 429])
def test_false_throttling_looks_like_real_throttling(serve: Serve, status: int) -> None:
    api = switch_on(serve(throttle_status=status), Fault.HOURLY_LIMIT)
    answer = api.get("/v3/bills")
    assert (answer.status_code, codes(answer)) == (status, ["BDC_1144"])
    answer = switch_on(api, Fault.CONCURRENCY_LIMIT).get("/v3/bills")
    assert (answer.status_code, codes(answer)) == (status, ["BDC_1322"])


def test_a_repeated_cursor_comes_once_per_walk_and_then_leads_on(serve: Serve) -> None:
    api = switch_on(serve(bills=100, orgs=1), Fault.REPEATED_CURSOR)
    cursor = api.get("/v3/bills", max=20).json()["nextPage"]
    struck = api.get("/v3/bills", max=20, page=cursor).json()
    assert struck["nextPage"] == cursor
    again = api.get("/v3/bills", max=20, page=cursor).json()
    assert again["results"] == struck["results"]
    assert again["nextPage"] != cursor
    assert [row["id"] for row in api.everything("/v3/bills", max=20)] == [
        doc["id"] for doc in api.organization.rows("bills")
    ]


def test_a_refused_cursor_comes_once_per_walk(serve: Serve) -> None:
    api = switch_on(serve(bills=100, orgs=1), Fault.CURSOR_REFUSED)
    cursor = api.get("/v3/bills", max=20).json()["nextPage"]
    assert api.get("/v3/bills", max=20, page=cursor).status_code == 400
    assert api.get("/v3/bills", max=20, page=cursor).status_code == 200


def test_an_empty_page_leads_on_to_the_rows(serve: Serve) -> None:
    api = switch_on(serve(bills=60, orgs=1), Fault.EMPTY_PAGE)
    sizes = [len(page) for page in api.pages("/v3/bills", max=20)]
    assert sizes == [0, 20, 0, 20, 0, 20]


def test_a_duplicate_row_is_the_last_one_of_the_page_before(serve: Serve) -> None:
    api = switch_on(serve(bills=60, orgs=1), Fault.DUPLICATE_ROWS)
    pages = [[row["id"] for row in page] for page in api.pages("/v3/bills", max=20)]
    assert all(left[-1] == right[0] for left, right in pairwise(pages))
    assert {one for page in pages for one in page} == ids(api, "bills")
    assert max(map(len, pages)) == 20


def test_a_moving_row_gets_a_new_update_time_between_two_pages(serve: Serve) -> None:
    api = serve(bills=60, orgs=1)
    before = {doc["id"]: doc["updatedTime"] for doc in api.organization.rows("bills")}
    switch_on(api, Fault.MOVING_ROWS, limit=1)
    seen = {row["id"] for row in api.everything("/v3/bills", max=20, sort="updatedTime:asc")}
    moved = [doc for doc in api.organization.rows("bills") if doc["updatedTime"] != before[doc["id"]]]
    assert [doc["updatedTime"] for doc in moved] == ["2026-07-14T12:00:00.000+00:00"]
    assert seen == set(before)


def test_row_oddities_stay_with_their_rows_and_with_the_truth(serve: Serve) -> None:
    api = switch_on(serve(bills=200, orgs=1), *ROW_FAULTS, rate=0.2)
    rows = api.everything("/v3/bills")
    assert rows == api.everything("/v3/bills") == api.organization.rows("bills")
    for row in rows:
        assert api.get(f"/v3/bills/{row['id']}").status_code == 200
    shares = [
        sum(None in row.values() for row in rows),
        sum(UNKNOWN_KEY in row for row in rows),
        sum(row["paymentStatus"] == UNKNOWN_VALUE for row in rows),
    ]
    assert all(15 < count < 80 for count in shares), shares
    assert all(UNKNOWN_KEY in line for row in rows if UNKNOWN_KEY in row for line in row["billLineItems"])
    assert set(api.server.sandbox.faults.fired) == ROW_FAULTS


def test_a_write_whose_answer_is_lost_was_carried_out_and_one_refused_at_the_edge_was_not(serve: Serve) -> None:
    api = serve()
    path = "/v3/classifications/chart-of-accounts"

    def named(name: str) -> int:
        return sum(doc["name"] == name for doc in api.organization.rows(path))

    switch_on(api, Fault.RESET)
    with pytest.raises(requests.RequestException):
        api.post(path, {"name": "Lost answer"})
    assert named("Lost answer") == 1
    switch_on(api, Fault.HTML_502)
    assert api.post(path, {"name": "Never arrived"}).status_code == 502
    assert named("Never arrived") == 0


def test_logins_meet_faults_too_but_never_session_death(serve: Serve) -> None:
    api = switch_on(serve(log_in=False), Fault.SESSION_DEATH, Fault.HTML_502)
    statuses = [api.post("/v3/login", api.login_body()).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]


def test_v2_meets_the_same_faults_in_its_own_form(serve: Serve) -> None:
    api = switch_on(serve(), Fault.HOURLY_LIMIT, limit=1)
    answer = api.v2("List/Bill.json", {"start": 0, "max": 5})
    assert (answer.status_code, answer.json()["response_data"]["error_code"]) == (200, "BDC_1144")
    switch_on(api, Fault.SESSION_DEATH, limit=1)
    answer = api.v2("List/Bill.json", {"start": 0, "max": 5})
    assert answer.json()["response_data"] == {
        "error_code": "BDC_1109",
        "error_message": "Session is invalid.  Please log in.",
    }


def test_a_plan_reads_back_as_it_was_written() -> None:
    plan = FaultPlan.parse("html_502,reset=0.25,session_death=0.5*3")
    assert plan.rates == {
        Fault.HTML_502: FaultRate(0.05),
        Fault.RESET: FaultRate(0.25),
        Fault.SESSION_DEATH: FaultRate(0.5, 3),
    }
    assert FaultPlan.parse(plan.text()) == plan
    one_write = FaultPlan.parse("reset=1*2@3")
    assert one_write.rates == {Fault.RESET: FaultRate(1, 2, write=3)}
    assert FaultPlan.parse(one_write.text()) == one_write
    everything = FaultPlan.parse("all=0.02")
    assert set(everything.rates) == set(Fault) - DATA_FAULTS - ENDLESS_FAULTS


@pytest.mark.parametrize(
    "text", ["no_such_fault", "reset=2", "reset=-0.1", "reset=often", "reset=0.1*many", "reset@first"]
)
def test_a_bad_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        FaultPlan.parse(text)


def test_which_requests_are_struck_depends_on_the_seed_and_not_on_the_order() -> None:
    def struck(seed: int, requests_made: list[str]) -> dict[str, bool]:
        faults = Faults(FaultPlan({Fault.RESET: FaultRate(0.3)}, seed))
        return {request: faults.fails(Fault.RESET, request) for request in requests_made}

    made = [f"GET /v3/bills?page={number}" for number in range(200)]
    assert struck(1, made) == struck(1, made[::-1])
    assert struck(1, made) != struck(2, made)
    assert 30 < sum(struck(1, made).values()) < 90


def test_no_fault_fires_unless_switched_on(serve: Serve) -> None:
    api = serve()
    rows: list[dict[str, Any]] = api.everything("/v3/bills", max=3)
    assert len(rows) == len(api.organization.table(BILLS))
    assert not api.server.sandbox.faults.fired


ACCOUNTS = "/v3/classifications/chart-of-accounts"


def names(api: Api) -> list[str]:
    return [doc["name"] for doc in api.organization.rows(ACCOUNTS)]


def gets_through(api: Api, name: str) -> bool:
    try:
        answer = api.post(ACCOUNTS, {"name": name, "account": {"type": "EXPENSE"}})
        return bool(answer.status_code == 201 and answer.json()["id"])
    except (requests.RequestException, ValueError):
        return False


@pytest.mark.parametrize(
    ("fault", "is_done"),
    [
        *((fault, False) for fault in (Fault.HTML_502, Fault.SINGLE_OBJECT_ERROR, Fault.RESET_UNDONE)),
        *((fault, False) for fault in (Fault.SESSION_DEATH, Fault.HOURLY_LIMIT, Fault.CONCURRENCY_LIMIT)),
        *((fault, True) for fault in (Fault.RESET, Fault.TRUNCATED_JSON, Fault.ERROR_DONE)),
    ],
)
def test_the_write_that_is_named_fails_before_or_after_it_was_carried_out(
    serve: Serve, fault: Fault, is_done: bool
) -> None:
    api = serve(bills=0)
    before = names(api)
    api.server.sandbox.set_faults(FaultPlan({fault: FaultRate(1, write=2)}))
    assert api.get("/v3/roles").status_code == 200
    assert [gets_through(api, name) for name in ("one", "two")] == [True, False]
    api.log_in()
    assert gets_through(api, "three")
    assert names(api)[len(before) :] == ["one", *(["two"] if is_done else []), "three"]
    assert api.server.sandbox.faults.fired == {fault: 1}


def test_a_stalled_write_is_carried_out_and_its_caller_waits_in_vain(serve: Serve) -> None:
    api = serve(bills=0, stall_ms=400)
    api.server.sandbox.set_faults(FaultPlan({Fault.STALLED: FaultRate(1, write=1)}))
    url = api.server.base_url + ACCOUNTS
    with pytest.raises(requests.ReadTimeout):
        api.http.post(url, json={"name": "late"}, headers=api.headers, timeout=0.1)
    assert "late" in names(api)


def test_faults_of_writes_leave_reads_alone(serve: Serve) -> None:
    api = switch_on(serve(), *OF_WRITES)
    assert api.get("/v3/bills").status_code == 200
    assert api.v2_data("List/Bill.json", {"start": 0, "max": 5})
    assert not api.server.sandbox.faults.fired
