"""Reads any response that BILL or something in front of it may send: a success, or a problem of a known kind.

The code in the body decides, whatever the HTTP status; without a code BILL's well-known wording decides, then the
status. Nothing here raises for bad input: bytes that cannot be read are a problem too.

Error shape and codes: https://developer.bill.com/docs/common-api-error-codes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import msgspec

from billcom_assets.bill.json_text import Malformed, decode_any
from billcom_assets.bill.pages import Envelope, Page, envelope_of, is_salvageable, page_of
from billcom_assets.bill.problems import (
    Problem,
    ProblemKind,
    kind_by_content,
    kind_by_status,
    kind_by_wording,
    kind_of,
)

_MESSAGE_READ: Final = 10_000
"""Characters of one message that are looked at, far more than is shown, because masking comes before cutting."""
_ERRORS_READ: Final = 50
"""Errors of one response that are looked at."""
_PAGE_READ: Final = 20_000
"""Bytes of a web page or text that are looked at."""
_MOST_VALUES: Final = 1_000_000
"""Values of one response; as Python objects they take about 100 bytes each. BILL's fullest pages have some 100,000."""
_TOO_SMALL_TO_COUNT: Final = 2**20
"""Bytes that cannot hold so many values."""
_LONGEST_WORDS: Final = 2_000
"""Bytes of what may be words about an error."""
_BOM: Final = b"\xef\xbb\xbf"


_TAG: Final = re.compile(r"<[^>]*>")
_CODE: Final = re.compile(r"\s*BDC[_-]?(\d{3,5})\s*", re.I)
_SEVERITIES: Final = frozenset({"ERROR", "WARNING", "INFORMATION"})


@dataclass(frozen=True, slots=True)
class Response:
    """A success: HTTP 2xx with a body that was received whole and, if there is one, is valid UTF-8."""

    http_status: int
    body: bytes = field(repr=False)
    envelope: Envelope | None = field(default=None, repr=False, compare=False)
    """The body's top level, when it is a JSON object that was looked at."""


def read(status: int, body: bytes, *, v2: bool = False, retry_after: float | None = None) -> Response | Problem:
    """Tells whether a response that arrived whole is a success.

    See https://developer.bill.com/docs/common-api-error-codes and, for v2's envelope,
    https://developer.bill.com/v2/docs/common-error-codes

    Args:
        status: HTTP status.
        body: The body, decompressed.
        v2: The call was a v2 call, whose errors come in an envelope with HTTP 200.
        retry_after: The response's ``Retry-After`` in seconds, if any.
    """
    body = body.removeprefix(_BOM)
    if len(body) > _TOO_SMALL_TO_COUNT and sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
        return Problem(ProblemKind.BEYOND_LIMITS, f"The response had more than {_MOST_VALUES:,} values", None, status)
    if 200 <= status < 300:
        return _read_success(status, body, v2=v2)
    if 300 <= status < 400:
        return Problem(
            ProblemKind.REDIRECT, "The address answered with a redirect, which is not followed", None, status
        )
    return _read_failure(status, body, v2=v2, retry_after=retry_after)


def _read_success(status: int, body: bytes, *, v2: bool) -> Response | Problem:
    """A 2xx response, unless its body says otherwise."""
    start = body.lstrip()[:1]
    if not start:
        return Response(status, b"") if not v2 else _malformed(status, "an empty response")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _malformed(status, "a response that is not UTF-8")
    if start not in b'{["tfn-0123456789':
        return Problem(
            ProblemKind.MALFORMED,
            f"BILL sent a response that is not JSON: {_plain(body)}",
            None,
            status,
            is_markup=True,
        )
    envelope = envelope_of(body) if start == b"{" else None
    if v2 or _may_be_error(start, body, envelope):
        return _read_closely(status, body, envelope, v2=v2)
    return Response(status, body, envelope)


def _may_be_error(start: bytes, body: bytes, envelope: Envelope | None) -> bool:
    """Cheap test before the closer look: an error has a message, a page of objects with results is none."""
    if start == b"[":
        return b'"message"' in body
    if start != b"{":
        return False
    if envelope is None:
        return True
    if envelope.code is not None or envelope.error_code is not None or envelope.response_status is not msgspec.UNSET:
        return True
    return envelope.results is msgspec.UNSET and any(word in body for word in (b'"message"', b'"error'))


def _read_closely(status: int, body: bytes, envelope: Envelope | None, *, v2: bool) -> Response | Problem:
    """A 2xx response that may carry an error."""
    try:
        value = decode_any(body)
    except Malformed:
        if not v2 and is_salvageable(body):
            return Response(status, body, envelope)
        return _malformed(status, "a response that is cut off or no valid JSON")
    if v2 and not (isinstance(value, dict) and "response_status" in value) and not _looks_like_error(value):
        return _malformed(status, "a response without BILL's envelope")
    if not _looks_like_error(value):
        return Response(status, body, envelope)
    complaints = tuple(islice(_complaints(value), _ERRORS_READ))
    code = _leading_code(complaints)
    message = _joined(complaints) or "an error without a message"
    kind = kind_by_content(code, message, status)
    return Problem(ProblemKind.MALFORMED if kind is None else kind, message, code, status)


def says_error(body: bytes) -> bool:
    """True for BILL's words about an error where something else than JSON was asked for."""
    if len(body) > _LONGEST_WORDS:
        return False
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        try:
            return _looks_like_error(decode_any(body))
        except Malformed:
            return b'"BDC_' in body
    return kind_by_wording(body.decode("utf-8", "replace")) is not None


def _looks_like_error(value: Any) -> bool:
    """True for the shapes errors have and objects do not."""
    if isinstance(value, list):
        return bool(value) and all(_is_error_object(item) for item in value)
    if not isinstance(value, dict):
        return False
    if "response_status" in value:
        return str(value["response_status"]) not in {"0", "Success"}
    if isinstance(value.get("errors"), list) and value["errors"] and "id" not in value:
        return all(isinstance(item, str) or _is_error_object(item) for item in value["errors"])
    return _is_error_object(value) or ("error" in value and "id" not in value and bool(value["error"]))


def _is_error_object(value: Any) -> bool:
    """True for ``{"message": ...}`` with nothing in it that only a business object has."""
    if not isinstance(value, dict):
        return False
    if _code(value) is not None:
        return True
    if "id" in value or not isinstance(value.get("message"), str) or value.get("status") == "SUCCESS":
        return False
    return value.get("severity") in _SEVERITIES or not set(value) - _ERROR_KEYS


_ERROR_KEYS: Final = frozenset(
    {
        "message", "code", "timestamp", "severity", "category", "params", "detail", "help", "status", "error", "path",
        "requestId", "traceId",
    }
)  # fmt: skip


def _read_failure(status: int, body: bytes, *, v2: bool, retry_after: float | None) -> Problem:
    """A 4xx, 5xx or nonsensical status."""
    try:
        value = decode_any(body) if body.strip() else None
    except Malformed:
        return _unstructured(status, body, v2=v2, retry_after=retry_after)
    complaints = tuple(islice(_complaints(value), _ERRORS_READ))
    code = _leading_code(complaints)
    message = _joined(complaints) or f"HTTP {status} without a message"
    kind = kind_by_content(code, message, status) or kind_by_status(status, v2=v2 and code is None)
    return Problem(kind, message, code, status, retry_after)


def _unstructured(status: int, body: bytes, *, v2: bool, retry_after: float | None) -> Problem:
    """A failure whose body is a web page or text: it did not come from BILL's API itself."""
    message = _plain(body)
    kind = kind_by_wording(_TAG.sub(" ", message))
    if kind is None:
        kind = kind_by_status(status, v2=v2)
        if kind in {ProblemKind.REFUSED, ProblemKind.NOT_FOUND}:
            kind = ProblemKind.GATEWAY
    return Problem(kind, message, None, status, retry_after, is_markup=True)


def read_page(response: Response) -> Page | Problem:
    """The rows of a list, without building their objects."""
    try:
        return page_of(response.body, response.envelope)
    except Malformed as reason:
        return malformed(response, str(reason))


def read_value(response: Response) -> Any:
    """The decoded body; None for an empty response where the status says so (204), else a Problem."""
    if not response.body.strip():
        return None if response.http_status == 204 else malformed(response, "an empty response")
    try:
        return decode_any(response.body)
    except Malformed:
        return malformed(response, "a response that is cut off or no valid JSON")


def read_written(response: Response) -> Any:
    """The decoded body of a write's response, which may be empty."""
    return read_value(response) if response.body.strip() else None


def _malformed(status: int, what: str) -> Problem:
    return Problem(ProblemKind.MALFORMED, f"BILL sent {what}", None, status)


def malformed(response: Response, what: str) -> Problem:
    """The problem of a success whose content is not what the call returns; ``what`` completes "BILL sent ..."."""
    return _malformed(response.http_status, what)


# --- the words of an error ---


def _complaints(value: Any) -> Iterator[tuple[str | None, str]]:
    """(code, message) of each error found in ``value``, outermost first."""
    if isinstance(value, str):
        yield None, value[:_MESSAGE_READ]
    elif isinstance(value, list):
        for item in value:
            yield from _complaints(item)
    elif isinstance(value, dict):
        inner = [value[key] for key in ("errors", "error", "response_data") if isinstance(value.get(key), dict | list)]
        code, message = _code(value), _message(value)
        if code or (message and not inner):
            yield code, message
        for item in inner:
            yield from _complaints(item)


def _code(value: dict[str, Any]) -> str | None:
    """BILL's code in its usual spelling, or OAuth's."""
    for key in ("code", "error_code", "errorCode"):
        if isinstance(value.get(key), str) and (found := _CODE.fullmatch(value[key])):
            return f"BDC_{found[1]}"
    error = value.get("error")
    return error if isinstance(error, str) and kind_of(error) else None


def _message(value: dict[str, Any]) -> str:
    """The first text that explains the error."""
    for key in ("message", "error_message", "errorMessage", "error_description", "detail", "error", "response_message"):
        if isinstance(value.get(key), str) and value[key].strip():
            return str(value[key])[:_MESSAGE_READ]
    return ""


def _leading_code(complaints: tuple[tuple[str | None, str], ...]) -> str | None:
    """The code that decides: one we know before one we do not."""
    codes = [code for code, _ in complaints if code]
    return next((code for code in codes if kind_of(code)), codes[0] if codes else None)


def _joined(complaints: tuple[tuple[str | None, str], ...]) -> str:
    """All messages once; one that another repeats with an id in front is left out."""
    unique = list(dict.fromkeys(message for _, message in complaints if message))
    kept = [one for one in unique if not any(other.endswith(f": {one}") for other in unique)]
    return "; ".join(kept)


def _plain(body: bytes) -> str:
    """What a web page or text says, with its tags."""
    text = body[:_PAGE_READ].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title", text, re.I | re.S)
    if title or re.match(r"\s*<(!doctype|html|head|body)", text, re.I):
        return f"a web page ({title[1].strip()})" if title and title[1].strip() else "a web page"
    return text
