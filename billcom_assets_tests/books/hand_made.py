"""A company whose mirror is written by hand: its documents may do what the simulated BILL never lets them do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Table, delete

from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets_tests.books.ledger import BANK, OWN_ACCOUNTS, POLICY, map_to, set_policy
from billcom_assets_tests.small_company import Books, connect

FIRST_DAY: Final = date(2025, 10, 1)
"""Of documents, closed periods and cutoffs."""
VENDORS: Final = {"us": "USD", "de": "EUR", "fr": "EUR", "ca": "CAD", "jp": "JPY"}
RATES: Final = {
    "EUR": (Decimal("1.10"), Decimal("0.01")),
    "CAD": (Decimal("0.72"), Decimal("0.01")),
    "JPY": (Decimal("0.0067"), Decimal("0.0001")),
}
"""The lowest, and how far the next one is from it."""
EXPENSES: Final = ("rent", "travel", "goods")
OTHER_EXCHANGE: Final = "7910-FX"
LEDGER: Final = {**OWN_ACCOUNTS, OTHER_EXCHANGE: "OTHER_EXPENSE", "OTHER": "EXPENSE"} | dict.fromkeys(
    (one.upper() for one in EXPENSES), "EXPENSE"
)
MAPPED: Final = (
    *(("vendors", one, one.upper()) for one in VENDORS),
    *(("accounts", one, one.upper()) for one in EXPENSES),
    *(("accounts", "cash", BANK), ("funding_accounts", "bank", BANK)),
)
BILLS, CREDITS, PAYMENTS = KINDS = ("bills", "vendor_credits", "vendor_payments")
DATES: Final = {BILLS: "invoice_date", CREDITS: "credit_date", PAYMENTS: "process_date"}
_LINES: Final = {BILLS: ("bill_line_items", "bill_id"), CREDITS: ("vendor_credit_line_items", "vendor_credit_id")}
_PARTS: Final = {
    CREDITS: ("vendor_credit_usages", "vendor_credit_id"),
    PAYMENTS: ("vendor_payment_bills", "vendor_payment_id"),
}


@dataclass
class Part:
    """An amount of a payment or credit that settles a bill."""

    bill: str
    amount: Decimal
    credit: Decimal = Decimal(0)
    """What a credit that was used beside a payment settles of the amount."""


@dataclass
class Paper:
    """A document as BILL has it."""

    kind: str
    id: str
    values: dict[str, Any]
    lines: list[tuple[Decimal, str]] = field(default_factory=list)
    """Amount and account."""
    parts: list[Part] = field(default_factory=list)
    versions: int = 0

    @property
    def vendor(self) -> str:
        return str(self.values["vendor_id"])

    @property
    def currency(self) -> str:
        return VENDORS[self.vendor]

    @property
    def amount(self) -> Decimal:
        return Decimal(self.values["amount"])

    @property
    def settles(self) -> list[Part]:
        """Its parts, or the one bill that it names instead."""
        only = self.values.get("bill_id")
        return [Part(only, self.amount)] if only and not self.parts else self.parts


class HandMade:
    """The company."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.today = FIRST_DAY + timedelta(days=120)
        self.cutoff: date | None = None
        self.closed_through: date | None = None
        self.papers: dict[tuple[str, str], Paper] = {}
        self._moments = 0

    @property
    def now(self) -> datetime:
        return datetime.combine(self.today, time(9), UTC)

    def begin(self, connection: Connection) -> None:
        """Everything is there and mapped, but for documents."""
        connect(connection, self.key, organization_id=self.key)
        rows = Books(connection, self.key)
        for vendor, currency in VENDORS.items():
            rows.vendor(vendor, vendor, bill_currency=currency)
            rows.ledger("vendors", vendor.upper(), vendor)
        for account in (*EXPENSES, "cash"):
            rows.account(account, account)
        rows.bill("funding_accounts", "bank", kind="BANK_ACCOUNT")
        for account, type_ in LEDGER.items():
            rows.ledger_account(account, account, type_)
        for kind, bill_id, ledger_id in MAPPED:
            map_to(connection, kind, bill_id, ledger_id, self.key)
        set_policy(connection, self.key, **POLICY)

    def of(self, kind: str) -> list[Paper]:
        return [paper for paper in self.papers.values() if paper.kind == kind]

    def moment(self) -> datetime:
        """Later than all before: when something was read or imported."""
        self._moments += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._moments)

    def store(self, connection: Connection, paper: Paper) -> None:
        """Writes the document as it is by now, in place of what it was."""
        self.papers[paper.kind, paper.id] = paper
        paper.versions += 1
        mirror, rows = catalog_mirror(), Books(connection, self.key)
        for table, owner in (one[paper.kind] for one in (_LINES, _PARTS) if paper.kind in one):
            self._delete(connection, mirror.table(table), owner, paper.id)
        self._delete(connection, mirror.table(paper.kind), "id", paper.id)
        stamps = {"payload_digest": f"{paper.versions}", "synced_at": self.moment(), "updated_time": self.now}
        rows.bill(paper.kind, paper.id, **stamps | paper.values)
        for position, (amount, account) in enumerate(paper.lines):
            table, owner = _LINES[paper.kind]
            charged = {"amount": amount, "classifications_chart_of_account_id": account}
            rows.line(table, position, **{owner: paper.id, "id": f"{position}"} | charged)
        for position, part in enumerate(paper.parts):
            table, owner = _PARTS[paper.kind]
            values = {owner: paper.id, "bill_id": part.bill, "amount": part.amount}
            if part.credit:
                values["vendor_credits"] = f'[{{"id": "used", "amount": {part.credit}}}]'
            rows.line(table, position, **values)

    def _delete(self, connection: Connection, table: Table, column: str, id_: str) -> None:
        connection.execute(delete(table).where(table.c.integration == self.key, table.c[column] == id_))
