"""How the sums of documents hang together; generation and later changes use the same rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from billcom_assets.sandbox.settings import ExchangeRate


@dataclass(slots=True)
class BillSums:
    """The sums of a bill in cents of its currency.

    Attributes:
        amount: Sum of its lines.
        paid: Covered by payments made.
        scheduled: Covered by payments to come.
        credit: Covered by vendor credits.
    """

    amount: int
    paid: int = 0
    scheduled: int = 0
    credit: int = 0

    @property
    def due(self) -> int:
        """What is left to pay."""
        return self.amount - self.paid - self.scheduled - self.credit


def bill_payment_status(sums: BillSums) -> str:
    """``paymentStatus`` of a bill."""
    if sums.scheduled > 0:
        return "SCHEDULED" if sums.due <= 0 else "PARTIALLY_SCHEDULED"
    if sums.due <= 0:
        return "PAID"
    return "PARTIALLY_PAID" if sums.paid or sums.credit else "UNPAID"


def invoice_status(total: int, due: int, scheduled: int) -> str:
    """``status`` of an invoice."""
    if scheduled > 0 and due <= 0:
        return "SCHEDULED"
    if due <= 0:
        return "PAID_IN_FULL"
    return "PARTIAL_PAYMENT" if due < total else "OPEN"


def credit_status(amount: int, applied: int) -> str:
    """``status`` of a vendor credit or credit memo."""
    if applied <= 0:
        return "NOT_APPLIED"
    return "FULLY_APPLIED" if applied >= amount else "PARTIALLY_APPLIED"


def funding_cents(amount: int, rate: Decimal | int | None, meaning: ExchangeRate) -> int:
    """US cents of an amount in cents of another currency; without a rate it is US cents already."""
    if rate is None or rate == 1:
        return amount
    dollars = amount * rate if meaning is ExchangeRate.USD_PER_UNIT else amount / Decimal(rate)
    return int(Decimal(dollars).quantize(Decimal(1), rounding=ROUND_HALF_UP))
