"""Sealing of credentials and sessions with AES-256-GCM, so that the database alone gives no secret away."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import URL

from billcom_assets import private_files
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.sqlite_file import key_file

KEY_VARIABLE = "BILLCOM_SECRET_KEY"
_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Seal:
    """Seals and opens texts with one key; its repr shows nothing of it."""

    key: bytes = field(repr=False)

    def close(self, text: str, *, purpose: str) -> str:
        """The sealed text in base64; it opens only with the same ``purpose`` (for example the integration's key)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, text.encode(), purpose.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, *, purpose: str) -> str:
        """The text again.

        Raises:
            WarehouseError: it was sealed with another key or for another purpose.
        """
        raw = base64.b64decode(sealed)
        try:
            return AESGCM(self.key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode()
        except InvalidTag:
            raise WarehouseError(
                f"The stored credentials of {purpose} were sealed with another key.",
                f"Set {KEY_VARIABLE} to the key that was used, or give the credentials again with billcom connect.",
            ) from None


def find_seal(url: URL, environment: dict[str, str] | None = None) -> Seal:
    """The key from ``BILLCOM_SECRET_KEY``, or on SQLite from a key file beside the database, made when missing.

    Raises:
        WarehouseError: the variable is malformed, or missing on PostgreSQL.
    """
    value = (os.environ if environment is None else environment).get(KEY_VARIABLE, "").strip()
    if value:
        return Seal(_decode(value, KEY_VARIABLE))
    if url.get_backend_name() != "sqlite":
        raise WarehouseError(
            f"{KEY_VARIABLE} is not set; it seals the credentials that are stored in PostgreSQL.",
            'Make one with: python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"',
        )
    return Seal(_key_file(key_file(url)))


def _decode(value: str, origin: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise WarehouseError(
            f"{origin} does not hold {_KEY_BYTES} bytes in base64.", "Give the key that was made first."
        )
    return key


def _key_file(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _decode(_read_key(path), str(path))
    except OSError as error:
        raise WarehouseError(
            f"The key file {path} cannot be made: {error.strerror}.", "Make its folder writable."
        ) from None
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(key).decode())
    return key


def _read_key(path: Path) -> str:
    try:
        return private_files.read(path).strip()
    except private_files.ReadableByOthers as advice:
        raise WarehouseError(
            f"The key file {path} can be read or changed by others on this machine.",
            f"If nobody has, close it and go on: {advice}",
        ) from None
    except OSError as error:
        raise WarehouseError(
            f"The key file {path} cannot be read: {error.strerror}.",
            "Make it a file of your own, no link, that you may read.",
        ) from None
