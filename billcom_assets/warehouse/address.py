"""Reading database URLs, and showing them: a password can stand in more places of a URL than one."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from billcom_assets.warehouse.errors import WarehouseError


def read_address(url: str | URL, variable: str = "BILLCOM_DATABASE_URL") -> URL:
    """The URL, taken apart.

    Args:
        url: As the user wrote it.
        variable: Where the user wrote it.

    Raises:
        WarehouseError: it is malformed; the text quotes nothing of it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not only ArgumentError: what stands where a port should, such as the end of a password, is no integer.
        raise WarehouseError(
            f"{variable} is not a database URL.",
            "Use sqlite:///path/to/file.db or postgresql://user:password@host/database; in the password write %40 for "
            "@, %2F for / and %3A for a colon.",
        ) from None
    is_file = parsed.get_backend_name() == "sqlite"
    if not is_file and "@" in f"{parsed.host or ''}{parsed.database or ''}":
        raise WarehouseError(
            f"{variable} has more than one @.", "In the user name and the password write %40 for @, and %2F for /."
        )
    return parsed


def shown_address(url: URL) -> str:
    """Kind, host, port and database or file: nothing else of a URL can be shown safely."""
    kind = url.get_backend_name()
    if kind == "sqlite":
        return f"sqlite:///{(url.database or '').partition('?')[0]}"
    host = (url.host or "").rpartition("@")[2]
    port = f":{url.port}" if url.port else ""
    database = (url.database or "").rpartition("@")[2]
    return f"{kind}://{host}{port}/{database}"
