"""What happens with customers, invoices, receipts and credit memos."""

from __future__ import annotations

from billcom_assets.sandbox.books import receivables
from billcom_assets.sandbox.changes.chance import Chance, NothingFits, first_open, is_active
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.kinds import (
    CREDIT_MEMOS,
    CUSTOMERS,
    INVOICES,
    RECEIVABLE_PAYMENTS,
)
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.table import Row


def _open_invoice(doc: Doc) -> bool:
    return doc["recordStatus"] == "ACTIVE" and cents(doc["dueAmount"]) > 0


def new_customer(chance: Chance) -> Row:
    """A new customer."""
    number = len(chance.organization.table(CUSTOMERS)) + 1
    head = chance.rng.choice(vocabulary.COMPANY_HEADS)
    return receivables.create_customer(
        chance.organization, {"name": f"{head} Retail {number}", "email": f"ap{number}@{head.lower()}.example"}
    )


def edit_customer(chance: Chance) -> Row:
    """A customer's phone changes."""
    customer = chance.pick(CUSTOMERS, is_active)
    return receivables.update_customer(
        chance.organization, customer["id"], {"phone": f"206555{chance.rng.randint(100, 199):04d}"}
    )


def new_invoice(chance: Chance) -> Row:
    """An invoice is sent."""
    customer = chance.pick(CUSTOMERS, is_active)
    lines = [
        {
            "description": "Service",
            "price": chance.organization.money(chance.rng.randint(1_000, 80_000)),
            "quantity": chance.rng.randint(1, 9),
        }
        for _ in range(chance.rng.randint(1, 3))
    ]
    body = {"customer": {"id": customer["id"]}, "invoiceLineItems": lines, "dueDate": chance.day(30)}
    return receivables.create_invoice(chance.organization, body, chance.clerk)


def receive(chance: Chance) -> Row:
    """A customer pays, wholly, in part or too much."""
    invoice = chance.pick(INVOICES, _open_invoice)
    due = cents(invoice["dueAmount"])
    amount = due if chance.rng.random() < 0.7 else max(1, due // 3)
    unapplied = chance.rng.choice((0, 0, 0, 2_500)) if amount == due else 0
    return receivables.receive(chance.organization, [(invoice["id"], amount)], unapplied=unapplied)


def void_receipt(chance: Chance) -> Row:
    """A received payment bounces."""
    payment = chance.pick(RECEIVABLE_PAYMENTS, lambda doc: doc["status"] == "PAID")
    return receivables.void_receipt(chance.organization, payment["id"])


def archive_invoice(chance: Chance) -> Row:
    """An open invoice is archived."""
    invoice = chance.pick(INVOICES, lambda doc: doc["recordStatus"] == "ACTIVE" and doc["status"] == "OPEN")
    return receivables.set_invoice_archived(chance.organization, invoice["id"], archived=True)


def grant_memo(chance: Chance) -> Row:
    """A customer is granted a credit memo."""
    invoice = chance.pick(INVOICES, _open_invoice)
    amount = max(1, cents(invoice["dueAmount"]) // 5)
    reference = f"CM-{chance.rng.randint(10_000, 99_999)}"
    return receivables.create_memo(chance.organization, invoice["customerId"], amount, reference)


def apply_memo(chance: Chance) -> Row:
    """A credit memo is used on an invoice."""

    def usable(doc: Doc) -> bool:
        left = is_active(doc) and doc["status"] != "FULLY_APPLIED"
        return left and first_open(chance, INVOICES, doc["customerId"], _open_invoice) is not None

    memo = chance.pick(CREDIT_MEMOS, usable)
    owed = first_open(chance, INVOICES, memo["customerId"], _open_invoice)
    if owed is None:
        raise NothingFits
    amount = min(cents(memo["amount"]) - cents(memo["appliedAmount"]), cents(owed["dueAmount"]))
    return receivables.apply_memo(chance.organization, memo["id"], owed["id"], amount)
