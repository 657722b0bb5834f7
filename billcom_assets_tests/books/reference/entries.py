"""What the books consist of: states of documents, journal entries, applications and balances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from billcom_assets_tests.books.reference.money import ZERO


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of an entry; both amounts are positive for debits and negative for credits."""

    role: str
    """``control``, ``line``, ``money`` or ``exchange``."""
    account: str
    home: Decimal
    currency: str
    amount: Decimal
    party: str | None = None
    ledger_party: str | None = None
    item: str | None = None
    department: str | None = None
    job: str | None = None
    location: str | None = None
    accounting_class: str | None = None
    employee: str | None = None
    source_line: int | None = None
    settles: str | None = None

    @property
    def debit(self) -> Decimal:
        return max(self.home, ZERO)

    @property
    def credit(self) -> Decimal:
        return max(-self.home, ZERO)

    def opposite(self) -> Line:
        return replace(self, home=-self.home, amount=-self.amount)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One journal entry; nothing ever changes it."""

    kind: str
    document_id: str
    sequence: int
    type: str
    """``posting`` or ``reversal``."""
    document_date: date
    posting_date: date
    currency: str
    amount: Decimal
    home_amount: Decimal
    lines: tuple[Line, ...]
    reversed_entry_id: str | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.document_id}:{self.sequence}"

    def reversal(self, sequence: int, day: date) -> Entry:
        return replace(
            self,
            sequence=sequence,
            type="reversal",
            posting_date=day,
            amount=-self.amount,
            home_amount=-self.home_amount,
            lines=tuple(line.opposite() for line in self.lines),
            reversed_entry_id=self.id,
        )


@dataclass(frozen=True, kw_only=True)
class Application:
    """An amount of a standing payment or credit that settles a bill or invoice."""

    kind: str
    document_id: str
    position: int
    settled_kind: str
    settled_id: str
    amount: Decimal
    """In the currency of both; negative for the opposite of a payment."""
    own_home_amount: Decimal
    """What it is worth as part of the settling document."""
    home_amount: Decimal
    """What the settling document booked on the control account for it."""
    settled_home_amount: Decimal
    """What of the settled document's home value it settles."""
    date: date
    payment: str | None = None
    """Payment in which a vendor credit was used."""

    @property
    def settled(self) -> tuple[str, str]:
        return self.settled_kind, self.settled_id


@dataclass(frozen=True, kw_only=True)
class DocumentState:
    """What a document is in the books now."""

    kind: str
    id: str
    state: str
    """``imported``, ``held`` or ``out_of_scope``."""
    reason: str | None = None
    """Why it is out of scope."""
    held: frozenset[str] = frozenset()
    """Why it cannot post; of an imported document, why its change cannot."""
    entry_id: str | None = None
    number: str | None = None
    party: str | None = None
    document_date: date | None = None
    posting_date: date | None = None
    currency: str
    amount: Decimal | None
    home_amount: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Sums of all lines of one ledger account, in the home currency."""

    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        return self.debit - self.credit
