"""The way of every API call: counting, limits, session, faults, latency, the operation itself, and the response."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import decode
from billcom_assets.sandbox.errors import (
    Refusal,
    dead_session,
    hourly_limit,
    invalid,
    not_allowed,
    out_of_scope,
    too_many_at_once,
    untrusted,
)
from billcom_assets.sandbox.faults import Fault
from billcom_assets.sandbox.limits import Caller
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.responses import BAD_GATEWAY, JSON, SINGLE_OBJECT, ApiResponse, BrokenOff
from billcom_assets.sandbox.schema import Reader, read_body
from billcom_assets.sandbox.sessions import Session
from billcom_assets.sandbox.state import Sandbox
from billcom_assets.sandbox.stats import Write


@dataclass(slots=True)
class Call:
    """One API call on its way.

    Attributes:
        sandbox: The sandbox that is called.
        params: Values of the path's placeholders.
        query: Query parameters.
        body: Raw body.
        form: Fields of a form body (v2).
        base_url: Scheme and host of the call.
        headers: Its headers.
        session_id: The session id as sent, "" when absent.
        session: The session, once it is known to be alive.
        content: The JSON body as the operation's schema reads it.
    """

    sandbox: Sandbox
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    session_id: str = ""
    session: Session | None = None
    content: Any = None

    @property
    def organization(self) -> Organization:
        """The organization of the session."""
        return self.open_session.organization

    @property
    def open_session(self) -> Session:
        """The session; only operations that need one may ask.

        Raises:
            Refusal: There is none.
        """
        if self.session is None:
            raise dead_session()
        return self.session

    def json(self) -> Any:
        """The JSON body; an empty body is an empty object.

        Raises:
            Refusal: 400; it is no JSON.
        """
        if not self.body.strip():
            return {}
        try:
            return decode(self.body)
        except ValueError as cause:
            raise invalid(f"JSON parse error: {cause}") from None


Handler = Callable[[Call], ApiResponse]


@dataclass(frozen=True, slots=True)
class Operation:
    """One API operation.

    Attributes:
        method: HTTP verb.
        path: Path below the API's base, with placeholders in braces.
        handler: What it does, run under the sandbox's lock.
        session: It needs a living session.
        login: It is a login or gives an access token, with a limit of its own.
        trusted: It needs multi-factor authentication, or an OAuth client with full access.
        body: What its JSON body must look like; None for an operation that reads none.
    """

    method: str
    path: str
    handler: Handler
    session: bool = True
    login: bool = False
    trusted: bool = False
    body: Reader | None = None

    @property
    def name(self) -> str:
        """Verb and path."""
        return f"{self.method} {self.path}"


class Dialect(Protocol):
    """What differs between v3 and v2."""

    def credentials(self, request: Request, call: Call) -> tuple[str, str]:
        """Developer key (or OAuth client) and session id of a call; "" where absent."""
        ...

    def organization_id(self, call: Call) -> str:
        """The organization that a login names."""
        ...

    def refuse(self, refusal: Refusal, timestamp: str) -> ApiResponse:
        """The response that carries a refusal."""
        ...

    def writes(self, operation: Operation) -> bool:
        """Whether an operation changes what BILL has."""
        ...


@dataclass(slots=True)
class _Passage:
    """Where a call stands on its way: its caller while in flight, and the name that the faults know it by."""

    name: str
    caller: Caller | None = None
    write: int = 0
    """Which write it is, from 1; 0 for a read."""
    is_broken_off: bool = False
    """The connection is to close in mid-response."""


class Gateway:
    """Serves operations in one dialect."""

    def __init__(self, sandbox: Sandbox, dialect: Dialect) -> None:
        self._sandbox = sandbox
        self._dialect = dialect

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        """The Starlette endpoint of an operation."""

        async def serve(request: Request) -> Response:
            stats = self._sandbox.stats
            stats.requests += 1
            stats.paths[operation.name] += 1
            stats.logins += operation.login
            call = await self._call(request)
            passage = _Passage(f"{operation.method} {request.url.path}?{request.url.query}")
            try:
                response = await self._carry_out(operation, request, call, passage)
            except Refusal as refusal:
                response = self._refusal(refusal)
            except Exception:  # noqa: BLE001 - an error of ours is remembered, so that nobody takes it for a fault
                stats.crashes.append(traceback.format_exc())
                response = self._refusal(Refusal(500, "BDC_1001", "System error occurred.", category="SERVER"))
            finally:
                # Before the body goes out: the client may send its next call as soon as it has this response.
                if passage.caller is not None:
                    self._sandbox.limits.leave(passage.caller)
            stats.statuses[response.status] += 1
            sent = self._respond(response, passage)
            sent.headers["date"] = formatdate(self._sandbox.clock.seconds(), usegmt=True)
            return sent

        return serve

    def _refusal(self, refusal: Refusal) -> ApiResponse:
        self._sandbox.stats.codes[refusal.code or "none"] += 1
        return self._dialect.refuse(refusal, stamp(self._sandbox.clock.seconds()))

    async def _call(self, request: Request) -> Call:
        body = await request.body()
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return Call(
            sandbox=self._sandbox,
            params=request.path_params,
            query=request.query_params,
            body=body,
            form=dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if is_form else {},
            base_url=f"{request.url.scheme}://{request.url.netloc}",
            headers=request.headers,
        )

    async def _carry_out(self, operation: Operation, request: Request, call: Call, passage: _Passage) -> ApiResponse:
        sandbox = self._sandbox
        dev_key, call.session_id = self._dialect.credentials(request, call)
        sandbox.limits.count_request(dev_key)
        if operation.login:
            sandbox.limits.count_login(dev_key)
        if operation.session:
            call.session = sandbox.sessions.use(call.session_id, dev_key)
        if self._dialect.writes(operation):
            sandbox.stats.writes.append(Write(operation.method, request.url.path, call.body))
            passage.write = sandbox.faults.count_write()
        self._enter(operation, call, dev_key, passage)
        refusal = sandbox.refused.get(operation.name)
        if refusal is not None:
            raise refusal
        broken = self._strike_before(operation, call, passage)
        await self._wait(passage)
        if broken is not None:
            return broken
        if passage.write and call.organization.only_reads(call.open_session.user_id):
            raise not_allowed()
        if operation.trusted and not call.open_session.trusted:
            raise out_of_scope() if call.open_session.is_oauth else untrusted()
        if operation.body is not None:
            call.content = read_body(operation.body, call.json())
        with sandbox.lock:
            if call.session is None or operation.method == "GET":
                response = operation.handler(call)
            else:
                with call.organization.all_or_nothing():
                    response = operation.handler(call)
        return await self._strike_done_write(response, passage)

    def _enter(self, operation: Operation, call: Call, dev_key: str, passage: _Passage) -> None:
        organization_id = call.organization.id if operation.session else ""
        if operation.login:
            organization_id = self._dialect.organization_id(call)
        if not organization_id:
            return
        passage.name = f"{organization_id} {passage.name}"
        passage.caller = dev_key, organization_id
        self._sandbox.limits.enter(passage.caller)

    def _strike_before(self, operation: Operation, call: Call, passage: _Passage) -> ApiResponse | None:
        """Faults that keep the call from being carried out."""
        if not (operation.session or operation.login):
            return None
        faults, settings = self._sandbox.faults, self._sandbox.settings
        fails = partial(faults.fails, request=passage.name, write=passage.write)
        if operation.session and fails(Fault.SESSION_DEATH):
            self._sandbox.sessions.end(call.open_session.id)
            raise self._sandbox.sessions.dead(call.open_session.id)
        if fails(Fault.HOURLY_LIMIT):
            raise hourly_limit(settings.throttle_status, settings.requests_per_hour)
        if fails(Fault.CONCURRENCY_LIMIT):
            raise too_many_at_once(settings.throttle_status)
        if fails(Fault.HTML_502):
            return BAD_GATEWAY
        if fails(Fault.SINGLE_OBJECT_ERROR):
            return SINGLE_OBJECT
        if fails(Fault.RESET_UNDONE):
            passage.is_broken_off = True
            return SINGLE_OBJECT
        return None

    async def _strike_done_write(self, response: ApiResponse, passage: _Passage) -> ApiResponse:
        """Faults that strike when a write has been carried out."""
        if self._sandbox.faults.fails(Fault.STALLED, passage.name, passage.write):
            await asyncio.sleep(self._sandbox.settings.stall_ms / 1000)
        if self._sandbox.faults.fails(Fault.ERROR_DONE, passage.name, passage.write):
            return SINGLE_OBJECT
        return response

    async def _wait(self, passage: _Passage) -> None:
        settings = self._sandbox.settings
        delay = settings.latency_ms
        if self._sandbox.faults.disturbs(Fault.SLOW, passage.name, passage.write):
            delay += settings.slow_ms
        if delay:
            await asyncio.sleep(delay / 1000)

    def _respond(self, response: ApiResponse, passage: _Passage) -> Response:
        """The response on the wire; a success may be broken on its way."""
        fails = partial(self._sandbox.faults.fails, request=passage.name, write=passage.write)
        if passage.is_broken_off:
            return BrokenOff(response.body, response.status, dict(response.headers), response.media_type)
        if response.status < 300 and response.body:
            if fails(Fault.RESET):
                return BrokenOff(response.body, response.status, dict(response.headers), response.media_type)
            if response.media_type == JSON and fails(Fault.TRUNCATED_JSON):
                return Response(
                    response.body[: len(response.body) * 2 // 3], response.status, media_type=response.media_type
                )
            self._sandbox.faults.succeeded(passage.name)
        return response.to_starlette()
