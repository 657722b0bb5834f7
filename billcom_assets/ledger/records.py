"""The company's own records as they come from its files: one frozen class per ledger table, fields named as columns."""

from __future__ import annotations

from dataclasses import dataclass

from billcom_assets.ledger.account_types import AccountType


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account of the chart of accounts."""

    id: str
    number: str | None
    name: str
    type: AccountType
    parent_id: str | None
    description: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class LedgerParty:
    """A vendor or a customer."""

    id: str
    name: str
    tax_id: str | None
    email: str | None
    currency: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class LedgerItem:
    """A product or service."""

    id: str
    name: str
    description: str | None
    account_id: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class LedgerDimension:
    """A department, job, location, accounting class or employee."""

    kind: str
    id: str
    name: str
    parent_id: str | None
    email: str | None
    active: bool


LedgerRecord = LedgerAccount | LedgerParty | LedgerItem | LedgerDimension
