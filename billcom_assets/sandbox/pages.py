"""Pages of a list: cursors, the envelope, and the faults that strike between two pages."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from billcom_assets.sandbox.codec import decode, encode
from billcom_assets.sandbox.errors import invalid
from billcom_assets.sandbox.faults import Fault, Faults, share
from billcom_assets.sandbox.kinds import Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.query import Order, Query, parse_query
from billcom_assets.sandbox.settings import CursorKind, CursorMismatch, EndOfList, ListOrder
from billcom_assets.sandbox.table import Entry, Table
from billcom_assets.sandbox.views import View, entry_for, select, values_of

DEFAULT_MAX = 20
HIGHEST_MAX = 100
_ORDERS = {
    ListOrder.OLDEST_FIRST: (Order("createdTime"),),
    ListOrder.NEWEST_FIRST: (Order("createdTime", descending=True),),
}
_ENDS = {EndOfList.ABSENT: b"", EndOfList.NULL: b"null", EndOfList.EMPTY: b'""'}


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a page cursor says.

    Attributes:
        path: The list it belongs to.
        filters: Filters of the walk.
        sort: Sort of the walk.
        key: Sort values and id of the row beside which the page begins (keyset).
        offset: Rows before the page (offset).
        back: It leads to the page that ends before ``key`` or ``offset``.
        resumed: It follows an empty page, which does not come twice at one position.
        turn: How often the last page came before.
    """

    path: str
    filters: str
    sort: str
    key: tuple[Any, ...] | None = None
    offset: int | None = None
    back: bool = False
    resumed: bool = False
    turn: int = 0

    def text(self) -> str:
        """The opaque form."""
        fields = [self.path, self.filters, self.sort, self.key, self.offset, self.back, self.resumed, self.turn]
        body = encode(fields)
        return urlsafe_b64encode(crc32(body).to_bytes(4, "big") + body).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Understand a cursor that this sandbox made.

        Raises:
            Refusal: 400; it is none.
        """
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            if crc32(raw[4:]).to_bytes(4, "big") != raw[:4]:
                raise invalid("page: invalid page token")
            path, filters, sort, key, offset, back, resumed, turn = decode(raw[4:])
        except ValueError:
            raise invalid("page: invalid page token") from None
        return cls(path, filters, sort, None if key is None else tuple(key), offset, back, resumed, turn)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The parameters of one list call.

    Attributes:
        page: Cursor as sent, or None on the first call.
        filters: Filters as sent, None when absent.
        sort: Sort as sent, None when absent.
        max_rows: Page size.
        approvals: ``billApprovals=true`` was sent.
    """

    page: str | None
    filters: str | None
    sort: str | None
    max_rows: int
    approvals: bool

    @classmethod
    def read(cls, params: Any) -> ListRequest:
        """From query parameters; unknown ones are ignored.

        Raises:
            Refusal: 400; ``max`` is no number from 1 to 100.
        """
        raw = params.get("max")
        if raw is not None and not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= HIGHEST_MAX):
            raise invalid(f"max: must be between 1 and {HIGHEST_MAX}")
        return cls(
            page=params.get("page") or None,
            filters=params.get("filters"),
            sort=params.get("sort"),
            max_rows=int(raw) if raw is not None else DEFAULT_MAX,
            approvals=params.get("billApprovals") == "true",
        )

    def key(self, path: str) -> str:
        """What makes two requests the same for the bookkeeping of faults."""
        return f"{path}?{self.page}&{self.filters}&{self.sort}&{self.max_rows}"


@dataclass(slots=True)
class Span:
    """The positions of a page within its view."""

    start: int
    stop: int


class Lister:
    """Serves list calls of one organization."""

    def __init__(self, organization: Organization, faults: Faults) -> None:
        self._organization = organization
        self._faults = faults

    def page(self, kind: Kind, request: ListRequest) -> tuple[bytes, int]:
        """One page: the JSON envelope and the number of rows in it.

        Raises:
            Refusal: 400; a bad query or cursor.
        """
        cursor = Cursor.read(request.page) if request.page else None
        query = self._query(kind, request, cursor)
        listed = f"{self._organization.id}{kind.path}"
        walk = f"{listed}?{query.filters_text}&{query.sort_text}"
        asked = f"{self._organization.id}{request.key(kind.path)}"
        if cursor is not None and self._faults.strikes_walk(Fault.CURSOR_REFUSED, walk, listed, asked):
            raise invalid("page: invalid page token")
        table = self._organization.table(kind)
        view = select(table, query)
        span = self._span(view, query, cursor, request.max_rows)
        if (
            not (cursor and cursor.resumed)
            and len(view) > span.start
            and self._faults.disturbs(Fault.EMPTY_PAGE, asked)
        ):
            resumed = replace(self._cursor(kind, query, view, span.start), resumed=True)
            return self._envelope(resumed.text(), None, []), 0
        if self._may_repeat(span, cursor, request) and self._faults.disturbs(Fault.DUPLICATE_ROWS, asked):
            span = Span(span.start - 1, min(span.stop, span.start - 1 + request.max_rows))
        entries = view.part(span.start, span.stop)
        onward = self._cursor(kind, query, view, span.stop).text() if span.stop < len(view) else None
        if onward is None and entries and self._faults.disturbs(Fault.ENDLESS_LIST, asked):
            turn = cursor.turn + 1 if cursor else 1
            onward = replace(self._cursor(kind, query, view, span.start), turn=turn).text()
        backward = self._back_cursor(kind, query, view, span.start)
        bodies = self._bodies(kind, table, entries, approvals=request.approvals)
        if onward and self._faults.disturbs(Fault.MOVING_ROWS, asked):
            self._move_a_row(kind, view, span, asked)
        if onward and request.page and self._faults.strikes_walk(Fault.REPEATED_CURSOR, walk, listed, asked):
            onward = request.page
        return self._envelope(onward, backward, bodies), len(bodies)

    @staticmethod
    def _may_repeat(span: Span, cursor: Cursor | None, request: ListRequest) -> bool:
        """A page can begin with the row before it: going forward, and with room for one that is new."""
        return cursor is not None and not cursor.back and span.start > 0 and request.max_rows > 1

    def _query(self, kind: Kind, request: ListRequest, cursor: Cursor | None) -> Query:
        settings = self._organization.readings.settings
        filters, sort = request.filters, request.sort
        if cursor is not None:
            if cursor.path != kind.path:
                raise invalid("page: invalid page token")
            same = filters in (None, cursor.filters) and sort in (None, cursor.sort)
            if not same and settings.cursor_mismatch is CursorMismatch.REJECT:
                raise invalid("page: filters and sort do not match the page token")
            if settings.cursor_carries_query:
                filters, sort = cursor.filters, cursor.sort
            elif (sort or "") != cursor.sort:
                raise invalid("page: sort does not match the page token")
        timed = settings.recurring_time_filter
        query = parse_query(kind, filters or "", sort or "", recurring_time_filter=timed)
        return replace(query, orders=_ORDERS.get(settings.list_order, query.orders))

    def _span(self, view: View, query: Query, cursor: Cursor | None, max_rows: int) -> Span:
        if cursor is None:
            return Span(0, min(max_rows, len(view)))
        position = cursor.offset or 0
        if cursor.key is not None:
            entry = self._entry(query, cursor.key)
            position = view.before(entry) if cursor.back else view.after(entry)
        position = min(position, len(view))
        if cursor.back:
            return Span(max(0, position - max_rows), position)
        return Span(position, min(position + max_rows, len(view)))

    @staticmethod
    def _entry(query: Query, key: tuple[Any, ...]) -> Entry:
        *values, object_id = key
        if len(values) != len(query.orders):
            raise invalid("page: invalid page token")
        return entry_for(query.orders, values, object_id)

    def _cursor(self, kind: Kind, query: Query, view: View, position: int) -> Cursor:
        """The cursor of the page that begins at ``position``: a keyset one stands on the row before."""
        if position == 0 or self._organization.readings.settings.cursor_kind is CursorKind.OFFSET:
            return Cursor(kind.path, query.filters_text, query.sort_text, offset=position)
        (before,) = view.part(position - 1, position)
        return Cursor(kind.path, query.filters_text, query.sort_text, key=tuple(values_of(before)))

    def _back_cursor(self, kind: Kind, query: Query, view: View, start: int) -> str | None:
        if start <= 0:
            return None
        if self._organization.readings.settings.cursor_kind is CursorKind.OFFSET:
            return Cursor(kind.path, query.filters_text, query.sort_text, offset=start, back=True).text()
        first = view.part(start, start + 1)
        if not first:
            return None
        return Cursor(kind.path, query.filters_text, query.sort_text, key=tuple(values_of(first[0])), back=True).text()

    def _bodies(self, kind: Kind, table: Table, entries: list[Entry], *, approvals: bool) -> list[bytes]:
        decorator = self._organization.decorator
        return [decorator.body(kind, table.rows[entry[-1]], approvals=approvals, in_list=True) for entry in entries]

    def _move_a_row(self, kind: Kind, view: View, span: Span, asked: str) -> None:
        """Touch a row of this page or of the next; with offset cursors only one that was not served yet.

        A served row that leaves its place under an offset cursor would make the next page skip a row, which no
        client that follows cursors can notice.
        """
        offset = self._organization.readings.settings.cursor_kind is CursorKind.OFFSET
        first = span.stop if offset else span.start
        choices = view.part(first, span.stop + HIGHEST_MAX)
        if not choices:
            return
        chosen = choices[int(share(self._faults.plan.seed, "move", asked) * len(choices))]
        table = self._organization.table(kind)
        self._organization.write(kind, table.rows[chosen[-1]].doc())

    def _envelope(self, onward: str | None, backward: str | None, bodies: list[bytes]) -> bytes:
        end = _ENDS[self._organization.readings.settings.end_of_list]
        members = [
            b'"' + name + b'":' + (end if cursor is None else b'"' + cursor.encode() + b'"')
            for name, cursor in ((b"nextPage", onward), (b"prevPage", backward))
            if cursor is not None or end
        ]
        return b"{" + b",".join([*members, b'"results":[' + b",".join(bodies) + b"]"]) + b"}"
