"""A BILL that answers exactly what a test tells it to, over real HTTP."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ORGANIZATION = "00802SCRIPTEDBILLab12"
USERNAME = "ada.okoro@acme.example"
PASSWORD = "pa55-Phrase!nobody-guesses"
DEV_KEY = "01DEVKEYSECRET7x9Q"
SESSION_MARK = "sessionSECRET"
SECRETS = (PASSWORD, DEV_KEY, SESSION_MARK, USERNAME)


@dataclass(frozen=True)
class Reply:
    """One scripted answer."""

    status: int = 200
    body: bytes | str | list[Any] | dict[str, Any] | None = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_length: int | None = None
    """Claimed length when it differs from the body's."""
    chunked_cut: bool = False
    """Send the body as one chunk and close without the closing chunk."""
    reset: bool = False
    """Reset the connection after what was sent."""
    drop: bool = False
    """Close the connection without a word."""
    wait_for: threading.Event | None = None
    """Answer only once this is set."""
    wire: Callable[[], Iterable[bytes]] | None = None
    """What is sent instead of everything else, status line and headers included, piece by piece; then it hangs up."""
    pause: float = 0
    """Seconds between two pieces."""

    @property
    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Got:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]
    body: bytes

    @property
    def session(self) -> str:
        return self.headers.get("sessionid", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


Script = Callable[[Got], Reply]


def error(code: str | None = None, message: str = "Something was wrong.", *, status: int = 400) -> Reply:
    """BILL's usual error: an array."""
    one = {"timestamp": "2026-06-01T00:00:00.000+00:00", "severity": "ERROR", "category": "DOWNSTREAM"}
    one |= {"code": code} if code else {}
    return Reply(status, [one | {"message": message}])


DEAD_SESSION = error("BDC_1109", "Session is invalid. Please log in.", status=401)
HTML_502 = Reply(502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")


def rows(*ids: str, cursor: str | None = None) -> Reply:
    """A list page."""
    page: dict[str, Any] = {"nextPage": cursor} if cursor else {}
    return Reply(200, page | {"results": [{"id": one} for one in ids]})


class ScriptedBill:
    """Answers a path's queued replies in turn, then its standing reply."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.in_flight = 0
        self.peak = 0
        self.session_user = "00602USERUSERUSERab12"
        self.live_sessions: set[str] = set()
        self.checks_sessions = False
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Reply | Script]] = {}
        self._standing: dict[str, Reply | Script] = {}
        self._logins = 0
        self.bytes_sent = 0
        """Of the replies that are sent piece by piece."""

    def then(self, path: str, *replies: Reply | Script) -> ScriptedBill:
        """Queues replies for ``path``."""
        with self._lock:
            self._queues.setdefault(path, deque()).extend(replies)
        return self

    def always(self, path: str, reply: Reply | Script) -> ScriptedBill:
        """What ``path`` answers when nothing is queued."""
        with self._lock:
            self._standing[path] = reply
        return self

    def count(self, path: str) -> int:
        return sum(got.path == path for got in self.got)

    @property
    def logins(self) -> int:
        return self.count("/connect/v3/login")

    def opened_session(self) -> Reply:
        """A successful sign-in."""
        with self._lock:
            self._logins += 1
            session_id = f"{SESSION_MARK}{self._logins}"
            self.live_sessions.add(session_id)
        return Reply(
            200,
            {
                "sessionId": session_id,
                "organizationId": ORGANIZATION,
                "userId": self.session_user,
                "trusted": False,
                "apiEndPoint": "https://elsewhere.example",
            },
        )

    def answer(self, got: Got) -> Reply:
        with self._lock:
            self.got.append(got)
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            queue = self._queues.get(got.path)
            reply = queue.popleft() if queue else self._standing.get(got.path)
        if callable(reply):
            reply = reply(got)
        if reply is None and got.path == "/connect/v3/login":
            reply = self.opened_session()
        elif self.checks_sessions and got.path != "/connect/v3/login" and got.session not in self.live_sessions:
            reply = DEAD_SESSION
        return reply or error("BDC_1121", "API not supported.", status=404)

    def done(self) -> None:
        with self._lock:
            self.in_flight -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    bill: ScriptedBill

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        got = Got(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            raw_query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()}
            | {"x-test-port": str(self.client_address[1])},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        reply = self.bill.answer(got)
        try:
            if reply.wait_for is not None:
                reply.wait_for.wait(5)
        finally:
            self.bill.done()
        self._write(reply)

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - http.server's names

    def _write(self, reply: Reply) -> None:
        if reply.wire is not None:
            self._send_pieces(reply.wire(), reply.pause)
            return
        if not reply.drop:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.chunked_cut:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(reply.payload), reply.payload))
            else:
                length = len(reply.payload) if reply.content_length is None else reply.content_length
                if reply.status != 204:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(reply.payload)
            self.wfile.flush()
        lying = reply.content_length is not None and reply.content_length != len(reply.payload)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply.drop or reply.reset or reply.chunked_cut or lying:
            self.close_connection = True

    def _send_pieces(self, pieces: Iterable[bytes], pause: float) -> None:
        self.close_connection = True
        with suppress(OSError):  # hung up on
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
                self.bill.bytes_sent += len(piece)
                time.sleep(pause)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def scripted_bill() -> Iterator[tuple[ScriptedBill, str]]:
    """A scripted BILL and the base URL of its v3 API."""
    bill = ScriptedBill()
    handler = type("Handler", (_Handler,), {"bill": bill})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield bill, f"http://127.0.0.1:{server.server_address[1]}/connect"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def paths(got: list[Got]) -> Counter[str]:
    """How often each path was called."""
    return Counter(one.path for one in got)
