"""The client of BILL's API: lists, objects and writes of v3, and reads of v2, on one shared session.

It signs in when it must, keeps within BILL's limits, waits out what may pass, and raises one family of errors for
what does not. Overview of the API: https://developer.bill.com/docs/home
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypeVar
from urllib.parse import urljoin

import msgspec

from billcom_assets.bill import json_text, responses
from billcom_assets.bill.bounded import ResponseLimits
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.downloads import Download
from billcom_assets.bill.errors import (
    BillUnavailable,
    NotFound,
    QueryRefused,
    Refused,
    UnsupportedCall,
    WrongEntityType,
)
from billcom_assets.bill.failures import Context
from billcom_assets.bill.json_text import Malformed
from billcom_assets.bill.meter import CallEvent, CallStats, EventKind
from billcom_assets.bill.pages import Page, readable_id
from billcom_assets.bill.pipeline import Call, Pipeline
from billcom_assets.bill.problems import Problem
from billcom_assets.bill.query import V2_LIST, Filter, Op, Scalar, Sort, item_path, list_params, query_string
from billcom_assets.bill.quotas import Clock, MemoryBudget, RequestBudget
from billcom_assets.bill.responses import Response
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.session import MemorySessionStore, SessionStore, StoredSession
from billcom_assets.clock import utc_now
from billcom_assets.entities.v2_shapes import SHAPES, Join, Shape

__all__ = [
    "BillClient",
    "CallEvent",
    "CallStats",
    "EventKind",
    "Page",
    "decode",
    "readable_id",
]

_LOG: Final = logging.getLogger(__name__)
_T = TypeVar("_T")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_V3_ROWS: Final = 100
_V2_ROWS: Final = 999
"""What lists send at most."""
DOWNLOAD: Final = "GET downloadLink"
"""The call that fetches a file, in errors: its address may hold what lets anybody in."""
_MOST_MOVES: Final = 4
_ENTITY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def decode(raw: bytes) -> dict[str, Any]:
    """One row of a page as a dict; numbers are int or Decimal, never float.

    Raises:
        BillUnavailable: ``raw`` is no JSON object.
    """
    try:
        return json_text.decode(raw)
    except Malformed:
        raise BillUnavailable("BILL sent an object that is not valid JSON") from None


class BillClient:
    """Calls BILL for one organization. Thread-safe; use it as a context manager or call ``close``.

    Args:
        credentials: Who signs in, and where.
        integration: Label used in every error.
        sessions: Where sessions live between runs; default: in this client only.
        budget: The developer key's hourly allowance; default: one shared by this process.
        retry: How long problems that may pass are waited out.
        timeout: Seconds to connect, and to wait for each part of a response.
        limits: What a whole response may cost.
        clock: Returns the current time, timezone-aware.
        max_logins: Sign-ins this client may cause before it raises SessionsExhausted.
        on_event: Called with every attempt, wait and sign-in, in the calling thread.
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
        limits: ResponseLimits = ResponseLimits(),  # noqa: B008 - frozen
        clock: Clock = utc_now,
        max_logins: int = 10,
        on_event: Callable[[CallEvent], None] | None = None,
    ) -> None:
        self.credentials = credentials
        self.integration = integration
        self._joining = threading.Lock()
        self._joins: dict[str, Mapping[str, Sequence[Any]] | None] = {}
        self._known_names: dict[str, tuple[str, ...]] = {}
        """Of v2's lists, by the path that they stand in for: the one that BILL knows."""
        self._pipeline = Pipeline(
            credentials,
            integration=integration,
            sessions=MemorySessionStore() if sessions is None else sessions,
            budget=MemoryBudget.shared(credentials.key_digest, clock) if budget is None else budget,
            retry=retry,
            timeout=timeout,
            limits=limits,
            clock=clock,
            max_logins=max_logins,
            on_event=on_event,
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
        self._pipeline.close()

    @property
    def stats(self) -> CallStats:
        """What this client has done so far."""
        return self._pipeline.stats

    @property
    def bill_clock(self) -> datetime | None:
        """BILL's clock as of its last response (the header ``Date``), in UTC; None while none has."""
        return self._pipeline.bill_clock

    def login(self) -> StoredSession:
        """Signs in again, whatever session there is, and keeps the new one.

        See https://developer.bill.com/reference/login

        Raises:
            AuthenticationRefused: BILL refuses the credentials.
            BillError: Anything else, see ``errors``.
        """
        return self._pipeline.login()

    def logout(self) -> None:
        """Ends the session at BILL, for everybody who shares it.

        See https://developer.bill.com/reference/logout

        Raises:
            BillError: BILL cannot be reached or refuses.
        """
        self.post("/v3/logout")

    def who_am_i(self) -> dict[str, Any]:
        """The session's organization and user: ``organizationId``, ``userId`` and what else BILL tells.

        Where BILL does not say (no such call, or a sync token's system user), what the sign-in said.
        See https://developer.bill.com/v3/reference/getsessioninfo
        """
        try:
            info = self.get("/v3/login/session")
        except (NotFound, UnsupportedCall, WrongEntityType):
            info = None
        session = self._pipeline.keeper.current().session
        known = {"organizationId": session.organization_id, "userId": session.user_id}
        return {**known, **info} if isinstance(info, dict) else known

    # --- v3 ---

    def page(
        self,
        path: str,
        *,
        filters: Iterable[Filter] = (),
        sort: Sort | Iterable[Sort] | None = None,
        cursor: str | None = None,
        max_rows: int = _V3_ROWS,
    ) -> Page:
        """One page of a list, archived objects included.

        To walk a list, call it again with ``next_cursor`` and otherwise identical arguments until that is None. An
        empty page may have a cursor. See https://developer.bill.com/docs/search-op-with-lists

        Args:
            path: For example ``/v3/bills``, or ``/api/v2/List/MoneyMovement.json`` for a list of v2's.
            filters: Conditions, all required.
            sort: BILL's default order is not documented; give one.
            cursor: ``next_cursor`` of the page before.
            max_rows: 1 to 100. Of a v2 list 100 stands for what v2 sends at most.

        Raises:
            QueryRefused: BILL refuses the filter, the sort or the cursor.
            BillError: Anything else, see ``errors``.
        """
        if stand_in := self._v2_list_at(path):
            if cursor is not None and not cursor.isdecimal():
                raise ValueError("the cursor of a v2 list is the number of rows before the page")
            names, shape = stand_in
            clauses, start = tuple(filters), int(cursor or 0)
            rows, onward = self._v2_stand_in(
                path, names, lambda name: self._v2_page(name, clauses, sort or (), start, max_rows)
            )
            return Page(tuple(map(_ENCODER.encode, self._as_v3(rows, shape))), onward)
        params = list_params(filters=filters, sort=sort, cursor=cursor, max_rows=max_rows)
        context = Context(f"GET {path}", is_query=True, cursor_in_play=bool(cursor))
        return self._pipeline.run(Call("GET", self._v3_url(path, params), context), responses.read_page)

    def item(self, path: str, item_id: str) -> Any:
        """One object of the list at ``path``; see ``get`` and ``v2_read`` for what it raises."""
        if listed := V2_LIST.fullmatch(path):
            return self.v2_read(listed[1], item_id)
        if stand_in := self._v2_list_at(path):
            names, shape = stand_in
            record = self._v2_stand_in(path, names, lambda name: self._v2_whole(name, item_id))
            return self._as_v3([record], shape)[0]
        return self.get(item_path(path, item_id))

    def _v2_list_at(self, path: str) -> tuple[tuple[str, ...], Shape | None] | None:
        """Names of the v2 list at a path, or of the one that stands in for v3's, with v3's shape of its records."""
        if listed := V2_LIST.fullmatch(path):
            return (listed[1],), None
        shape = SHAPES.get(path) if self.credentials.v2_only else None
        return (self._known_names.get(path, shape.names), shape) if shape else None

    def _v2_stand_in(self, path: str, names: tuple[str, ...], ask: Callable[[str], _T]) -> _T:
        """What v2 answers under the first of the list's names that it knows."""
        for name in names[:-1]:
            try:
                found = ask(name)
            except UnsupportedCall:
                continue
            self._known_names[path] = (name,)
            return found
        found = ask(names[-1])
        self._known_names[path] = names[-1:]
        return found

    def _as_v3(self, rows: Sequence[dict[str, Any]], shape: Shape | None) -> list[dict[str, Any]]:
        if shape is None:
            return list(rows)
        joined = self._joined(shape.join) if shape.join else None
        return [shape.v3(row, joined) for row in rows]

    def _joined(self, join: Join) -> Mapping[str, Sequence[Any]] | None:
        """What a list of v2's has for another one's objects, read once, which is how long a run lasts.

        None where BILL does not show it: it is in no official document.
        """
        with self._joining:
            if join.name not in self._joins:
                try:
                    self._joins[join.name] = join.parts(self._whole_v2_list(join.name))
                except (Refused, NotFound, WrongEntityType) as refusal:
                    _LOG.warning("%s: BILL's v2 does not show %s: %s", self.integration, join.name, refusal)
                    self._joins[join.name] = None
            return self._joins[join.name]

    def _whole_v2_list(self, name: str) -> Iterable[dict[str, Any]]:
        """Every record of a v2 list; each once, whatever moves while it is read."""
        sort: tuple[Sort, ...] = (Sort("createdTime"), Sort("id"))
        try:
            rows, onward = self._v2_page(name, (), sort, 0, _V3_ROWS)
        except QueryRefused:
            sort = ()
            rows, onward = self._v2_page(name, (), sort, 0, _V3_ROWS)
        found: dict[str, dict[str, Any]] = {}
        while any(str(row.get("id")) not in found for row in rows):
            found |= {str(row.get("id")): row for row in rows}
            if onward is None:
                break
            rows, onward = self._v2_page(name, (), sort, int(onward), _V3_ROWS)
        return found.values()

    def get(self, path: str, params: Mapping[str, Scalar] | None = None) -> Any:
        """The response to a v3 GET: an object or a list; numbers are int or Decimal. None for an empty response (204).

        Raises:
            NotFound: BILL has no object with this id.
            BillError: Anything else, see ``errors``.
        """
        return self._pipeline.run(Call("GET", self._v3_url(path, params), Context(f"GET {path}")), responses.read_value)

    def download(self, link: str, file: BinaryIO) -> None:
        """Writes the file behind a ``downloadLink`` as it comes; where the connection breaks it is gone on with.

        The session is shown to BILL's own hosts alone. See https://developer.bill.com/reference/getdocument

        Args:
            link: As BILL sent it; how long it lives is not documented.
            file: Open for writing and reading, empty.

        Raises:
            Refused: The link leads to somebody else than BILL, whom nothing is sent to.
            NoRoom: The file cannot be written.
            BillError: Anything else, see ``errors``; a link that has ended is refused in one way or another.
        """
        context, download = Context(DOWNLOAD), Download(file)
        for _ in range(_MOST_MOVES):
            url = self.credentials.own_link(link)
            if url is None:
                break
            self._pipeline.run(Call("GET", url, context, into=download), lambda response: response)
            if not download.moved_to:
                return
            link = urljoin(url, download.moved_to)
        raise Refused(
            "The link to the file leads to somebody else than BILL, whom nothing was sent, or in circles",
            integration=self.integration,
            endpoint=context.endpoint,
            next_step="Look at the file in BILL itself.",
        )

    def post(
        self, path: str, body: Any = None, *, params: Mapping[str, Scalar] | None = None, idempotent: bool = False
    ) -> Any:
        """Sends a v3 POST; returns the decoded response, None when it is empty.

        BILL has no idempotency key here, so a POST whose answer is lost is not sent again.

        Args:
            path: For example ``/v3/classifications/chart-of-accounts``.
            body: JSON-able; money as Decimal.
            params: Query parameters.
            idempotent: The call may safely happen twice, as archive and restore may.

        Raises:
            WriteOutcomeUnknown: The response was lost; read again before repeating.
            BillError: Anything else, see ``errors``.
        """
        return self._write("POST", path, body, params, idempotent=idempotent)

    def patch(
        self, path: str, body: Any, *, params: Mapping[str, Scalar] | None = None, idempotent: bool = False
    ) -> Any:
        """Sends a v3 PATCH; as ``post``."""
        return self._write("PATCH", path, body, params, idempotent=idempotent)

    def _write(
        self, method: str, path: str, body: Any, params: Mapping[str, Scalar] | None, *, idempotent: bool
    ) -> Any:
        call = Call(
            method,
            self._v3_url(path, params),
            Context(f"{method} {path}", is_write=not idempotent),
            body=None if body is None else _ENCODER.encode(body),
            replayable=idempotent,
        )
        return self._pipeline.run(call, responses.read_written)

    def _v3_url(self, path: str, params: Mapping[str, Scalar] | None = None) -> str:
        if self.credentials.v2_only:
            raise UnsupportedCall(
                "BILL's v2 API has no such call; nothing was sent",
                integration=self.integration,
                endpoint=path,
                next_step=f"Where v3 serves the developer key by now: billcom connect {self.integration} --api v3",
            )
        query = query_string((params or {}).items())
        return f"{self.credentials.v3_url}{path}{'?' if query else ''}{query}"

    # --- v2 ---

    def v2_list(
        self,
        entity: str,
        *,
        start: int = 0,
        max_rows: int = _V2_ROWS,
        filters: Iterable[Filter] = (),
        sort: Sort | Iterable[Sort] = (),
        nested: bool = False,
    ) -> tuple[dict[str, Any], ...]:
        """Rows ``start`` to ``start + max_rows`` of a v2 list, inactive ones included; fewer rows mean the end.

        v2 says "nothing" in several ways, see ``entities.values.none_if_unset``, and its enums are digits in text.
        See https://developer.bill.com/v2/docs/search-ops-with-lists

        Args:
            entity: BILL's v2 name, for example ``SentPay``.
            start: Rows to skip.
            max_rows: 1 to 999.
            filters: Conditions, all required.
            sort: Order; the first counts most.
            nested: With the rows' own lists, such as lines, which BILL may leave out otherwise.

        Raises:
            QueryRefused: BILL refuses a filter or sort.
            UnsupportedCall: The credentials are an OAuth client's.
            BillError: Anything else, see ``errors``.
        """
        if not 1 <= max_rows <= _V2_ROWS or start < 0:
            raise ValueError(f"v2 lists return 1 to {_V2_ROWS} rows from 0 on")
        sorts = (sort,) if isinstance(sort, Sort) else tuple(sort)
        clauses = {"filters": [one.v2() for one in filters], "sort": [one.v2() for one in sorts], "nested": nested}
        document = {"start": start, "max": max_rows, **{name: given for name, given in clauses.items() if given}}
        call = self._v2_call(f"List/{_entity(entity)}.json", document, is_query=True)
        return self._pipeline.run(call, _read_v2_rows)

    def _v2_page(
        self, entity: str, filters: Iterable[Filter], sort: Sort | Iterable[Sort], start: int, max_rows: int
    ) -> tuple[tuple[dict[str, Any], ...], str | None]:
        """A page of a v2 list, and where the next one begins.

        Only a page of fewer rows than any server would cap at is taken for the last one.
        """
        most = _V2_ROWS if max_rows == _V3_ROWS else max_rows
        rows = self.v2_list(entity, start=start, max_rows=most, filters=filters, sort=sort, nested=True)
        is_last = len(rows) < min(most, _V3_ROWS)
        return rows, None if is_last else str(start + len(rows))

    def v2_read(self, entity: str, item_id: str) -> dict[str, Any]:
        """One v2 object.

        Raises:
            NotFound: BILL has no such object.
            UnsupportedCall: The credentials are an OAuth client's.
            BillError: Anything else, see ``errors``.
        """
        call = self._v2_call(f"Crud/Read/{_entity(entity)}.json", {"id": item_id}, is_query=False)
        return self._pipeline.run(call, _read_v2_object)

    def _v2_whole(self, entity: str, item_id: str) -> dict[str, Any]:
        """One v2 object with its lists, which a list shows on demand and a read may leave out."""
        try:
            rows = self.v2_list(entity, max_rows=2, filters=[Filter("id", Op.EQ, item_id)], nested=True)
        except QueryRefused:
            rows = ()
        return rows[0] if len(rows) == 1 and rows[0].get("id") == item_id else self.v2_read(entity, item_id)

    def v2_document_pages(self, item_id: str) -> tuple[int, str]:
        """How many pages are attached to a bill or vendor credit, and the link to them; 0 and "" for none.

        See https://developer.bill.com/v2/reference/org-basic-getdocumentpages
        """
        return self._pipeline.run(
            self._v2_call("GetDocumentPages.json", {"id": item_id}, is_query=False), _read_document_pages
        )

    def v2_approvers(self, entity: str, item_id: str) -> tuple[dict[str, Any], ...]:
        """Who is asked to approve a bill or vendor credit, in their order; see ``v2_list`` for what it raises.

        See https://developer.bill.com/reference/ap-approvals-listapprovers

        Args:
            entity: ``Bill`` or ``VendorCredit``.
            item_id: Its id.
        """
        document = {"objectId": item_id, "entity": _entity(entity)}
        return self._pipeline.run(self._v2_call("ListApprovers.json", document, is_query=False), _read_v2_rows)

    def _v2_call(self, path: str, document: dict[str, Any], *, is_query: bool) -> Call:
        context = Context(f"POST /api/v2/{path}", is_query=is_query)
        if not self.credentials.way.reaches_v2:
            raise UnsupportedCall(
                "v2 refused: BILL's v2 API takes no OAuth client; nothing was sent",
                integration=self.integration,
                endpoint=context.endpoint,
                next_step=f"Connect with a sync token where v2 is needed: billcom connect {self.integration or 'KEY'}",
            )
        return Call("POST", f"{self.credentials.v2_url}/{path}", context, body=_ENCODER.encode(document), v2=True)


def _entity(name: str) -> str:
    if not _ENTITY.fullmatch(name):
        raise ValueError(f"{name!r} is no v2 entity")
    return name


def _read_v2_data(response: Response) -> Any:
    """What a v2 envelope holds."""
    value = responses.read_value(response)
    return value if isinstance(value, Problem) else value.get("response_data")


def _read_v2_rows(response: Response) -> tuple[dict[str, Any], ...] | Problem:
    data = _read_v2_data(response)
    if isinstance(data, Problem):
        return data
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        return responses.malformed(response, "a list that is none")
    return tuple(data)


def _read_document_pages(response: Response) -> tuple[int, str] | Problem:
    data = _read_v2_data(response)
    if isinstance(data, Problem):
        return data
    pages = data.get("documentPages") if isinstance(data, dict) else None
    if not isinstance(pages, dict):
        return responses.malformed(response, "pages that are none")
    count, link = str(pages.get("numPages") or 0), pages.get("fileUrl") or ""
    return (int(count), link) if count.isdecimal() and isinstance(link, str) and link else (0, "")


def _read_v2_object(response: Response) -> dict[str, Any] | Problem:
    data = _read_v2_data(response)
    if isinstance(data, dict) and set(data) == {"obj"}:
        data = data["obj"]
    if isinstance(data, Problem):
        return data
    return data if isinstance(data, dict) else responses.malformed(response, "an object that is none")
