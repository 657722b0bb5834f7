"""What Dagster keeps of a failure: its event log stores the text of every exception that leaves an asset."""

from __future__ import annotations

import dagster as dg

from billcom_assets.bill.errors import BillError
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.setup.prerequisites import SETUP_INCOMPLETE, SetupIncomplete
from billcom_assets.text_tables import table
from billcom_assets.warehouse.errors import describe


def failure_for(integration: str, error: Exception) -> dg.Failure:
    """What an asset raises, ``from None``, in place of any exception."""
    if isinstance(error, dg.Failure):
        return error
    if isinstance(error, SetupIncomplete):
        return _setup_failure(error)
    # BillError names its integration. Retries that could help were made already, request by request.
    text = describe(error) if isinstance(error, BillError) else f"{integration}: {describe(error)}"
    return dg.Failure(description=text, allow_retries=not isinstance(error, UserFacingError))


def _setup_failure(incomplete: SetupIncomplete) -> dg.Failure:
    missing = [(finding.prerequisite.title, finding.found, finding.fix) for finding in incomplete.findings]
    return dg.Failure(
        description=str(incomplete),
        metadata={"reason": SETUP_INCOMPLETE, "missing": table(("prerequisite", "found", "fix"), missing)},
        allow_retries=False,
    )
