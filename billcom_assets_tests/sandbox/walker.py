"""A client as careful as BILL's documents ask for: the yardstick of which faults are survivable."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import requests

from billcom_assets_tests.sandbox.api import Api

TRIES = 8
RESTARTS = 12
PASSING = {"BDC_1144", "BDC_1322"}


class GaveUp(Exception):
    """The yardstick client could not get through."""


class Walker:
    """Reads whole lists through faults, by retrying, logging in again and restarting walks."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.logins = 0
        self.worst_row_of_failures = 0

    def everything(self, path: str, **params: Any) -> dict[str, dict[str, Any]]:
        """Every object of a list by its id, the latest state that was seen."""
        rows: dict[str, dict[str, Any]] = {}
        for _ in range(RESTARTS):
            if self._walk(path, {"max": 100} | params, rows):
                return rows
        raise GaveUp(f"{path}: restarted {RESTARTS} times")

    def _walk(self, path: str, params: dict[str, Any], rows: dict[str, dict[str, Any]]) -> bool:
        """One walk; False when its cursor failed it and it has to start anew."""
        cursors: list[str] = []
        while True:
            page = self.ask(path, params | ({"page": cursors[-1]} if cursors else {}))
            if page is None:
                return False
            rows.update({row["id"]: row for row in page["results"]})
            onward = page.get("nextPage")
            if not onward:
                return True
            if onward in cursors:
                return False
            cursors.append(onward)

    def ask(self, path: str, params: dict[str, Any]) -> Any:
        """The body of one successful answer; None when a cursor was refused."""
        for failures in range(TRIES):
            self.worst_row_of_failures = max(self.worst_row_of_failures, failures)
            try:
                answer = self.api.get(path, **params)
                body = answer.json(parse_float=Decimal)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, ValueError):
                continue
            if answer.status_code == 200:
                return body
            if not isinstance(body, list) or body[0].get("code") in PASSING:
                continue
            if body[0].get("code") == "BDC_1109":
                self.log_in()
                continue
            if answer.status_code == 400 and "page" in params:
                return None
            raise GaveUp(answer.text)
        raise GaveUp(f"{path}: {TRIES} failures in a row")

    def log_in(self) -> None:
        for _ in range(TRIES):
            self.logins += 1
            try:
                answer = self.api.post("/v3/login", self.api.login_body())
                body = answer.json()
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, ValueError):
                continue
            if answer.status_code == 200:
                self.api.headers["sessionId"] = body["sessionId"]
                return
        raise GaveUp("no login")
