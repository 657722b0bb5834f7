"""Payables on their way through their lives; amounts in cents, days and seconds as integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from billcom_assets.sandbox.amounts import BillSums
from billcom_assets.sandbox.codec import Doc


@dataclass(slots=True)
class BillDraft:
    """A bill on its way through its life."""

    id: str
    number: str
    invoice_day: int
    due_day: int
    created: int
    updated: int
    lines: list[Doc]
    sums: BillSums
    rate: Decimal | None
    archived: bool = False
    record_status: str = "ACTIVE"
    approval: str = "APPROVED"
    approvers: list[Doc] = field(default_factory=list)

    @property
    def payable(self) -> bool:
        """Nothing stands against paying it."""
        return self.record_status == "ACTIVE" and self.approval in ("APPROVED", "UNASSIGNED")


@dataclass(slots=True)
class CreditDraft:
    """A vendor credit and what of it is used; after ``uses`` uses it is forgotten."""

    id: str
    day: int
    created: int
    updated: int
    amount: int
    lines: list[Doc]
    archived: bool
    uses: int
    usage: list[Doc] = field(default_factory=list)
    applied: int = 0

    def usable(self, moment: int) -> bool:
        """Something of it is open at ``moment`` and nobody has forgotten it."""
        return (
            not self.archived and self.created < moment and self.applied < self.amount and len(self.usage) < self.uses
        )


@dataclass(frozen=True, slots=True)
class PaymentDraft:
    """A payment in its final state.

    Attributes:
        id: Its id.
        bills: What it pays.
        parts: ``billPayments``.
        amount: Sum of its parts in the bills' currency.
        pay_day: Process date.
        created: When it was entered.
        settled: When it last changed.
        status: PAID, SCHEDULED, APPROVING, VOID or CANCELLED.
    """

    id: str
    bills: list[BillDraft]
    parts: list[Doc]
    amount: int
    pay_day: int
    created: int
    settled: int
    status: str


@dataclass(frozen=True, slots=True)
class VendorDraft:
    """What a vendor's life comes down to in its own record."""

    first_day: int
    archived: bool
    balance: int
    last_payment_day: int
    last_event: int
