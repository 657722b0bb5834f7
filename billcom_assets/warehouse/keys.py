"""Where the key lies that seals credentials: in the environment, or in a file beside a SQLite database."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL

from billcom_assets import private_files
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.sealing import KEY_VARIABLE, Seal
from billcom_assets.warehouse.sqlite_file import key_file

KEY_LOCK = "keys"
"""Held while keys change, and while credentials are sealed with the key of now."""
_KEY_BYTES = 32


def make_key() -> str:
    """A new random key as ``BILLCOM_SECRET_KEY`` takes it."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def find_seal(url: URL, environment: Mapping[str, str] | None = None, *, make: bool = True) -> Seal:
    """The key from ``BILLCOM_SECRET_KEY``, or on SQLite from a key file beside the database.

    Args:
        url: The database.
        environment: Variables instead of the process's own.
        make: Whether a key file that is missing is made.

    Raises:
        WarehouseError: the variable or the key file is malformed, or missing where it cannot be made.
    """
    variables = os.environ if environment is None else environment
    if given := given_seal(KEY_VARIABLE, variables):
        return given
    if url.get_backend_name() != "sqlite":
        raise WarehouseError(
            f"{KEY_VARIABLE} is not set; it seals the credentials that are stored in PostgreSQL.",
            "Make a key with billcom keys make, or set the one that was used before.",
        )
    return file_seal(key_file(url), make=make)


def given_seal(variable: str, variables: Mapping[str, str]) -> Seal | None:
    """The key that an environment variable holds; None when it is not set.

    Raises:
        WarehouseError: it is malformed.
    """
    value = variables.get(variable, "").strip()
    if not value:
        return None
    if (key := _decoded(value)) is None:
        raise WarehouseError(
            f"{variable} does not hold {_KEY_BYTES} bytes in base64.",
            "Give the key that was made first; a new one is made by billcom keys make.",
        )
    return Seal(key)


def file_seal(path: Path, *, make: bool) -> Seal:
    """The key in a file, for the owner alone.

    Args:
        path: The file.
        make: Whether it is made when it is missing.

    Raises:
        WarehouseError: it holds no key, or cannot be read or made.
    """
    if make and not os.path.lexists(path):
        _make_key_file(path)
    return Seal(_read_key_file(path))


def replace_key_file(path: Path, by: Path) -> None:
    """Puts the key file ``by`` in the place of ``path``, at once and for good.

    Raises:
        WarehouseError: the file system refuses.
    """
    try:
        by.replace(path)
        _persist(path.parent)
    except OSError as error:
        raise WarehouseError(
            f"The key file {by} cannot be moved to {path}: {error.strerror}.",
            "Make the folder writable, then run billcom keys rotate again. Both files are needed until then.",
        ) from None


def _make_key_file(path: Path) -> None:
    """Makes it complete from the first moment; of several processes at once one makes it, the others find it."""
    try:
        with suppress(FileExistsError):
            private_files.create(path, make_key().encode())
        _persist(path.parent)
    except OSError as error:
        raise WarehouseError(
            f"The key file {path} cannot be made: {error.strerror}.", "Make its folder writable."
        ) from None


def _persist(folder: Path) -> None:
    """Lets the folder's entries outlive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_key_file(path: Path) -> bytes:
    try:
        content = private_files.read(path).strip()
    except UnicodeDecodeError:
        content = "(no text)"
    except private_files.ReadableByOthers as advice:
        raise WarehouseError(
            f"The key file {path} can be read or changed by others on this machine.",
            f"If nobody has, close it and go on: {advice}",
        ) from None
    except FileNotFoundError:
        raise WarehouseError(
            f"The key file {path} is missing; it opens the stored credentials.",
            f"Restore it from a backup, set {KEY_VARIABLE}, or give the credentials again with billcom connect.",
        ) from None
    except OSError as error:
        raise WarehouseError(
            f"The key file {path} cannot be read: {error.strerror}.",
            "Make it a file of your own, no link, that you may read.",
        ) from None
    if (key := _decoded(content)) is None:
        state = "cut or damaged" if content else "empty"
        raise WarehouseError(
            f"The key file {path} is {state}; a key is {_KEY_BYTES} bytes in base64.",
            "Restore it from a backup; without one, delete it and give every integration's credentials again with "
            "billcom connect.",
        )
    return key


def _decoded(text: str | bytes) -> bytes | None:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return key if len(key) == _KEY_BYTES else None
