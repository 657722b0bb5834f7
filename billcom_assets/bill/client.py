"""The client of BILL's API: lists, objects and writes of v3, and reads of v2, on one shared session.

It signs in when it must, keeps within BILL's limits, waits out what may pass, and raises one family of errors for
what does not. Overview of the API: https://developer.bill.com/docs/home
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from billcom_assets.bill import answers
from billcom_assets.bill.answers import Answer, Kind, Malformed, Page, Problem
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import BillError, NotFound, UnsupportedCall, WrongEntityType
from billcom_assets.bill.failures import Context, error_for
from billcom_assets.bill.limits import Clock, Lanes, MemoryBudget, RequestBudget, utc_now
from billcom_assets.bill.meter import CallEvent, CallStats, EventKind, Meter
from billcom_assets.bill.query import Filter, Scalar, Sort, list_params, query_string
from billcom_assets.bill.redaction import Redactor
from billcom_assets.bill.retry import THROTTLING, RetryPolicy
from billcom_assets.bill.session import (
    Lease,
    MemorySessionStore,
    SessionKeeper,
    SessionStore,
    StoredSession,
    is_token_user,
)
from billcom_assets.bill.transport import Request, Transport

__all__ = ["NO_ID", "BillClient", "CallEvent", "CallStats", "EventKind", "Page", "decode", "none_if_unset"]

_LOG: Final = logging.getLogger(__name__)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_RENEWALS: Final = 3
"""New sessions one call may ask for; the last page of a long walk may meet more than one dead session."""
_ENTITY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_SESSION_ID: Final = re.compile(r"[\x21-\x7e]+")
NO_ID: Final = "0" * 20
"""How v2 writes a reference to nothing."""

T = TypeVar("T")
Reading = Callable[[Answer], T | Problem]


def decode(raw: bytes) -> dict[str, Any]:
    """One row of a page as a dict; numbers are int or Decimal, never float.

    Raises:
        Malformed: ``raw`` is no JSON object.
    """
    return answers.decode(raw)


def none_if_unset(value: Any) -> Any:
    """None for the ways BILL's v2 says "nothing": twenty zeros, an empty string, null; otherwise ``value``."""
    return None if value in (NO_ID, "", None) else value


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, before a session is put to it."""

    method: str
    path: str
    """For messages."""
    url: str = field(repr=False)
    context: Context
    body: bytes | None = field(default=None, repr=False)
    """JSON; for v2 the document in the form's ``data`` field."""
    v2: bool = False
    replayable: bool = True


class BillClient:
    """Calls BILL for one organization. Thread-safe; use it as a context manager or call ``close``.

    Args:
        credentials: Who signs in, and where.
        integration: Label used in every error.
        sessions: Where sessions live between runs; default: in this client only.
        budget: The developer key's hourly allowance; default: one shared by this process.
        retry: How long problems that may pass are waited out.
        timeout: Seconds to connect, and to wait for each part of an answer.
        clock: Gives the current time, timezone-aware.
        max_logins: Sign-ins this client may cause before it raises SessionsExhausted.
        on_event: Told of every attempt, wait and sign-in, in the calling thread.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        integration: str = "",
        sessions: SessionStore | None = None,
        budget: RequestBudget | None = None,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        timeout: tuple[float, float] = (10, 60),
        clock: Clock = utc_now,
        max_logins: int = 10,
        on_event: Callable[[CallEvent], None] | None = None,
    ) -> None:
        self.integration = integration
        self.credentials = credentials
        self._clock = clock
        self._retry = retry
        self._on_event = on_event
        self._budget = budget or MemoryBudget.shared(credentials.key_digest, clock)
        self._lanes = Lanes.shared(f"{credentials.key_digest}:{credentials.organization_id}")
        self._redactor = Redactor((*credentials.secrets, credentials.username))
        self._meter = Meter()
        self._v3 = Transport(credentials.v3_url, timeout)
        self._v2 = Transport(credentials.v2_url, timeout)
        self._keeper = SessionKeeper(
            self._sign_in,
            store=sessions or MemorySessionStore(),
            organization_id=credentials.organization_id,
            fingerprint=credentials.fingerprint,
            clock=clock,
            max_logins=max_logins,
        )

    def __repr__(self) -> str:
        return f"BillClient({self.credentials!r}, integration={self.integration!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Keeps the session's time of last use and closes connections. Does not sign out: others share the session."""
        try:
            self._keeper.close()
        finally:
            self._v3.close()
            self._v2.close()

    @property
    def stats(self) -> CallStats:
        """What this client has done so far."""
        return self._meter.stats

    def page(
        self,
        path: str,
        *,
        filters: Iterable[Filter] = (),
        sort: Sort | Iterable[Sort] | None = None,
        cursor: str | None = None,
        max_rows: int = 100,
    ) -> Page:
        """One page of a v3 list, archived objects included.

        To walk a list, call it again with ``next_cursor`` and otherwise identical arguments until that is None. An
        empty page may have a cursor. See https://developer.bill.com/docs/search-op-with-lists

        Args:
            path: For example ``/v3/bills``.
            filters: Conditions, all required.
            sort: BILL's default order is not documented; give one.
            cursor: ``next_cursor`` of the page before.
            max_rows: 1 to 100.

        Raises:
            QueryRefused: BILL refuses the filter, the sort or the cursor.
            BillError: Anything else, see ``errors``.
        """
        params = list_params(filters=filters, sort=sort, cursor=cursor, max_rows=max_rows)
        context = Context(f"GET {path}", is_query=True, cursor_in_play=bool(cursor))
        call = _Call("GET", path, self._v3_url(path, params), context)
        return self._run(call, answers.read_page)

    def get(self, path: str, params: Mapping[str, Scalar] | None = None) -> Any:
        """The answer to a v3 GET: an object or a list; numbers are int or Decimal. None for an empty answer (204).

        Raises:
            NotFound: BILL has no object with this id.
            BillError: Anything else, see ``errors``.
        """
        url = self._v3_url(path, tuple((params or {}).items()))
        return self._run(_Call("GET", path, url, Context(f"GET {path}")), _read_value)

    def post(
        self, path: str, body: Any = None, *, params: Mapping[str, Scalar] | None = None, idempotent: bool = False
    ) -> Any:
        """Sends a v3 POST; gives the decoded answer, None when it is empty.

        BILL has no idempotency key here, so a POST whose answer is lost is not sent again.

        Args:
            path: For example ``/v3/classifications/chart-of-accounts``.
            body: JSON-able; money as Decimal.
            params: Query parameters.
            idempotent: The call may safely happen twice, as archive and restore may.

        Raises:
            WriteOutcomeUnknown: The answer was lost; read again before repeating.
            BillError: Anything else, see ``errors``.
        """
        return self._write("POST", path, body, params, idempotent=idempotent)

    def patch(
        self, path: str, body: Any, *, params: Mapping[str, Scalar] | None = None, idempotent: bool = False
    ) -> Any:
        """Sends a v3 PATCH; as ``post``."""
        return self._write("PATCH", path, body, params, idempotent=idempotent)

    def who_am_i(self) -> dict[str, Any]:
        """The session's organization and user: ``organizationId``, ``userId`` and what else BILL tells.

        Where BILL does not tell (no such call, or a sync token's system user), what the sign-in told.
        See https://developer.bill.com/reference/getsessioninfo
        """
        try:
            told = self.get("/v3/login/session")
        except (NotFound, UnsupportedCall, WrongEntityType):
            told = None
        session = self._keeper.current().session
        known = {"organizationId": session.organization_id, "userId": session.user_id}
        return {**known, **told} if isinstance(told, dict) else known

    def login(self) -> StoredSession:
        """Signs in anew, whatever session there is, and keeps the new one.

        See https://developer.bill.com/reference/login

        Raises:
            AuthenticationRefused: BILL refuses the credentials.
            BillError: Anything else, see ``errors``.
        """
        return self._keeper.fresh().session

    def v2_list(
        self,
        entity: str,
        *,
        start: int = 0,
        max_rows: int = 999,
        filters: Iterable[Filter] = (),
        sort: Iterable[Sort] = (),
    ) -> tuple[dict[str, Any], ...]:
        """Rows ``start`` to ``start + max_rows`` of a v2 list, inactive ones included; fewer rows mean the end.

        v2 says "nothing" in several ways, see ``none_if_unset``, and its enums are digits in text.
        See https://developer.bill.com/v2/docs/search-ops-with-lists

        Args:
            entity: BILL's v2 name, for example ``SentPay``.
            start: Rows to skip.
            max_rows: 1 to 999.
            filters: Conditions, all required.
            sort: Order; the first counts most.

        Raises:
            QueryRefused: BILL refuses a filter or sort.
            BillError: Anything else, see ``errors``.
        """
        if not 1 <= max_rows <= 999 or start < 0:
            raise ValueError("v2 lists give 1 to 999 rows from 0 on")
        document: dict[str, Any] = {"start": start, "max": max_rows}
        document |= {"filters": clauses} if (clauses := [one.v2() for one in filters]) else {}
        document |= {"sort": orders} if (orders := [one.v2() for one in sort]) else {}
        return self._run(self._v2_call(f"List/{_entity(entity)}.json", document, is_query=True), _read_v2_rows)

    def v2_read(self, entity: str, item_id: str) -> dict[str, Any]:
        """One v2 object.

        Raises:
            NotFound: BILL has no such object.
            BillError: Anything else, see ``errors``.
        """
        call = self._v2_call(f"Crud/Read/{_entity(entity)}.json", {"id": item_id}, is_query=False)
        return self._run(call, _read_v2_object)

    # --- calls ---

    def _v3_url(self, path: str, params: Iterable[tuple[str, Scalar]] = ()) -> str:
        query = query_string(params)
        return f"{self.credentials.v3_url}{path}{'?' if query else ''}{query}"

    def _write(
        self, method: str, path: str, body: Any, params: Mapping[str, Scalar] | None, *, idempotent: bool
    ) -> Any:
        call = _Call(
            method,
            path,
            self._v3_url(path, tuple((params or {}).items())),
            Context(f"{method} {path}", is_write=not idempotent),
            body=_ENCODER.encode(body) if body is not None else None,
            replayable=idempotent,
        )
        return self._run(call, _read_written)

    def _v2_call(self, path: str, document: dict[str, Any], *, is_query: bool) -> _Call:
        context = Context(f"POST /api/v2/{path}", is_query=is_query)
        url = f"{self.credentials.v2_url}/{path}"
        return _Call("POST", path, url, context, body=_ENCODER.encode(document), v2=True)

    def _run(self, call: _Call, reading: Reading[T]) -> T:
        """Makes ``call``, repeating and renewing the session as allowed; raises what stays wrong."""
        progress = _Progress()
        try:
            outcome = self._retry.run(
                lambda: self._attempt(call, reading, progress),
                replayable=call.replayable,
                before_wait=lambda problem, number, wait: self._waits(call.context.endpoint, problem, number, wait),
            )
        except BillError as error:
            raise error.located(integration=self.integration, endpoint=call.context.endpoint) from None
        if isinstance(outcome, Problem):
            raise self._error(outcome, call.context)
        return outcome

    def _attempt(self, call: _Call, reading: Reading[T], progress: _Progress) -> T | Problem:
        """One try, with a new session where the one at hand is dead."""
        lease = self._keeper.current()
        while True:
            transport = self._v2 if call.v2 else self._v3
            sent = self._send(transport, self._request(call, lease), call.context.endpoint)
            outcome = reading(sent) if isinstance(sent, Answer) else sent
            if not isinstance(outcome, Problem):
                self._keeper.succeeded(lease)
                return outcome
            if not progress.may_renew(outcome, lease):
                return outcome
            lease = self._keeper.renew(lease)

    def _request(self, call: _Call, lease: Lease) -> Request:
        session_id = lease.session.session_id
        if call.v2:
            form = {"devKey": self.credentials.dev_key, "sessionId": session_id, "data": (call.body or b"").decode()}
            headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
            return Request("POST", call.url, headers, query_string(form.items()).encode(), v2=True)
        headers = {"Accept": "application/json", "devKey": self.credentials.dev_key, "sessionId": session_id}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return Request(call.method, call.url, headers, call.body, own_connection=not call.replayable)

    def _send(self, transport: Transport, request: Request, endpoint: str, *, login: bool = False) -> Answer | Problem:
        """Sends one request within the limits."""
        self._budget.spend(1)
        if login:
            self._budget.spend_login()
        with self._lanes.enter() as in_flight:
            self._meter.sent(in_flight, login=login)
            started = time.monotonic()
            outcome = transport.send(request)
            seconds = time.monotonic() - started
        if isinstance(outcome, Problem):
            outcome = replace(outcome, message=self._redactor(outcome.message, *self._keeper.known_session_ids()))
        code = outcome.code if isinstance(outcome, Problem) else None
        _LOG.debug("%s -> HTTP %s %s in %.3f s", endpoint, outcome.http_status, code or "", seconds)
        self._tell(EventKind.REQUEST, endpoint, outcome, seconds=seconds)
        return outcome

    def _waits(self, endpoint: str, problem: Problem, number: int, wait: float) -> None:
        self._meter.waits(wait, throttled=problem.kind in THROTTLING)
        _LOG.debug("%s: %s, attempt %d; next in %.1f s", endpoint, problem.kind, number, wait)
        self._tell(EventKind.RETRY, endpoint, problem, attempt=number, seconds=wait)

    def _tell(
        self, kind: EventKind, endpoint: str, outcome: Answer | Problem, *, attempt: int = 1, seconds: float = 0.0
    ) -> None:
        if self._on_event is None:
            return
        code, message = (outcome.code, outcome.message) if isinstance(outcome, Problem) else (None, "")
        self._on_event(CallEvent(kind, endpoint, outcome.http_status, code, attempt, seconds, message))

    # --- signing in ---

    def _sign_in(self) -> StoredSession:
        """Opens a session; called by the keeper, one at a time.

        See https://developer.bill.com/reference/login
        """
        context = Context("POST /v3/login", is_login=True)
        outcome = self._retry.run(
            self._attempt_sign_in,
            replayable=True,
            before_wait=lambda problem, number, wait: self._waits(context.endpoint, problem, number, wait),
        )
        if isinstance(outcome, Problem):
            raise self._error(outcome, context)
        return outcome

    def _attempt_sign_in(self) -> StoredSession | Problem:
        who = self.credentials
        body = _ENCODER.encode(
            {
                "username": who.username,
                "password": who.password,
                "organizationId": who.organization_id,
                "devKey": who.dev_key,
            }
        )
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = Request("POST", self._v3_url("/v3/login"), headers, body)
        del body
        sent = self._send(self._v3, request, "POST /v3/login", login=True)
        if isinstance(sent, Problem):
            return sent
        opened = self._opened_session(sent)
        if isinstance(opened, StoredSession):
            self._tell(EventKind.LOGIN, "POST /v3/login", sent)
        return opened

    def _opened_session(self, answer: Answer) -> StoredSession | Problem:
        """The session that a sign-in's answer names."""
        value = _read_value(answer)
        if not isinstance(value, dict):
            return value if isinstance(value, Problem) else answers.malformed(answer, "a sign-in without a session")
        session_id, user_id = value.get("sessionId"), value.get("userId")
        if not isinstance(session_id, str) or not _SESSION_ID.fullmatch(session_id):
            return answers.malformed(answer, "a sign-in without a session")
        organization_id = value.get("organizationId") or self.credentials.organization_id
        if organization_id != self.credentials.organization_id:
            return Problem(
                Kind.AUTHENTICATION, "The session is for another organization", http_status=answer.http_status
            )
        user_id = user_id if isinstance(user_id, str) else ""
        return StoredSession(
            session_id=session_id,
            user_id=user_id,
            organization_id=organization_id,
            is_token=is_token_user(user_id),
            last_used_at=self._clock(),
            fingerprint=self.credentials.fingerprint,
        )

    # --- errors ---

    def _error(self, problem: Problem, context: Context) -> BillError:
        return error_for(
            problem,
            context,
            integration=self.integration,
            environment=self.credentials.environment.value,
            now=self._clock(),
        )


@dataclass(slots=True)
class _Progress:
    """What one call has used up over all its attempts."""

    renewals: int = 0

    def may_renew(self, problem: Problem, lease: Lease) -> bool:
        """True when a new session may cure ``problem``."""
        if problem.kind is Kind.DEAD_SESSION:
            # code 1361 means "untrusted" as well as "expired": one new session shows which
            allowed = 1 if problem.code == "BDC_1361" else _RENEWALS
        elif problem.kind is Kind.AUTHENTICATION and not lease.opened_here:
            allowed = 1  # a stored session may have been opened with a developer key since replaced
        else:
            return False
        self.renewals += 1
        return self.renewals <= allowed


def _entity(name: str) -> str:
    if not _ENTITY.fullmatch(name):
        raise ValueError(f"{name!r} is no v2 entity")
    return name


def _read_value(answer: Answer) -> Any:
    """The decoded body of a read; a Problem when there is none."""
    if not answer.body.strip():
        return None if answer.http_status == 204 else answers.malformed(answer, "an empty answer")
    try:
        return answers.decode_any(answer.body)
    except Malformed:
        return answers.malformed(answer, "an answer that is cut off or no valid JSON")


def _read_written(answer: Answer) -> Any:
    """The decoded body of a write, which may be empty."""
    return _read_value(answer) if answer.body.strip() else None


def _read_v2_data(answer: Answer) -> Any:
    """What a v2 envelope holds."""
    value = _read_value(answer)
    return value if isinstance(value, Problem) else value.get("response_data")


def _read_v2_rows(answer: Answer) -> tuple[dict[str, Any], ...] | Problem:
    data = _read_v2_data(answer)
    if isinstance(data, Problem):
        return data
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        return answers.malformed(answer, "a list that is none")
    return tuple(data)


def _read_v2_object(answer: Answer) -> dict[str, Any] | Problem:
    data = _read_v2_data(answer)
    if isinstance(data, dict) and set(data) == {"obj"}:
        data = data["obj"]
    if isinstance(data, Problem):
        return data
    return data if isinstance(data, dict) else answers.malformed(answer, "an object that is none")
