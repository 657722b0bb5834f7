"""Taking a list's page apart without building its objects, however damaged one of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from billcom_assets.bill import salvage
from billcom_assets.bill.json_text import UNREADABLE, Malformed, decode_any

_LONGEST_CURSOR: Final = 4_096
"""Characters; a cursor travels in the URL."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    ``rows`` holds each object as the JSON bytes BILL sent, in BILL's order; ``next_cursor`` is None on the last page.
    """

    rows: tuple[bytes, ...] = field(repr=False)
    next_cursor: str | None


class Envelope(msgspec.Struct, rename="camel"):
    """The top level of a JSON object that may be a list page, a v2 envelope or an error."""

    results: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    next_page: Any = None
    code: Any = None
    error_code: Any = msgspec.field(default=None, name="error_code")
    response_status: Any = msgspec.field(default=msgspec.UNSET, name="response_status")


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def envelope_of(body: bytes) -> Envelope | None:
    """The top level of a JSON object; None for anything else."""
    try:
        return _ENVELOPE.decode(body)
    except UNREADABLE:
        return None


def page_of(body: bytes, envelope: Envelope | None) -> Page:
    """The rows of a list; a bare array counts as one page.

    A row that no reader takes is passed on as it is: it costs itself, not the list.

    Args:
        body: The response.
        envelope: Its top level, when it is an object that strict readers take.

    Raises:
        Malformed: It is cut off or not of BILL's shape.
    """
    try:
        if envelope is not None:
            if envelope.results is msgspec.UNSET:
                raise Malformed("no results")
            return Page(_rows(envelope.results), _cursor(envelope.next_page))
        if body.lstrip()[:1] == b"[":
            return Page(_rows(body), None)
    except UNREADABLE:
        pass
    try:
        return _salvaged_page(body)
    except UNREADABLE:
        raise Malformed("a list that is cut off or not of BILL's shape") from None


def is_salvageable(body: bytes) -> bool:
    """True for a page with rows that strict readers refuse."""
    try:
        _salvaged_page(body)
    except UNREADABLE:
        return False
    return True


def _salvaged_page(body: bytes) -> Page:
    """A page with rows that strict readers refuse, or Malformed or NotSalvageable."""
    if body.lstrip()[:1] == b"[":
        return Page(_only_objects(salvage.elements(body)), None)
    page = salvage.members(body)
    if "results" not in page:
        raise Malformed("no results")
    cursor = decode_any(page["nextPage"]) if "nextPage" in page else None
    return Page(_only_objects(salvage.elements(page["results"])), _cursor(cursor))


def _rows(raw: msgspec.Raw | bytes) -> tuple[bytes, ...]:
    """The elements of a JSON array of objects."""
    return _only_objects([bytes(row) for row in _RAWS.decode(raw)])


def _only_objects(rows: Sequence[bytes]) -> tuple[bytes, ...]:
    if not all(row.startswith(b"{") for row in rows):
        raise Malformed("a row that is no object")
    return tuple(rows)


def readable_id(row: bytes) -> str:
    """The id of a row that is no valid JSON; empty where it is not readable."""
    try:
        identifier = decode_any(salvage.members(row).get("id", b"null"))
    except ValueError:
        return ""
    return identifier if isinstance(identifier, str) else ""


def _cursor(value: Any) -> str | None:
    """The cursor; null, empty and absent all mean the last page."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Malformed("a cursor that is no text")
    cursor = str(value)
    if len(cursor) > _LONGEST_CURSOR:
        raise Malformed("a cursor too long to send")
    return cursor
