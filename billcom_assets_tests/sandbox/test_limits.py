from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from billcom_assets_tests.sandbox.api import DEV_KEY, Api, codes
from billcom_assets_tests.sandbox.conftest import Serve


@pytest.mark.parametrize("status", [422, 429])
def test_the_hourly_limit_holds_for_the_key_until_the_next_clock_hour(serve: Serve, status: int) -> None:
    api = serve(requests_per_hour=5, throttle_status=status)
    other = Api(api.server, api.server.world.organizations[1]).log_in()
    answers = [one.get("/v3/roles") for one in (api, other, api, other)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, status]
    (error,) = answers[-1].json()
    assert error["code"] == "BDC_1144"
    assert error["message"].endswith("reached: 5.")
    assert "Retry-After" not in answers[-1].headers
    api.server.clock.advance(timedelta(minutes=59))
    assert codes(api.get("/v3/roles")) == ["BDC_1144"]
    api.server.clock.advance(timedelta(minutes=1))
    api.log_in()
    assert api.get("/v3/roles").status_code == 200


def test_logins_have_a_limit_of_their_own(serve: Serve) -> None:
    api = serve(log_in=False, logins_per_hour=2)
    api.log_in()
    api.v2_data("Login.json", userName=api.organization.user.username, password=api.organization.user.password,
                orgId=api.organization.id)  # fmt: skip
    answer = api.post("/v3/login", api.login_body())
    assert answer.status_code == 422
    assert answer.json()[0]["message"].endswith("reached: 2.")
    assert api.get("/v3/roles").status_code == 200


def test_listing_organizations_has_a_limit_beside_that_of_logins(serve: Serve) -> None:
    api = serve(logins_per_hour=2)
    form = {"userName": api.organization.user.username, "password": api.organization.user.password}
    codes_ = [api.v2("ListOrgs.json", **form).json()["response_data"] for _ in range(3)]
    assert [isinstance(one, list) for one in codes_] == [True, True, False]
    assert codes_[-1]["error_code"] == "BDC_1144"
    api.log_in()


def test_a_second_dev_key_has_a_budget_of_its_own(serve: Serve) -> None:
    api = serve(requests_per_hour=2, dev_keys=(DEV_KEY, "second"))
    api.get("/v3/roles")
    assert codes(api.get("/v3/roles")) == ["BDC_1144"]
    second = Api(api.server)
    second.headers["devKey"] = "second"
    second.log_in(devKey="second")
    assert second.get("/v3/roles").status_code == 200


def test_a_fourth_request_in_flight_is_refused_and_the_peak_is_kept(serve: Serve) -> None:
    api = serve(latency_ms=300)
    lanes = [Api(api.server) for _ in range(4)]
    for lane in lanes:
        lane.headers = dict(api.headers)
    api.server.sandbox.reset_stats()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda lane: lane.get("/v3/roles"), lanes))
    refused = [answer for answer in answers if answer.status_code == 422]
    assert [codes(answer) for answer in refused] == [["BDC_1322"]]
    assert api.server.sandbox.limits.peak == {(DEV_KEY, api.organization.id): 4}


def test_organizations_do_not_share_their_lanes(serve: Serve) -> None:
    api = serve(latency_ms=200)
    other = Api(api.server, api.server.world.organizations[1]).log_in()
    lanes = []
    for origin in (api, api, api, other, other, other):
        lane = Api(api.server, origin.organization)
        lane.headers = dict(origin.headers)
        lanes.append(lane)
    api.server.sandbox.reset_stats()
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status_code for answer in pool.map(lambda lane: lane.get("/v3/roles"), lanes)} == {200}
    assert set(api.server.sandbox.limits.peak.values()) == {3}
