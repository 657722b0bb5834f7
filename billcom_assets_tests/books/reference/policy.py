"""The choices of a company that decide how its documents post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The posting policy; accounts are ids of the ledger's, None where nothing is set."""

    accounts_payable: str | None = None
    accounts_receivable: str | None = None
    payments: str = "direct"
    """``direct`` or ``clearing``."""
    payables_clearing: str | None = None
    receivables_clearing: str | None = None
    unapplied_receipts: str | None = None
    exchange_gain_loss: str | None = None
    approval: str = "approved_or_unassigned"
    """``approved`` or ``approved_or_unassigned``."""
    closed_through: date | None = None
    late: str = "next_open_day"
    """``next_open_day`` or ``hold``."""
    home_currency: str = "USD"

    @property
    def clears(self) -> bool:
        """Whether BILL's clearing accounts stand between a payment and the bank."""
        return self.payments == "clearing"

    @property
    def not_for_lines(self) -> frozenset[str]:
        """Accounts that no line of a document may name: control and clearing accounts."""
        kept = (self.accounts_payable, self.accounts_receivable, self.payables_clearing, self.receivables_clearing)
        return frozenset(account for account in kept if account is not None)

    def is_closed(self, day: date) -> bool:
        return self.closed_through is not None and day <= self.closed_through

    def first_open_day(self, day: date) -> date:
        """``day`` itself, or the day after the closed period that it lies in."""
        return self.closed_through + timedelta(days=1) if self.closed_through and self.is_closed(day) else day
