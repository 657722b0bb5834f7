"""Access tokens of OAuth clients, and console tokens of accounting firms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from billcom_assets_tests.sandbox.api import DEV_KEY, Api, codes
from billcom_assets_tests.sandbox.conftest import Serve


def token_answer(api: Api, address: str = "", **changes: str) -> requests.Response:
    client = api.organization.client
    form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret} | changes
    return api.http.post(f"{address or api.server.base_url}/authx/token", data=form, timeout=10)


def with_token(api: Api) -> Api:
    api.headers = {"Authorization": f"Bearer {token_answer(api).json()['access_token']}"}
    return api


def test_an_access_token_alone_reaches_the_clients_organization(serve: Serve) -> None:
    api = serve(log_in=False)
    granted = token_answer(api).json()
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)

    assert with_token(api).get("/v3/login/session").json()["organizationId"] == api.organization.id
    mixed = api.call("GET", "/v3/roles", headers={"devKey": DEV_KEY})
    assert mixed.status_code == 401


def test_an_access_token_ends_by_the_clock_however_busy_it_is(serve: Serve) -> None:
    api = with_token(serve(log_in=False, oauth_token_minutes=30))
    api.server.clock.advance(timedelta(minutes=30, seconds=-1))
    assert api.get("/v3/roles").status_code == 200
    api.server.clock.advance(timedelta(seconds=1))
    dead = api.get("/v3/roles")
    assert (dead.status_code, dead.json()) == (401, {"message": "Unauthorized"})


def test_a_dead_token_may_be_reported_as_a_dead_session(serve: Serve) -> None:
    api = with_token(serve(log_in=False, dead_token="bill"))
    api.server.sandbox.sessions.end_all()
    assert codes(api.get("/v3/roles")) == ["BDC_1109"]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_client_gets_no_token(serve: Serve, changes: dict[str, str], status: int, error: str) -> None:
    refused = token_answer(serve(log_in=False), **changes)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


def test_a_revoked_client_gets_no_token_and_those_it_has_are_dead(serve: Serve) -> None:
    api = with_token(serve(log_in=False))
    requests.post(f"{api.server.base_url.removesuffix('/connect')}/_sandbox/client/revoke", json={}, timeout=10)

    assert api.get("/v3/roles").status_code == 401
    assert token_answer(api).json()["error"] == "invalid_client"


def test_the_token_endpoint_may_be_at_the_root_and_refuse_in_bills_own_form(serve: Serve) -> None:
    api = serve(log_in=False, token_path="at_root", token_errors="bill")
    root = api.server.base_url.removesuffix("/connect")

    assert codes(token_answer(api)) == ["BDC_1121"]
    assert token_answer(api, root).status_code == 200
    assert codes(token_answer(api, root, client_secret="wrong")) == [None]


def test_payments_are_beyond_the_scope_of_accounting_data(serve: Serve) -> None:
    api = with_token(serve(log_in=False))
    payment = "/v3/payments/stp00000000000000000/cancel"
    refused = api.post(payment)
    assert refused.status_code == 403
    assert "scope" in refused.json()[0]["message"]

    api.server.sandbox.change_settings(oauth_full_access=True)
    assert with_token(api).post(payment).status_code == 404


def test_requests_and_tokens_count_for_the_client(serve: Serve) -> None:
    api = with_token(serve(log_in=False, logins_per_hour=1, requests_per_hour=2))
    assert api.get("/v3/roles").status_code == 200
    assert codes(api.get("/v3/roles")) == ["BDC_1144"]
    api.server.sandbox.change_settings(requests_per_hour=20)
    assert codes(token_answer(api)) == ["BDC_1144"]


def test_an_accountant_logs_in_with_a_console_token_in_place_of_a_password(serve: Serve) -> None:
    api = serve(log_in=False)
    accountant = api.organization.accountant
    body: dict[str, Any] = {"username": accountant.username, "password": None, "consoleApiToken": accountant.password}

    session = api.post("/v3/login", api.login_body(**body)).json()

    assert (session["organizationId"], session["userId"]) == (api.organization.id, accountant.user_id)
    wrong = api.login_body(**body | {"consoleApiToken": "wrong"})
    assert codes(api.post("/v3/login", wrong)) == ["BDC_1101"]
    as_password = api.login_body(**body | {"consoleApiToken": None, "password": accountant.password})
    assert codes(api.post("/v3/login", as_password)) == ["BDC_1101"]
