"""What of a document its entry depends on: as long as it is the same, the entry stands as it is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from billcom_assets_tests.books.reference.charges import line_amounts, tax_of
from billcom_assets_tests.books.reference.paying import cash_parts, named_account
from billcom_assets_tests.books.reference.snapshot import (
    DIMENSIONS,
    Bill,
    Charged,
    CreditMemo,
    Document,
    Invoice,
    MoneyMovement,
    ReceivedPayment,
    Snapshot,
    VendorCredit,
    VendorPayment,
)

Content = tuple[Any, ...]


def content_of(
    document: Document, snapshot: Snapshot, currency: str, home_amount: Decimal | None, *, dated: object
) -> Content:
    """The content as a value to compare.

    Args:
        document: The document.
        snapshot: What else is known.
        currency: The document's currency.
        home_amount: Its total in the home currency, which counts for payments only.
        dated: The day that the entry is of, and whether it is the opposite of the payment.
    """
    common = (document.party, currency, document.date, dated, document.amount)
    for kind, own in _OWN.items():
        if isinstance(document, kind):
            return (*common, *own(document, snapshot, currency, home_amount))
    raise TypeError(document.kind)


def _charged(document: Charged, snapshot: Snapshot, currency: str, home_amount: Decimal | None) -> Content:
    lines = tuple(
        (amount, line.account, line.item, *(getattr(line, column) for column in DIMENSIONS))
        for amount, line in zip(line_amounts(document, currency), document.lines, strict=True)
    )
    return (lines, tax_of(document))


def _bill(bill: Bill, snapshot: Snapshot, currency: str, home_amount: Decimal | None) -> Content:
    needs_header = any(
        line.account is None and snapshot.fallback_account(bill, line.item) is None for line in bill.lines
    )
    header = bill.header_account if needs_header else None
    return (*_charged(bill, snapshot, currency, home_amount), bill.gl_posting_date, header)


def _vendor_credit(credit: VendorCredit, snapshot: Snapshot, currency: str, home_amount: Decimal | None) -> Content:
    return (*_charged(credit, snapshot, currency, home_amount), credit.gl_posting_date)


def _vendor_payment(payment: VendorPayment, snapshot: Snapshot, currency: str, home_amount: Decimal | None) -> Content:
    parts = cash_parts(payment)
    listed = None if parts is None else tuple((part.document, part.amount) for part in parts)
    return (home_amount, named_account(payment), payment.online, listed)


def _received_payment(
    payment: ReceivedPayment, snapshot: Snapshot, currency: str, home_amount: Decimal | None
) -> Content:
    parts = tuple((part.document, part.amount) for part in payment.parts)
    return (home_amount, payment.funding_type, payment.funding_id, payment.online, parts, payment.unapplied)


def _movement(movement: MoneyMovement, snapshot: Snapshot, currency: str, home_amount: Decimal | None) -> Content:
    return (movement.type, movement.bank_account)


_OWN: dict[type[Document], Callable[..., Content]] = {
    Bill: _bill,
    VendorCredit: _vendor_credit,
    Invoice: _charged,
    CreditMemo: _charged,
    VendorPayment: _vendor_payment,
    ReceivedPayment: _received_payment,
    MoneyMovement: _movement,
}
