"""What can go wrong with the company's own database, and what may be shown of any failure."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from billcom_assets.redaction.errors import UserFacingError


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

    Errors written for users are shown as they are. Of a database driver's error only its kind is told, in our words:
    its own text quotes statements, parameters and rows. Of any other exception only the name is shown.
    """
    if isinstance(error, UserFacingError):
        return str(error)
    if isinstance(error, DBAPIError):
        return f"The database refused to go on ({type(error).__name__})."
    if isinstance(error, SQLAlchemyError):
        return f"The database could not be used ({type(error).__name__})."
    return f"Something unexpected went wrong ({type(error).__name__})."
