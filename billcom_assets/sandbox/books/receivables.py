"""Customers, invoices, credit memos and the payments received for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.amounts import credit_status, invoice_status
from billcom_assets.sandbox.books.fields import changed
from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.errors import Refusal, bad_data
from billcom_assets.sandbox.kinds import CREDIT_MEMOS, CUSTOMERS, INVOICES, ITEMS, RECEIVABLE_PAYMENTS
from billcom_assets.sandbox.money import cents, times, total
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row

_CUSTOMER_FIELDS = ("name", "email", "companyName", "phone", "description", "accountNumber", "billingAddress")


def create_customer(organization: Organization, body: Mapping[str, Any], *, details: Doc | None = None) -> Row:
    """A new customer; ``details`` are further fields of the object."""
    doc = {
        "email": body["email"],
        "name": body["name"],
        "id": organization.ids.new(CUSTOMERS.prefix),
        "archived": False,
        **{name: body[name] for name in _CUSTOMER_FIELDS if body.get(name) is not None},
        "invoiceCurrency": body.get("invoiceCurrency", "USD"),
        "accountType": body.get("accountType", "BUSINESS"),
        "balance": {"amount": organization.money(0)},
        "authorizedToCharge": False,
        **(details or {}),
    }
    return organization.write(CUSTOMERS, doc)


def update_customer(organization: Organization, customer_id: str, body: Mapping[str, Any]) -> Row:
    """Change a customer's own fields.

    Raises:
        Refusal: 404 unknown customer.
    """
    return organization.write(CUSTOMERS, changed(doc_of(organization, CUSTOMERS, customer_id), body, _CUSTOMER_FIELDS))


def _balance(organization: Organization, customer_id: str, change: int) -> None:
    if not change:
        return
    doc = doc_of(organization, CUSTOMERS, customer_id)
    doc["balance"] = {"amount": organization.money(cents(doc["balance"]["amount"]) + change)}
    organization.write(CUSTOMERS, doc, touch=organization.readings.settings.balances_touch)


def open_due(invoice: Mapping[str, Any]) -> int:
    """What an invoice adds to its customer's balance: nothing unless it is active."""
    return cents(invoice["dueAmount"]) if invoice["recordStatus"] == "ACTIVE" else 0


def _store_invoice(organization: Organization, doc: Doc, due: int, *, touch: bool = True) -> Row:
    old = organization.table(INVOICES).get(doc["id"])
    before = open_due(old.look()) if old else 0
    doc["dueAmount"] = organization.money(due)
    doc["status"] = invoice_status(cents(doc["totalAmount"]), due, cents(doc["scheduledAmount"]))
    row = organization.write(INVOICES, doc, touch=touch)
    _balance(organization, doc["customerId"], open_due(doc) - before)
    return row


def create_invoice(
    organization: Organization, body: Mapping[str, Any], created_by: str, *, details: Doc | None = None
) -> Row:
    """A new invoice; a sales tax item adds its percentage.

    Args:
        organization: Where.
        body: The fields of the invoice.
        created_by: User id.
        details: Further fields of the object.

    Raises:
        Refusal: 404 unknown customer or sales tax item, 400 a total below zero, 422 a number that is taken.
    """
    money = organization.money
    written, total_cents = _written_invoice(organization, body)
    doc = {
        "id": organization.ids.new(INVOICES.prefix),
        "archived": False,
        "recordStatus": "ACTIVE",
        "invoiceNumber": str(100_000 + len(organization.table(INVOICES))),
        "dueAmount": None,
        "scheduledAmount": money(0),
        "creditAmount": money(0),
        "status": None,
        "exchangeRate": 1,
        "payToChartOfAccountId": organization.account_ids["1200"],
        "enableCardPayment": False,
        "createdBy": created_by,
        **written,
        **(details or {}),
    }
    return _store_invoice(organization, doc, total_cents)


def replace_invoice(organization: Organization, invoice_id: str, body: Mapping[str, Any]) -> Row:
    """An invoice written anew, lines included; what was paid of it stays paid.

    Raises:
        Refusal: 404 unknown invoice, customer or sales tax item, 400 a total below what was paid, 422 a number that is
            taken.
    """
    doc = doc_of(organization, INVOICES, invoice_id)
    written, total_cents = _written_invoice(organization, body, invoice_id)
    due = total_cents - (cents(doc["totalAmount"]) - cents(doc["dueAmount"]))
    if due < 0 or (due != total_cents and written["customerId"] != doc["customerId"]):
        raise bad_data("totalAmount")
    # The old customer no longer owes it.
    _balance(organization, doc["customerId"], -open_due(doc))
    organization.write(INVOICES, doc | {"dueAmount": organization.money(0)}, touch=False)
    kept = {name: value for name, value in doc.items() if name != "salesTaxItemId"}
    return _store_invoice(organization, kept | written, due)


def _written_invoice(
    organization: Organization, body: Mapping[str, Any], invoice_id: str = ""
) -> tuple[dict[str, Any], int]:
    """What a body says of an invoice, and its total in cents."""
    customer = doc_of(organization, CUSTOMERS, body["customer"]["id"])
    money, today = organization.money, organization.clock.today()
    percentage, tax_item = Decimal(0), body.get("salesTaxItemId")
    if tax_item is not None:
        percentage = Decimal(doc_of(organization, ITEMS, tax_item).get("percentage", 0))
    number = body.get("invoiceNumber")
    _refuse_duplicate_number(organization, number, invoice_id)
    lines = [_invoice_line(organization, line) for line in body["invoiceLineItems"]]
    net = sum(times(cents(line["price"]), Decimal(line["quantity"])) for line in lines)
    tax = times(net, percentage / 100)
    if net + tax < 0:
        raise bad_data("totalAmount")
    return {
        **({"invoiceNumber": number} if number else {}),
        "invoiceDate": body.get("invoiceDate", today),
        "dueDate": body.get("dueDate", today),
        "customerId": customer["id"],
        "totalAmount": money(net + tax),
        "invoiceLineItems": lines,
        "salesTaxTotal": money(tax),
        "salesTaxPercentage": money(cents(percentage)),
        **({"salesTaxItemId": tax_item} if tax_item is not None else {}),
    }, net + tax


def _refuse_duplicate_number(organization: Organization, number: str | None, invoice_id: str) -> None:
    if number is None or organization.readings.settings.duplicate_invoice_numbers:
        return
    others = (row for row in organization.table(INVOICES) if row.id != invoice_id)
    if any(row.look()["invoiceNumber"] == number for row in others):
        raise Refusal(422, "BDC_1171", f"Invoice number {number} already exists.")


def _invoice_line(organization: Organization, line: Mapping[str, Any]) -> Doc:
    doc = {
        "id": line.get("id") or organization.ids.new("ili"),
        "description": line.get("description"),
        "price": organization.money(cents(line["price"])),
        "quantity": line.get("quantity", 1),
        "classifications": line.get("classifications"),
    }
    return compact(doc)


def set_invoice_archived(organization: Organization, invoice_id: str, *, archived: bool) -> Row:
    """Archive or restore an invoice.

    Raises:
        Refusal: 404 unknown invoice.
    """
    doc = doc_of(organization, INVOICES, invoice_id)
    doc |= {"archived": archived, "recordStatus": "INACTIVE" if archived else "ACTIVE"}
    return _store_invoice(organization, doc, cents(doc["dueAmount"]))


def receive(
    organization: Organization,
    parts: Sequence[tuple[str, int]],
    *,
    unapplied: int = 0,
    status: str = "PAID",
    payment_date: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Row:
    """A payment from a customer for one or more invoices, and perhaps more than they ask.

    Args:
        organization: Where the invoices are.
        parts: Invoice id and cents of each.
        unapplied: Cents beyond what the invoices ask.
        status: PAID or SCHEDULED.
        payment_date: ``yyyy-MM-dd``; today when None.
        details: Further fields of the payment object.

    Raises:
        Refusal: 404 unknown invoice, 422 more than is due, 400 invoices of several customers.
    """
    invoices = [doc_of(organization, INVOICES, invoice_id) for invoice_id, _ in parts]
    if len({invoice["customerId"] for invoice in invoices}) != 1:
        raise bad_data("invoicePayments")
    for invoice, (_, amount) in zip(invoices, parts, strict=True):
        if amount <= 0 or amount > cents(invoice["dueAmount"]):
            raise Refusal(422, "BDC_1159", "Cannot overpay an invoice.")
    day, money = payment_date or organization.clock.today(), organization.money
    payment_id = organization.ids.new(RECEIVABLE_PAYMENTS.prefix)
    doc = {
        "amount": money(sum(amount for _, amount in parts) + unapplied),
        "id": payment_id,
        "customerId": invoices[0]["customerId"],
        "invoicePayments": [
            {"invoiceId": invoice_id, "amount": money(amount), "paymentDate": day} for invoice_id, amount in parts
        ],
        "paymentDate": day,
        "receivablesAccount": {"id": organization.default_bank, "type": "BANK_ACCOUNT"},
        "unappliedAmount": money(unapplied),
        "receivablesType": "ACH",
        "status": status,
        "onlinePayment": True,
        **(details or {}),
    }
    row = organization.write(RECEIVABLE_PAYMENTS, compact(doc))
    touch = organization.readings.settings.payment_touches_bill
    for invoice, (_, amount) in zip(invoices, parts, strict=True):
        entry = {"id": payment_id, "amount": money(amount), "status": status, "date": day}
        invoice["payments"] = [*invoice.get("payments", ()), entry]
        if status == "SCHEDULED":
            invoice["scheduledAmount"] = money(cents(invoice["scheduledAmount"]) + amount)
        _store_invoice(organization, invoice, cents(invoice["dueAmount"]) - amount, touch=touch)
    return row


def void_receipt(organization: Organization, payment_id: str) -> Row:
    """A received payment bounces: its invoices are due again.

    Raises:
        Refusal: 404 unknown payment, 422 it was not paid.
    """
    doc = doc_of(organization, RECEIVABLE_PAYMENTS, payment_id)
    if doc["status"] != "PAID":
        raise Refusal(422, "BDC_1143", "Invalid entity data. Only a payment that was received can be voided.")
    doc["status"] = "VOID"
    row = organization.write(RECEIVABLE_PAYMENTS, doc)
    touch = organization.readings.settings.payment_touches_bill
    for part in doc["invoicePayments"]:
        invoice = doc_of(organization, INVOICES, part["invoiceId"])
        invoice["payments"] = [
            entry | {"status": "VOID"} if entry["id"] == payment_id else entry for entry in invoice["payments"]
        ]
        _store_invoice(organization, invoice, cents(invoice["dueAmount"]) + cents(part["amount"]), touch=touch)
    return row


def create_memo(
    organization: Organization, customer_id: str, amount: int, reference: str, *, details: Doc | None = None
) -> Row:
    """A new credit memo of ``amount`` cents; ``details`` are further fields of the object.

    Raises:
        Refusal: 404 unknown customer.
    """
    doc_of(organization, CUSTOMERS, customer_id)
    money = organization.money
    line = {
        "id": organization.ids.new("cmi"),
        "description": "Goodwill",
        "price": money(amount),
        "quantity": money(100),
        "amount": money(amount),
        "taxable": False,
        "classifications": {"chartOfAccountId": organization.account_ids["4900"]},
    }
    doc = {
        "id": organization.ids.new(CREDIT_MEMOS.prefix),
        "customerId": customer_id,
        "referenceNumber": reference,
        "creditDate": organization.clock.today(),
        "description": "Goodwill",
        "archived": False,
        "payToChartOfAccountId": organization.account_ids["1200"],
        "amount": money(amount),
        "appliedAmount": money(0),
        "salesTaxTotal": money(0),
        "status": credit_status(amount, 0),
        "creditMemoLineItems": [line],
        **(details or {}),
    }
    return organization.write(CREDIT_MEMOS, compact(doc))


def apply_memo(organization: Organization, memo_id: str, invoice_id: str, amount: int) -> Row:
    """Use ``amount`` cents of a credit memo on an invoice; gives the memo.

    Raises:
        Refusal: 404 unknown memo or invoice, 422 more than is open on either.
    """
    memo, invoice = doc_of(organization, CREDIT_MEMOS, memo_id), doc_of(organization, INVOICES, invoice_id)
    left = cents(memo["amount"]) - cents(memo["appliedAmount"])
    if amount <= 0 or amount > min(left, cents(invoice["dueAmount"])) or memo["customerId"] != invoice["customerId"]:
        raise Refusal(422, "BDC_1159", "The credit memo or the invoice has less than this amount open.")
    settings = organization.readings.settings
    memo["usage"] = [*memo.get("usage", ()), {"invoiceId": invoice_id, "amount": organization.money(amount)}]
    applied = total(memo["usage"])
    memo["appliedAmount"] = organization.money(applied)
    memo["status"] = credit_status(cents(memo["amount"]), applied)
    row = organization.write(CREDIT_MEMOS, memo, touch=settings.usage_touches_credit)
    invoice["creditAmount"] = organization.money(cents(invoice["creditAmount"]) + amount)
    due = cents(invoice["dueAmount"]) - amount
    _store_invoice(organization, invoice, due, touch=settings.payment_touches_bill)
    return row
