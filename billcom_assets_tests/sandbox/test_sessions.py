from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billcom_assets_tests.sandbox.api import DEV_KEY, Api, codes
from billcom_assets_tests.sandbox.conftest import Serve


def test_a_login_names_the_session_the_organization_and_the_user(serve: Serve) -> None:
    api = serve(log_in=False)
    answer = api.post("/v3/login", api.login_body())
    body = answer.json()
    assert set(body) == {"sessionId", "organizationId", "userId", "trusted"}
    assert body["organizationId"] == api.organization.id
    assert body["userId"].startswith("006")
    assert body["trusted"] is False


def test_a_sync_token_is_a_system_user(serve: Serve) -> None:
    api = serve(log_in=False).log_in(token=True)
    assert api.get("/v3/login/session").json()["userId"].startswith("syu")
    assert codes(api.get("/v3/bill-approvals/pending-user-approvals")) == ["BDC_1302"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"password": "wrong"}, 401, "BDC_1101"),
        ({"username": "nobody@example.com"}, 401, "BDC_1101"),
        ({"organizationId": "00802AAAAAAAAAA00000"}, 401, "BDC_1101"),
        ({"devKey": "wrong"}, 401, "BDC_1102"),
        ({"devKey": f"{DEV_KEY}\n"}, 401, "BDC_1102"),
    ],
)
def test_wrong_credentials_are_named_by_their_code(
    serve: Serve, changes: dict[str, Any], status: int, code: str
) -> None:
    api = serve(log_in=False)
    answer = api.post("/v3/login", api.login_body(**changes))
    assert (answer.status_code, codes(answer)) == (status, [code])


def test_the_credentials_of_another_organization_do_not_fit(serve: Serve) -> None:
    api = serve(log_in=False)
    other = api.server.world.organizations[1]
    answer = api.post("/v3/login", api.login_body(organizationId=other.id))
    assert codes(answer) == ["BDC_1101"]


def test_each_missing_login_field_is_an_error_of_its_own(serve: Serve) -> None:
    api = serve(log_in=False)
    answer = api.post("/v3/login", {"username": "x"})
    assert answer.status_code == 400
    assert [error["message"] for error in answer.json()] == [
        "password: must not be null",
        "organizationId: must not be null",
        "devKey: must not be null",
    ]
    assert all("code" not in error for error in answer.json())


def test_the_dev_key_of_a_login_belongs_in_the_body(serve: Serve) -> None:
    api = serve(log_in=False)
    answer = api.call("POST", "/v3/login", json=api.login_body(devKey=None), headers={"devKey": DEV_KEY})
    assert [error["message"] for error in answer.json()] == ["devKey: must not be null"]


def test_a_locked_organization_refuses_logins_until_unlocked(serve: Serve) -> None:
    api = serve(log_in=False, failed_logins_to_lock=3)
    for _ in range(3):
        api.post("/v3/login", api.login_body(password="wrong"))
    answer = api.post("/v3/login", api.login_body())
    assert (answer.status_code, codes(answer)) == (423, ["BDC_1107"])
    api.organization.locked = False
    api.log_in()


@pytest.mark.parametrize(("token", "life"), [(False, timedelta(minutes=35)), (True, timedelta(hours=48))])
def test_an_idle_session_dies_and_a_used_one_lives_on(serve: Serve, token: bool, life: timedelta) -> None:
    api = serve(log_in=False).log_in(token=token)
    clock = api.server.clock
    for _ in range(3):
        clock.advance(life - timedelta(seconds=1))
        assert api.get("/v3/roles").status_code == 200
    clock.advance(life + timedelta(seconds=1))
    answer = api.get("/v3/roles")
    assert (answer.status_code, codes(answer)) == (401, ["BDC_1109"])


def test_logging_out_ends_the_session_with_an_empty_answer(serve: Serve) -> None:
    api = serve()
    answer = api.call("POST", "/v3/logout")
    assert (answer.status_code, answer.content) == (200, b"")
    assert codes(api.get("/v3/roles")) == ["BDC_1109"]


@pytest.mark.parametrize(
    "headers", [{"sessionId": "unknown"}, {"sessionId": ""}, {"devKey": "other-key"}, {"devKey": ""}]
)
def test_a_session_works_only_with_its_own_dev_key(serve: Serve, headers: dict[str, str]) -> None:
    api = serve(dev_keys=(DEV_KEY, "other-key"))
    answer = api.call("GET", "/v3/roles", headers=headers)
    assert (answer.status_code, codes(answer)) == (401, ["BDC_1109"])


def test_several_sessions_of_one_user_live_side_by_side(serve: Serve) -> None:
    first = serve()
    second = Api(first.server).log_in()
    assert first.headers["sessionId"] != second.headers["sessionId"]
    assert first.get("/v3/roles").status_code == second.get("/v3/roles").status_code == 200


def test_a_session_sees_its_own_organization_only(serve: Serve) -> None:
    first = serve()
    second = Api(first.server, first.server.world.organizations[1]).log_in()
    ours, theirs = ({row["id"] for row in api.everything("/v3/bills")} for api in (first, second))
    assert len(ours) == len(theirs) == 40
    assert not ours & theirs
    assert first.get(f"/v3/organizations/{first.organization.id}").json()["name"] == first.organization.name
    assert codes(first.get(f"/v3/organizations/{second.organization.id}")) == ["BDC_1205"]
    assert codes(first.get(f"/v3/bills/{min(theirs)}")) == ["BDC_1205"]


def test_health_needs_no_session(serve: Serve) -> None:
    answer = serve(log_in=False).get("/v3/health")
    assert set(answer.json()) == {"appId", "appEnv", "appVersion", "bdcRegion"}


def test_an_unknown_path_or_verb_is_not_supported(serve: Serve) -> None:
    api = serve()
    for method, path in (("GET", "/v3/Bills"), ("GET", "/v3/session"), ("DELETE", "/v3/bills"), ("GET", "/v4/bills")):
        answer = api.call(method, path)
        assert (answer.status_code, codes(answer)) == (404, ["BDC_1121"]), path


def test_a_remembered_device_makes_a_session_trusted_but_never_a_token(serve: Serve) -> None:
    api = serve()
    remembered = {"rememberMeId": api.organization.remember_me_id, "device": api.organization.device}
    assert codes(api.post("/v3/mfa/step-up", {**remembered, "device": "other"})) == ["BDC_1361"]
    assert api.post("/v3/mfa/step-up", remembered).json() == {"trusted": True}
    assert api.get("/v3/login/session").json()["mfaStatus"] == "COMPLETE"
    token = Api(api.server).log_in(token=True, trusted=True)
    assert codes(token.post("/v3/mfa/step-up", remembered)) == ["BDC_1361"]
    assert token.get("/v3/login/session").json()["mfaStatus"] == "DISABLED"


def test_errors_have_the_documented_keys(serve: Serve) -> None:
    (error,) = serve(log_in=False).get("/v3/bills").json()
    assert set(error) == {"timestamp", "code", "severity", "category", "message"}
    assert error["timestamp"] == "2026-07-14T12:00:00.000+00:00"
    assert (error["severity"], error["message"]) == ("ERROR", "Session is invalid. Please log in.")
