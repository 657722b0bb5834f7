"""Customers with their invoices, received payments, credit memos and recurring invoices."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from billcom_assets.sandbox.amounts import credit_status, invoice_status
from billcom_assets.sandbox.clock import SECONDS_A_DAY
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import (
    EPOCH_DAY,
    FIRST_DAY,
    LAST_DAY,
    LAST_SECOND,
    business_day,
    instant,
    iso,
)
from billcom_assets.sandbox.generate.companion import DIMENSIONS, Companion
from billcom_assets.sandbox.kinds import CREDIT_MEMOS, CUSTOMERS, INVOICES, RECEIVABLE_PAYMENTS, RECURRING_INVOICES
from billcom_assets.sandbox.money import times

_TAX = Decimal("0.0825")
_CARD_FEE = Decimal("0.029")
_KINDS_OF_RECEIPT = ("CHECK", "ACH", "ACH", "CREDIT_CARD", "CASH", "OTHER")


@dataclass(slots=True)
class InvoiceDraft:
    """An invoice on its way through its life; sums in cents."""

    id: str
    number: int
    day: int
    due_day: int
    created: int
    updated: int
    lines: list[Doc]
    total: int
    tax: int
    archived: bool = False
    record_status: str = "ACTIVE"
    paid: int = 0
    scheduled: int = 0
    credit: int = 0
    payments: list[Doc] = field(default_factory=list)

    @property
    def due(self) -> int:
        """What the customer still owes."""
        return self.total - self.paid - self.scheduled - self.credit


class CustomerStory:
    """One customer from its first invoice to the end of the history."""

    def __init__(self, companion: Companion, customer_id: str, invoices: int, first_number: int) -> None:
        self.companion = companion
        self.id = customer_id
        rng = companion.rng
        self.currency = rng.choice(("USD", "USD", "USD", "USD", "CAD"))
        self.days = sorted(rng.randint(FIRST_DAY, LAST_DAY) for _ in range(invoices))
        self.first_number = first_number
        self.invoices: list[InvoiceDraft] = []
        self.last_event = 0

    def tell(self) -> None:
        """Live the customer's life and hand over its finished objects."""
        self._write_invoices()
        if self.companion.chance(0.3) and self.invoices:
            self._grant_memo()
        self._receive()
        self._finish()

    def _write_invoices(self) -> None:
        companion, rng = self.companion, self.companion.rng
        for position, day in enumerate(self.days):
            lines, net = self._lines()
            tax = times(net, _TAX) if rng.random() < 0.25 else 0
            created = instant(business_day(day), rng)
            invoice = InvoiceDraft(
                id=companion.new_id(INVOICES),
                number=self.first_number + position,
                day=day,
                due_day=day + 30,
                created=created,
                updated=created,
                lines=lines,
                total=net + tax,
                tax=tax,
            )
            luck = rng.random()
            if luck < 0.02:
                invoice.archived, invoice.record_status = True, "INACTIVE"
            elif luck < 0.04 and day > LAST_DAY - 60:
                invoice.archived, invoice.record_status = True, "DRAFT"
            self.invoices.append(invoice)
            self.last_event = max(self.last_event, created)

    def _lines(self) -> tuple[list[Doc], int]:
        rng, references = self.companion.rng, self.companion.references
        lines, net = [], 0
        for _ in range(rng.randint(1, 3)):
            quantity, price = rng.randint(1, 12), rng.randint(900, 90_000)
            net += quantity * price
            coding: Doc = {"itemId": rng.choice(references.items)}
            coding |= self.companion.coding(("chartOfAccountId", *DIMENSIONS), 0.12)
            lines.append(
                {
                    "id": self.companion.ids.new("ili"),
                    "description": rng.choice(("Support", "Delivery", "Workshop", "Parts")),
                    "price": self.companion.money(price),
                    "quantity": self.companion.money(quantity * 100),
                    "classifications": coding,
                }
            )
        return lines, net

    def _grant_memo(self) -> None:
        companion, rng = self.companion, self.companion.rng
        invoice = rng.choice(self.invoices)
        amount = max(100, invoice.total // rng.randint(2, 20))
        applied = 0
        to_bank = companion.chance(0.1)
        created = min(invoice.created + rng.randint(1, 20) * SECONDS_A_DAY, LAST_SECOND)
        if invoice.record_status == "ACTIVE" and rng.random() < 0.7:
            applied = min(amount, invoice.due)
            invoice.credit += applied
            if companion.settings.payment_touches_bill:
                invoice.updated = max(invoice.updated, created)
            self.last_event = max(self.last_event, created)
        coding = companion.coding((*DIMENSIONS, "itemId"))
        coding["chartOfAccountId"] = companion.references.accounts["4900"]
        doc = {
            "id": companion.new_id(CREDIT_MEMOS),
            "customerId": self.id,
            "referenceNumber": f"CM-{rng.randint(1, 9999)}",
            "creditDate": iso(created // SECONDS_A_DAY + EPOCH_DAY),
            "description": "Goodwill" if rng.random() < 0.7 else None,
            "archived": applied == 0 and rng.random() < 0.2,
            "payToChartOfAccountId": None if to_bank else companion.references.accounts["1200"],
            "payToBankAccountId": companion.references.banks[0] if to_bank else None,
            "amount": companion.money(amount),
            "appliedAmount": companion.money(applied),
            "salesTaxTotal": companion.money(0),
            "status": credit_status(amount, applied),
            "creditMemoLineItems": [
                {
                    "id": companion.ids.new("cmi"),
                    "description": "Goodwill",
                    "price": companion.money(amount),
                    "quantity": companion.money(100),
                    "amount": companion.money(amount),
                    "taxable": False,
                    "classifications": coding,
                }
            ],
            "classifications": companion.coding(DIMENSIONS) or None,
            "usage": [{"invoiceId": invoice.id, "amount": companion.money(applied)}] if applied else None,
        }
        companion.add(CREDIT_MEMOS, compact(doc), created, created)

    def _receive(self) -> None:
        """Customers pay late, in parts, for several invoices at once, or too much."""
        rng = self.companion.rng
        owed = [invoice for invoice in self.invoices if invoice.record_status == "ACTIVE" and invoice.due > 0]
        position = 0
        while position < len(owed):
            size = rng.choice((1, 1, 1, 2, 3))
            batch = owed[position : position + size]
            position += size
            day = business_day(max(invoice.due_day for invoice in batch) + rng.randint(-12, 25))
            if day > LAST_DAY:
                if rng.random() < 0.1:
                    today = instant(max(LAST_DAY - 3, *(invoice.day for invoice in batch)), rng)
                    self._payment(batch, day, today, "SCHEDULED", [invoice.due for invoice in batch])
                continue
            luck = rng.random()
            if luck < 0.05:
                continue
            moment = max(instant(day, rng), max(invoice.created for invoice in batch) + 60)
            amounts = [invoice.due for invoice in batch]
            if luck < 0.08:
                self._payment(batch, day, moment, "VOID", amounts)
                moment = min(moment + 5 * SECONDS_A_DAY, LAST_SECOND)
            elif luck < 0.15:
                amounts = [max(1, amount // 2) for amount in amounts]
            self._payment(batch, day, moment, "PAID", amounts)

    def _payment(self, batch: list[InvoiceDraft], day: int, moment: int, status: str, amounts: list[int]) -> None:
        companion, rng = self.companion, self.companion.rng
        moment = min(moment, LAST_SECOND)
        payment_id = companion.new_id(RECEIVABLE_PAYMENTS)
        parts = []
        for invoice, amount in zip(batch, amounts, strict=True):
            parts.append({"invoiceId": invoice.id, "amount": companion.money(amount), "paymentDate": iso(day)})
            invoice.payments.append(
                {"id": payment_id, "amount": companion.money(amount), "status": status, "date": iso(day)}
            )
            if status == "PAID":
                invoice.paid += amount
            elif status == "SCHEDULED":
                invoice.scheduled += amount
            if companion.settings.payment_touches_bill:
                invoice.updated = max(invoice.updated, moment)
        self.last_event = max(self.last_event, moment)
        unapplied = rng.randint(100, 5_000) if status == "PAID" and rng.random() < 0.03 else 0
        receipt = rng.choice(_KINDS_OF_RECEIPT)
        by_card = receipt == "CREDIT_CARD"
        doc = {
            "amount": companion.money(sum(amounts) + unapplied),
            "id": payment_id,
            "customerId": self.id,
            "invoicePayments": parts,
            "description": "Check received" if receipt == "CHECK" else None,
            "paymentDate": iso(day),
            "fundingAccount": {"type": "CARD_ACCOUNT", "id": companion.references.card} if by_card else None,
            "receivablesAccount": {"id": companion.references.banks[0], "type": "BANK_ACCOUNT"},
            "unappliedAmount": companion.money(unapplied),
            "convenienceFeeAmount": companion.money(times(sum(amounts), _CARD_FEE)) if by_card else None,
            "receivablesType": receipt,
            "status": status,
            "referenceNumber": str(rng.randint(1000, 9999)) if receipt == "CHECK" else None,
            "onlinePayment": receipt in ("ACH", "CREDIT_CARD"),
        }
        updated = min(moment + 3 * SECONDS_A_DAY, LAST_SECOND) if status == "VOID" else moment
        companion.add(RECEIVABLE_PAYMENTS, compact(doc), moment, updated)

    def _finish(self) -> None:
        companion = self.companion
        balance = 0
        for invoice in self.invoices:
            if invoice.record_status == "ACTIVE":
                balance += invoice.due
            self._finish_invoice(invoice)
        self._finish_customer(balance)
        if companion.chance(0.15):
            self._add_recurring_invoice()

    def _finish_invoice(self, invoice: InvoiceDraft) -> None:
        companion, rng = self.companion, self.companion.rng
        money, references = companion.money, companion.references
        tax_item = references.items[vocabulary.ITEM_TYPES.index("SALES_TAX")]
        card = rng.random() < 0.15
        doc = {
            "id": invoice.id,
            "archived": invoice.archived,
            "recordStatus": invoice.record_status,
            "invoiceNumber": str(invoice.number),
            "invoiceDate": iso(invoice.day),
            "dueDate": iso(invoice.due_day),
            "customerId": self.id,
            "totalAmount": money(invoice.total),
            "dueAmount": money(invoice.due),
            "scheduledAmount": money(invoice.scheduled),
            "creditAmount": money(invoice.credit),
            "status": invoice_status(invoice.total, invoice.due, invoice.scheduled),
            "exchangeRate": 1 if self.currency == "USD" else Decimal("0.7311"),
            "invoiceLineItems": invoice.lines,
            "payToChartOfAccountId": references.accounts["1200"],
            "payments": invoice.payments or None,
            "classifications": companion.coding(DIMENSIONS) or None,
            "salesTaxItemId": tax_item if invoice.tax else None,
            "salesTaxTotal": money(invoice.tax),
            "salesTaxPercentage": money(825 if invoice.tax else 0),
            "enableCardPayment": card,
            "convenienceFee": {"percentage": money(290)} if card else None,
            "invoicePdfId": companion.ids.new("00h") if rng.random() < 0.4 else None,
            "createdBy": references.users["CLERK"],
        }
        companion.add(INVOICES, compact(doc), invoice.created, invoice.updated)

    def _finish_customer(self, balance: int) -> None:
        companion, rng = self.companion, self.companion.rng
        first, last = companion.person()
        head = f"{rng.choice(vocabulary.COMPANY_HEADS)} {rng.choice(('Retail', 'Foods', 'Clinic', 'Schools', 'Media'))}"
        slug = head.lower().replace(" ", "-")
        created = instant(max((self.days[0] if self.days else LAST_DAY) - rng.randint(1, 30), FIRST_DAY), rng)
        edited = instant(rng.randint(FIRST_DAY + 60, LAST_DAY), rng) if rng.random() < 0.3 else created
        updated = max(edited, self.last_event) if companion.settings.balances_touch else edited
        doc = {
            "email": f"ap@{slug}.example",
            "name": head,
            "id": self.id,
            "archived": balance == 0 and rng.random() < 0.1,
            "companyName": f"{head} LLC" if rng.random() < 0.7 else None,
            "contact": {"firstName": first, "lastName": last},
            "phone": companion.phone() if rng.random() < 0.7 else None,
            "fax": companion.phone() if rng.random() < 0.1 else None,
            "description": "Long-standing customer" if rng.random() < 0.2 else None,
            "invoiceCurrency": self.currency,
            "accountType": "BUSINESS" if rng.random() < 0.9 else "PERSON",
            "paymentTermId": rng.choice(companion.references.terms) if rng.random() < 0.4 else None,
            "accountNumber": f"N-{rng.randint(1, 9999)}" if rng.random() < 0.5 else None,
            "billingAddress": companion.address(self.currency),
            "shippingAddress": companion.address(self.currency) if rng.random() < 0.3 else None,
            "balance": {"amount": companion.money(balance)},
            "authorizedToCharge": False,
        }
        companion.add(CUSTOMERS, compact(doc), created, updated)

    def _add_recurring_invoice(self) -> None:
        companion, rng = self.companion, self.companion.rng
        price = rng.randint(5_000, 60_000)
        created = instant(self.days[0] if self.days else LAST_DAY, rng)
        line = {
            "id": companion.ids.new("rii"),
            "description": "Retainer",
            "price": companion.money(price),
            "quantity": companion.money(100),
            "amount": companion.money(price),
            "taxable": False,
            "classifications": {
                "itemId": companion.references.items[1],
                **companion.coding(("chartOfAccountId", *DIMENSIONS)),
            },
        }
        schedule: Doc = {"period": "MONTHLY", "frequency": 1, "nextDueDate": "2026-07-01", "daysInAdvance": 3}
        if companion.chance(0.5):
            schedule["endDate"] = "2026-12-31"
        doc = {
            "id": companion.new_id(RECURRING_INVOICES),
            "customerId": self.id,
            "description": "Monthly retainer",
            "archived": companion.chance(0.15),
            "schedule": schedule,
            "recurringInvoiceLineItems": [line],
            "classifications": companion.coding(DIMENSIONS) or None,
            "sendEmail": True,
        }
        companion.add(RECURRING_INVOICES, compact(doc), created, created)


def add_receivables(companion: Companion, customers: int, invoices: int) -> None:
    """Customers, whose ids are in the references already, with ``invoices`` invoices among them."""
    share, rest = divmod(invoices, customers) if customers else (0, 0)
    number = 1001
    for position, customer_id in enumerate(companion.references.customers):
        count = share + (position < rest)
        CustomerStory(companion, customer_id, count, number).tell()
        number += count
