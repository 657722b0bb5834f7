"""Where a SQLite database lies, and that it is its owner's alone."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL

from billcom_assets import private_files

BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; it gives each the rights of the database itself."""
_log = logging.getLogger(__name__)


def sqlite_file(url: URL) -> Path:
    """The file that the URL names, also where it is written as a ``file:`` URI; what stands beside it goes by it."""
    name = str(url.database)
    is_uri = "uri" in url.query and name.startswith("file:")
    return Path(unquote(urlsplit(name).path) if is_uri else name)


def lock_folder(url: URL) -> Path:
    """Where the locks of the database are."""
    database = sqlite_file(url)
    return database.with_name(f"{database.name}-locks")


def key_file(url: URL) -> Path:
    """Where the key is that seals what the database keeps secret."""
    return sqlite_file(url).with_suffix(".key")


def new_key_file(url: URL) -> Path:
    """Where the next key lies while keys are being changed."""
    path = key_file(url)
    return path.with_name(f"{path.name}.new")


def keep_private(url: URL) -> None:
    """Makes the database's file before SQLite does, and takes the rights of others away from one that exists.

    Its name may be a link that people made on purpose; it is followed. What cannot be made or changed is left to
    SQLite, whose error then says why.
    """
    database = sqlite_file(url).resolve()
    with suppress(OSError):
        if url.query.get("mode", "rwc") == "rwc":
            private_files.make_file(database)
        changed = [private_files.tighten(database.with_name(database.name + ending)) for ending in ("", *BESIDE)]
        if changed[0]:
            _log.warning("The database %s could be read by others on this machine; now only its owner can.", database)
