"""A caller with no intelligence of its own: what BILL's documentation says to send, and the answer as it came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import requests

from billcom_assets.sandbox import Organization, SandboxServer

DEV_KEY = "sandbox-dev-key"


class Api:
    """Calls one organization of a sandbox over HTTP."""

    def __init__(self, server: SandboxServer, organization: Organization | None = None) -> None:
        self.server = server
        self.organization = organization or server.world.organization()
        self.http = requests.Session()
        self.http.trust_env = False
        self.headers: dict[str, str] = {"devKey": DEV_KEY}

    def login_body(self, *, token: bool = False, **changes: Any) -> dict[str, Any]:
        login = self.organization.token if token else self.organization.user
        body = {
            "username": login.username,
            "password": login.password,
            "organizationId": self.organization.id,
            "devKey": DEV_KEY,
        }
        return {key: value for key, value in (body | changes).items() if value is not None}

    def log_in(self, *, token: bool = False, trusted: bool = False, **changes: Any) -> Api:
        if trusted:
            changes |= {"rememberMeId": self.organization.remember_me_id, "device": self.organization.device}
        answer = self.http.post(f"{self.server.base_url}/v3/login", json=self.login_body(token=token, **changes))
        assert answer.status_code == 200, answer.text
        self.headers["sessionId"] = answer.json()["sessionId"]
        return self

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = self.headers | options.pop("headers", {})
        if "json" in options:
            options["data"] = json.dumps(options.pop("json"), default=str)
            headers["Content-Type"] = "application/json"
        return self.http.request(method, self.server.base_url + path, headers=headers, timeout=10, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **params: Any) -> requests.Response:
        return self.call("POST", path, json={} if body is None else body, params=params)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.call("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> requests.Response:
        return self.call("PUT", path, json=body)

    def pages(self, path: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
        """Every page of a list, following ``nextPage`` to its absence."""
        cursor: dict[str, str] = {}
        while True:
            answer = self.get(path, **params, **cursor)
            assert answer.status_code == 200, answer.text
            body = answer.json(parse_float=Decimal)
            yield body["results"]
            if "nextPage" not in body:
                return
            cursor = {"page": body["nextPage"]}

    def everything(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return [row for page in self.pages(path, **{"max": 100} | params) for row in page]

    def v2(self, path: str, data: Any = None, **form: str) -> requests.Response:
        fields = {"devKey": DEV_KEY, "sessionId": self.headers.get("sessionId", "")}
        if data is not None:
            fields["data"] = json.dumps(data)
        return self.http.post(f"{self.server.v2_base_url}/{path}", data=fields | form, timeout=10)

    def v2_data(self, path: str, data: Any = None, **form: str) -> Any:
        answer = self.v2(path, data, **form)
        envelope = answer.json(parse_float=Decimal)
        assert (answer.status_code, envelope["response_status"]) == (200, 0), answer.text
        return envelope["response_data"]


def codes(answer: requests.Response) -> list[str | None]:
    """The BDC codes of a v3 error array."""
    assert answer.status_code >= 400, answer.text
    return [error.get("code") for error in answer.json()]
