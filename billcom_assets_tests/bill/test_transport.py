"""What the HTTP layer does and refuses to do."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import BillError, Unreachable
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import Response
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.transport import Request, Transport
from billcom_assets_tests.bill.conftest import Waits
from billcom_assets_tests.bill.scripted import DEV_KEY, ORGANIZATION, PASSWORD, USERNAME, Reply, ScriptedBill, rows

BILLS = "/connect/v3/bills"


def test_cookies_are_not_kept(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, Reply(200, {"results": []}, headers={"Set-Cookie": "sid=other; Path=/"}))
    for _ in range(3):
        client.page("/v3/bills")
    assert not any("cookie" in got.headers for got in bill.got)


def test_a_netrc_entry_is_not_sent(
    client: BillClient, bill: ScriptedBill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    bill.always(BILLS, rows())
    client._pipeline._v3._loopback = False  # as for BILL itself, where the environment counts
    client.page("/v3/bills")
    assert not any("authorization" in got.headers for got in bill.got)


def test_this_machine_is_never_reached_through_a_proxy(
    connect: Callable[..., BillClient], bill: ScriptedBill, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    bill.always(BILLS, rows("00n1"))
    assert len(connect().page("/v3/bills").rows) == 1


def test_a_proxy_of_the_environment_is_used_for_other_hosts_and_explained_when_it_fails(
    connect: Callable[..., BillClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = connect(credentials=Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY))
    with pytest.raises(Unreachable, match="proxy"):
        client.page("/v3/bills")


class QuietServer(HTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the handshake is the point."""


@pytest.fixture(scope="module")
def https_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An https server with a certificate nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = QuietServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}/connect"


def test_an_untrusted_certificate_is_never_accepted_and_not_tried_again(
    https_url: str, connect: Callable[..., BillClient], waits: Waits
) -> None:
    client = connect(credentials=Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=https_url))
    with pytest.raises(Unreachable, match="certificate is not trusted") as caught:
        client.page("/v3/bills")
    assert "REQUESTS_CA_BUNDLE" in caught.value.next_step
    assert waits.seconds == []


def test_https_to_a_server_without_tls_is_explained(
    connect: Callable[..., BillClient], credentials: Credentials, waits: Waits
) -> None:
    url = credentials.v3_url.replace("http://", "https://")
    client = connect(credentials=Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=url))
    with pytest.raises(Unreachable, match="protected connection"):
        client.page("/v3/bills")
    assert len(waits.seconds) == 3


def test_connections_are_kept_and_never_more_than_are_in_use(client: BillClient, bill: ScriptedBill) -> None:
    together = threading.Barrier(3)

    def three(got: object) -> Reply:
        together.wait(5)
        return rows()

    bill.always(BILLS, rows())
    client.page("/v3/bills")
    for _ in range(5):
        client.page("/v3/bills")
    bill.always(BILLS, three)
    for _ in range(4):
        with ThreadPoolExecutor(3) as pool:  # new threads each time
            for future in [pool.submit(client.page, "/v3/bills") for _ in range(3)]:
                future.result()
    assert len({got.headers["x-test-port"] for got in bill.got}) == 3


def test_a_broken_answer_takes_its_connection_with_it(client: BillClient, bill: ScriptedBill) -> None:
    bill.then(BILLS, rows(), Reply(200, b'{"results":[{"id"'), rows())
    client.page("/v3/bills")
    client.page("/v3/bills")
    ports = [got.headers["x-test-port"] for got in bill.got if got.path == BILLS]
    assert ports[0] == ports[1] != ports[2]


def test_an_interrupted_request_does_not_leave_its_connection_behind(
    bill: ScriptedBill, credentials: Credentials
) -> None:
    transport = Transport(credentials.v3_url, (5, 5))

    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt(session: object, request: Request) -> Response | Problem:
        raise Interrupted

    transport._exchange = interrupt  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        transport.send(Request("GET", f"{credentials.v3_url}/v3/bills", {}))
    assert transport._idle == []


def test_a_request_that_cannot_be_made_is_a_refusal_without_its_text() -> None:
    outcome = Transport("https://bill.example", (1, 1)).send(Request("GET", "no-url-at-all", {}))
    assert isinstance(outcome, Problem)
    assert outcome.kind is ProblemKind.REFUSED
    assert "no-url" not in outcome.message


def test_a_missing_certificate_bundle_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    outcome = Transport("https://bill.example", (1, 1)).send(Request("GET", "https://bill.example/", {}))
    assert isinstance(outcome, Problem)
    assert outcome.kind is ProblemKind.UNTRUSTED_HOST


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=60) | st.sampled_from([b'{"results":[]}', b"[]", b"[{}]", b'{"message":"x"}', b"<html>"]),
    length=st.none() | st.integers(0, 80),
)
def test_whatever_comes_over_the_wire_only_bill_errors_come_out(
    status: int,
    body: bytes,
    length: int | None,
    bill: ScriptedBill,
    connect: Callable[..., BillClient],
) -> None:
    client = connect(retry=RetryPolicy(attempts=2, sleep=lambda _: None), timeout=(5, 5))
    bill.always(BILLS, Reply(status, body, content_length=length))
    for call in (client.page, client.get, client.post):
        with contextlib.suppress(BillError):  # anything else fails the test
            call("/v3/bills")
