"""What is known of one integration at one moment: BILL's objects, the company's ledger and what was mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

BILLS = "bills"
VENDOR_CREDITS = "vendor_credits"
VENDOR_PAYMENTS = "vendor_payments"
INVOICES = "invoices"
CREDIT_MEMOS = "credit_memos"
RECEIVABLE_PAYMENTS = "receivable_payments"
MONEY_MOVEMENTS = "money_movements"

PAYABLES = (BILLS, VENDOR_CREDITS, VENDOR_PAYMENTS, MONEY_MOVEMENTS)
RECEIVABLES = (INVOICES, CREDIT_MEMOS, RECEIVABLE_PAYMENTS)
ALL_KINDS = (BILLS, VENDOR_CREDITS, VENDOR_PAYMENTS, INVOICES, CREDIT_MEMOS, RECEIVABLE_PAYMENTS, MONEY_MOVEMENTS)
"""In the order in which a run posts them."""

DIMENSIONS = {
    "department": "departments",
    "job": "jobs",
    "location": "locations",
    "accounting_class": "accounting_classes",
    "employee": "employees",
}
"""What a line may name beside account and item, with the list that it is in."""

WALLET = "WALLET"


@dataclass(frozen=True, kw_only=True)
class BillObject:
    """A party, account, item, dimension or funding account of BILL's."""

    id: str
    deleted: bool = False
    merged_into: str | None = None


@dataclass(frozen=True, kw_only=True)
class Party(BillObject):
    """A vendor or customer."""

    currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class Item(BillObject):
    """A product or service, with the BILL accounts that it is sold and bought on."""

    sales_account: str | None = None
    purchase_account: str | None = None


@dataclass(frozen=True, kw_only=True)
class FundingAccount(BillObject):
    """What payments leave from and arrive in."""

    kind: str = "BANK_ACCOUNT"
    account: str | None = None
    """The BILL account that it is booked on."""


@dataclass(frozen=True, kw_only=True)
class LedgerObject:
    """A record of the company's own."""

    active: bool = True


@dataclass(frozen=True, kw_only=True)
class LedgerAccount(LedgerObject):
    """An account of the company's chart."""

    type: str = "EXPENSE"
    postable: bool = True


@dataclass(frozen=True, kw_only=True)
class DocumentLine:
    """A line of a charged document as BILL has it; ids are BILL's."""

    amount: Decimal | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    account: str | None = None
    item: str | None = None
    department: str | None = None
    job: str | None = None
    location: str | None = None
    accounting_class: str | None = None
    employee: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settled:
    """An amount of a payment or credit that settles a bill or invoice."""

    document: str | None
    amount: Decimal | None
    payment: str | None = None
    """Payment in which a vendor credit was used."""
    credits: tuple[Decimal, ...] = ()
    """What vendor credits that were used beside the payment settle, which the amount may contain."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What every document has; amounts are in its party's currency, ids are BILL's."""

    kind: ClassVar[str]
    party_kind: ClassVar[str | None] = None

    id: str
    date: date | None
    amount: Decimal | None
    party: str | None = None
    number: str | None = None
    created: datetime | None = None
    updated: datetime | None = None
    archived: bool = False
    deleted: bool = False
    status: str | None = None
    record_status: str | None = None


@dataclass(frozen=True, kw_only=True)
class Charged(Document):
    """A document with lines: a bill, invoice or credit."""

    lines: tuple[DocumentLine, ...] = ()
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Bill(Charged):
    kind = BILLS
    party_kind = "vendors"

    approval_status: str | None = None
    gl_posting_date: date | None = None
    funding_amount: Decimal | None = None
    header_account: str | None = None


@dataclass(frozen=True, kw_only=True)
class VendorCredit(Charged):
    kind = VENDOR_CREDITS
    party_kind = "vendors"

    approval_status: str | None = None
    gl_posting_date: date | None = None
    usages: tuple[Settled, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Invoice(Charged):
    kind = INVOICES
    party_kind = "customers"

    tax: Decimal | None = None
    tax_item: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreditMemo(Charged):
    kind = CREDIT_MEMOS
    party_kind = "customers"

    tax: Decimal | None = None
    tax_item: str | None = None
    usages: tuple[Settled, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VoidRequest:
    """Somebody asked BILL to void a payment."""

    status: str | None
    updated: datetime | None


@dataclass(frozen=True, kw_only=True)
class VendorPayment(Document):
    kind = VENDOR_PAYMENTS
    party_kind = "vendors"

    bill: str | None = None
    parts: tuple[Settled, ...] = ()
    funding_amount: Decimal | None = None
    exchange_rate: Decimal | None = None
    online: bool | None = True
    funding_type: str | None = None
    funding_id: str | None = None
    bank_account: str | None = None
    card_account: str | None = None
    account: str | None = None
    """The BILL account that v2 names: of an offline payment what it was paid from."""
    recorded_account: str | None = None
    """The BILL account that v3 names on an offline payment."""
    void_requests: tuple[VoidRequest, ...] = ()
    voided: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ReceivedPayment(Document):
    kind = RECEIVABLE_PAYMENTS
    party_kind = "customers"

    parts: tuple[Settled, ...] = ()
    unapplied: Decimal | None = None
    online: bool | None = True
    funding_type: str | None = None
    funding_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class MoneyMovement(Document):
    """The amount is positive for what reached the bank, negative for what left it."""

    kind = MONEY_MOVEMENTS

    type: str | None = None
    bank_account: str | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One integration at one moment."""

    documents: tuple[Document, ...] = ()
    objects: Mapping[str, Mapping[str, BillObject]] = field(default_factory=dict)
    """BILL's objects by entity and id."""
    mappings: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    """The ledger's id by entity and BILL's id; None for what a person left unmapped."""
    ledger: Mapping[str, Mapping[str, LedgerObject]] = field(default_factory=dict)
    """The ledger's records by list and id: accounts, vendors, customers, items and the dimensions."""
    pulled: frozenset[str] = frozenset()
    """Entities whose list was read completely at least once."""
    cutoff: date | None = None
    home_currency: str = "USD"

    def find(self, entity: str, id_: str | None) -> BillObject | None:
        return self.objects.get(entity, {}).get(id_) if id_ is not None else None

    def currency(self, document: Document) -> str | None:
        """The currency of the document's party; None where BILL names none."""
        party = self.find(document.party_kind, document.party) if document.party_kind else None
        return party.currency or None if isinstance(party, Party) else None

    def fallback_account(self, document: Document, item: str | None) -> str | None:
        """The BILL account that a line goes to by its item alone."""
        found = self.find("items", item)
        if not isinstance(found, Item):
            return None
        return found.purchase_account if document.party_kind == "vendors" else found.sales_account
