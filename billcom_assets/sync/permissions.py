"""Lists that this login may not read.

They say nothing about their objects and cost the others nothing: what is stored of them stays. Each is tried again
after a day, or when the sign-in was tested anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.bill.errors import BillError, QueryRefused, Refused, UnsupportedCall, UntrustedSession
from billcom_assets.entities.model import Entity
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.error_log import WHOLE_LIST, ErrorLog, Trouble

_ABOUT_THE_CALL = (QueryRefused, UnsupportedCall)
_FORBIDDEN = 403


def is_not_permitted(entity: Entity, error: Exception) -> bool:
    """True when BILL does not show a list to this login that a sync can do without."""
    if entity.is_mandatory or isinstance(error, _ABOUT_THE_CALL):
        return False
    return isinstance(error, Refused | UntrustedSession) and error.http_status == _FORBIDDEN


def note_refusal(connection: Connection, integration: str, entity: str, error: BillError, now: datetime) -> Trouble:
    """Opens the list's error, with BILL's words; returns it."""
    title = entity.replace("_", " ")
    said = excerpt(error.message)
    trouble = Trouble(
        f"BILL does not show {title} to this login: {said}",
        f"Ask an administrator of BILL to let the sync user see {title}, then billcom validate {integration}; or leave "
        "it: everything else is synced.",
    )
    ErrorLog(integration, entity).report(connection, NOT_PERMITTED, {WHOLE_LIST: trouble}, now)
    return trouble


def note_permitted(connection: Connection, integration: str, entity: str, now: datetime) -> None:
    """Closes it, because the list could be read."""
    ErrorLog(integration, entity).resolve_list(connection, NOT_PERMITTED, now)
