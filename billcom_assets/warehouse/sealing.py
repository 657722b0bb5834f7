"""Sealing of credentials and sessions with AES-256-GCM, so that the database alone gives no secret away.

A sealed value is ``v2.KEYID.BASE64``: the format, a short name of the key, and nonce and ciphertext. Format, key and
purpose are authenticated with the text, so that no part of it can be changed or moved unnoticed, and the name of the
key tells a value sealed with another key from a damaged one.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from billcom_assets.warehouse.errors import WarehouseError

KEY_VARIABLE = "BILLCOM_SECRET_KEY"
_FORMAT = "v2"
_SHAPE = re.compile(r"v2\.(?P<key_id>[0-9a-f]{16})\.(?P<content>.+)", re.ASCII)
_OTHER_FORMAT = re.compile(r"v(?!2\.)\d{1,3}\.", re.ASCII)
_NONCE_BYTES = 12
_LEAST_BYTES = _NONCE_BYTES + 16
"""Of a sealed empty text: nonce and authentication tag."""


@dataclass(frozen=True)
class Purpose:
    """What a sealed text is, and whose: it opens as nothing else."""

    what: str
    integration: str

    def __str__(self) -> str:
        return f"{self.what} of {self.integration}"


@dataclass(frozen=True)
class _Problem:
    """Why a sealed value cannot be used, and the way out."""

    reason: str
    next_step: str

    def error(self, purpose: Purpose, **details: str) -> WarehouseError:
        """The exception that says so of the value for ``purpose``."""
        return WarehouseError(
            f"The stored {purpose} cannot be used: {self.reason.format(**details)}.",
            self.next_step.format(integration=purpose.integration),
        )


_GIVE_AGAIN = "give the credentials again with billcom connect {integration}."
_RESTORE = f"Restore the database from a backup, or {_GIVE_AGAIN}"
_EMPTY = _Problem("the sealed value is empty", _RESTORE)
_DAMAGED = _Problem("the sealed value is damaged; part of it is missing or was changed", _RESTORE)
_CHANGED = _Problem(
    "the sealed value was changed after it was sealed with this key, or belongs elsewhere",
    f"Find out who changed the database. {_RESTORE}",
)
_OTHER_KEY = _Problem(
    "sealed with another key (key id {stored}; that of the key in use is {own})",
    f"Set {KEY_VARIABLE} to the key that was used; or, when the key is being changed, run billcom keys rotate; or "
    f"{_GIVE_AGAIN}",
)
_UNKNOWN_FORMAT = _Problem(
    "the sealed value has the format {format}, which this version does not know",
    f"Use the version that sealed it, or {_GIVE_AGAIN}",
)
_UNBOUND = _Problem(
    "sealed by an earlier version, which did not bind what it sealed to the address of BILL",
    f"Check the address that billcom status {{integration}} shows, then {_GIVE_AGAIN}",
)


@dataclass(frozen=True)
class Seal:
    """Seals and opens texts with one key; its repr shows nothing of it."""

    key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """Names the key without revealing it."""
        return hmac.digest(self.key, b"billcom key id", "sha256")[:8].hex()

    def close(self, text: str, purpose: Purpose) -> str:
        """The sealed text; it opens only with this key and for the same ``purpose``."""
        nonce = os.urandom(_NONCE_BYTES)
        content = nonce + AESGCM(self.key).encrypt(nonce, text.encode(), self._bound(purpose))
        return f"{_FORMAT}.{self.key_id}.{base64.b64encode(content).decode()}"

    def open(self, sealed: str, purpose: Purpose) -> str:
        """The text again.

        Raises:
            WarehouseError: the value is empty, damaged or changed, or was sealed with another key, for another purpose
                or by another version; the text says which.
        """
        key_id, content = _parts(sealed, purpose)
        if key_id != self.key_id:
            raise _OTHER_KEY.error(purpose, stored=key_id, own=self.key_id)
        try:
            plain = AESGCM(self.key).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], self._bound(purpose))
        except InvalidTag:
            raise _CHANGED.error(purpose) from None
        return plain.decode()

    def sealed(self, value: str) -> bool:
        """True when ``value`` names this key as the one that sealed it; only opening it proves that."""
        shape = _SHAPE.fullmatch(value)
        return shape is not None and shape["key_id"] == self.key_id

    def _bound(self, purpose: Purpose) -> bytes:
        return f"{_FORMAT}.{self.key_id}.{purpose}".encode()


def _parts(sealed: str, purpose: Purpose) -> tuple[str, bytes]:
    """Key id and content of a sealed value; raises WarehouseError for what is none of this format."""
    if not sealed.strip():
        raise _EMPTY.error(purpose)
    if other := _OTHER_FORMAT.match(sealed):
        raise _UNKNOWN_FORMAT.error(purpose, format=other[0].rstrip("."))
    shape = _SHAPE.fullmatch(sealed)
    content = _strict_base64(shape["content"] if shape else sealed)
    if len(content) < _LEAST_BYTES:
        raise _DAMAGED.error(purpose)
    if shape is None:
        # The earlier version's values were base64 and nothing else.
        raise _UNBOUND.error(purpose)
    return shape["key_id"], content


def _strict_base64(text: str) -> bytes:
    """The bytes; none when the text is not base64, or not its one proper spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return content if base64.b64encode(content).decode() == text else b""
