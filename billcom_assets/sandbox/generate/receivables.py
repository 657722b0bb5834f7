"""The lives of customers: invoices, received payments, credit memos and recurring invoices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from billcom_assets.sandbox.books import receivables
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.clock import SECONDS_A_DAY
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import FIRST_DAY, LAST_DAY, LAST_SECOND, business_day, instant, iso
from billcom_assets.sandbox.generate.history import DIMENSIONS, History
from billcom_assets.sandbox.kinds import (
    CREDIT_MEMOS,
    CUSTOMERS,
    INVOICES,
    RECEIVABLE_PAYMENTS,
    RECURRING_INVOICES,
)
from billcom_assets.sandbox.money import cents, times

_CARD_FEE = Decimal("0.029")
_BUSINESSES = ("Retail", "Foods", "Clinic", "Schools", "Media")
_KINDS_OF_RECEIPT = ("CHECK", "ACH", "ACH", "CREDIT_CARD", "CASH", "OTHER")


@dataclass(slots=True)
class InvoicePlan:
    """An invoice that will be sent.

    Attributes:
        day: Invoice date.
        due_day: Due date.
        created: Second in which it is entered.
        details: What the entering leaves in it beyond the usual.
        archived: It is archived soon.
        id: Its id, once it is there.
    """

    day: int
    due_day: int
    created: int
    details: Doc
    archived: bool
    id: str = ""

    @property
    def open(self) -> bool:
        """The customer is asked for it."""
        return not self.archived and "recordStatus" not in self.details


class CustomerStory:
    """One customer from its first invoice to the end of the history.

    Args:
        history: The organization's past.
        invoices: How many it is sent.
        first_number: Number of the first of them.
    """

    def __init__(self, history: History, invoices: int, first_number: int) -> None:
        self.history = history
        self.organization = history.organization
        luck = history.luck(INVOICES)
        self.days = sorted(luck.randint(FIRST_DAY, LAST_DAY) for _ in range(invoices))
        self.first_number = first_number
        self.currency = history.luck(CUSTOMERS).choice(("USD", "USD", "USD", "USD", "CAD"))
        self.invoices: list[InvoicePlan] = []
        self.id = ""

    def live(self) -> str:
        """Live the customer's life; returns its id."""
        history, luck = self.history, self.history.luck(CUSTOMERS)
        created = instant(max((self.days or [LAST_DAY])[0] - luck.randint(1, 30), FIRST_DAY), luck)
        history.at(created - 5, self._create)
        if luck.happens(0.3):
            edited = max(created, instant(luck.randint(FIRST_DAY + 60, LAST_DAY), luck))
            history.at(edited, lambda: receivables.update_customer(self.organization, self.id, {}))
        self._plan_invoices()
        if self.invoices and history.luck(CREDIT_MEMOS).happens(0.3):
            self._plan_memo()
        self._plan_payments()
        last = history.run()
        if luck.happens(0.1) and not cents(
            self.organization.table(CUSTOMERS).rows[self.id].look()["balance"]["amount"]
        ):
            leave = partial(set_archived, self.organization, CUSTOMERS, self.id, archived=True)
            history.at(last + 30 * SECONDS_A_DAY, leave)
        if self.days and history.luck(RECURRING_INVOICES).happens(0.15):
            self._plan_recurring_invoice()
        history.run()
        self.organization.finish()
        return self.id

    def _create(self) -> None:
        luck = self.history.luck(CUSTOMERS)
        first, last = luck.person()
        head = (
            f"{luck.choice(vocabulary.COMPANY_HEADS)} {luck.choice(('Retail', 'Foods', 'Clinic', 'Schools', 'Media'))}"
        )
        body = {
            "name": head,
            "email": f"ap@{head.lower().replace(' ', '-')}.example",
            "companyName": luck.maybe(0.7, f"{head} LLC"),
            "phone": luck.maybe(0.7, luck.phone()),
            "description": luck.maybe(0.2, "Long-standing customer"),
            "accountNumber": luck.maybe(0.5, f"N-{luck.randint(1, 9999)}"),
            "billingAddress": luck.address(self.currency),
            "invoiceCurrency": self.currency,
            "accountType": "BUSINESS" if luck.happens(0.9) else "PERSON",
        }
        details = {
            "contact": {"firstName": first, "lastName": last},
            "fax": luck.maybe(0.1, luck.phone()),
            "paymentTermId": luck.maybe(0.4, luck.choice(self.history.references.terms)),
            "shippingAddress": luck.maybe(0.3, luck.address(self.currency)),
        }
        row = receivables.create_customer(self.organization, compact(body), details=compact(details))
        self.id = row.id

    def _plan_invoices(self) -> None:
        luck, references = self.history.luck(INVOICES), self.history.references
        tax_item = references.items[[item_type for _, item_type in vocabulary.ITEMS].index("SALES_TAX")]
        for position, day in enumerate(self.days):
            body = {
                "invoiceNumber": str(self.first_number + position),
                "invoiceDate": iso(day),
                "dueDate": iso(day + 30),
                "invoiceLineItems": [self._line() for _ in range(luck.randint(1, 3))],
                "salesTaxItemId": luck.maybe(0.25, tax_item),
            }
            roll = luck.random()
            draft = 0.02 <= roll < 0.04 and day > LAST_DAY - 60
            by_card = luck.happens(0.15)
            details = {
                "archived": True if draft else None,
                "recordStatus": "DRAFT" if draft else None,
                "exchangeRate": 1 if self.currency == "USD" else Decimal("0.7311"),
                "classifications": self.history.coding(luck, DIMENSIONS) or None,
                "enableCardPayment": by_card,
                "convenienceFee": {"percentage": self.organization.money(290)} if by_card else None,
                "invoicePdfId": self.organization.ids.new("00h") if luck.happens(0.4) else None,
            }
            created = instant(business_day(day), luck)
            invoice = InvoicePlan(day, day + 30, created, compact(details), archived=roll < 0.02)
            self.invoices.append(invoice)
            self.history.at(created, partial(self._send, invoice, compact(body)))

    def _line(self) -> Doc:
        luck, money = self.history.luck(INVOICES), self.organization.money
        coding = {"itemId": luck.choice(self.history.references.items)}
        return {
            "quantity": money(luck.randint(1, 12) * 100),
            "price": money(luck.randint(900, 90_000)),
            "description": luck.choice(("Support", "Delivery", "Workshop", "Parts")),
            "classifications": coding | self.history.coding(luck, ("chartOfAccountId", *DIMENSIONS), 0.12),
        }

    def _send(self, invoice: InvoicePlan, body: Doc) -> None:
        organization, body = self.organization, body | {"customer": {"id": self.id}}
        clerk = organization.user_ids["CLERK"]
        invoice.id = receivables.create_invoice(organization, body, clerk, details=invoice.details).id
        if invoice.archived:
            end = partial(receivables.set_invoice_archived, organization, invoice.id, archived=True)
            self.history.at(self.history.now + SECONDS_A_DAY, end)

    def _plan_memo(self) -> None:
        luck = self.history.luck(CREDIT_MEMOS)
        invoice = luck.choice(self.invoices)
        created = min(invoice.created + luck.randint(1, 20) * SECONDS_A_DAY, LAST_SECOND)
        self.history.at(created, partial(self._grant_memo, invoice))

    def _grant_memo(self, invoice: InvoicePlan) -> None:
        """A memo over part of an invoice, often used on it at once."""
        organization, luck = self.organization, self.history.luck(CREDIT_MEMOS)
        doc = organization.table(INVOICES).rows[invoice.id].look()
        amount = max(100, cents(doc["totalAmount"]) // luck.randint(2, 20))
        to_bank = luck.happens(0.1)
        details = {
            "description": luck.maybe(0.7, "Goodwill"),
            "payToBankAccountId": organization.default_bank if to_bank else None,
            "classifications": self.history.coding(luck, DIMENSIONS) or None,
        }
        if to_bank:
            details["payToChartOfAccountId"] = None
        reference = f"CM-{luck.randint(1, 9999)}"
        memo = receivables.create_memo(organization, self.id, amount, reference, details=details).id
        used = min(amount, cents(doc["dueAmount"])) if invoice.open and luck.happens(0.7) else 0
        if used:
            receivables.apply_memo(organization, memo, invoice.id, used)
        elif luck.happens(0.2):
            set_archived(organization, CREDIT_MEMOS, memo, archived=True)

    def _plan_payments(self) -> None:
        """Customers pay late, in parts, for several invoices at once, or too much."""
        history, luck = self.history, self.history.luck(RECEIVABLE_PAYMENTS)
        owed = [invoice for invoice in self.invoices if invoice.open]
        position = 0
        while position < len(owed):
            size = luck.choice((1, 1, 1, 2, 3))
            batch = owed[position : position + size]
            position += size
            day = business_day(max(invoice.due_day for invoice in batch) + luck.randint(-12, 25))
            ready = max(invoice.created for invoice in batch) + 60
            roll = luck.random()
            if day > LAST_DAY:
                if roll < 0.1:
                    today = instant(max(LAST_DAY - 3, *(invoice.day for invoice in batch)), luck)
                    history.at(max(today, ready), partial(self._receive, batch, day, status="SCHEDULED"))
                continue
            if roll >= 0.05:
                receive = self._receive_in_vain if roll < 0.08 else self._receive
                part = 2 if 0.08 <= roll < 0.15 else 1
                history.at(max(instant(day, luck), ready), partial(receive, batch, day, part=part))

    def _receive_in_vain(self, batch: list[InvoicePlan], day: int, part: int) -> None:
        """A payment that bounces three days later, and is made again."""
        payment = self._receive(batch, day, part=part)
        if payment:
            now = self.history.now
            self.history.at(now + 3 * SECONDS_A_DAY, partial(receivables.void_receipt, self.organization, payment))
            self.history.at(now + 5 * SECONDS_A_DAY, partial(self._receive, batch, day))

    def _receive(self, batch: list[InvoicePlan], day: int, *, part: int = 1, status: str = "PAID") -> str:
        """A payment for what is due, or for a ``part``-th of it; returns its id, "" when nothing is due."""
        organization, luck = self.organization, self.history.luck(RECEIVABLE_PAYMENTS)
        table, money = organization.table(INVOICES), organization.money
        due = [(invoice.id, cents(table.rows[invoice.id].look()["dueAmount"])) for invoice in batch]
        parts = [(invoice_id, max(1, amount // part)) for invoice_id, amount in due if amount > 0]
        if not parts:
            return ""
        receipt = luck.choice(_KINDS_OF_RECEIPT)
        by_card = receipt == "CREDIT_CARD"
        fee = times(sum(amount for _, amount in parts), _CARD_FEE)
        details = {
            "description": "Check received" if receipt == "CHECK" else None,
            "fundingAccount": {"type": "CARD_ACCOUNT", "id": self.history.references.card} if by_card else None,
            "convenienceFeeAmount": money(fee) if by_card else None,
            "receivablesType": receipt,
            "referenceNumber": str(luck.randint(1000, 9999)) if receipt == "CHECK" else None,
            "onlinePayment": receipt in ("ACH", "CREDIT_CARD"),
        }
        unapplied = luck.randint(100, 5_000) if status == "PAID" and luck.happens(0.03) else 0
        row = receivables.receive(
            organization, parts, unapplied=unapplied, status=status, payment_date=iso(day), details=details
        )
        return row.id

    def _plan_recurring_invoice(self) -> None:
        history, organization = self.history, self.organization
        luck, money = history.luck(RECURRING_INVOICES), organization.money
        price = luck.randint(5_000, 60_000)
        coding = {"itemId": history.references.items[1], **history.coding(luck, ("chartOfAccountId", *DIMENSIONS))}
        line = {
            "id": organization.ids.new("rii"),
            "description": "Retainer",
            "price": money(price),
            "quantity": money(100),
            "amount": money(price),
            "taxable": False,
            "classifications": coding,
        }
        schedule = {
            "period": "MONTHLY",
            "frequency": 1,
            "nextDueDate": "2026-07-01",
            "endDate": luck.maybe(0.5, "2026-12-31"),
            "daysInAdvance": 3,
        }
        doc = {
            "id": organization.ids.new(RECURRING_INVOICES.prefix),
            "customerId": self.id,
            "description": "Monthly retainer",
            "archived": luck.happens(0.15),
            "schedule": compact(schedule),
            "recurringInvoiceLineItems": [line],
            "classifications": history.coding(luck, DIMENSIONS) or None,
            "sendEmail": True,
        }
        history.at(instant(self.days[0], luck), lambda: organization.write(RECURRING_INVOICES, compact(doc)))


def add_receivables(history: History, customers: int, invoices: int) -> None:
    """Customers, and among them this many invoices."""
    share, rest = divmod(invoices, customers) if customers else (0, 0)
    number = 1001
    for position in range(customers):
        count = share + (position < rest)
        history.references.customers.append(CustomerStory(history, count, number).live())
        number += count
    for _ in history.more(CUSTOMERS):
        CustomerStory(history, 0, number).live()
