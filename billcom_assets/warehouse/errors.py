"""What can go wrong with the company's own database, and what may be shown of any failure."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator

from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.personal import mask_personal_data
from billcom_assets.warehouse.driver_errors import driver_failure


class WarehouseError(UserFacingError):
    """The database cannot be used; the text says which one, what happened and the next step. Never holds a password."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(f"{message} {next_step}")
        self.message = message
        self.next_step = next_step


class Busy(WarehouseError):
    """Another process holds what this one needs."""


def describe(error: BaseException) -> str:
    """What may be shown of ``error``, in a command, a log, an event or a table: the one place that decides it.

    Errors written for users are shown as they are, personal data masked. Of an error of the database only its kind is
    shown, in our words; of one of the operating system its number's meaning; of any other exception only the name.
    """
    if isinstance(error, UserFacingError):
        return mask_personal_data(str(error))
    failure = driver_failure(error)
    if failure is not None:
        return str(failure)
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        return f"The operating system refused: {os.strerror(error.errno)} ({kind})."
    return f"Something unexpected went wrong ({kind})."


def describe_where(error: BaseException) -> str:
    """A traceback of ``error`` and of what led to it: the lines of the program, and of each exception :func:`describe`.

    Python's own traceback would show every exception's text.
    """
    return "\nThat led to:\n\n".join(
        f"Traceback (most recent call last):\n{''.join(traceback.format_tb(one.__traceback__))}"
        f"{type(one).__name__}: {describe(one)}\n"
        for one in reversed(list(_chain(error)))
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what it was raised from or while handling."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
