"""The ways of signing in to BILL, and the credentials that each needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from billcom_assets.bill.errors import ConfigurationError


class Way(StrEnum):
    """How somebody signs in.

    See https://developer.bill.com/docs/bill-keys-tokens
    """

    LOGIN = "password"
    """A user, or an AP & AR sync token: its name is the user name, its value the password."""
    CONSOLE = "console token"
    """A user of an accounting firm, to a client's organization."""
    OAUTH = "OAuth client"
    """A developer app, with access tokens that end by the clock."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the credentials that it needs, the one that says who signs in first."""
        return _PARTS[self]

    @property
    def reaches_v2(self) -> bool:
        """True when its sessions serve BILL's v2 API as well."""
        return self is not Way.OAUTH


_PARTS: Final = {
    Way.LOGIN: ("username", "password", "dev_key"),
    Way.CONSOLE: ("username", "console_token", "dev_key"),
    Way.OAUTH: ("client_id", "client_secret"),
}
PARTS: Final = tuple(dict.fromkeys(part for parts in _PARTS.values() for part in parts))
"""Every credential there is."""
SECRET_PARTS: Final = frozenset(PARTS) - {"username", "client_id"}


def way_of(given: Collection[str], usual: Way = Way.LOGIN) -> Way:
    """The way that the credentials of these names are for, even where some are missing; ``usual`` if it may be that.

    Raises:
        ConfigurationError: They are for different ways.
    """
    likeliest_first: tuple[Way, ...] = (usual, *Way)
    for way in likeliest_first:
        if set(given) <= set(way.parts):
            return way
    raise ConfigurationError(
        f"{_listed(part for part in PARTS if part in given)} do not belong together",
        next_step=f"Give exactly one of: {'; '.join(_listed(way.parts) for way in Way)}.",
    )


def _listed(parts: Iterable[str]) -> str:
    *first, last = (part.replace("_", " ") for part in parts)
    return f"{', '.join(first)} and {last}" if first else last
