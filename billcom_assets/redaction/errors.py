"""Which exceptions may be shown to people as they are."""

from __future__ import annotations


class UserFacingError(Exception):
    """An exception whose text is written for users: our own words, with every quoted text redacted and bounded.

    The text of any other exception may hold statements, rows or credentials, and is never shown.
    """
