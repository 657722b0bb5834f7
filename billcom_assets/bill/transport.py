"""Sends one HTTP request and brings back what came of it, never an exception of the HTTP library.

TLS certificates are always checked, redirects are not followed, cookies are not kept, nothing but the given headers
identifies the caller, and no response takes more time or bytes than ``ResponseLimits`` say. Failures come back as
values, so that no traceback leads through frames that hold credentials.
"""

from __future__ import annotations

import math
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ReadTimeoutError

from billcom_assets.bill.bounded import ACCEPTED, BoundedSession, Overrun, ResponseLimits, allowing, read_body
from billcom_assets.bill.credentials import is_loopback
from billcom_assets.bill.downloads import Download
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import Response, read

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"})
_CONNECTION_SPOILT: Final = frozenset(
    {ProblemKind.LOST, ProblemKind.MALFORMED, ProblemKind.BEYOND_LIMITS, ProblemKind.UNREACHABLE}
)
_UNSENDABLE: Final = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)


def _user_agent() -> str:
    try:
        return f"billcom-assets/{version('billcom-assets')}"
    except PackageNotFoundError:
        return "billcom-assets/0"


USER_AGENT: Final = _user_agent()


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, complete with credentials; its ``repr`` shows none."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    v2: bool = False
    own_connection: bool = False
    """Do not reuse a kept connection: one that BILL closed in the meantime would leave a write's outcome unknown."""
    into: Download | None = None
    """Where the content of a file goes, instead of into the response."""


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands in for an Authorization header, which requests would otherwise look up in ``~/.netrc``."""
    return request


class Transport:
    """HTTP connections to one address.

    A connection serves one request at a time and is kept for the next; there are never more of them than requests
    in flight at once.

    Args:
        url: The address; decides whether proxies of the environment apply.
        timeout: Seconds to connect, and to wait for each part of the response.
        limits: What a whole response may cost.
    """

    def __init__(
        self,
        url: str,
        timeout: tuple[float, float],
        limits: ResponseLimits = ResponseLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._loopback = is_loopback(url)
        self._timeout = timeout
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: list[requests.Session] = []
        self.served_at: datetime | None = None
        """``Date`` of the last response that had one, in UTC."""

    def send(self, request: Request) -> Response | Problem:
        """Sends ``request`` once."""
        with self._session() as session:
            if request.own_connection:
                session.close()
            outcome = self._exchange(session, request)
            if isinstance(outcome, Problem) and outcome.kind in _CONNECTION_SPOILT:
                session.close()  # what is left on the connection may belong to the broken response
            return outcome

    def close(self) -> None:
        """Closes idle connections; those in use close with their request."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """A session for one request, put back afterwards unless the request was interrupted."""
        with self._lock:
            session = self._idle.pop() if self._idle else self._new_session()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        with self._lock:
            self._idle.append(session)

    def _exchange(self, session: requests.Session, request: Request) -> Response | Problem:
        try:
            with (
                allowing(self._limits),
                session.request(
                    request.method,
                    request.url,
                    headers=request.headers,
                    data=request.body,
                    timeout=self._timeout,
                    allow_redirects=False,
                    verify=True,
                    stream=True,
                ) as response,
            ):
                if request.into is not None and request.into.takes(response):
                    return request.into.take(response, self._limits)
                body = read_body(response, self._limits)
        except (requests.RequestException, OSError, ValueError) as failure:
            # urllib3 lets some errors of broken responses through as ValueError or OSError
            return _lost(failure)
        self.served_at = _date(response.headers.get("Date")) or self.served_at
        retry_after = _seconds(response.headers.get("Retry-After"))
        return read(response.status_code, body, v2=request.v2, retry_after=retry_after)

    def _new_session(self) -> requests.Session:
        session = BoundedSession()
        session.headers.clear()
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPTED})
        session.auth = _no_netrc
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.trust_env = not self._loopback
        return session


def _lost(failure: Exception) -> Problem:
    """What an exception of the HTTP library means; its own text is not passed on, it may quote the request."""
    causes = _causes(failure)
    for cause in causes:
        if isinstance(cause, Overrun):
            return Problem(ProblemKind.BEYOND_LIMITS, str(cause))
    for means, kind, message in _MEANINGS:
        if means(failure, causes):
            return Problem(kind, message)
    return Problem(ProblemKind.LOST, f"The response could not be read ({type(failure).__name__})")


_Test = Callable[[Exception, list[BaseException]], bool]


def _is(*kinds: type[Exception]) -> _Test:
    """The failure itself is one of ``kinds``."""
    return lambda failure, _: isinstance(failure, kinds)


def _wraps(*kinds: type[Exception]) -> _Test:
    """The failure is, or wraps, one of ``kinds``."""
    return lambda _, causes: any(isinstance(cause, kinds) for cause in causes)


def _no_tls(_: Exception, causes: list[BaseException]) -> bool:
    """The other side speaks no TLS that we speak, so nothing was sent."""
    return any(isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS for cause in causes)


def _no_bundle(failure: Exception, _: list[BaseException]) -> bool:
    return isinstance(failure, OSError) and "CA certificate bundle" in str(failure)


_MEANINGS: Final[tuple[tuple[_Test, ProblemKind, str], ...]] = (
    (_wraps(ssl.SSLCertVerificationError), ProblemKind.UNTRUSTED_HOST, "The server's certificate is not trusted"),
    (_no_bundle, ProblemKind.UNTRUSTED_HOST, "The certificate bundle that the environment names cannot be read"),
    (_no_tls, ProblemKind.UNREACHABLE, "No protected connection could be made"),
    (_is(*_UNSENDABLE), ProblemKind.REFUSED, "The request could not be made from these settings"),
    (_is(requests.exceptions.ProxyError), ProblemKind.UNREACHABLE, "The proxy of the environment refused or failed"),
    (_wraps(NameResolutionError), ProblemKind.UNREACHABLE, "The host name is not known"),
    (_wraps(NewConnectionError), ProblemKind.UNREACHABLE, "The connection was refused"),
    (_wraps(ConnectTimeoutError), ProblemKind.UNREACHABLE, "The connection timed out"),
    (_is(requests.exceptions.Timeout), ProblemKind.LOST, "BILL took too long to answer"),
    (_wraps(ReadTimeoutError, TimeoutError), ProblemKind.LOST, "BILL took too long to answer"),
    (_is(requests.exceptions.ContentDecodingError), ProblemKind.LOST, "The response could not be decompressed"),
    (
        _is(requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError),
        ProblemKind.LOST,
        "The connection broke before the response was complete",
    ),
)
"""First match decides."""


def _causes(failure: BaseException) -> list[BaseException]:
    """``failure`` and everything it wraps, by chain or as an argument."""
    found: list[BaseException] = []
    waiting: list[object] = [failure]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting.extend((one.__cause__, one.__context__, getattr(one, "reason", None), *one.args))
    return found


def _date(header: str | None) -> datetime | None:
    """The instant that a ``Date`` header names, in UTC; None for anything else."""
    try:
        sent = parsedate_to_datetime(header) if header else None
        return sent.astimezone(UTC) if sent is not None and sent.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _seconds(header: str | None) -> float | None:
    """A ``Retry-After`` given in seconds; dates are not worth the trouble, BILL sends neither."""
    try:
        seconds = float(header) if header else None
    except ValueError:
        return None
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None
