"""What a foreign settlement takes of the document that it settles, and the gain or loss that remains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from billcom_assets_tests.books.reference.drafts import Draft
from billcom_assets_tests.books.reference.entries import Line
from billcom_assets_tests.books.reference.money import ZERO, half_even


@dataclass
class OpenValue:
    """What of a document is not settled yet, in its own currency and as booked in the home currency."""

    amount: Decimal
    home: Decimal

    def take(self, amount: Decimal, own_home: Decimal, home_currency: str) -> Decimal:
        """The home value that ``amount`` settles; whatever exceeds what is open counts with its own value.

        Args:
            amount: What is settled, in the document's currency.
            own_home: The settlement's own home value of it.
            home_currency: The home currency.
        """
        covered = self._covered(amount)
        if not covered:
            return own_home
        of_document = half_even(self.home * covered / self.amount, home_currency)
        of_excess = own_home - half_even(own_home * covered / amount, home_currency)
        self.amount -= covered
        self.home -= of_document
        return of_document + of_excess

    def _covered(self, amount: Decimal) -> Decimal:
        if self.amount * amount <= 0:
            return ZERO
        return amount if abs(amount) <= abs(self.amount) else self.amount


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A control line that is booked at another value than the document's own.

    Attributes:
        control: Place of the control line in the draft.
        home: What is added to it, positive for debits.
        source_line: Place of the settlement in the settling document's list; None in the entry of a settled document.
        settles: BILL's id of the settled document; None in the entry of that document.
    """

    control: int
    home: Decimal
    source_line: int | None = None
    settles: str | None = None


def with_differences(draft: Draft, differences: Iterable[Difference], account: str) -> tuple[Line, ...]:
    """The draft's lines as they are booked; what the control lines gain or lose goes to ``account``."""
    lines = list(draft.lines)
    booked_differences = [one for one in differences if one.home]
    for one in booked_differences:
        control = lines[one.control]
        lines[one.control] = replace(control, home=control.home + one.home)
    lines += [
        Line(
            role="exchange",
            account=account,
            home=-one.home,
            currency=draft.currency,
            amount=ZERO,
            source_line=one.source_line,
            settles=one.settles,
        )
        for one in booked_differences
    ]
    return tuple(line for line in lines if line.amount or line.home)
