"""HTTP connections on which no response takes more time or bytes than it is allowed, however it is sent.

The timeouts of the HTTP library count each read by itself, and its decompression knows no end. Here one allowance
covers everything a server may send for one request: interim responses, headers, body, trailers, a proxy's response.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

ACCEPTED: Final = "gzip, deflate"
"""What responses may be compressed with."""
_ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""One at a time: a chain of them multiplies, so that kilobytes keep a processor busy for hours."""
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """What one response may cost before it is given up.

    Args:
        seconds: From the first step of the request to the last byte, however steadily bytes come. BILL answers in
            seconds; its slowest lists stay below a minute.
        size: Bytes, as they come over the wire and again after decompression. A page has at most 100 objects, so this
            leaves 320 kB for each, which is a bill of about 500 lines.
    """

    seconds: float = 300
    size: int = 32 * 2**20


class Overrun(OSError):
    """A response went beyond its limits; the text says which."""


class _Allowance:
    """What is left to the request in progress."""

    def __init__(self, limits: ResponseLimits) -> None:
        self._limits = limits
        self._ends_at = time.monotonic() + limits.seconds
        self._bytes_left = limits.size

    def seconds_left(self) -> float:
        """Time until the request must be over; raises Overrun when it is up."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise Overrun(f"The response was not complete after {self._limits.seconds:g} seconds")
        return left

    def spend(self, size: int) -> None:
        """Takes note of bytes that came; raises Overrun when they are too many."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise too_large(self._limits)


_ALLOWANCE: ContextVar[_Allowance] = ContextVar("allowance")


@contextmanager
def allowing(limits: ResponseLimits) -> Iterator[None]:
    """Sets one allowance for the request made within, for all that comes back."""
    token = _ALLOWANCE.set(_Allowance(limits))
    try:
        yield
    finally:
        _ALLOWANCE.reset(token)


_WHEN_SENT: ContextVar[Callable[[], None]] = ContextVar("when_sent", default=lambda: None)


@contextmanager
def when_sent(notice: Callable[[], None]) -> Iterator[None]:
    """Calls ``notice``, maybe again, once no request that leaves later can reach the server before the one made within.

    On an open connection that is when it has left this machine; on a new one, when its response begins or fails to.
    """
    token = _WHEN_SENT.set(notice)
    try:
        yield
    finally:
        _WHEN_SENT.reset(token)


def too_large(limits: ResponseLimits) -> Overrun:
    """The response has more bytes than it may."""
    return Overrun(f"The response was larger than {limits.size:,} bytes")


def read_body(response: requests.Response, limits: ResponseLimits) -> bytes:
    """The body of a streamed response, decompressed.

    Raises:
        Overrun: It is larger than it may be.
        requests.RequestException: It cannot be read or decompressed.
    """
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise requests.exceptions.ContentDecodingError("compressed in a way that was not asked for")
    body = io.BytesIO()
    for chunk in response.iter_content(_CHUNK):
        body.write(chunk)
        if body.tell() > limits.size:
            raise too_large(limits)
    return body.getvalue()


class _BoundedReader(io.RawIOBase):
    """What a socket delivers, as long as the allowance lasts."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection
        self._longest_silence = connection.gettimeout()
        self._allowance = _ALLOWANCE.get()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As a socket's, but never past the end of the allowance."""
        left = self._allowance.seconds_left()
        silence = self._longest_silence
        self._connection.settimeout(left if silence is None else min(silence, left))
        try:
            size = self._raw.readinto(buffer)
        except TimeoutError:
            self._allowance.seconds_left()
            raise
        self._allowance.spend(size or 0)
        return size

    def close(self) -> None:
        """Lets go of the socket."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that is read through a bounded reader from its first byte on."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock), _CHUNK)


class _Noticing:
    """A connection that tells when its request is on its way."""

    _is_new = False

    def connect(self) -> None:
        """As of the connection."""
        super().connect()  # type: ignore[misc]
        self._is_new = True

    def getresponse(self) -> Any:
        """As of the connection, which calls it when the request is out."""
        notice = _WHEN_SENT.get()
        # What follows on another connection may overtake a request whose connection is still to be accepted.
        if not self._is_new:
            notice()
        try:
            return super().getresponse()  # type: ignore[misc]
        finally:
            self._is_new = False
            notice()


class _PlainConnection(_Noticing, HTTPConnection):
    response_class = _Response


class _TlsConnection(_Noticing, HTTPSConnection):
    response_class = _Response


class BoundedAdapter(HTTPAdapter):
    """Makes connections on which responses are bounded, directly or through a proxy."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """As of the base class."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _TlsConnection if isinstance(pool, HTTPSConnectionPool) else _PlainConnection
        return pool


class BoundedSession(requests.Session):
    """A session that leaves every body unread until it is read with a bound."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, BoundedAdapter(pool_connections=1, pool_maxsize=1))

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the base class's signature
        """None: to find the next request, the base class would read a redirect's body whole."""
        return
