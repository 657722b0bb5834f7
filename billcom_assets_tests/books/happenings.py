"""What may happen to a company's documents, vendors, mappings and policy, in any order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, update

from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets_tests.books.hand_made import (
    BILLS,
    CREDITS,
    DATES,
    EXPENSES,
    FIRST_DAY,
    KINDS,
    MAPPED,
    OTHER_EXCHANGE,
    PAYMENTS,
    RATES,
    VENDORS,
    HandMade,
    Paper,
    Part,
)
from billcom_assets_tests.books.ledger import EXCHANGE, map_to, set_cutoff, set_policy


@dataclass(frozen=True)
class Change:
    """Something that happens: its name, and numbers that say to what and how."""

    what: str
    which: int = 0
    other: int = 0
    amount: Decimal = Decimal(100)
    days: int = 0


@dataclass(frozen=True)
class Happening:
    """A change on its way to the company."""

    company: HandMade
    connection: Connection
    change: Change
    is_plain: bool = False
    """No bill is settled with more than its amount, and no amount at home needs rounding."""

    @property
    def day(self) -> date:
        return FIRST_DAY + timedelta(days=self.change.days)

    @property
    def noon(self) -> datetime:
        return datetime.combine(self.day, time(12), UTC)

    def pick(self, *kinds: str) -> Paper | None:
        """The document that it happens to; None where there is none."""
        found = [paper for kind in kinds for paper in self.company.of(kind)]
        return found[self.change.which % len(found)] if found else None

    def store(self, paper: Paper) -> None:
        self.company.store(self.connection, paper)

    def amount_in(self, currency: str) -> Decimal:
        """The change's amount; a hundred times as much in yen."""
        return self.change.amount * (100 if currency == "JPY" else 1)

    def rate_of(self, currency: str) -> Decimal | None:
        """One of some rates of the currency; None for US dollars."""
        lowest, step = RATES.get(currency, (None, Decimal(0)))
        return None if lowest is None else lowest + self.change.other % 7 * step

    def new(self, kind: str) -> Paper:
        """A document of one of the vendors, without anything in it."""
        change, number = self.change, len(self.company.of(kind)) + 1
        vendor = list(VENDORS)[change.which % len(VENDORS)]
        created = None if change.days % 11 == 0 else self.noon + timedelta(hours=change.other % 5)
        values = {"vendor_id": vendor, DATES[kind]: self.day, "created_time": created}
        # Ids do not follow the order of entry.
        return Paper(kind, f"{kind[:-1]}-{number * 7 % 10}-{number}", values)

    def worth(self, paper: Paper, amount: Decimal) -> None:
        """Gives the document its amount, and what that is at home."""
        rate, kind = self.rate_of(paper.currency), paper.kind
        paper.values |= {"amount": amount, "exchange_rate": rate}
        if kind != CREDITS and rate is not None and not self.is_plain:
            at_home = (amount * rate).quantize(Decimal("0.01")) + Decimal("0.03")
            paper.values["funding_amount"] = at_home if amount and self.change.days % 3 == 0 else None

    def charge(self, paper: Paper) -> None:
        """Gives the document lines."""
        amount, first = self.amount_in(paper.currency), self.change.which
        a, b, c = (EXPENSES[(first + nth) % len(EXPENSES)] for nth in range(3))
        third = (amount / 3).quantize(amount)
        form = self.change.other % 6
        if form == 5:
            amount = Decimal(0)
        paper.lines = (
            [(amount, a)],
            [(amount - third, a), (third, b)],
            [(amount + third, a), (-third, b)],
            [(amount, a), (Decimal(0), b)],
            [(third, a), (third, b), (amount - 2 * third, c)],
            [(Decimal(0), a)] if self.change.days % 2 else [(third, a), (-third, b)],
        )[form]
        self.worth(paper, amount)

    def settle(self, paper: Paper, most: Decimal | None = None) -> None:
        """Has the document settle up to three bills of its vendor, with up to ``most`` together."""
        bills = [bill for bill in self.company.of(BILLS) if bill.vendor == paper.vendor]
        start, count = self.change.other % max(1, len(bills)), 1 + self.change.days % 3
        paper.parts = []
        for nth, bill in enumerate((bills[start:] + bills[:start])[:count]):
            given = self.amount_in(paper.currency)
            amount = (bill.amount, given, (bill.amount / 2).quantize(given), bill.amount + given)[(nth + start) % 4]
            if self.is_plain:
                amount = min(given, self._open(bill, paper))
            if most is not None:
                amount = min(amount, most - sum(part.amount for part in paper.parts))
            if amount > 0:
                paper.parts.append(Part(bill.id, amount))

    def _open(self, bill: Paper, but_for: Paper) -> Decimal:
        others = (paper for paper in self.company.papers.values() if paper is not but_for)
        return bill.amount - sum(part.amount for paper in others for part in paper.settles if part.bill == bill.id)


def happen(company: HandMade, connection: Connection, change: Change, *, is_plain: bool = False) -> None:
    """Lets it happen; nothing does where it fits nothing."""
    HAPPENINGS[change.what](Happening(company, connection, change, is_plain))


# Documents come ------------------------------------------------------------------------------------------------------


def _bill(one: Happening) -> None:
    bill, change = one.new(BILLS), one.change
    bill.values["invoice_number"] = bill.id if one.is_plain else f"N {change.other % 9}"
    bill.values |= {"approval_status": "APPROVED", "record_status": "ACTIVE"}
    if change.days % 5 == 0:
        bill.values["gl_posting_date"] = one.day + timedelta(days=40)
    one.charge(bill)
    one.store(bill)


def _credit(one: Happening) -> None:
    credit = one.new(CREDITS)
    credit.values |= {"reference_number": credit.id, "approval_status": "APPROVED"}
    one.charge(credit)
    one.settle(credit, credit.amount)
    one.store(credit)


def _payment(one: Happening) -> None:
    payment, other = one.new(PAYMENTS), one.change.other
    payment.values |= {"transaction_number": payment.id, "status": "PAID", "online_payment": other % 2 == 0}
    if payment.values["online_payment"]:
        payment.values |= {"funding_account_type": "BANK_ACCOUNT", "funding_account_id": "bank"}
    else:
        payment.values["chart_of_account_id"] = "cash"
    _pay(one, payment)
    one.store(payment)


def _pay(one: Happening, payment: Paper) -> None:
    """Gives the payment what it pays, in one of the forms that BILL has for that."""
    one.settle(payment)
    parts, form = payment.parts, one.change.other % 6
    total = sum((part.amount for part in parts), Decimal(0)) or one.amount_in(payment.currency)
    payment.values["bill_id"] = None
    if form == 0 and not one.is_plain:
        payment.parts = []
    elif form == 1 and len(parts) == 1:
        payment.values["bill_id"], payment.parts = parts[0].bill, []
    elif form in {2, 3} and parts and not one.is_plain:
        parts[0].credit = parts[0].amount if form == 3 else min(Decimal(1), parts[0].amount)
        total -= parts[0].credit
    one.worth(payment, total)


# Documents change ----------------------------------------------------------------------------------------------------


def _edit(one: Happening) -> None:
    paper = one.pick(*KINDS)
    if paper is None:
        return
    if paper.kind == PAYMENTS:
        _pay(one, paper)
    else:
        one.charge(paper)
        while sum(part.amount for part in paper.parts) > paper.amount:
            # BILL lets no credit be used for more than it is.
            paper.parts.pop()
    one.store(paper)


def _use_credit_otherwise(one: Happening) -> None:
    if (credit := one.pick(CREDITS)) is not None:
        one.settle(credit, credit.amount)
        one.store(credit)


def _change(*kinds: str, **values: Callable[[Happening, Paper], Any]) -> Callable[[Happening], None]:
    """Gives one of the documents other values."""

    def change(one: Happening) -> None:
        if (paper := one.pick(*kinds)) is not None:
            paper.values |= {name: value(one, paper) for name, value in values.items()}
            one.store(paper)

    return change


def _toggled(name: str, no: Any, yes: Any) -> Callable[[Happening, Paper], Any]:
    return lambda _, paper: yes if paper.values.get(name, no) == no else no


def _one_of(*values: Any) -> Callable[[Happening, Paper], Any]:
    return lambda one, _: values[one.change.other % len(values)]


def _date(one: Happening) -> None:
    if (paper := one.pick(*KINDS)) is not None:
        paper.values[DATES[paper.kind]] = one.day
        one.store(paper)


def _void(one: Happening) -> None:
    """A payment comes to nothing; whether BILL says when depends."""
    if (payment := one.pick(PAYMENTS)) is not None:
        request = {"status": "ACCEPTED", "updatedTime": one.noon.isoformat()}
        payment.values |= {"status": "VOID", "void_info": json.dumps([request]) if one.change.other % 2 else None}
        payment.values["voided_time"] = one.noon if one.change.other % 4 == 0 else None
        one.store(payment)


# Everything else -----------------------------------------------------------------------------------------------------


def _merge(one: Happening) -> None:
    """One vendor is merged into another, or stands for itself again."""
    company, t = one.company, catalog_mirror().table("vendors")
    survivor = "fr" if one.change.other % 3 else None
    mine = (t.c.integration == company.key, t.c.id == "de")
    one.connection.execute(update(t).where(*mine).values(merged_into_id=survivor, synced_at=company.moment()))
    map_to(one.connection, "vendors", "de", None if survivor else "DE", company.key)


def _map(one: Happening) -> None:
    """One object is mapped as it was in the beginning."""
    map_to(one.connection, *MAPPED[one.change.which % len(MAPPED)], one.company.key)


def _unmap(one: Happening) -> None:
    kind, bill_id, _ = MAPPED[one.change.which % len(MAPPED)]
    map_to(one.connection, kind, bill_id, None, one.company.key)


def _map_elsewhere(one: Happening) -> None:
    account = EXPENSES[one.change.which % len(EXPENSES)]
    map_to(one.connection, "accounts", account, "OTHER", one.company.key)


def _activate(one: Happening) -> None:
    """An account of the ledger goes out of use, or comes back."""
    a = ledger_accounts.c
    account = (*(one.upper() for one in EXPENSES), EXCHANGE)[one.change.which % 4]
    mine = (a.integration == one.company.key, a.id == account)
    values = {"active": one.change.other % 2 == 0, "imported_at": one.company.moment()}
    one.connection.execute(update(ledger_accounts).where(*mine).values(**values))


def _set(setting: str, *values: str | None) -> Callable[[Happening], None]:
    def change(one: Happening) -> None:
        set_policy(one.connection, one.company.key, **{setting: values[one.change.other % len(values)]})

    return change


def _close(one: Happening) -> None:
    """A period is closed, or opened again."""
    one.company.closed_through = one.day if one.change.other % 4 else None
    day = one.company.closed_through
    set_policy(one.connection, one.company.key, closed_through=None if day is None else day.isoformat())


def _cut_off(one: Happening) -> None:
    one.company.cutoff = one.day if one.change.other % 4 else None
    set_cutoff(one.connection, one.company.cutoff, one.company.key)


def _wait(one: Happening) -> None:
    one.company.today += timedelta(days=1 + one.change.days % 30)


HAPPENINGS: Final[dict[str, Callable[[Happening], None]]] = {
    "a bill comes": _bill,
    "a credit comes": _credit,
    "a payment comes": _payment,
    "a document is edited": _edit,
    "a credit is used otherwise": _use_credit_otherwise,
    "a rate changes": _change(*KINDS, exchange_rate=lambda one, paper: one.rate_of(paper.currency)),
    "a rate is gone": _change(BILLS, exchange_rate=_one_of(None), funding_amount=_one_of(None)),
    "a date changes": _date,
    "a posting date changes": _change(BILLS, CREDITS, gl_posting_date=lambda one, _: one.day),
    "an approval changes": _change(BILLS, CREDITS, approval_status=_one_of("APPROVED", "APPROVING", "DENIED")),
    "a status changes": _change(PAYMENTS, status=_one_of("PAID", "SCHEDULED", "CANCELED", "UNHEARD OF")),
    "a payment is voided": _void,
    "archived or restored": _change(*KINDS, archived=_toggled("archived", False, True)),
    "drafted or entered": _change(BILLS, record_status=_toggled("record_status", "ACTIVE", "DRAFT")),
    "deleted or back": _change(*KINDS, deleted_at=_toggled("deleted_at", None, datetime(2026, 1, 1, tzinfo=UTC))),
    "vendors are merged": _merge,
    "mapped": _map,
    "unmapped": _unmap,
    "mapped elsewhere": _map_elsewhere,
    "an account is not in use": _activate,
    "approval is asked for": _set("approval", "approved", "approved_or_unassigned"),
    "what is late is held": _set("late", "hold", "next_open_day"),
    "gains go elsewhere": _set("exchange_gain_loss", OTHER_EXCHANGE, None, EXCHANGE),
    "a period is closed": _close,
    "the cutoff moves": _cut_off,
    "time passes": _wait,
}
"""By name."""


def settle_everything(company: HandMade, connection: Connection) -> None:
    """Takes away whatever could hold a document, make it wait, or have kept it from following what changed."""
    for paper in company.papers.values():
        paper.values |= {"approval_status": "APPROVED"} if paper.kind != PAYMENTS else {}
        if paper.kind == BILLS:
            paper.values["invoice_number"] = paper.id
        if paper.kind == PAYMENTS and paper.values["status"] != "VOID":
            paper.values["status"] = "PAID"
        if paper.values["exchange_rate"] is None and paper.currency in RATES:
            paper.values["exchange_rate"] = RATES[paper.currency][0]
        company.store(connection, paper)
    for kind, bill_id, ledger_id in MAPPED:
        map_to(connection, kind, bill_id, ledger_id, company.key)
    everything = ledger_accounts.c.integration == company.key
    connection.execute(update(ledger_accounts).where(everything).values(active=True, imported_at=company.moment()))
    company.cutoff = None
    set_cutoff(connection, None, company.key)
    set_policy(connection, company.key, late="next_open_day", exchange_gain_loss=EXCHANGE)
    company.today += timedelta(days=200)
