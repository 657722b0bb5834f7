"""What went wrong, as one message and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from billcom_assets.bill.errors import BillError, ConfigurationError
from billcom_assets.ledger.prerequisites import Finding, SetupIncomplete
from billcom_assets.ledger.problems import FileRefused
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.warehouse.errors import Busy, WarehouseError
from billcom_assets.warehouse.integrations import InvalidSetting, UnknownIntegration

STOPPED = "Stopped. What was committed is kept; run the command again to go on."
"""What Ctrl-C ends with."""
_READ_ONLY_SQLSTATES = frozenset({"42501", "25006"})
"""PostgreSQL: insufficient privilege, and a transaction that may only read."""


class ExitCode(IntEnum):
    """What the shell gets."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    """Wrong use or configuration."""
    SETUP_INCOMPLETE = 3


class CommandFailed(UserFacingError):
    """The command ends here; carries the message, the exit code and what belongs into the JSON document."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED, **document: Any) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.document = document


@dataclass(frozen=True)
class Failure:
    """What the user is told."""

    message: str
    exit_code: ExitCode
    facts: dict[str, Any] = field(default_factory=dict)
    """Details beside the message in the JSON document's ``error``."""
    document: dict[str, Any] = field(default_factory=dict)
    """What the command found out before it failed, for the JSON document itself."""

    def to_document(self) -> dict[str, Any]:
        """The JSON document of a failed command."""
        error = {"message": self.message, "exit_code": int(self.exit_code), **self.facts}
        return {"ok": False, **self.document, "error": error}


def explain(error: Exception) -> Failure | None:
    """The failure that an expected exception stands for; None for one that nobody expected."""
    for kind, explained in _EXPLANATIONS:
        if isinstance(error, kind):
            return explained(error)
    return None


def setup_incomplete(error: SetupIncomplete) -> Failure:
    """Exit code 3 with the open points."""
    points = [finding_document(finding) for finding in error.findings]
    facts = {"integration": error.integration}
    return Failure(str(error), ExitCode.SETUP_INCOMPLETE, facts, {"missing": points})


def finding_document(finding: Finding) -> dict[str, Any]:
    """One prerequisite for a JSON document."""
    return {
        "prerequisite": finding.prerequisite.name,
        "title": finding.prerequisite.title,
        "description": finding.prerequisite.description,
        "met": finding.met,
        "found": finding.found,
        "fix": finding.fix,
    }


def _failed(error: CommandFailed) -> Failure:
    return Failure(str(error), error.exit_code, document=error.document)


def _stopped(_error: click.Abort) -> Failure:
    return Failure(STOPPED, ExitCode.FAILED)


def _wrong_input(error: Exception) -> Failure:
    return Failure(str(error), ExitCode.WRONG_USE)


def _usage(error: click.UsageError) -> Failure:
    command = error.ctx.command_path if error.ctx is not None else "billcom"
    return Failure(f"{error.format_message()}\nTry: {command} --help", ExitCode.WRONG_USE)


def _from_warehouse(error: WarehouseError) -> Failure:
    code = ExitCode.FAILED if isinstance(error, Busy) else ExitCode.WRONG_USE
    return Failure(str(error), code, {"next_step": error.next_step})


def _from_bill(error: BillError) -> Failure:
    code = ExitCode.WRONG_USE if isinstance(error, ConfigurationError) else ExitCode.FAILED
    facts = {
        "integration": error.integration or None,
        "endpoint": error.endpoint or None,
        "code": error.code,
        "http_status": error.http_status,
        "said": error.message,
        "next_step": error.next_step,
    }
    return Failure(str(error), code, facts)


def _from_database(error: DBAPIError) -> Failure:
    said = " ".join(str(error.orig).split()).rstrip(".")
    # Never str(error): it shows the statement's parameters.
    is_read_only = "readonly" in said or getattr(error.orig, "sqlstate", None) in _READ_ONLY_SQLSTATES
    if is_read_only:
        return Failure(
            f"The database cannot be written: {said}. Check BILLCOM_DATABASE_URL and the rights of the user or file.",
            ExitCode.WRONG_USE,
        )
    return Failure(
        f"The database refused to go on: {said}. Check that it runs and has room, then run the command again; what was "
        "committed is kept.",
        ExitCode.FAILED,
    )


_EXPLANATIONS: tuple[tuple[type[Exception], Callable[[Any], Failure]], ...] = (
    (CommandFailed, _failed),
    (click.Abort, _stopped),
    (click.UsageError, _usage),
    (SetupIncomplete, setup_incomplete),
    (BillError, _from_bill),
    (WarehouseError, _from_warehouse),
    (InvalidSetting, _wrong_input),
    (UnknownIntegration, _wrong_input),
    (FileRefused, _wrong_input),
    (DBAPIError, _from_database),
)
"""The first kind that fits explains."""
