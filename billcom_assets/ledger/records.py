"""The company's own records as they come from its files: one frozen class per ledger table, fields named as columns."""

from __future__ import annotations

from dataclasses import dataclass

from billcom_assets.ledger.account_types import AccountType


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccount:
    """An account of the chart of accounts."""

    id: str
    number: str | None
    name: str
    type: AccountType
    parent_id: str | None
    description: str | None
    source_id: str | None = None
    currency: str | None = None
    """ISO 4217 code; None for the home currency."""
    postable: bool = True
    control: bool = False
    required_dimensions: str | None = None
    """Kinds of dimensions, separated by commas."""
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCustomer:
    """A customer."""

    id: str
    name: str
    tax_id: str | None
    email: str | None
    currency: str | None
    """ISO 4217 code; None for the home currency."""
    source_id: str | None = None
    number: str | None = None
    terms: str | None = None
    on_hold: bool = False
    default_account_id: str | None = None
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerVendor(LedgerCustomer):
    """A vendor: what is known of a customer, and of form 1099."""

    eligible_1099: bool | None = None
    box_1099: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerItem:
    """A product or service."""

    id: str
    name: str
    description: str | None
    income_account_id: str | None = None
    expense_account_id: str | None = None
    source_id: str | None = None
    number: str | None = None
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDimension:
    """A department, job, location, accounting class or employee."""

    kind: str
    id: str
    name: str
    parent_id: str | None
    email: str | None
    source_id: str | None = None
    number: str | None = None
    active: bool


LedgerRecord = LedgerAccount | LedgerCustomer | LedgerItem | LedgerDimension
