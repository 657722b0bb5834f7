"""Where BILL lists what is attached to its objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from billcom_assets.bill.client import BillClient, decode
from billcom_assets.bill.errors import BillUnavailable
from billcom_assets.bill.query import item_path
from billcom_assets.entities.values import clean, read_timestamp

_MOST_PAGES: Final = 50
"""Of one object's files, 100 each: more is a list that never ends."""
_LONGEST_NAME: Final = 200
_MOST_IMAGES: Final = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """One file as BILL lists it."""

    id: str
    name: str
    created_time: datetime | None
    link: str
    """Where its content is; for how long is not documented."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is attached to the objects of one entity."""

    entity: str
    read: Callable[[BillClient, str], list[Listed]]
    """Lists what is attached to the object of an id."""
    is_of_v2: bool = False


def _of_v3(path: str, *, has_pages: bool = False) -> Callable[[BillClient, str], list[Listed]]:
    """A v3 list of files, or the pages that v2 has where that alone is read.

    See https://developer.bill.com/docs/documents
    """

    def read(client: BillClient, record_id: str) -> list[Listed]:
        if client.credentials.v2_only and has_pages:
            return _pages(client, record_id)
        found: dict[str, Listed] = {}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = client.page(item_path(path, record_id), cursor=cursor)
            for raw in page.rows:
                one = _listed(decode(raw))
                found[one.id] = one
            cursor = page.next_cursor
            if cursor is None:
                break
        return list(found.values())

    return read


def _listed(document: dict[str, Any]) -> Listed:
    identifier, link = document.get("id"), document.get("downloadLink")
    if not isinstance(identifier, str) or not identifier:
        raise BillUnavailable("BILL listed a file without an id")
    name = document.get("name")
    return Listed(
        identifier,
        clean(name)[:_LONGEST_NAME] if isinstance(name, str) else "",
        _time(document.get("createdTime")),
        link if isinstance(link, str) else "",
    )


def _time(value: Any) -> datetime | None:
    try:
        return read_timestamp(value)
    except ValueError:
        return None


def _pages(client: BillClient, record_id: str) -> list[Listed]:
    """The pages that v2 has of a bill or vendor credit; a text has no pages, and a link of its own."""
    count, link = client.v2_document_pages(record_id)
    if link and "BillImageServlet" not in link:
        return [Listed("1", "document.txt", None, link)]
    query = ({"entityId": record_id, "pageNumber": number} for number in range(1, min(count, _MOST_IMAGES) + 1))
    return [
        Listed(str(one["pageNumber"]), f"page-{one['pageNumber']}.png", None, f"/is/BillImageServlet?{urlencode(one)}")
        for one in query
    ]


SOURCES: Final = (
    Source("bills", _of_v3("/v3/documents/bills", has_pages=True)),
    Source("invoices", _of_v3("/v3/attachments/invoices")),
    Source("vendor_credits", _pages, is_of_v2=True),
)
"""In the order in which they are read."""
WITH_FILES: Final = frozenset(source.entity for source in SOURCES)
