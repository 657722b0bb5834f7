"""One spelling for equal objects, so that a change in BILL shows as a change of bytes and nothing else does."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from billcom_assets.entities.values import LONGEST_NUMBER, Unreadable, clean

# No double that JSON was ever made for goes beyond; a larger exponent would be written out in gigabytes.
_MOST_DIGITS = 400
_NATIVE_INTEGERS = 2**63
_ESCAPED_NUL = b"\\u0000"
_ZERO = msgspec.Raw(b"0")

_encode = msgspec.json.Encoder(order="deterministic").encode


def canonical(obj: Any) -> bytes:
    """JSON with sorted keys, without nulls in objects, and with one form for equal numbers.

    149, 149.0 and 149.00 have the same bytes; numbers keep every digit and have no exponent; NUL characters, which
    databases refuse, are gone from texts and keys.

    Raises:
        Unreadable: A number is not finite or absurdly large, or the nesting is too deep.
        TypeError: The object holds a float or something that JSON has no form for.
    """
    try:
        plain = _plain(obj)
        try:
            encoded = _encode(plain)
        except UnicodeEncodeError:
            return _encode(_cleaned(plain))
        # Looking once at the bytes is cheaper than looking at every text; an escaped backslash may match, in vain.
        return _encode(_cleaned(plain)) if _ESCAPED_NUL in encoded else encoded
    except RecursionError:
        raise Unreadable("object", "payload", "the whole object", "data nested too deeply") from None


def digest(encoded: bytes) -> str:
    """A short name for these bytes: another one means that something changed."""
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {
            key: member if type(member) is str else _plain(member)
            for key, member in value.items()
            if member is not None
        }
    if kind is Decimal:
        return _number(value)
    if kind is list:
        return [_plain(element) for element in value]
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -_NATIVE_INTEGERS <= value < _NATIVE_INTEGERS else _large(value)
    raise TypeError(f"canonical JSON has no form for a {kind.__name__}")


def _number(value: Decimal) -> msgspec.Raw:
    written = str(value)
    if len(written) > LONGEST_NUMBER:
        raise Unreadable("object", "payload", "the whole object", value)
    if "E" in written or not value.is_finite():
        written = _without_exponent(value)
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return _ZERO if written in ("0", "-0") else msgspec.Raw(written.encode())


def _large(value: int) -> msgspec.Raw:
    return msgspec.Raw(_without_exponent(Decimal(value)).encode())


def _without_exponent(value: Decimal) -> str:
    if not value.is_finite() or (value and abs(value.adjusted()) > _MOST_DIGITS):
        raise Unreadable("object", "payload", "the whole object", value)
    return format(value, "f") if value else "0"


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_cleaned(element) for element in value]
    return value
