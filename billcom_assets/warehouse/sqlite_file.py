"""Where a SQLite database lies."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL


def sqlite_file(url: URL) -> Path:
    """The file that the URL names, also where it is written as a ``file:`` URI; what stands beside it goes by it."""
    return Path(str(url.database).removeprefix("file:"))
