"""Makes calls: puts a session to them, keeps within the limits, repeats what may pass, and explains what does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from billcom_assets.bill import responses
from billcom_assets.bill.bounded import ResponseLimits
from billcom_assets.bill.concurrency import ConcurrencyLimit
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.downloads import Download
from billcom_assets.bill.errors import BillError
from billcom_assets.bill.failures import Context, error_for
from billcom_assets.bill.meter import CallEvent, CallStats, EventKind, Meter
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.query import query_string
from billcom_assets.bill.quotas import Clock, RequestBudget
from billcom_assets.bill.responses import Response
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.session import SessionStore, StoredSession, user_in
from billcom_assets.bill.session_keeper import Lease, SessionKeeper
from billcom_assets.bill.sign_in import sign_in_with
from billcom_assets.bill.transport import Request, Transport
from billcom_assets.redaction.secrets import Redactor

_LOG: Final = logging.getLogger(__name__)
_WHO_AM_I: Final = Context("GET /v3/login/session")
_NOT_HERE: Final = frozenset({404, 405})
"""Statuses of an address that does not know the call."""
_RENEWALS: Final = 5
"""New sessions one call may ask for: a session may die again before the call comes through."""
_CURED_BY_SIGN_IN: Final = frozenset({ProblemKind.CREDENTIALS, ProblemKind.DEVELOPER_KEY})

T = TypeVar("T")
Reading = Callable[[Response], T | Problem]
"""Takes a success apart; a Problem when its content is not what the call returns."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, before a session is put to it."""

    method: str
    url: str = field(repr=False)
    context: Context
    body: bytes | None = field(default=None, repr=False)
    """JSON; for v2 the document in the form's ``data`` field."""
    v2: bool = False
    replayable: bool = True
    into: Download | None = None
    """Where the content of a file goes."""


@dataclass(slots=True)
class _Progress:
    """What one call has used up over all its attempts."""

    doubted: dict[str, int]
    """Of all calls: endpoints whose refusal may be the session's fault, and the first session that it came with."""
    renewals: int = 0

    def may_renew(self, problem: Problem, lease: Lease, endpoint: str) -> bool:
        """True when a new session may cure ``problem``."""
        if problem.kind is ProblemKind.DEAD_SESSION:
            allowed = _RENEWALS if problem.says_dead_session else int(self._is_in_doubt(endpoint, lease))
        elif problem.kind in _CURED_BY_SIGN_IN and not lease.opened_here:
            allowed = 1  # a stored session may belong to a developer key that was replaced since
        else:
            return False
        self.renewals += 1
        return self.renewals <= allowed

    def _is_in_doubt(self, endpoint: str, lease: Lease) -> bool:
        """False once a new session was refused as well, until BILL answers a call to the endpoint."""
        return self.doubted.setdefault(endpoint, lease.generation) == lease.generation


class Pipeline:
    """Makes the calls of one client. Thread-safe.

    Args:
        credentials: Who signs in, and where.
        integration: Label used in every error.
        sessions: Where sessions live between runs.
        budget: The developer key's hourly allowance.
        retry: How long problems that may pass are waited out.
        timeout: Seconds to connect, and to wait for each part of a response.
        limits: What a whole response may cost.
        clock: Returns the current time.
        max_logins: Sign-ins this caller may cause.
        on_event: Called with every attempt, wait and sign-in, in the calling thread.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        integration: str,
        sessions: SessionStore,
        budget: RequestBudget,
        retry: RetryPolicy,
        timeout: tuple[float, float],
        limits: ResponseLimits,
        clock: Clock,
        max_logins: int,
        on_event: Callable[[CallEvent], None] | None,
    ) -> None:
        self._credentials = credentials
        self._integration = integration
        self._budget = budget
        self._retry = retry
        self._clock = clock
        self._on_event = on_event
        self._concurrency = ConcurrencyLimit.shared(
            f"{credentials.v3_url} {credentials.key_digest} {credentials.organization_id}"
        )
        self._redactor = Redactor((*credentials.secrets, credentials.principal))
        self._how = sign_in_with(credentials)
        self._sign_in_addresses = self._how.addresses(credentials)
        self._meter = Meter()
        self._doubted: dict[str, int] = {}
        self._v3 = Transport(credentials.v3_url, timeout, limits)
        self._v2 = Transport(credentials.v2_url, timeout, limits)
        self.keeper = SessionKeeper(
            self._sign_in,
            store=sessions,
            organization_id=credentials.organization_id,
            fingerprint=credentials.fingerprint,
            clock=clock,
            max_logins=max_logins,
        )

    @property
    def stats(self) -> CallStats:
        """What was done so far."""
        return self._meter.stats

    @property
    def bill_clock(self) -> datetime | None:
        """The latest ``Date`` of BILL's responses, in UTC."""
        return max((at for at in (self._v3.served_at, self._v2.served_at) if at is not None), default=None)

    def close(self) -> None:
        """Keeps the session's time of last use and closes connections."""
        try:
            self.keeper.close()
        finally:
            self._v3.close()
            self._v2.close()

    def run(self, call: Call, reading: Reading[T]) -> T:
        """What ``reading`` makes of the response to ``call``; raises a BillError for what stays wrong."""
        progress = _Progress(self._doubted)
        try:
            outcome = self._retry.run(
                lambda: self._attempt(call, reading, progress),
                replayable=call.replayable,
                before_wait=lambda problem, number, wait: self._waits(call.context, problem, number, wait),
            )
        except BillError as error:
            raise error.located(integration=self._integration, endpoint=call.context.endpoint) from None
        if isinstance(outcome, Problem):
            raise self._error(outcome, call.context)
        return outcome

    def login(self) -> StoredSession:
        """Signs in again, whatever session there is."""
        try:
            return self.keeper.fresh().session
        except BillError as error:
            raise error.located(integration=self._integration, endpoint=self._how.context.endpoint) from None

    def _attempt(self, call: Call, reading: Reading[T], progress: _Progress) -> T | Problem:
        """One try, with a new session where the one at hand is dead."""
        lease = self.keeper.current()
        while True:
            sent = self._send(self._v2 if call.v2 else self._v3, self._request(call, lease), call.context)
            outcome = reading(sent) if isinstance(sent, Response) else sent
            if not isinstance(outcome, Problem):
                self.keeper.succeeded(lease)
                self._doubted.pop(call.context.endpoint, None)
                return outcome
            # A link to a file ends by itself: its refusal says nothing about the session, whatever it says.
            if call.into is not None or not progress.may_renew(outcome, lease, call.context.endpoint):
                return outcome
            lease = self.keeper.renew(lease)

    def _request(self, call: Call, lease: Lease) -> Request:
        session = lease.session
        if call.v2:
            dev_key = self._credentials.dev_key
            form = {"devKey": dev_key, "sessionId": session.session_id, "data": (call.body or b"").decode()}
            headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
            return Request("POST", call.url, headers, query_string(form.items()).encode(), v2=True)
        headers = self._how.headers(self._credentials, session)
        if call.into is not None:
            return Request(call.method, call.url, headers | call.into.headers, into=call.into)
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return Request(call.method, call.url, headers, call.body, own_connection=not call.replayable)

    def _send(self, transport: Transport, request: Request, context: Context, *secrets: str) -> Response | Problem:
        """Sends one request within the limits; ``secrets`` are in it besides the sessions that the keeper knows."""
        self._budget.spend(1)
        if context.is_login:
            self._budget.spend_login()
        with self._concurrency.enter() as flight:
            self._meter.sent(flight.in_flight, login=context.is_login)
            started = time.monotonic()
            outcome = transport.send(request)
            flight.is_refused = isinstance(outcome, Problem) and outcome.kind is ProblemKind.TOO_MANY_AT_ONCE
            seconds = time.monotonic() - started
        if isinstance(outcome, Problem):
            outcome = outcome.shown(lambda text: self._redactor(text, *self.keeper.known_session_ids(), *secrets))
        self._tell(EventKind.REQUEST, context, outcome, seconds=seconds)
        return outcome

    def _waits(self, context: Context, problem: Problem, number: int, wait: float) -> None:
        self._meter.waits(wait, throttled=problem.kind.meaning.is_throttling, login=context.is_login)
        self._tell(EventKind.RETRY, context, problem, attempt=number, seconds=wait)

    def _tell(
        self, kind: EventKind, context: Context, outcome: Response | Problem, *, attempt: int = 1, seconds: float = 0.0
    ) -> None:
        code, message = (outcome.code, outcome.message) if isinstance(outcome, Problem) else (None, "")
        status = outcome.http_status
        _LOG.debug("%s %s: HTTP %s %s (attempt %d, %.3f s)", kind, context.endpoint, status, code, attempt, seconds)
        if self._on_event is not None:
            self._on_event(CallEvent(kind, context.endpoint, status, code, attempt, seconds, message))

    # --- signing in ---

    def _sign_in(self) -> StoredSession:
        """Opens a session; called by the keeper, one at a time."""
        how = self._how
        opened = self._retried(self._attempt_sign_in, how.context)
        if isinstance(opened, Problem):
            raise self._error(opened, how.context)
        session = opened if how.names_organization else self._identified(opened)
        if session.organization_id != self._credentials.organization_id:
            said = "BILL opened a session for another organization"
            raise self._error(Problem(ProblemKind.ORGANIZATION_ID, said, None, 200), how.context)
        return session

    def _attempt_sign_in(self) -> StoredSession | Problem:
        sent = self._sent_sign_in()
        if isinstance(sent, Problem):
            return sent
        opened = self._how.opened(responses.read_value(sent), self._credentials, self._clock())
        if opened is None:
            return responses.malformed(sent, "a sign-in without a session")
        self._tell(EventKind.LOGIN, self._how.context, sent)
        return opened

    def _sent_sign_in(self) -> Response | Problem:
        """The response of the first address that knows the call; from then on the only one asked."""
        for address in self._sign_in_addresses:
            request = self._how.request(self._credentials, address)
            sent = self._send(self._v2 if request.v2 else self._v3, request, self._how.context)
            if sent.http_status not in _NOT_HERE:
                self._sign_in_addresses = (address,)
                break
        return sent

    def _identified(self, session: StoredSession) -> StoredSession:
        """The session with what BILL says of its organization and user; BILL may not say."""
        headers = self._how.headers(self._credentials, session)
        request = Request("GET", f"{self._credentials.v3_url}/v3/login/session", headers)
        info = self._retried(lambda: self._who_am_i(request, session), _WHO_AM_I)
        if isinstance(info, Problem):
            if info.kind.meaning.passes and info.kind is not ProblemKind.GATEWAY:
                raise self._error(info, _WHO_AM_I)
            return session
        organization_id = str(info.get("organizationId") or session.organization_id)
        return replace(session, organization_id=organization_id, user_id=user_in(info))

    def _who_am_i(self, request: Request, session: StoredSession) -> dict[str, Any] | Problem:
        sent = self._send(self._v3, request, _WHO_AM_I, session.session_id)
        info = responses.read_value(sent) if isinstance(sent, Response) else sent
        return info if isinstance(info, dict | Problem) else {}

    def _retried(self, attempt: Callable[[], T | Problem], context: Context) -> T | Problem:
        return self._retry.run(
            attempt,
            replayable=True,
            before_wait=lambda problem, number, wait: self._waits(context, problem, number, wait),
        )

    # --- errors ---

    def _error(self, problem: Problem, context: Context) -> BillError:
        return error_for(
            problem,
            context,
            integration=self._integration,
            environment=self._credentials.environment.value,
            now=self._clock(),
        )
