"""The kinds of documents that enter the books, and where BILL keeps what posting needs of each, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Statuses(StrEnum):
    """What a status of BILL's means to the books."""

    MADE = "made"
    WAITS = "waits"
    VOID = "void"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a document, in a child table."""

    table: str
    parent: str
    item_account: str
    """Column of items that names the account for lines without one."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a document settles, in a child table."""

    table: str
    parent: str
    settled_kind: str
    settled: str
    """Column with the id of what is settled."""
    only: str | None = None
    """Column of the document that names the one settled document where the child table has no rows."""
    credits: str | None = None
    """JSON column of credits used beside the money, which some amounts may contain."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a document is from or for."""

    kind: str
    """Entity."""
    column: str
    """Column of the document with the party's id."""
    currency: str
    """Column of the party with the currency of its documents."""


_VENDOR: Final = Party("vendors", "vendor_id", "bill_currency")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document."""

    name: str
    """Entity; also what tables, errors and people call it."""
    number: str
    date: str
    """The day that decides about the cutoff."""
    party: Party | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Further columns by what posting calls them."""
    side: int = 1
    """1 where its lines are debited, -1 where they are credited."""
    lines: Lines | None = None
    parts: Parts | None = None
    has_approval: bool = False
    unknown_is_approved: bool = False
    """Where BILL does not tell about the approval."""
    has_unique_numbers: bool = False
    """A number that the party's other document has is taken for the same document entered twice."""
    statuses: Mapping[str, Statuses] = field(default_factory=dict)
    """What its statuses mean; empty where it has none. Others are unknown."""

    @property
    def party_kind(self) -> str | None:
        """Entity of the party; None where there is none."""
        return None if self.party is None else self.party.kind


BILLS: Final = Kind(
    "bills",
    number="invoice_number",
    date="invoice_date",
    party=_VENDOR,
    columns={
        "gl_date": "gl_posting_date",
        "funding_amount": "funding_amount",
        "rate": "exchange_rate",
        "header_account": "classifications_chart_of_account_id",
        "approval": "approval_status",
        "record_status": "record_status",
    },
    lines=Lines("bill_line_items", "bill_id", "expense_chart_of_account_id"),
    has_approval=True,
    has_unique_numbers=True,
)
VENDOR_CREDITS: Final = Kind(
    "vendor_credits",
    number="reference_number",
    date="credit_date",
    party=_VENDOR,
    columns={"gl_date": "gl_posting_date", "rate": "exchange_rate", "approval": "approval_status"},
    side=-1,
    lines=Lines("vendor_credit_line_items", "vendor_credit_id", "expense_chart_of_account_id"),
    parts=Parts("vendor_credit_usages", "vendor_credit_id", "bills", "bill_id"),
    has_approval=True,
    unknown_is_approved=True,
)
VENDOR_PAYMENTS: Final = Kind(
    "vendor_payments",
    number="transaction_number",
    date="process_date",
    party=_VENDOR,
    columns={
        "funding_amount": "funding_amount",
        "rate": "exchange_rate",
        "is_online": "online_payment",
        "status": "status",
    },
    parts=Parts(
        "vendor_payment_bills", "vendor_payment_id", "bills", "bill_id", only="bill_id", credits="vendor_credits"
    ),
    statuses={
        "PAID": Statuses.MADE,
        "SCHEDULED": Statuses.WAITS,
        "APPROVING": Statuses.WAITS,
        "VOID": Statuses.VOID,
        "CANCELLED": Statuses.VOID,
        "CANCELED": Statuses.VOID,
    },
)
MONEY_MOVEMENTS: Final = Kind(
    "money_movements",
    number="name",
    date="process_date",
    columns={"status": "status", "movement_type": "type", "funding_id": "bank_account_id"},
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (BILLS, VENDOR_CREDITS, VENDOR_PAYMENTS, MONEY_MOVEMENTS)
}
"""In the order in which documents of one run post."""
