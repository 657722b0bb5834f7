"""Reads any answer BILL or something in front of it may give: a success, or a problem of a known kind.

The code in the body decides, whatever the HTTP status; without a code BILL's well-known wording decides, then the
status. Nothing here raises for bad input: bytes that cannot be read are a problem too.

Error shape and codes: https://developer.bill.com/docs/common-api-error-codes
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, Final, NoReturn

import msgspec

from billcom_assets.bill import salvage
from billcom_assets.redaction.display import one_line

_MESSAGE_LIMIT: Final = 600
_MESSAGE_READ: Final = 10_000
"""Characters of one message that are looked at, far more than is shown, because masking comes before cutting."""
_ERRORS_READ: Final = 50
"""Errors of one response that are looked at."""
_PAGE_READ: Final = 20_000
"""Bytes of a web page or text that are looked at."""
_DEEPEST: Final = 100
"""Levels of nesting; BILL's objects have about five. Everything that walks an object may recurse this deep."""
_MOST_VALUES: Final = 1_000_000
"""Values of one response; as Python objects they take about 100 bytes each. BILL's fullest pages have some 100,000."""
_TOO_SMALL_TO_COUNT: Final = 2**20
"""Bytes that cannot hold so many values."""
_LONGEST_CURSOR: Final = 4_096
"""Characters; a cursor travels in the URL."""
_BOM: Final = b"\xef\xbb\xbf"


class Kind(StrEnum):
    """What kind of problem an answer is; decides whether it is retried and which error it becomes."""

    DEAD_SESSION = "dead session"
    AUTHENTICATION = "sign-in refused"
    UNTRUSTED = "untrusted session"
    HOURLY_LIMIT = "hourly limit"
    TOO_MANY_AT_ONCE = "too many at once"
    NOT_FOUND = "not found"
    WRONG_ENTITY_TYPE = "wrong entity type"
    UNSUPPORTED = "unsupported call"
    UNAVAILABLE = "unavailable"
    UNEXPLAINED = "unexplained error"
    """BILL's "unknown error", often a misspelt parameter: worth a try or two, no more."""
    MALFORMED = "malformed answer"
    BEYOND_LIMITS = "beyond limits"
    """More bytes, values or time than any answer of BILL's takes."""
    GATEWAY = "refused before BILL"
    """A 4xx that is not JSON: something in front of BILL answered."""
    LOST = "lost answer"
    """Sent, but the connection broke or time ran out before the answer was complete."""
    UNREACHABLE = "unreachable"
    """Surely never sent."""
    UNTRUSTED_HOST = "untrusted certificate"
    REDIRECT = "redirect"
    REFUSED = "refused"


_KIND_BY_CODE: Final = {
    "BDC_1001": Kind.UNAVAILABLE,
    "BDC_1101": Kind.AUTHENTICATION,
    "BDC_1102": Kind.AUTHENTICATION,
    "BDC_1103": Kind.AUTHENTICATION,
    "BDC_1104": Kind.AUTHENTICATION,
    "BDC_1105": Kind.AUTHENTICATION,
    "BDC_1106": Kind.AUTHENTICATION,
    "BDC_1107": Kind.AUTHENTICATION,
    "BDC_1109": Kind.DEAD_SESSION,
    "BDC_1110": Kind.AUTHENTICATION,
    "BDC_1111": Kind.AUTHENTICATION,
    "BDC_1113": Kind.AUTHENTICATION,
    "BDC_1120": Kind.DEAD_SESSION,
    "BDC_1121": Kind.UNSUPPORTED,
    "BDC_1123": Kind.AUTHENTICATION,
    "BDC_1144": Kind.HOURLY_LIMIT,
    "BDC_1205": Kind.NOT_FOUND,
    "BDC_1302": Kind.WRONG_ENTITY_TYPE,
    "BDC_1322": Kind.TOO_MANY_AT_ONCE,
    "BDC_1361": Kind.UNTRUSTED,
}

_SESSION_ENDED: Final = re.compile(
    r"session\w*\b.{0,30}\b(invalid|expired|timed out)|\b(invalid|expired) session", re.I
)

_KIND_BY_WORDING: Final = (
    (re.compile(r"requests?\b.{0,40}\bper hour", re.I), Kind.HOURLY_LIMIT),
    (re.compile(r"concurrent requests", re.I), Kind.TOO_MANY_AT_ONCE),
    (_SESSION_ENDED, Kind.DEAD_SESSION),
    (re.compile(r"untrusted session", re.I), Kind.UNTRUSTED),
    (re.compile(r"do not match our records", re.I), Kind.AUTHENTICATION),
    (re.compile(r"developer key is invalid", re.I), Kind.AUTHENTICATION),
    (re.compile(r"api not supported", re.I), Kind.UNSUPPORTED),
)

_KIND_BY_STATUS: Final = {
    401: Kind.DEAD_SESSION,
    404: Kind.NOT_FOUND,
    408: Kind.UNAVAILABLE,
    423: Kind.AUTHENTICATION,
    425: Kind.UNAVAILABLE,
    429: Kind.TOO_MANY_AT_ONCE,
}

_TAG: Final = re.compile(r"<[^>]*>")
_NO_DATA: Final = re.compile(r"no data found", re.I)
_CODE: Final = re.compile(r"\s*BDC[_-]?(\d{3,5})\s*", re.I)
_SEVERITIES: Final = frozenset({"ERROR", "WARNING", "INFORMATION"})


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that is no success, or the lack of one."""

    kind: Kind
    message: str = field(repr=False)
    """BILL's own words as they came, or what happened; what may be shown of it is in :meth:`shown`."""
    code: str | None = None
    http_status: int | None = None
    retry_after: float | None = None
    """Seconds that something in front of BILL asked us to wait; BILL itself never says."""
    is_markup: bool = False

    def shown(self, redact: Callable[[str], str]) -> Problem:
        """This problem with a message to show: redacted before anything else is done to it, then cleaned and cut."""
        message = redact(self.message)
        if self.is_markup:
            message = _TAG.sub(" ", message)
        return replace(self, message=one_line(message, limit=_MESSAGE_LIMIT) or "an unreadable answer")


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: HTTP 2xx with a body that was received whole and, if there is one, is valid UTF-8."""

    http_status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    ``rows`` holds each object as the JSON bytes BILL sent, in BILL's order; ``next_cursor`` is None on the last page.
    """

    rows: tuple[bytes, ...] = field(repr=False)
    next_cursor: str | None


class _Envelope(msgspec.Struct, rename="camel"):
    """The top level of a JSON object that may be a list page, a v2 envelope or an error."""

    results: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    next_page: Any = None
    code: Any = None
    error_code: Any = msgspec.field(default=None, name="error_code")
    response_status: Any = msgspec.field(default=msgspec.UNSET, name="response_status")


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ANY: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)


class Malformed(ValueError):
    """Bytes that are no JSON of the expected shape."""


def decode(raw: bytes) -> dict[str, Any]:
    """One row of a page, whose depth ``read_page`` has checked; its numbers are int or Decimal, never float.

    Raises:
        Malformed: ``raw`` is no JSON object.
    """
    value = _decoded(raw)
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def decode_any(raw: bytes) -> Any:
    """Any JSON value; numbers are int or Decimal.

    Raises:
        Malformed: ``raw`` is no JSON, or nested too deeply.
    """
    _refuse_depth(raw)
    return _decoded(raw)


def _decoded(raw: bytes) -> Any:
    try:
        return _ANY.decode(raw)
    except _UNREADABLE:
        return _decoded_leniently(raw)


_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
"""Also one that does not end: whatever the input, no character is looked at twice."""
_AS_BRACES: Final = bytes.maketrans(b"[]", b"{}")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def _refuse_depth(text: bytes) -> None:
    """Raises Malformed for JSON nested too deeply, before anything recurses into it."""
    if text.count(b"{") + text.count(b"[") <= _DEEPEST:
        return
    braces = _STRINGS.sub(b"", text).translate(_AS_BRACES, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        braces = braces.replace(b"{}", b"")  # takes the innermost level away
    if braces:
        raise Malformed("nested too deeply")


def _decoded_leniently(raw: bytes) -> Any:
    """JSON with what strict readers refuse but BILL's users can type: halves of surrogate pairs."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number)
        return _mended(value)
    except (ValueError, ArithmeticError, RecursionError):
        raise Malformed("not valid JSON") from None


def _no_number(word: str) -> NoReturn:
    raise Malformed(f"{word} is no JSON number")


def _mended(value: Any) -> Any:
    """``value`` with lone surrogates replaced, so that it can be stored as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


def read(status: int, body: bytes, *, v2: bool = False, retry_after: float | None = None) -> Answer | Problem:
    """Tells whether an answer that arrived whole is a success.

    See https://developer.bill.com/docs/common-api-error-codes and, for v2's envelope,
    https://developer.bill.com/v2/docs/common-error-codes

    Args:
        status: HTTP status.
        body: The body, decompressed.
        v2: The call was a v2 call, whose errors come in an envelope with HTTP 200.
        retry_after: The answer's ``Retry-After`` in seconds, if any.
    """
    body = body.removeprefix(_BOM)
    if len(body) > _TOO_SMALL_TO_COUNT and sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
        return Problem(Kind.BEYOND_LIMITS, f"The response had more than {_MOST_VALUES:,} values", None, status)
    if 200 <= status < 300:
        return _read_success(status, body, v2=v2)
    if 300 <= status < 400:
        return Problem(Kind.REDIRECT, "The address answered with a redirect, which is not followed", None, status)
    return _read_failure(status, body, v2=v2, retry_after=retry_after)


def _read_success(status: int, body: bytes, *, v2: bool) -> Answer | Problem:
    """A 2xx answer, unless its body says otherwise."""
    start = body.lstrip()[:1]
    if not start:
        return Answer(status, b"") if not v2 else _malformed(status, "an empty answer")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _malformed(status, "an answer that is not UTF-8")
    if start not in b'{["tfn-0123456789':
        return Problem(
            Kind.MALFORMED, f"BILL sent an answer that is not JSON: {_plain(body)}", None, status, is_markup=True
        )
    if v2 or _may_be_error(start, body):
        return _read_closely(status, body, v2=v2)
    return Answer(status, body)


def _may_be_error(start: bytes, body: bytes) -> bool:
    """Cheap test before the closer look: an error has a message, a page of objects with results is none."""
    if start == b"[":
        return b'"message"' in body
    if start != b"{":
        return False
    try:
        envelope = _ENVELOPE.decode(body)
    except _UNREADABLE:
        return True
    if envelope.code is not None or envelope.error_code is not None or envelope.response_status is not msgspec.UNSET:
        return True
    return envelope.results is msgspec.UNSET and any(word in body for word in (b'"message"', b'"error'))


def _read_closely(status: int, body: bytes, *, v2: bool) -> Answer | Problem:
    """A 2xx answer that may carry an error."""
    try:
        value = decode_any(body)
    except Malformed:
        if not v2 and _is_salvageable(body):
            return Answer(status, body)
        return _malformed(status, "an answer that is cut off or no valid JSON")
    if v2 and not (isinstance(value, dict) and "response_status" in value) and not _looks_like_error(value):
        return _malformed(status, "an answer without BILL's envelope")
    if not _looks_like_error(value):
        return Answer(status, body)
    complaints = tuple(islice(_complaints(value), _ERRORS_READ))
    code = _leading_code(complaints)
    message = _joined(complaints) or "an error without a message"
    kind = _kind(code, message, status)
    return Problem(Kind.MALFORMED if kind is None else kind, message, code, status)


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
    kind = _kind(code, message, status) or _kind_by_status(status, v2=v2 and code is None)
    return Problem(kind, message, code, status, retry_after)


def _unstructured(status: int, body: bytes, *, v2: bool, retry_after: float | None) -> Problem:
    """A failure whose body is a web page or text: it did not come from BILL's API itself."""
    message = _plain(body)
    kind = _kind_by_wording(_TAG.sub(" ", message))
    if kind is None:
        kind = _kind_by_status(status, v2=v2)
        if kind in {Kind.REFUSED, Kind.NOT_FOUND}:
            kind = Kind.GATEWAY
    return Problem(kind, message, None, status, retry_after, is_markup=True)


def _kind(code: str | None, message: str, status: int) -> Kind | None:
    """The kind that code or wording decide; None leaves it to the status."""
    if code == "BDC_1361" and _SESSION_ENDED.search(message):
        return Kind.DEAD_SESSION
    if code == "BDC_1120" and status != 401 and _NO_DATA.search(message):
        return Kind.NOT_FOUND  # BILL's list of codes says so; clients have met the code for dead sessions
    if code == "BDC_1002" and status >= 500:
        return Kind.UNEXPLAINED
    if code is not None:
        # an unknown code on a success status is still an error, a permanent one
        return _KIND_BY_CODE.get(code) or (Kind.REFUSED if status < 300 else None)
    return _kind_by_wording(message)


def _kind_by_wording(message: str) -> Kind | None:
    said = one_line(message, limit=_MESSAGE_LIMIT)
    return next((kind for pattern, kind in _KIND_BY_WORDING if pattern.search(said)), None)


def _kind_by_status(status: int, *, v2: bool) -> Kind:
    if status >= 500 or status < 200:
        return Kind.UNAVAILABLE
    if v2 and status == 403:
        return Kind.DEAD_SESSION  # v2 reports its errors with 200, so this comes from its gatekeeper
    return _KIND_BY_STATUS.get(status, Kind.REFUSED)


def says_dead_session(problem: Problem) -> bool:
    """True when there is no doubt that a session ended.

    Code 1361 means "untrusted" as well as "expired", a bare 403 from v2's gatekeeper or a 401 that neither a code nor
    its wording explains may mean other things too: one new session shows which.
    """
    if problem.code is None:
        return _SESSION_ENDED.search(problem.message) is not None
    return problem.code in {"BDC_1109", "BDC_1120"}


def read_page(answer: Answer) -> Page | Problem:
    """The rows of a list, without building their objects; a bare array counts as one page.

    A row that no reader takes is passed on as it is: it costs itself, not the list.
    """
    try:
        return _page(answer.body)
    except _UNREADABLE:
        pass
    try:
        return _salvaged_page(answer.body)
    except _UNREADABLE:
        return _malformed(answer.http_status, "a list that is cut off or not of BILL's shape")


def _salvaged_page(body: bytes) -> Page:
    """A page with rows that strict readers refuse, or Malformed or NotSalvageable."""
    if body.lstrip()[:1] == b"[":
        return Page(_only_objects(salvage.elements(body)), None)
    page = salvage.members(body)
    if "results" not in page:
        raise Malformed("no results")
    cursor = decode_any(page["nextPage"]) if "nextPage" in page else None
    return Page(_only_objects(salvage.elements(page["results"])), _cursor(cursor))


def _is_salvageable(body: bytes) -> bool:
    try:
        _salvaged_page(body)
    except _UNREADABLE:
        return False
    return True


def _page(body: bytes) -> Page:
    """A page, or Malformed or one of msgspec's errors."""
    if body.lstrip()[:1] == b"[":
        return Page(_rows(body), None)
    envelope = _ENVELOPE.decode(body)
    if envelope.results is msgspec.UNSET:
        raise Malformed("no results")
    return Page(_rows(envelope.results), _cursor(envelope.next_page))


def _rows(raw: msgspec.Raw | bytes) -> tuple[bytes, ...]:
    """The elements of a JSON array of objects."""
    return _only_objects([bytes(row) for row in _RAWS.decode(raw)])


def _only_objects(rows: Sequence[bytes]) -> tuple[bytes, ...]:
    if not all(row.startswith(b"{") for row in rows):
        raise Malformed("a row that is no object")
    return tuple(rows)


def readable_id(row: bytes) -> str:
    """The id of a row that is no valid JSON; empty where that cannot be told."""
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


def read_value(answer: Answer) -> Any:
    """The decoded body; None for an empty answer where the status says so (204), else a Problem."""
    if not answer.body.strip():
        return None if answer.http_status == 204 else malformed(answer, "an empty answer")
    try:
        return decode_any(answer.body)
    except Malformed:
        return malformed(answer, "an answer that is cut off or no valid JSON")


def read_written(answer: Answer) -> Any:
    """The decoded body of a write's answer, which may be empty."""
    return read_value(answer) if answer.body.strip() else None


def _malformed(status: int, what: str) -> Problem:
    return Problem(Kind.MALFORMED, f"BILL sent {what}", None, status)


def malformed(answer: Answer, what: str) -> Problem:
    """The problem of a success whose content is not what the call gives; ``what`` completes "BILL sent ..."."""
    return _malformed(answer.http_status, what)


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
    """BILL's code in its usual spelling."""
    for key in ("code", "error_code", "errorCode"):
        if isinstance(value.get(key), str) and (found := _CODE.fullmatch(value[key])):
            return f"BDC_{found[1]}"
    return None


def _message(value: dict[str, Any]) -> str:
    """The first text that explains the error."""
    for key in ("message", "error_message", "errorMessage", "error_description", "detail", "error", "response_message"):
        if isinstance(value.get(key), str) and value[key].strip():
            return str(value[key])[:_MESSAGE_READ]
    return ""


def _leading_code(complaints: tuple[tuple[str | None, str], ...]) -> str | None:
    """The code that decides: one we know before one we do not."""
    codes = [code for code, _ in complaints if code]
    return next((code for code in codes if code in _KIND_BY_CODE), codes[0] if codes else None)


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
