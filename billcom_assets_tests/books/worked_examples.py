"""A small company for examples that are worked out by hand: parties and accounts in place, documents to choose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billcom_assets_tests.books.reference import Policy, Snapshot
from billcom_assets_tests.books.reference.snapshot import (
    Bill,
    BillObject,
    Document,
    DocumentLine,
    FundingAccount,
    Item,
    LedgerAccount,
    LedgerObject,
    MoneyMovement,
    Party,
    Settled,
    VendorCredit,
    VendorPayment,
)

TODAY = date(2026, 6, 30)
MARCH = date(2026, 3, 15)
POLICY = Policy(
    accounts_payable="2000",
    accounts_receivable="1100",
    payables_clearing="1050",
    receivables_clearing="1060",
    unapplied_receipts="2300",
    exchange_gain_loss="7900",
)
CLEARING = replace(POLICY, payments="clearing")
ACCOUNTS = {"supplies": "6000", "rent": "6100", "sales": "4000", "tax": "2200", "cash box": "1010", "card": "2100"}
"""BILL's accounts and the ledger's."""
FUNDING = {"bank": "1000", "WALLET": "1020"}
OTHERS = ("1050", "1060", "1100", "2000", "2300", "7900")
PARTIES = {"vendors": {"acme": None, "berlin": "EUR"}, "customers": {"shop": None, "paris": "EUR"}}


def money(amount: str | int) -> Decimal:
    return Decimal(amount)


def world(*documents: Document, **changes: Any) -> Snapshot:
    """A small company whose parties and accounts are mapped, with these documents."""
    accounts = {ledger_id: LedgerAccount() for ledger_id in (*ACCOUNTS.values(), *FUNDING.values(), *OTHERS)}
    objects: dict[str, dict[str, BillObject]] = {
        "accounts": {name: BillObject(id=name) for name in ACCOUNTS},
        "funding_accounts": {
            "bank": FundingAccount(id="bank"),
            "WALLET": FundingAccount(id="WALLET", kind="WALLET"),
            "visa": FundingAccount(id="visa", kind="CARD_ACCOUNT", account="card"),
        },
        "items": {"paper": Item(id="paper", purchase_account="supplies", sales_account="sales")},
        "departments": {"north": BillObject(id="north")},
    }
    for entity, parties in PARTIES.items():
        objects[entity] = {name: Party(id=name, currency=currency) for name, currency in parties.items()}
    mappings = {("accounts", name): ledger_id for name, ledger_id in ACCOUNTS.items()}
    mappings |= {("funding_accounts", name): ledger_id for name, ledger_id in FUNDING.items()}
    mappings |= {(entity, name): name.upper() for entity, parties in PARTIES.items() for name in parties}
    ledger = {entity: {name.upper(): LedgerObject() for name in parties} for entity, parties in PARTIES.items()}
    made = Snapshot(documents=documents, objects=objects, mappings=mappings, ledger={**ledger, "accounts": accounts})
    return replace(made, **changes)


def with_object(snapshot: Snapshot, entity: str, found: BillObject, mapped_to: str | None = None) -> Snapshot:
    objects = {**snapshot.objects, entity: {**snapshot.objects.get(entity, {}), found.id: found}}
    mappings = dict(snapshot.mappings) | ({(entity, found.id): mapped_to} if mapped_to else {})
    return replace(snapshot, objects=objects, mappings=mappings)


def with_ledger(snapshot: Snapshot, list_: str, id_: str, found: LedgerObject) -> Snapshot:
    return replace(snapshot, ledger={**snapshot.ledger, list_: {**snapshot.ledger.get(list_, {}), id_: found}})


def line(amount: str | int, account: str | None = "supplies", **more: Any) -> DocumentLine:
    return DocumentLine(amount=money(amount), account=account, **more)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def bill(id_: str = "b1", amount: str | int = 100, **more: Any) -> Bill:
    usual: dict[str, Any] = {
        "date": MARCH,
        "party": "acme",
        "approval_status": "APPROVED",
        "lines": (line(amount),),
        "number": id_,
        "created": at(MARCH),
    }
    return Bill(id=id_, amount=money(amount), **usual | more)


def credit(id_: str = "c1", amount: str | int = 50, **more: Any) -> VendorCredit:
    usual: dict[str, Any] = {"date": MARCH, "party": "acme", "lines": (line(amount),), "created": at(MARCH)}
    return VendorCredit(id=id_, amount=money(amount), **usual | more)


def payment(id_: str = "p1", amount: str | int = 100, *paid: tuple[str, str | int], **more: Any) -> VendorPayment:
    parts = tuple(Settled(document=one, amount=money(part)) for one, part in paid)
    usual: dict[str, Any] = {
        "date": MARCH,
        "party": "acme",
        "status": "PAID",
        "parts": parts,
        "funding_type": "BANK_ACCOUNT",
        "funding_id": "bank",
        "created": at(MARCH),
    }
    return VendorPayment(id=id_, amount=money(amount), **usual | more)


def movement(type_: str, amount: str | int, **more: Any) -> MoneyMovement:
    usual: dict[str, Any] = {"date": MARCH, "status": "1", "bank_account": "bank", "type": type_}
    return MoneyMovement(id="m1", amount=money(amount), **usual | more)
