"""The proof that a company's sums hang together, worked out from nothing but its objects."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox import Organization

Sums = defaultdict[str, Decimal]
ZERO = Decimal(0)


def total(elements: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(element["amount"]) for element in elements), ZERO)


def sums_hold(organization: Organization) -> None:
    """Fail unless every amount, balance and status follows from the documents it sums up."""
    payables_hold(organization)
    receivables_hold(organization)
    references_hold(organization)


def payables_hold(organization: Organization) -> None:
    bills = {bill["id"]: bill for bill in organization.rows("bills")}
    paid, scheduled = _paid_per_bill(organization, bills)
    credited = _credited_per_bill(organization)
    balances: Sums = defaultdict(Decimal)
    for bill in bills.values():
        number = bill["id"]
        assert bill["amount"] == total(bill["billLineItems"]), bill
        assert (bill["paidAmount"], bill["scheduledAmount"], bill["creditAmount"]) == (
            paid[number],
            scheduled[number],
            credited[number],
        ), bill
        assert bill["dueAmount"] == bill["amount"] - paid[number] - scheduled[number] - credited[number] >= 0, bill
        assert bill["paymentStatus"] == _payment_status(bill), bill
        assert bill["archived"] == (bill["recordStatus"] != "ACTIVE"), bill
        assert ("exchangeRate" in bill) == ("fundingAmount" in bill), bill
        if not bill["archived"]:
            balances[bill["vendorId"]] += bill["dueAmount"]
    for vendor in organization.rows("vendors"):
        assert vendor["balance"]["amount"] == balances.pop(vendor["id"], ZERO), vendor
    assert not any(balances.values())


def _payment_status(bill: dict[str, Any]) -> str:
    if bill["scheduledAmount"]:
        return "SCHEDULED" if bill["dueAmount"] == 0 else "PARTIALLY_SCHEDULED"
    if bill["dueAmount"] == 0:
        return "PAID"
    return "PARTIALLY_PAID" if bill["dueAmount"] < bill["amount"] else "UNPAID"


def _paid_per_bill(organization: Organization, bills: dict[str, Any]) -> tuple[Sums, Sums]:
    paid: Sums = defaultdict(Decimal)
    scheduled: Sums = defaultdict(Decimal)
    for payment in organization.rows("payments"):
        parts = payment["billPayments"]
        assert payment["amount"] == total(parts) > 0, payment
        assert payment.get("billId") == (parts[0]["billId"] if len(parts) == 1 else None), payment
        assert {bills[part["billId"]]["vendorId"] for part in parts} == {payment["vendorId"]}, payment
        counted = {"PAID": paid, "SCHEDULED": scheduled, "APPROVING": scheduled}.get(payment["status"])
        for part in parts if counted is not None else ():
            assert counted is not None
            counted[part["billId"]] += part["amount"]
    return paid, scheduled


def _credited_per_bill(organization: Organization) -> Sums:
    credited: Sums = defaultdict(Decimal)
    for credit in organization.rows("vendor-credits"):
        assert credit["amount"] == total(credit["vendorCreditLineItems"]), credit
        usage = credit.get("usage", [])
        assert credit["appliedAmount"] == total(usage) <= credit["amount"], credit
        assert credit["status"] == _credit_status(credit), credit
        for use in usage:
            credited[use["billId"]] += use["amount"]
    return credited


def _credit_status(credit: dict[str, Any]) -> str:
    if credit["appliedAmount"] == 0:
        return "NOT_APPLIED"
    return "FULLY_APPLIED" if credit["appliedAmount"] == credit["amount"] else "PARTIALLY_APPLIED"


def receivables_hold(organization: Organization) -> None:
    paid: Sums = defaultdict(Decimal)
    scheduled: Sums = defaultdict(Decimal)
    for payment in organization.rows("receivable-payments"):
        assert payment["amount"] == total(payment["invoicePayments"]) + payment["unappliedAmount"], payment
        counted = {"PAID": paid, "SCHEDULED": scheduled}.get(payment["status"])
        for part in payment["invoicePayments"] if counted is not None else ():
            assert counted is not None
            counted[part["invoiceId"]] += part["amount"]
    credited: Sums = defaultdict(Decimal)
    for memo in organization.rows("credit-memos"):
        assert memo["amount"] == total(memo["creditMemoLineItems"]), memo
        assert memo["appliedAmount"] == total(memo.get("usage", [])) <= memo["amount"], memo
        assert memo["status"] == _credit_status(memo), memo
        for use in memo.get("usage", []):
            credited[use["invoiceId"]] += use["amount"]
    balances: Sums = defaultdict(Decimal)
    for invoice in organization.rows("invoices"):
        number = invoice["id"]
        lines = sum((line["price"] * line["quantity"] for line in invoice["invoiceLineItems"]), ZERO)
        assert invoice["totalAmount"] == lines + invoice["salesTaxTotal"], invoice
        assert (invoice["scheduledAmount"], invoice["creditAmount"]) == (scheduled[number], credited[number]), invoice
        open_amount = invoice["totalAmount"] - paid[number] - scheduled[number] - credited[number]
        assert invoice["dueAmount"] == open_amount >= 0, invoice
        live = [part for part in invoice.get("payments", []) if part["status"] == "PAID"]
        assert total(live) == paid[number], invoice
        if not invoice["archived"]:
            balances[invoice["customerId"]] += invoice["dueAmount"]
    for customer in organization.rows("customers"):
        assert customer["balance"]["amount"] == balances.pop(customer["id"], ZERO), customer
    assert not any(balances.values())


REFERENCES = {
    "vendorId": "vendors",
    "customerId": "customers",
    "chartOfAccountId": "classifications/chart-of-accounts",
    "payFromChartOfAccountId": "classifications/chart-of-accounts",
    "departmentId": "classifications/departments",
    "locationId": "classifications/locations",
    "accountingClassId": "classifications/accounting-classes",
    "jobId": "classifications/jobs",
    "employeeId": "classifications/employees",
    "itemId": "classifications/items",
    "billId": "bills",
    "invoiceId": "invoices",
    "paymentId": "payments",
    "createdBy": "users",
    "bankAccountId": "funding-accounts/banks",
}


def references_hold(organization: Organization) -> None:
    """Every id that an object names exists, archived or not."""
    known = {name: {doc["id"] for doc in organization.rows(path)} for name, path in REFERENCES.items()}
    known["createdBy"] |= {organization.token.user_id}
    for kind in organization.tables:
        own = {doc["id"] for doc in organization.rows(kind.path)}
        for doc in organization.rows(kind.path):
            assert doc.get("parentId") is None or doc["parentId"] in own - {doc["id"]}, doc
            for name, value in _named(doc):
                assert value in known[name], (kind.path, doc["id"], name)


def _named(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [pair for element in value for pair in _named(element)]
    if not isinstance(value, dict):
        return []
    direct = [(name, held) for name, held in value.items() if name in REFERENCES]
    return direct + [pair for held in value.values() for pair in _named(held)]
