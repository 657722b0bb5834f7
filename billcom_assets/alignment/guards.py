"""What must hold before anything is written to BILL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from billcom_assets.alignment.errors import NotWritten
from billcom_assets.alignment.plans import Plan
from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import LIST_TROUBLE, AuthenticationRefused
from billcom_assets.bill.query import item_path
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.alignment_settings import AlignmentSettings
from billcom_assets.warehouse.alignment_tables import alignment_plans

_MAY_NOT: Final = frozenset({"AUDITOR", "NO_ACCESS"})
"""Types of roles that can change nothing; of others BILL tells only when something is tried."""
_MARKS: Final = ("externalId", "lastSyncTime", "integrationId")
"""What an accounting program leaves in accounts that BILL syncs with it; in no official document."""
_INTACCT: Final = ("ca1099FormType", "ca1099Type")
"""Set for Sage Intacct only, says BILL."""
_UNSET: Final = frozenset({None, "", "0", "0" * 20})
_ENOUGH: Final = 999
NONE: Final = "none"
"""Stands for: somebody has said that BILL syncs with no accounting program."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What whoever has a plan written has said."""

    production: bool = False
    """Writing to a real company is meant."""
    approver: str | None = None
    """Name of who approved, as it was typed."""
    no_other_sync: bool = False
    """BILL syncs with no accounting program."""


def require_settings(integration: str, settings: AlignmentSettings) -> None:
    """The integration is one that is written to.

    Raises:
        NotWritten: it is not.
    """
    if settings.source_of_truth is SourceOfTruth.BILL:
        raise NotWritten(
            integration,
            "BILL's chart of accounts is the one to follow (source_of_truth = bill).",
            f"billcom align {integration} adopt writes what the ledger should take over.",
        )
    if settings.alignment is Alignment.OFF:
        raise NotWritten(
            integration,
            "Alignment is off.",
            f"billcom connect {integration} --alignment plan",
        )


def require_consent(
    connection: Connection, integration: str, settings: AlignmentSettings, plan: Plan, consent: Consent
) -> None:
    """The first plan that is written to a real company was meant, by somebody who knows whose approval it has.

    Raises:
        NotWritten: nobody has said so.
    """
    p = alignment_plans.c
    written = select(p.number).where(p.integration == integration, p.started_at.is_not(None)).limit(1)
    if not settings.is_production or connection.scalar(written) is not None:
        return
    command = f'billcom align {integration} apply --production --approver "NAME"'
    if not consent.production or not consent.approver:
        raise NotWritten(
            integration,
            "This would be the first time that the chart of accounts of this company is changed in BILL's production "
            "environment.",
            f"If that is meant, say so with the name of who approved plan {plan.number}: {command}",
        )
    if not _is_named(plan.decided_by, consent.approver):
        raise NotWritten(
            integration,
            f"Plan {plan.number} was not approved by {excerpt(consent.approver, limit=100)!r}.",
            f"billcom align {integration} history names who approved it; then: {command}",
        )


def _is_named(decided_by: str | None, typed: str) -> bool:
    """Both names of an approver count: what they call themselves, and the system's."""
    known = (decided_by or "").casefold().strip()
    names = {known, *(part.strip(" )") for part in known.split("("))} - {""}
    return typed.casefold().strip() in names


def require_rights(client: BillClient, integration: str) -> None:
    """The login may change accounts, as far as BILL tells.

    Raises:
        NotWritten: its role cannot, or the API that is used cannot.
        BillError: BILL cannot be reached or lets nobody in.
    """
    if client.credentials.v2_only:
        raise NotWritten(
            integration,
            "It is read through BILL's v2 API, through which nothing is written.",
            f"Where v3 serves the developer key by now: billcom connect {integration} --api v3",
        )
    role = _role(client)
    if role in _MAY_NOT:
        raise NotWritten(
            integration,
            f"The user that signs in has the role {role.replace('_', ' ').lower()} in BILL, which cannot change "
            "accounts.",
            f"Sign in with a sync token, or as a user who may manage accounts: billcom connect {integration}",
        )


def _role(client: BillClient) -> str:
    """Type of the role of whoever is signed in; empty where BILL does not say, as for sync tokens."""
    user_id = str(client.who_am_i().get("userId") or "")
    if not user_id.startswith("006"):
        return ""
    try:
        user = client.get(item_path("/v3/users", user_id))
    except LIST_TROUBLE:
        return ""
    role = user.get("role") if isinstance(user, Mapping) else None
    return str((role or {}).get("type") or "")


def require_no_other_sync(
    client: BillClient, integration: str, settings: AlignmentSettings, consent: Consent
) -> str | None:
    """BILL itself syncs with no accounting program, as far as its API tells or as somebody has said.

    Returns:
        What to remember of it: None when that is remembered already.

    Raises:
        NotWritten: it does, or nobody has said.
        BillError: BILL cannot be reached.
    """
    found = _synced_with(client)
    known = settings.other_accounting_system
    if found is not None or known not in {None, NONE}:
        raise NotWritten(
            integration,
            f"BILL itself syncs its accounts with {found or known}: what is changed there comes back from it, or is "
            "overwritten.",
            "Change the chart of accounts in the accounting program; BILL's own sync brings it over.",
        )
    if known == NONE:
        return None
    if not consent.no_other_sync:
        raise NotWritten(
            integration,
            "BILL's API does not tell whether BILL itself syncs with an accounting program such as QuickBooks, Xero, "
            "NetSuite or Sage Intacct.",
            f"Look in BILL under Settings, Sync. Where it does not: billcom align {integration} apply --no-other-sync "
            "(asked once)",
        )
    return NONE


def _synced_with(client: BillClient) -> str | None:
    """The accounting program that accounts in BILL carry the marks of; None where there are none to be seen."""
    try:
        accounts = client.v2_list("ChartOfAccount", max_rows=_ENOUGH)
    except (*LIST_TROUBLE, AuthenticationRefused):
        # The same login has just been served by v3: v2 is what it may not use.
        return None
    if any(_is_set(one, _INTACCT) for one in accounts):
        return "Sage Intacct"
    return "an accounting program" if any(_is_set(one, _MARKS) for one in accounts) else None


def _is_set(record: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(record.get(name) not in _UNSET for name in names)
