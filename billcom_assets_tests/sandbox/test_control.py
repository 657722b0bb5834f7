from __future__ import annotations

from typing import Any

import pytest

from billcom_assets_tests.sandbox.api import DEV_KEY, Api, codes
from billcom_assets_tests.sandbox.conftest import Serve


def control(api: Api, route: str, body: Any = None, /, **params: Any) -> Any:
    method = "GET" if body is None else "POST"
    answer = api.http.request(method, api.server.control_url + route, json=body, params=params, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_index_names_every_route_and_what_it_does(serve: Serve) -> None:
    index = control(serve(), "/")
    assert "GET /_sandbox/state" in index
    assert all(index.values())


def test_the_state_counts_what_was_asked_and_a_reset_starts_anew(serve: Serve) -> None:
    api = serve()
    api.get("/v3/bills", max=7)
    api.get("/v3/bills", filters="nonsense")
    api.v2("List/User.json", {})
    state = control(api, "/state")
    assert (state["requests"], state["logins"], state["sessions"]) == (4, 1, 1)
    assert state["paths"] == {"POST /v3/login": 1, "GET /v3/bills": 2, "POST /List/User.json": 1}
    assert state["statuses"] == {"200": 3, "400": 1}
    assert state["rows"] == 7 + 6
    assert state["peaks"] == [{"dev_key": DEV_KEY, "organization": api.organization.id, "peak": 1}]
    assert state["crashes"] == []
    reset = control(api, "/reset", {})
    assert (reset["requests"], reset["paths"], reset["peaks"]) == (0, {}, [])


def test_organizations_come_with_credentials_that_work(serve: Serve) -> None:
    api = serve(log_in=False)
    first, second = control(api, "/organizations")
    assert first["counts"]["/v3/bills"] == 40
    for one in (first, second):
        body = {"username": one["username"], "password": one["password"], "devKey": one["dev_key"]}
        assert api.post("/v3/login", body | {"organizationId": one["organization_id"]}).status_code == 200
        token = {"username": one["token_name"], "password": one["token_value"], "devKey": one["dev_key"]}
        assert api.post("/v3/login", token | {"organizationId": one["organization_id"]}).status_code == 200


def test_the_truth_is_what_the_list_serves(serve: Serve) -> None:
    api = serve()
    assert control(api, "/truth", path="/v3/bills") == api.get("/v3/bills", max=100).json()["results"]
    other = api.server.world.organizations[1]
    rows = control(api, "/truth", path="vendors", organization=other.id)
    assert [row["id"] for row in rows] == [doc["id"] for doc in other.rows("vendors")]
    assert control(api, "/truth", path="classifications/items", count="true") == {
        "count": api.organization.count("classifications/items")
    }


def test_changes_can_be_made_from_outside(serve: Serve) -> None:
    api = serve()
    done = control(api, "/change", {"n": 5, "seed": 3})
    assert len(done) == 5
    for change in done:
        assert api.get(f"{change['path']}/{change['id']}").status_code == 200
    (bill,) = control(api, "/change", {"n": 1, "seed": 3, "only": "enter a bill"})
    assert bill["path"] == "/v3/bills"


def test_the_clock_can_be_moved_set_and_put_back(serve: Serve) -> None:
    api = serve()
    assert control(api, "/clock", {"advance_seconds": 3_600})["now"] == "2026-07-14T13:00:00+00:00"
    assert codes(api.get("/v3/roles")) == ["BDC_1109"]
    assert control(api, "/clock", {"set": "2026-08-01T00:00:00+00:00"})["now"] == "2026-08-01T00:00:00+00:00"
    assert control(api, "/clock")["now"] == "2026-08-01T00:00:00+00:00"
    assert control(api, "/clock", {"reset": True})["offset_seconds"] == 0


def test_faults_are_switched_on_and_off(serve: Serve) -> None:
    api = serve()
    assert control(api, "/faults", {"plan": "html_502=1*1", "seed": 2}) == {
        "plan": "html_502=1*1",
        "seed": 2,
        "fired": {},
    }
    assert api.get("/v3/roles").status_code == 502
    assert control(api, "/faults")["fired"] == {"html_502": 1}
    assert control(api, "/faults", {"plan": ""})["plan"] == ""
    assert api.get("/v3/roles").status_code == 200


def test_settings_are_shown_and_changed(serve: Serve) -> None:
    api = serve()
    shown = control(api, "/settings")
    assert (shown["bills"], shown["cursor_kind"], shown["faults"]) == (40, "keyset", "")
    assert control(api, "/settings", {"cursor_kind": "offset", "latency_ms": 1})["cursor_kind"] == "offset"
    cursor = api.get("/v3/bills").json()["nextPage"]
    assert api.get("/v3/bills", page=cursor).status_code == 200


def test_sessions_are_killed_and_organizations_locked(serve: Serve) -> None:
    api = serve()
    assert control(api, "/sessions/kill", {}) == {"killed": 1}
    assert codes(api.get("/v3/roles")) == ["BDC_1109"]
    assert control(api, "/lock", {})["locked"] is True
    assert codes(api.post("/v3/login", api.login_body())) == ["BDC_1107"]
    assert control(api, "/lock", {"locked": False})["locked"] is False
    api.log_in()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"plan": "nonsense"}),
        ("/faults", {"plan": "case_twin_ids=0.1"}),
        ("/settings", {"bills": 5}),
        ("/settings", {"no_such_setting": 5}),
        ("/settings", {"throttle_status": 500}),
        ("/clock", {"set": "2026-08-01T00:00:00"}),
        ("/change", {"organization": "008"}),
        ("/change", {"only": "nonsense"}),
    ],
)
def test_a_bad_control_request_says_why(serve: Serve, path: str, body: Any) -> None:
    api = serve()
    answer = api.http.post(api.server.control_url + path, json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert api.http.get(f"{api.server.control_url}/truth", params={"path": "nonsense"}, timeout=5).status_code == 400
