"""What went wrong, as one message and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import click

from billcom_assets.alignment.plans import AlignmentRefused
from billcom_assets.bill.errors import BillError, ConfigurationError
from billcom_assets.books.queue import NotPossible
from billcom_assets.books.trace import NotFound
from billcom_assets.ledger.problems import FileRefused
from billcom_assets.ledger.removals import RemovalsRefused
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.personal import mask_personal_data
from billcom_assets.setup.connecting import NotConnected
from billcom_assets.setup.prerequisites import Finding, SetupIncomplete
from billcom_assets.warehouse.driver_errors import DRIVER_ERRORS, driver_failure
from billcom_assets.warehouse.errors import Busy, WarehouseError, describe
from billcom_assets.warehouse.integrations import InvalidSetting, UnknownIntegration

STOPPED = "Stopped. What was committed is kept; run the command again to go on."
"""What Ctrl-C ends with."""


class ExitCode(IntEnum):
    """What the shell gets."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    """Wrong use or configuration."""
    SETUP_INCOMPLETE = 3
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""


class CommandFailed(UserFacingError):
    """The command ends here; carries the message, the exit code and what belongs into the JSON document."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED, **document: Any) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.document = document


@dataclass(frozen=True)
class Failure:
    """What the user sees."""

    message: str
    exit_code: ExitCode
    details: dict[str, Any] = field(default_factory=dict)
    """Details beside the message in the JSON document's ``error``."""
    document: dict[str, Any] = field(default_factory=dict)
    """What the command found out before it failed, for the JSON document itself."""

    def to_document(self) -> dict[str, Any]:
        """The JSON document of a failed command."""
        error = {"message": self.message, "exit_code": int(self.exit_code), **self.details}
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
    details = {"integration": error.integration}
    return Failure(describe(error), ExitCode.SETUP_INCOMPLETE, details, {"missing": points})


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
    return Failure(describe(error), error.exit_code, document=error.document)


def _stopped(_error: click.Abort) -> Failure:
    return Failure(STOPPED, ExitCode.INTERRUPTED)


def _wrong_input(error: Exception) -> Failure:
    return Failure(describe(error), ExitCode.WRONG_USE)


def _usage(error: click.UsageError) -> Failure:
    command = error.ctx.command_path if error.ctx is not None else "billcom"
    return Failure(f"{error.format_message()}\nTry: {command} --help", ExitCode.WRONG_USE)


def _from_warehouse(error: WarehouseError) -> Failure:
    code = ExitCode.FAILED if isinstance(error, Busy) else ExitCode.WRONG_USE
    return Failure(describe(error), code, {"next_step": mask_personal_data(error.next_step)})


def _from_bill(error: BillError) -> Failure:
    code = ExitCode.WRONG_USE if isinstance(error, ConfigurationError) else ExitCode.FAILED
    details = {
        "integration": error.integration or None,
        "endpoint": error.endpoint or None,
        "code": error.code,
        "http_status": error.http_status,
        "said": mask_personal_data(error.message),
        "next_step": mask_personal_data(error.next_step),
    }
    return Failure(describe(error), code, details)


def _not_connected(error: NotConnected) -> Failure:
    return replace(_from_bill(error.refusal), message=describe(error))


def _from_database(error: Exception) -> Failure:
    failure = driver_failure(error)
    is_setting = failure is not None and failure.trouble.is_setting
    details = {"next_step": failure.trouble.next_step} if failure is not None else {}
    return Failure(describe(error), ExitCode.WRONG_USE if is_setting else ExitCode.FAILED, details)


_EXPLANATIONS: tuple[tuple[type[Exception], Callable[[Any], Failure]], ...] = (
    (CommandFailed, _failed),
    (click.Abort, _stopped),
    (click.UsageError, _usage),
    (SetupIncomplete, setup_incomplete),
    (NotConnected, _not_connected),
    (BillError, _from_bill),
    (WarehouseError, _from_warehouse),
    (InvalidSetting, _wrong_input),
    (UnknownIntegration, _wrong_input),
    (FileRefused, _wrong_input),
    (RemovalsRefused, _wrong_input),
    (NotPossible, _wrong_input),
    (NotFound, _wrong_input),
    (AlignmentRefused, _wrong_input),
    *((kind, _from_database) for kind in DRIVER_ERRORS),
)
"""The first kind that fits explains."""
