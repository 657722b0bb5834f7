"""Documents on bills."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import dead_session, no_such_object
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.kinds import (
    BILLS,
)
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v3.common import find

_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def _documents(call: Call, bill_id: str) -> list[Doc]:
    """What is attached to a bill: nothing, one or two files, fixed by its id."""
    row = find(call, BILLS, bill_id)
    count = crc32(bill_id.encode()) % 3
    return [
        {
            "id": f"00h{bill_id[3:-1]}{index}",
            "name": f"{row.doc()['invoice']['invoiceNumber']}-{index + 1}.pdf",
            "createdTime": stamp(row.created),
            "downloadLink": f"{call.base_url}/connect/v3/download/00h{bill_id[3:-1]}{index}",
        }
        for index in range(count)
    ]


def bill_documents(call: Call) -> ApiResponse:
    """``GET /v3/documents/bills/{billId}``; at most two, so always one page."""
    return ApiResponse.json({"results": _documents(call, call.params["id"])})


def one_document(call: Call) -> ApiResponse:
    """``GET /v3/documents/{documentId}``."""
    wanted = call.params["id"]
    for bill_id in call.organization.table(BILLS).ids:
        if bill_id[3:-1] == wanted[3:-1]:
            found = next((one for one in _documents(call, bill_id) if one["id"] == wanted), None)
            if found is not None:
                return ApiResponse.json(found)
    raise no_such_object()


def download(call: Call) -> ApiResponse:
    """What a ``downloadLink`` leads to; a session id suffices, without developer key."""
    if not call.sandbox.sessions.is_open(call.session_id):
        raise dead_session()
    return ApiResponse(200, _PDF, "application/pdf")


def operations() -> Iterator[Operation]:
    """Documents of bills and their download."""
    yield Operation("GET", "/v3/documents/bills/{id}", bill_documents)
    yield Operation("GET", "/v3/documents/{id}", one_document)
    yield Operation("GET", "/v3/download/{id}", download, session=False)
