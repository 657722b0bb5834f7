"""Dagster's own web application behind the guard: what pages of others can make a browser send does nothing."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest
import requests
from dagster._core.test_utils import create_run_for_test
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from billcom_assets.webserver.dagster_parts import web_application
from billcom_assets.webserver.guard import Guard, UnusableHost, allowed_hosts
from billcom_assets_tests.webserver.served import served

DELETE = 'mutation { deletePipelineRun(runId: "%s") { __typename } }'
READ = "{ version }"
NAMED = "bill.example.com"
BY_PROXY = {"Host": NAMED, "Origin": f"https://{NAMED}"}


@dataclass(frozen=True)
class Ui:
    """Dagster's web application, guarded and not."""

    instance: dg.DagsterInstance
    guarded: str
    bare: str

    @property
    def url(self) -> str:
        return f"http://{self.guarded}/graphql"

    @property
    def own(self) -> dict[str, str]:
        """The header that the UI's own pages send."""
        return {"Origin": f"http://{self.guarded}"}

    def a_run(self) -> str:
        return create_run_for_test(self.instance).run_id

    def post(self, query: str = READ, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.post(self.url, json={"query": query}, headers=headers or self.own, timeout=30)


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home = tmp_path_factory.mktemp("dagster")
    workspace = home / "workspace.yaml"
    workspace.write_text("load_from: []", encoding="utf-8")
    with (
        dg.DagsterInstance.local_temp(str(home)) as instance,
        web_application(instance, workspace) as app,
        served(app) as bare,
        served(Guard(app, allowed_hosts([NAMED]))) as guarded,
    ):
        yield Ui(instance, guarded, bare)


def test_without_the_guard_an_image_deletes_a_run(ui: Ui) -> None:
    """Why there is one; once Dagster refuses this by itself the rule on GET may go."""
    run = ui.a_run()
    requests.get(f"http://{ui.bare}/graphql", {"query": DELETE % run}, headers={"Accept": "image/*"}, timeout=30)
    assert not ui.instance.has_run(run)


@pytest.mark.parametrize("accept", ["image/avif,image/webp,*/*;q=0.8", "*/*", "", "text/html"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "//graphql", "/%67raphql"])
def test_no_get_carries_out_a_mutation(ui: Ui, path: str, accept: str) -> None:
    run = ui.a_run()
    requests.get(f"http://{ui.guarded}{path}", {"query": DELETE % run}, headers={"Accept": accept}, timeout=30)
    assert ui.instance.has_run(run)


@pytest.mark.parametrize("query", [READ, "mutation { x }", ""])
def test_graphql_is_not_served_by_get_whatever_the_query(ui: Ui, query: str) -> None:
    refused = requests.get(ui.url, {"query": query}, headers={"Accept": "*/*"}, timeout=30)
    assert refused.status_code == 405
    assert "POST" in refused.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", f"{NAMED}.evil.example", "127.0.0.1.evil.example", "[::1].evil.example",
     "localhost.", "127.0.0.2", "localhost:3000@evil.example", "localhost evil.example", "[::2]", ""],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_nobody_gave_the_ui_is_refused(ui: Ui, host: str, method: str) -> None:
    refused = requests.request(method, ui.url, json={"query": READ}, headers={"Host": host}, timeout=30)
    assert refused.status_code in (400, 403)
    assert "version" not in refused.text


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost", "http://127.0.0.1", "http://127.0.0.1:1", f"https://{NAMED}",
     "file://", "http://%s.evil.example", "http://evil.example/%s", "ftp://%s"],
)  # fmt: skip
def test_pages_from_elsewhere_are_refused(ui: Ui, origin: str) -> None:
    run = ui.a_run()
    headers = {"Origin": origin.replace("%s", ui.guarded)}
    assert ui.post(DELETE % run, headers).status_code == 403
    assert ui.instance.has_run(run)
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{ui.guarded}/graphql", origin=Origin(headers["Origin"]), open_timeout=30)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", "",
     "text/plain; a=application/json", "application/jsonp", "text/plain, application/json"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/bills"])
def test_bodies_that_a_form_can_send_are_refused(ui: Ui, path: str, content_type: str) -> None:
    run = ui.a_run()
    body = json.dumps({"query": DELETE % run})
    headers = {"Content-Type": content_type} if content_type else {}
    refused = requests.post(
        f"http://{ui.guarded}{path}", body, params={"query": DELETE % run}, headers=headers, timeout=30
    )
    assert refused.status_code == 415
    assert ui.instance.has_run(run)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(ui: Ui, method: str) -> None:
    assert requests.request(method, ui.url, headers=ui.own, timeout=30).status_code == 405


def test_headers_that_say_two_things_are_refused(ui: Ui) -> None:
    for name, values in {
        "Host": (ui.guarded, "evil.example"),
        "Content-Type": ("application/json", "text/plain"),
    }.items():
        connection = http.client.HTTPConnection(ui.guarded, timeout=30)
        connection.putrequest("POST", "/graphql", skip_host=True)
        if name != "Host":
            connection.putheader("Host", ui.guarded)
        for value in values:
            connection.putheader(name, value)
        connection.putheader("Content-Length", "2")
        connection.endheaders(b"{}")
        assert connection.getresponse().status == 400
        connection.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_ui_itself_is_served_under_this_machines_names(ui: Ui, name: str) -> None:
    host = ui.guarded.replace("127.0.0.1", name)
    headers = {"Host": host, "Origin": f"http://{host}"}
    page = requests.get(f"http://{ui.guarded}/runs", headers={"Host": host}, timeout=30)
    assert page.status_code == 200
    assert "<script" in page.text
    assert ui.post(READ, headers).json()["data"]["version"]
    run = ui.a_run()
    assert ui.post(DELETE % run, headers).ok
    assert not ui.instance.has_run(run)


def test_behind_a_proxy_it_is_served_under_the_name_that_was_given(ui: Ui) -> None:
    assert ui.post(READ, BY_PROXY).json()["data"]["version"]


def test_programs_need_no_origin(ui: Ui) -> None:
    assert requests.post(ui.url, json={"query": READ}, timeout=30).json()["data"]["version"]


def test_the_ui_gets_its_subscriptions(ui: Ui) -> None:
    protocol = Subprotocol("graphql-ws")
    with connect(f"ws://{ui.guarded}/graphql", origin=Origin(ui.own["Origin"]), subprotocols=[protocol]) as websocket:
        websocket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(websocket.recv(30)) == {"type": "connection_ack"}


def test_a_websocket_under_a_foreign_name_is_refused(ui: Ui) -> None:
    port = int(ui.guarded.split(":")[1])
    # A name that was rebound to this machine.
    rebound = socket.create_connection(("127.0.0.1", port), timeout=30)
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://evil.example:{port}/graphql", sock=rebound, open_timeout=30)
    assert refused.value.response.status_code == 403


def test_the_page_for_queries_by_hand_is_served(ui: Ui) -> None:
    page = requests.get(ui.url, headers={"Accept": "text/html,*/*"}, timeout=30)
    assert page.status_code == 200
    assert "graphiql" in page.text.lower()


def test_no_page_can_frame_the_ui_or_load_anything_from_elsewhere_into_it(ui: Ui) -> None:
    policy = requests.get(f"http://{ui.guarded}/", timeout=30).headers["Content-Security-Policy"]
    assert "script-src 'nonce-" in policy, "Dagster's own policy stays"
    assert "frame-ancestors 'self'" in policy
    assert "img-src 'self' data: blob:" in policy


@pytest.mark.parametrize("name", ["https://bill.example.com", "bill.example.com:443", "*", "a/b", "a b", "[::1"])
def test_a_host_that_is_none_is_refused_with_what_to_write(name: str) -> None:
    with pytest.raises(UnusableHost, match="without https://, port and path"):
        allowed_hosts([name])


def test_hosts_are_loopback_names_and_those_that_were_given() -> None:
    assert allowed_hosts(["", " Bill.Example.com "]) == {"localhost", "127.0.0.1", "[::1]", NAMED}
