"""The posting policy as it is stored: one row per change of a setting, and the latest of each setting holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, insert, select

from billcom_assets.warehouse.books_tables import posting_policies
from billcom_assets.warehouse.known_integrations import lock_integration

ACCOUNT_SETTINGS: Final = frozenset(
    {
        *("accounts_payable", "accounts_receivable", "payables_clearing", "receivables_clearing"),
        *("unapplied_receipts", "exchange_gain_loss"),
    }
)
"""Settings whose values are ids of ledger accounts."""


class Origin(StrEnum):
    """How a setting came by its value."""

    DECIDED = "decided"
    """A person has set it."""
    FOUND = "found"
    """It was the only one that could be meant, in the ledger or in BILL."""


@dataclass(frozen=True, slots=True)
class NewChange:
    """One setting that gets another value; None stands for no value."""

    setting: str
    previous: str | None
    value: str | None
    origin: Origin = Origin.DECIDED


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One change as it is stored: a row of ``posting_policies``."""

    version: int
    setting: str
    previous: str | None
    value: str | None
    origin: str
    set_at: datetime
    set_by: str


def policy_changes(connection: Connection, integration: str) -> list[PolicyChange]:
    """Every change of the integration's policy, oldest first."""
    p = posting_policies.c
    query = select(*(p[field.name] for field in fields(PolicyChange))).where(p.integration == integration)
    rows = connection.execute(query.order_by(p.version, p.setting))
    return [PolicyChange(**row._mapping) for row in rows]


def lock_policy(connection: Connection, integration: str) -> None:
    """Keeps others from changing the policy until the caller's transaction ends."""
    lock_integration(connection, integration)


def add_changes(
    connection: Connection, integration: str, changes: Sequence[NewChange], *, set_by: str, now: datetime
) -> int:
    """Stores changes that are made together as one new version of the policy; returns its number.

    Args:
        connection: Connection in a transaction of the caller's.
        integration: Integration key.
        changes: At least one, each of another setting.
        set_by: Who.
        now: When.
    """
    lock_policy(connection, integration)
    p = posting_policies.c
    version = (connection.scalar(select(func.max(p.version)).where(p.integration == integration)) or 0) + 1
    made = {"integration": integration, "version": version, "set_at": now, "set_by": set_by}
    connection.execute(insert(posting_policies), [{**made, **asdict(one)} for one in changes])
    return version
