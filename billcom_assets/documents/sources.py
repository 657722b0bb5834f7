"""Where BILL lists what is attached to its objects."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from billcom_assets.bill.client import BillClient, decode
from billcom_assets.bill.query import item_path
from billcom_assets.entities.extract import usable_id
from billcom_assets.entities.values import clean, read_timestamp

_MOST_PAGES: Final = 50
"""Of one object's files, 100 each: more is a list that never ends."""
_LONGEST_NAME: Final = 200
_MOST_IMAGES: Final = 500
_IMAGES: Final = "BillImageServlet"
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """One file as BILL lists it."""

    id: str
    name: str
    created_time: datetime | None
    link: str
    """Where its content is; for how long is not documented."""
    is_page: bool = False
    """A page, whose id is its number: another content may stand there once the object has changed."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is attached to the objects of one entity."""

    entity: str
    path: str = ""
    """v3's list of files, below which the object's id stands; empty where only v2 has them, as pages."""
    has_pages: bool = False
    """v2 has them as pages."""

    def is_of_v2(self, client: BillClient) -> bool:
        """Whether v2 is asked."""
        return not self.path or client.credentials.v2_only

    def can_be_asked(self, client: BillClient, *, asks_v2: bool) -> bool:
        """Whether there is a call for it that this login may make, as far as is known."""
        return (self.has_pages and asks_v2) if self.is_of_v2(client) else True

    def read(self, client: BillClient, record_id: str) -> list[Listed]:
        """Lists what is attached to the object of an id.

        See https://developer.bill.com/docs/documents

        Raises:
            BillError: BILL refuses or fails.
        """
        return _pages(client, record_id) if self.is_of_v2(client) else _files(client, self.path, record_id)


def _files(client: BillClient, path: str, record_id: str) -> list[Listed]:
    found: dict[str, Listed] = {}
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = client.page(item_path(path, record_id), cursor=cursor)
        found |= {one.id: one for one in map(_listed, map(decode, page.rows)) if one is not None}
        cursor = page.next_cursor
        if cursor is None:
            break
    return list(found.values())


def _listed(document: dict[str, Any]) -> Listed | None:
    """The file; None for one that cannot be told from others."""
    identifier, link, name = usable_id(document.get("id")), document.get("downloadLink"), document.get("name")
    if not identifier:
        _LOG.warning("BILL listed a file without an id; it is left out")
        return None
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
    if link and _IMAGES not in link:
        return [Listed("1", "document.txt", None, link, is_page=True)]
    links = (
        f"/is/{_IMAGES}?{urlencode({'entityId': record_id, 'pageNumber': number})}"
        for number in range(1, min(count, _MOST_IMAGES) + 1)
    )
    return [Listed(str(n), f"page-{n}.png", None, one, is_page=True) for n, one in enumerate(links, 1)]


SOURCES: Final = (
    Source("bills", "/v3/documents/bills", has_pages=True),
    Source("invoices", "/v3/attachments/invoices"),
    Source("vendor_credits", has_pages=True),
)
"""In the order in which they are read."""
WITH_FILES: Final = frozenset(source.entity for source in SOURCES)
