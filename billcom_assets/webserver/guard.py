"""What stands in front of Dagster's web application: nothing that a foreign page makes a browser send gets through.

Dagster has no login and takes mutations by GET, so an image in somebody's text, a form on another site or a name that
was rebound to this address could launch or delete runs in the browser of whoever may open the UI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billcom_assets.redaction.errors import UserFacingError

HOSTS_VARIABLE: Final = "BILLCOM_UI_HOSTS"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_POLICY_VIOLATION: Final = 1008
_READS: Final = frozenset({"GET", "HEAD"})
_AUTHORITY: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?P<port>:\d{1,5})?")
_HEADERS: Final[Mapping[str, str]] = {
    # Beside Dagster's own policy: no page frames the UI, and whatever gets into a page can load nothing from elsewhere.
    "Content-Security-Policy": "frame-ancestors 'self'; form-action 'self'; frame-src 'self' blob:; "
    "img-src 'self' data: blob:; media-src 'self'; object-src 'none'",
    "X-Frame-Options": "SAMEORIGIN",
}


class UnusableHost(UserFacingError):
    """A name that the UI shall be served as is none."""


class RequestRefused(Exception):
    """Why a request does not get through; the text is the response's body."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def allowed_hosts(named: Iterable[str]) -> frozenset[str]:
    """The names that the UI is served under: this machine's loopback names and ``named``.

    Args:
        named: Host names or addresses as they stand in a browser's address, without scheme, port and path.

    Raises:
        UnusableHost: one of them is not a host name.
    """
    hosts = {name.strip().lower() for name in named if name.strip()}
    for host in hosts:
        found = _AUTHORITY.fullmatch(host)
        if found is None or found["port"]:
            raise UnusableHost(
                f"{host[:100]!r} is no host name. In {HOSTS_VARIABLE} and --allow-host write names as they stand in "
                "the browser's address, without https://, port and path, such as bill.example.com."
            )
    return LOOPBACK | hosts


class Guard:
    """An ASGI application that passes to another one only what the UI itself, or a program, may send.

    Refused are: hosts that were not named, which a rebound name would be; requests and WebSockets from pages of another
    origin; GraphQL by GET, whatever the query; bodies other than JSON, since forms can send those from anywhere.

    Args:
        app: Dagster's web application.
        hosts: What :func:`allowed_hosts` returns.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = LOOPBACK) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._examine(scope)
        except RequestRefused as refused:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refused.reason})
            else:
                await PlainTextResponse(f"{refused.reason}\n", refused.status)(scope, receive, send)
            return
        await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    def _examine(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._examine_origin(headers)
        if scope["type"] == "http":
            _examine_method(scope, headers)

    def _examine_origin(self, headers: Headers) -> None:
        host = (_only(headers, "host") or "").lower()
        named = _AUTHORITY.fullmatch(host)
        if named is None or named["name"] not in self._hosts:
            raise RequestRefused(
                403,
                "The UI is not served under this name. If it shall be, name it in "
                f"{HOSTS_VARIABLE} or with billcom ui --allow-host.",
            )
        origin = _only(headers, "origin")
        # Scheme aside: behind a proxy that ends TLS the browser says https and we are asked by http.
        if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
            raise RequestRefused(403, "Requests of pages from elsewhere are refused.")


def _examine_method(scope: Scope, headers: Headers) -> None:
    method = scope["method"]
    if method == "POST":
        content_type = (_only(headers, "content-type") or "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise RequestRefused(415, "Send JSON, with Content-Type: application/json.")
    elif method not in _READS:
        raise RequestRefused(405, "Only GET, HEAD and POST are served.")
    elif scope["path"].rstrip("/").endswith("/graphql"):
        if "text/html" not in headers.get("accept", ""):
            raise RequestRefused(405, "GraphQL is served by POST only, as JSON.")
        # The page for queries by hand; should Dagster ever see a query here, there is none.
        scope["query_string"] = b""


def _only(headers: Headers, name: str) -> str | None:
    """The header's one value; two of a kind are not for us to choose from."""
    values = headers.getlist(name)
    if len(values) > 1:
        raise RequestRefused(400, f"There is more than one {name} header.")
    return values[0] if values else None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.append(name, value)
        await send(message)

    return sending
