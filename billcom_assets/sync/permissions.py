"""Lists that this login may not read.

They say nothing about their objects and cost the others nothing: what is stored of them stays. Each is tried again
after a day, or when the sign-in was tested anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    QueryRefused,
    Refused,
    SessionsExhausted,
    UnsupportedCall,
    UntrustedSession,
)
from billcom_assets.entities.model import Entity
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.error_log import WHOLE_LIST, ErrorLog, Trouble

_ABOUT_THE_CALL = (QueryRefused, UnsupportedCall)
_FORBIDDEN = 403
V2_API = "v2"
"""Stands where entities do for all that BILL's v2 API adds."""


def is_not_permitted(entity: Entity, error: Exception) -> bool:
    """True when BILL does not show a list to this login that a sync can do without."""
    if entity.is_of_v2:
        return isinstance(error, BillError) and is_v2_refused(error, has_answered=False)
    if entity.is_mandatory or isinstance(error, _ABOUT_THE_CALL):
        return False
    return isinstance(error, Refused | UntrustedSession) and error.http_status == _FORBIDDEN


def is_v2_refused(error: BillError, *, has_answered: bool) -> bool:
    """True when BILL's v2 API does not serve this login at all; v3 does.

    Args:
        error: What a call of v2 has come to.
        has_answered: Other calls of v2 were answered.
    """
    if isinstance(error, AuthenticationRefused | SessionsExhausted | UntrustedSession):
        return True
    is_about_the_call = isinstance(error, QueryRefused)
    return isinstance(error, Refused) and not is_about_the_call and not has_answered


def note_refusal(connection: Connection, integration: str, entity: str, error: BillError, now: datetime) -> Trouble:
    """Opens the list's error, with BILL's words; returns it."""
    said = excerpt(error.message)
    trouble = _without_v2(integration, error) if entity == V2_API else _without_list(integration, entity, said)
    ErrorLog(integration, entity).report(connection, NOT_PERMITTED, {WHOLE_LIST: trouble}, now)
    return trouble


def _without_list(integration: str, entity: str, said: str) -> Trouble:
    title = entity.replace("_", " ")
    return Trouble(
        f"BILL does not show {title} to this login: {said}",
        f"Ask an administrator of BILL to let the sync user see {title}, then billcom validate {integration}; or leave "
        "it: everything else is synced.",
    )


def _without_v2(integration: str, error: BillError) -> Trouble:
    was_sent = error.http_status is not None
    to_have_it = (
        f"ask BILL to enable v2 for the developer key, then billcom validate {integration}"
        if was_sent
        else f"sign in with a sync token: billcom connect {integration}"
    )
    return Trouble(
        f"BILL's v2 API does not serve this login: {excerpt(error.message)}",
        "What only v2 knows stays empty: approvals that v3 does not show, posting dates, the accounts that payments "
        f"were made from, mergers. To have it, {to_have_it}; or leave it: everything else is synced.",
    )


def note_permitted(connection: Connection, integration: str, entity: str, now: datetime) -> None:
    """Closes it, because the list could be read."""
    ErrorLog(integration, entity).resolve_list(connection, NOT_PERMITTED, now)
