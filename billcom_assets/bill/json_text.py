"""Decoding BILL's JSON: exact numbers, bounded depth, and text that can be stored."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

_DEEPEST: Final = 100
"""Levels of nesting; BILL's objects have about five. Everything that walks an object may recurse this deep."""
_ANY: Final = msgspec.json.Decoder(float_hook=Decimal)
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What reading bytes that are no proper JSON raises."""


class Malformed(ValueError):
    """Bytes that are no JSON of the expected shape."""


def decode(raw: bytes) -> dict[str, Any]:
    """One row of a page, whose depth was checked; its numbers are int or Decimal, never float.

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
    except UNREADABLE:
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
