"""Pages attached to vendor credits."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v2.envelope import data_of, success, text_of
from billcom_assets.sandbox.v3.documents import page_count


def document_pages(call: Call) -> ApiResponse:
    """``GetDocumentPages.json``: how many there are and where, both null for none."""
    wanted = text_of(data_of(call), "id")
    pages = page_count(call, wanted)
    link = f"/is/BillImageServlet?entityId={wanted}"
    return success({"documentPages": {"numPages": pages or None, "fileUrl": link if pages else None}})


def operations() -> Iterator[Operation]:
    """Every operation on pages."""
    yield Operation("POST", "/GetDocumentPages.json", document_pages)
