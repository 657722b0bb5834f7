"""Files attached to bills and invoices, and to vendor credits as v2 shows them: pages of pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from random import Random
from zlib import crc32

from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import Refusal, dead_session, invalid, no_such_object
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.kinds import BILLS, INVOICES, VENDOR_CREDITS, Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.settings import EndedLink
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v3.common import find

_SHOWN = {
    EndedLink.PAGE: (b"<html><body>Your session or link has expired. Please sign in.</body></html>", "text/html"),
    EndedLink.WORDS: (b"Session is invalid. Please log in.", "text/plain"),
}
_FORMATS: Mapping[str, tuple[bytes, bytes, str]] = {
    "pdf": (b"%PDF-1.4\n", b"\n%%EOF\n", "application/pdf"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"IEND\xaeB`\x82", "image/png"),
    "txt": (b"Delivered and accepted.\n", b"\n", "text/plain"),
}
"""How a file of each kind begins and ends, and its media type."""
_TWINS = 7
"""Of so many files one has the content that others have, too."""
_LONGEST = 120_000
_PAGE_LIMIT = 3
"""Files on a page at most, whatever was asked for, so that there is more than one page."""
_RANGE = re.compile(r"bytes=(\d+)-")
_ENDED = {EndedLink.UNAUTHORIZED: 401, EndedLink.FORBIDDEN: 403, EndedLink.GONE: 410}


def content_of(document_id: str) -> tuple[bytes, str]:
    """The content of a file, which its id fixes, and its media type."""
    number = crc32(document_id.encode())
    begin, end, media_type = _FORMATS[_extension(document_id)]
    if number % _TWINS == 0:
        return begin + b"the same in all" + end, media_type
    chance = Random(number)
    return begin + document_id.encode() + chance.randbytes(chance.randrange(_LONGEST)).hex().encode() + end, media_type


def _extension(document_id: str) -> str:
    return ("pdf", "pdf", "png", "txt")[crc32(document_id.encode(), 7) % 4]


def _count(call: Call, object_id: str) -> int:
    return crc32(object_id.encode()) % (call.sandbox.settings.most_documents + 1)


def attached(call: Call, row: Row, number: str) -> list[Doc]:
    """The files attached to an object: none up to a few, fixed by its id."""
    ids = [f"00h{row.id[3:-2]}{index:02}" for index in range(_count(call, row.id))]
    return [
        {
            "id": one,
            "name": f"{number}-{index}.{_extension(one)}",
            "createdTime": stamp(row.created),
            "downloadLink": f"{call.base_url}/connect/v3/download/{one}{_pass(call, one)}",
        }
        for index, one in enumerate(ids, 1)
    ]


def _pass(call: Call, document_id: str) -> str:
    """What makes a link to a file end."""
    life = call.sandbox.settings.link_seconds
    if not life:
        return ""
    ends = int(call.sandbox.clock.seconds()) + life
    return f"?until={ends}&key={_key(document_id, ends)}"


def _key(document_id: str, ends: int) -> str:
    return sha256(f"{document_id} {ends}".encode()).hexdigest()[:16]


NumberOf = Callable[[Doc], str]
_AREAS: tuple[tuple[str, str, Kind, NumberOf], ...] = (
    ("documents", "bills", BILLS, lambda doc: doc["invoice"]["invoiceNumber"]),
    ("attachments", "invoices", INVOICES, lambda doc: doc["invoiceNumber"]),
)
"""Paths below which files are, what they belong to, and its number."""


def _lister(kind: Kind, number_of: NumberOf) -> Handler:
    def serve(call: Call) -> ApiResponse:
        row = find(call, kind, call.params["id"])
        found = attached(call, row, number_of(row.doc()))
        most, start = call.query.get("max", "20"), call.query.get("page", "0")
        if not (most.isdecimal() and 1 <= int(most) <= 100 and start.isdecimal()):
            raise invalid("max and page must be numbers.")
        stop = int(start) + min(int(most), _PAGE_LIMIT)
        more = {"nextPage": str(stop)} if stop < len(found) else {}
        return ApiResponse.json({"results": found[int(start) : stop], **more})

    return serve


def _getter(kind: Kind, number_of: NumberOf) -> Handler:
    def serve(call: Call) -> ApiResponse:
        wanted = call.params["id"]
        row = _owner(call.organization, kind, wanted)
        found = attached(call, row, number_of(row.doc())) if row is not None else []
        for one in found:
            if one["id"] == wanted:
                return ApiResponse.json(one)
        raise no_such_object()

    return serve


def _owner(organization: Organization, kind: Kind, document_id: str) -> Row | None:
    table = organization.table(kind)
    return next((table.rows[one] for one in table.ids if one[3:-2] == document_id[3:-2]), None)


def download(call: Call) -> ApiResponse:
    """What a ``downloadLink`` leads to."""
    _let_in(call)
    document, settings = call.params["id"], call.sandbox.settings
    if settings.link_seconds:
        ends = int(call.query.get("until", "0"))
        if call.query.get("key") != _key(document, ends) or call.sandbox.clock.seconds() > ends:
            return _ended(settings.ended_link)
    if settings.downloads_move and "moved" not in call.query:
        onward = "&".join(f"{name}={value}" for name, value in {**call.query, "moved": "1"}.items())
        return ApiResponse(302, b"Found. Redirecting.", "text/plain", {"Location": f"{document}?{onward}"})
    return _part(call, *content_of(document))


def _let_in(call: Call) -> None:
    """A session id suffices, without developer key."""
    call.session = call.sandbox.sessions.living(call.session_id)
    if call.session is None:
        raise dead_session()


def _ended(how: EndedLink) -> ApiResponse:
    if how in _SHOWN:
        return ApiResponse(200, *_SHOWN[how])
    raise Refusal(_ENDED[how], None, "The link has expired.")


def _part(call: Call, content: bytes, media_type: str) -> ApiResponse:
    """The whole content, or from the byte on that is asked for."""
    asked = _RANGE.fullmatch(call.headers.get("range", ""))
    if asked is None or not call.sandbox.settings.serves_ranges:
        return ApiResponse(200, content, media_type)
    start = int(asked[1])
    if start >= len(content):
        return ApiResponse(416)
    headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    return ApiResponse(206, content[start:], media_type, headers)


def page_count(call: Call, object_id: str) -> int:
    """Pages attached to a bill or vendor credit."""
    kind = BILLS if object_id[:3] == BILLS.prefix else VENDOR_CREDITS
    return _count(call, find(call, kind, object_id).id)


def page_image(call: Call) -> ApiResponse:
    """``GET /is/BillImageServlet?entityId&pageNumber``: one page as a picture."""
    _let_in(call)
    entity, page = call.query.get("entityId", ""), call.query.get("pageNumber", "")
    if not page.isdecimal() or not 1 <= int(page) <= page_count(call, entity):
        raise no_such_object()
    return _part(call, page_content(entity, int(page)), "image/png")


def page_content(entity: str, page: int) -> bytes:
    """What is on a page."""
    begin, end, _ = _FORMATS["png"]
    return begin + f"{entity} {page}".encode() + end


def operations() -> Iterator[Operation]:
    """Files of bills and invoices, and their download."""
    for area, owner, kind, number_of in _AREAS:
        yield Operation("GET", f"/v3/{area}/{owner}/{{id}}", _lister(kind, number_of))
        yield Operation("GET", f"/v3/{area}/{{id}}", _getter(kind, number_of))
    yield Operation("GET", "/v3/download/{id}", download, session=False)


def pages() -> Iterator[Operation]:
    """Pages of vendor credits, at the host's root."""
    yield Operation("GET", "/is/BillImageServlet", page_image, session=False)
