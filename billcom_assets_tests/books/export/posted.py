"""Writes books straight into their tables: a small chart of accounts, vendors, entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, select

from billcom_assets.books.export.formats import FORMATS, export_books
from billcom_assets.books.export.rows import Period, amounts
from billcom_assets.books.identities.control_balances import PartyBalance
from billcom_assets.warehouse.books_tables import (
    DIMENSIONS,
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
)
from billcom_assets.warehouse.ledger_tables import ledger_customers, ledger_dimensions
from billcom_assets_tests.small_company import KEY, NOW, Books

PAYABLE, BANK, RENT, OFFICE, EXCHANGE = "2000", "1000", "6100", "6200", "7900"
CHART = (
    (BANK, "Checking", "BANK", None),
    (PAYABLE, "Accounts Payable", "ACCOUNTS_PAYABLE", None),
    ("6000", "Overheads", "EXPENSE", None),
    (RENT, "Rent & rates", "EXPENSE", "6000"),
    (OFFICE, "Office", "COST_OF_GOODS_SOLD", "6000"),
    (EXCHANGE, "Exchange differences", "OTHER_EXPENSE", None),
)
HOSTILE = (
    'Quote "and" back\\slash',
    "Two\nlines\r\n2026-01-01 open Assets:Evil",
    "Café Zürich GmbH",
    "株式会社",
    "\N{PILE OF POO}",
    "",
    "; date:2020-01-01, [2020-02-02]",
    "Acme, Inc.",
    "Acme - Inc",
    "=cmd|' /C calc'!A0",
    "(a) | b  ; c",
)
"""Names of vendors that mean something in one format or another, are nothing, or become the same."""


@dataclass(frozen=True)
class Line:
    """A line of an entry: positive for debits."""

    account: str
    amount: Decimal | str | int
    value: Decimal | str | int | None = None
    """At home; the amount itself where there is none."""
    currency: str = "USD"
    role: str = "line"
    party: str | None = None
    ledger_party: str | None = None
    more: tuple[tuple[str, Any], ...] = ()

    def row(self) -> dict[str, Any]:
        value = Decimal(self.amount if self.value is None else self.value)
        return {
            "role": self.role,
            "ledger_account_id": self.account,
            "debit": max(value, Decimal(0)),
            "credit": max(-value, Decimal(0)),
            "currency": self.currency,
            "amount": Decimal(self.amount),
            "party": self.party,
            "ledger_party": self.ledger_party,
            **dict(self.more),
        }

    def reversed(self) -> Line:
        turned = None if self.value is None else -Decimal(self.value)
        return Line(
            *(self.account, -Decimal(self.amount), turned, self.currency),
            *(self.role, self.party, self.ledger_party, self.more),
        )


def owed(amount: Decimal | str | int, party: str, value: Decimal | str | int | None = None, **more: Any) -> Line:
    """What is owed to a vendor: negative for a bill."""
    ledger_party = more.pop("ledger_party", f"V-{party}")
    currency = more.pop("currency", "USD")
    return Line(PAYABLE, amount, value, currency, "control", party, ledger_party, tuple(more.items()))


@dataclass
class Posted:
    """The books of one integration."""

    conn: Connection
    key: str = KEY

    @property
    def company(self) -> Books:
        return Books(self.conn, self.key)

    def chart(self) -> None:
        for number, name, type_, parent in CHART:
            self.company.ledger_account(number, name, type_, parent_id=parent)

    def vendor(self, id_: str, name: str, ledger_name: str | None = None) -> str:
        """A vendor of BILL and of the ledger."""
        self.company.vendor(id_, name)
        self.company.ledger("vendors", f"V-{id_}", name if ledger_name is None else ledger_name)
        return id_

    def customer(self, id_: str, name: str) -> str:
        self.company.bill("customers", id_, name=name)
        row = {"integration": self.key, "id": f"C-{id_}", "name": name, "active": True, "imported_at": NOW}
        self.conn.execute(insert(ledger_customers).values(row))
        return id_

    def dimension(self, kind: str, id_: str, name: str, parent: str | None = None) -> None:
        row = {"integration": self.key, "kind": kind, "id": id_, "name": name, "parent_id": parent}
        self.conn.execute(insert(ledger_dimensions).values(**row, active=True, imported_at=NOW))

    def entry(
        self,
        kind: str,
        document: str,
        day: date,
        *lines: Line,
        sequence: int = 1,
        reverses: str | None = None,
        memo: str = "",
    ) -> str:
        id_ = f"{kind}:{document}:{sequence}"
        entry = {
            "integration": self.key,
            "id": id_,
            "kind": kind,
            "document_id": document,
            "sequence": sequence,
            "type": "reversal" if reverses else "posting",
            "reversed_entry_id": reverses,
            "document_date": day,
            "posting_date": day,
            "memo": memo or f"{kind} {document}",
            "payload_digest": "",
            "policy_version": 1,
            "posted_at": NOW,
        }
        self.conn.execute(insert(ledger_entries).values(entry))
        mine = {"integration": self.key, "entry_id": id_, **dict.fromkeys(("item", "settles", *DIMENSIONS))}
        rows = [mine | {"line": number} | line.row() for number, line in enumerate(lines, start=1)]
        self.conn.execute(insert(ledger_lines), rows)
        return id_

    def document(self, kind: str, id_: str, number: str | None, **more: Any) -> None:
        row = {"integration": self.key, "kind": kind, "id": id_, "number": number, "state": "imported", **more}
        self.conn.execute(insert(ledger_documents).values(**row, payload_digest="", first_seen_at=NOW, changed_at=NOW))

    def documents(self, **numbers: str) -> None:
        """The documents whose entries stand, and what they settle, as a posting keeps them."""
        e, line = ledger_entries.c, ledger_lines.c
        of_entry = (e.integration == line.integration) & (e.id == line.entry_id)
        key = (e.kind, e.document_id, line.party, line.currency)
        controls = select(*key, func.sum(line.amount).label("amount")).join_from(ledger_lines, ledger_entries, of_entry)
        for row in self.conn.execute(controls.where(line.role == "control").group_by(*key)).all():
            more = {"party": row.party, "currency": row.currency, "amount": abs(row.amount)}
            self.document(row.kind, row.document_id, numbers.get(row.document_id), **more)
        settling = select(e.kind, e.document_id, e.posting_date, ledger_lines).join_from(
            ledger_lines, ledger_entries, of_entry
        )
        for row in self.conn.execute(settling.where(line.settles.is_not(None))).all():
            values = {
                "integration": self.key,
                "kind": row.kind,
                "document_id": row.document_id,
                "position": row.line,
                "settled_kind": "bills",
                "settled_id": row.settles,
                "currency": row.currency,
                "amount": row.amount,
                "home_amount": row.debit,
                "settled_home_amount": row.debit,
                "date": row.posting_date,
            }
            wanted = {name: value for name, value in values.items() if name in ledger_applications.c}
            self.conn.execute(insert(ledger_applications).values(wanted))

    def year(self) -> None:
        """A year with everything in it: hostile vendors, a reversal, foreign bills and an exchange difference."""
        self.chart()
        for number, name in enumerate(HOSTILE):
            vendor = self.vendor(f"009v{number:02}", name)
            amount = Decimal(100 + number) + Decimal("0.01")
            self.entry(
                "bills", f"00nh{number:02}", date(2026, 1, 5), Line(RENT, amount), owed(-amount, vendor), memo=name
            )
        office = (Line(OFFICE, 80), owed(-80, "009v00"))
        first = self.entry("bills", "00nr", date(2026, 2, 1), *office)
        self.entry("bills", "00nr", date(2026, 2, 1), *[one.reversed() for one in office], sequence=2, reverses=first)
        self.entry("bills", "00nr", date(2026, 2, 3), Line(OFFICE, 90), owed(-90, "009v00"), sequence=3)
        self.foreign()
        self.entry(
            "vendor_payments",
            "0tp1",
            date(2026, 3, 1),
            owed("100.01", "009v00", settles="00nh00"),
            Line(BANK, "-100.01", role="money"),
        )
        self.documents(**{"00nh00": 'INV "1"'})

    def foreign(self) -> None:
        """A bill of 100 EUR at 1.10, half of it paid at 1.12."""
        self.vendor("009veu", "Müller & Söhne")
        self.entry(
            "bills",
            "00ne1",
            date(2026, 2, 10),
            Line(RENT, 60, 66, "EUR"),
            Line(OFFICE, 40, 44, "EUR"),
            owed(-100, "009veu", -110, currency="EUR"),
        )
        self.entry(
            "vendor_payments",
            "0te1",
            date(2026, 2, 20),
            owed(50, "009veu", 55, currency="EUR", settles="00ne1"),
            Line(BANK, -50, -56, "EUR", "money"),
            Line(EXCHANGE, 0, 1, "EUR", "exchange"),
        )

    def exported(
        self,
        format_: str,
        first: date | None = None,
        last: date | None = None,
        *,
        expected: Sequence[PartyBalance] | None = None,
    ) -> str:
        """An export; vendors are expected where their lines put them, unless it is said otherwise."""
        found = self.standing if expected is None else lambda: expected
        return "".join(export_books(self.conn, self.key, FORMATS[format_], Period(first, last), found)[0])

    def standing(self) -> list[PartyBalance]:
        """What the vendors' lines add up to."""
        sums: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for line in amounts(self.conn, self.key, Period()):
            if line.role == "control" and line.party is not None:
                sums[line.ledger_account_id, line.party, line.currency] += line.amount
        return [PartyBalance(*key, balance) for key, balance in sums.items()]

    def home_sums(self, last: date | None = None) -> dict[str, Decimal]:
        """Debit less credit by the ledger's account, as the tables have it."""
        sums: dict[str, Decimal] = {}
        for account, value in self._values(last):
            sums[account] = sums.get(account, Decimal(0)) + value
        return sums

    def _values(self, last: date | None) -> Iterator[tuple[str, Decimal]]:
        e, line = ledger_entries.c, ledger_lines.c
        query = select(line.ledger_account_id, line.debit, line.credit).join_from(
            ledger_lines, ledger_entries, (e.integration == line.integration) & (e.id == line.entry_id)
        )
        wanted: Iterable[Any] = () if last is None else (e.posting_date <= last,)
        for row in self.conn.execute(query.where(*wanted)):
            yield row.ledger_account_id, row.debit - row.credit
