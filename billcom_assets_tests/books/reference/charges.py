"""The amounts of a charged document's lines, and its sales tax."""

from __future__ import annotations

from decimal import Decimal

from billcom_assets_tests.books.reference.money import ZERO, half_up, largest, smallest_unit
from billcom_assets_tests.books.reference.snapshot import Charged, CreditMemo, DocumentLine, Invoice


def tax_of(document: Charged) -> tuple[Decimal, str | None]:
    """The sales tax and BILL's id of the item that names it; zero for payables."""
    if isinstance(document, Invoice | CreditMemo):
        return document.tax or ZERO, document.tax_item
    return ZERO, None


def line_amounts(document: Charged, currency: str) -> list[Decimal]:
    """One amount per line, in the document's ``currency``.

    Lines of invoices are price times quantity, and the largest of them takes what rounding left over. Where more is
    missing than rounding can explain, nothing is made to fit.
    """
    if not isinstance(document, Invoice):
        return [_stated(line, currency) for line in document.lines]
    amounts = [_computed(line, currency) for line in document.lines]
    left_over = (document.amount or ZERO) - tax_of(document)[0] - sum(amounts)
    if amounts and abs(left_over) <= smallest_unit(currency) * len(amounts):
        amounts[largest(amounts)] += left_over
    return amounts


def adds_up(document: Charged, currency: str) -> bool:
    """Whether lines and tax are the document's total."""
    return document.amount == sum(line_amounts(document, currency)) + tax_of(document)[0]


def _stated(line: DocumentLine, currency: str) -> Decimal:
    return _computed(line, currency) if line.amount is None else line.amount


def _computed(line: DocumentLine, currency: str) -> Decimal:
    quantity = Decimal(1) if line.quantity is None else line.quantity
    return half_up((line.price or ZERO) * quantity, currency)
