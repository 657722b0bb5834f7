"""What the libraries that handle rows and addresses may log: kinds of errors, never their texts, and no rows."""

from __future__ import annotations

import logging
from typing import Final

LOGGING_NAME: Final = "billcom"
"""Ends the names of our engines' loggers, so that what is set here holds for no other engine of the process."""
_SILENT: Final = (f"sqlalchemy.engine.Engine.{LOGGING_NAME}",)
"""These log statements and, in detail, rows."""
_TERSE: Final = (
    *(f"sqlalchemy.pool.impl.{pool}.{LOGGING_NAME}" for pool in ("QueuePool", "NullPool", "SingletonThreadPool")),
    "alembic.runtime.migration",
    "psycopg",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.response",
)
"""These log exceptions of the driver, of the server's texts or of headers."""


class WithoutErrorTexts(logging.Filter):
    """Leaves the kinds of the exceptions in a record and drops their texts and tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the record, and lets it pass."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None:
            record.msg = f"{record.msg} ({type(error).__name__})"
        record.exc_info = record.exc_text = None
        if isinstance(record.args, tuple):
            record.args = tuple(_kind(argument) for argument in record.args)
        return True


def _kind(argument: object) -> object:
    return type(argument).__name__ if isinstance(argument, BaseException) else argument


_FILTER: Final = WithoutErrorTexts()


def keep_data_out_of_logs() -> None:
    """Holds from now on, at whatever level the application logs; doing it twice changes nothing."""
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _TERSE:
        logging.getLogger(name).addFilter(_FILTER)
