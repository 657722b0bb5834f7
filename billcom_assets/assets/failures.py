"""What Dagster keeps of a failure: its event log stores the text of every exception that leaves an asset."""

from __future__ import annotations

import dagster as dg

from billcom_assets.bill.errors import BillError
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.warehouse.errors import describe


def failure_for(integration: str, error: Exception) -> dg.Failure:
    """What an asset raises, ``from None``, in place of any exception."""
    if isinstance(error, dg.Failure):
        return error
    # BillError names its integration. Retries that could help were made already, request by request.
    text = describe(error) if isinstance(error, BillError) else f"{integration}: {describe(error)}"
    return dg.Failure(description=text, allow_retries=not isinstance(error, UserFacingError))
