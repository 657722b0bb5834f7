"""What a vendor's own record and its bills say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from billcom_assets.sandbox.books.bills import usd_rate
from billcom_assets.sandbox.books.vendors import create_vendor
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate.calendar import (
    FIRST_DAY,
    LAST_DAY,
    MONTHS,
    first_of_month,
    instant,
    iso,
)
from billcom_assets.sandbox.generate.history import DIMENSIONS, History
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, RECURRING_BILLS, VENDORS

PURPOSE = {"text": "Goods for resale", "code": {"name": "GOODS", "value": "1"}}

Decisions = tuple[bool | None, ...]
"""What approvers say, in their order; None for one who says nothing."""


@dataclass(slots=True)
class BillPlan:
    """A bill that will come in.

    Attributes:
        day: Invoice date.
        due_day: Due date.
        created: Second in which it is entered.
        decided: Second in which the last approver has decided.
        body: What is entered.
        details: What the entering of a draft leaves in it.
        decisions: What its approvers will say.
        archived: It is archived soon.
        id: Its id, once it is there.
    """

    day: int
    due_day: int
    created: int
    decided: int
    body: Doc
    details: Doc = field(default_factory=dict)
    decisions: Decisions = ()
    archived: bool = False
    id: str = ""

    @property
    def payable(self) -> bool:
        """Nothing will stand against paying it."""
        return not self.archived and not self.details and all(self.decisions)


@dataclass(slots=True)
class CreditPlan:
    """A vendor credit that will be granted; after ``uses`` uses it is forgotten."""

    uses: int
    created: int
    """The second at which it is granted."""
    id: str = ""


class VendorPapers:
    """Writes out what a vendor and its bills say.

    Args:
        history: The organization's past.
        trade: What the vendor does.
        name: Its name.
    """

    def __init__(self, history: History, trade: Trade, name: str) -> None:
        self._history = history
        self._organization = history.organization
        self.trade = trade
        self._name = name
        self.slug = "".join(char for char in name.lower() if char.isascii() and char.isalnum()) or "vendor"
        self._fixed_cents = history.luck(BILLS).randint(*trade.cents)
        self.vendor_id = ""

    def create_vendor(self) -> None:
        """Enter the vendor."""
        luck, trade = self._history.luck(VENDORS), self.trade
        body = {
            "name": self._name,
            "shortName": luck.maybe(0.4, self._name.split()[0][:40]),
            "accountNumber": luck.maybe(0.6, f"C-{luck.randint(1000, 99_999)}"),
            "accountType": "PERSON" if trade.person else "BUSINESS",
            "email": luck.maybe(0.85, f"ar@{self.slug}.example"),
            "phone": luck.maybe(0.8, luck.phone()),
            "address": luck.address(trade.currency),
            "rppsId": f"{luck.randint(10**9, 10**10 - 1)}" if trade.paid_by == "RPPS" else None,
            "billCurrency": trade.currency,
        }
        information = {
            "taxId": f"*****{luck.randint(1000, 9999)}" if trade.person else None,
            "taxIdType": "SSN" if trade.person else None,
            "track1099": trade.person,
            "leadTimeInDays": 0,
            "combinePayments": trade.combine,
            "paymentTermId": luck.maybe(0.3, luck.choice(self._history.references.terms)),
            "companyName": self._name if not trade.person else None,
        }
        electronic = trade.paid_by in ("ACH", "RPPS", "INTERNATIONAL_E_PAYMENT")
        details = {
            "paymentInformation": self._payment_information(electronic=electronic),
            "bankAccountStatus": "NO_NET_LINKED_ACCOUNT" if electronic else "NO_ACCOUNT",
            "networkStatus": "CONNECTED_RPPS" if trade.paid_by == "RPPS" else "NOT_CONNECTED",
            "recurringPayments": trade.fixed,
            "autoPay": self._auto_pay(),
        }
        body["additionalInfo"] = compact(information)
        self.vendor_id = create_vendor(self._organization, compact(body), details=details).id

    def _payment_information(self, *, electronic: bool) -> Doc:
        luck, trade = self._history.luck(VENDORS), self.trade
        bank = {
            "nameOnAccount": self._name,
            "accountNumber": f"*****{luck.randint(1000, 9999)}",
            "routingNumber": "074000010",
            "type": "CHECKING",
            "ownerType": "PERSON" if trade.person else "BUSINESS",
            "paymentCurrency": trade.currency,
            "status": "VERIFIED",
        }
        information = {
            "payeeName": self._name,
            "email": luck.maybe(0.5, f"pay@{self.slug}.example"),
            "payByType": trade.paid_by,
            "payBySubType": {"ACH": "ACH", "INTERNATIONAL_E_PAYMENT": "LOCAL"}.get(trade.paid_by, "NONE"),
            "virtualCard": self._virtual_card() if trade.paid_by == "VIRTUAL_CARD" else None,
            "bankAccount": bank if electronic else None,
            "paymentPurpose": PURPOSE if trade.currency != "USD" else None,
        }
        return compact(information)

    def _virtual_card(self) -> Doc:
        now = stamp(self._history.now)
        if self._history.luck(VENDORS).happens(0.3):
            return {"status": "DECLINED", "declineDate": now, "alternatePayByType": "CHECK"}
        return {"status": "ENROLLED", "remitEmail": f"cards@{self.slug}.example", "enrollDate": now}

    def _auto_pay(self) -> Doc:
        if not self.trade.fixed:
            return {"enabled": False}
        return {
            "enabled": True,
            "bankAccountId": self._organization.default_bank,
            "createdBy": self._organization.user_ids["PAYER"],
            "maxAmount": self._organization.money(1_000_000),
            "daysBeforeDueDate": 2,
        }

    def bill(self, number: str, day: int, due_day: int) -> Doc:
        """The body of a bill."""
        luck, accounts = self._history.luck(BILLS), self._organization.account_ids
        header: Doc | None = None
        if luck.happens(0.25):
            header = {"chartOfAccountId": accounts[self.trade.accounts[0]]}
            header |= self._history.coding(luck, ("accountingClassId", "departmentId", "locationId", "itemId"), 0.3)
        body = {
            "invoice": {"invoiceNumber": number, "invoiceDate": iso(day)},
            "dueDate": iso(due_day),
            "billLineItems": self._lines(),
            "description": luck.maybe(0.6, f"{self.trade.goods[0]}, {iso(day)[:7]}"),
            "payFromChartOfAccountId": luck.maybe(0.5, accounts["1000"]),
            "classifications": header,
            "purchaseOrderNumber": luck.maybe(0.12, f"PO-{luck.randint(1000, 9999)}"),
        }
        return compact(body)

    def rate(self, day: int) -> Doc:
        """The exchange rate of a bill or credit, as a detail of it."""
        when = (day - FIRST_DAY) / (LAST_DAY - FIRST_DAY)
        return {"exchangeRate": usd_rate(self._organization, self.trade.currency, when)}

    def _lines(self) -> list[Doc]:
        luck, trade, money = self._history.luck(BILLS), self.trade, self._organization.money
        lines, first = [], 0
        for _ in range(luck.randint(*trade.lines)):
            line: Doc = {}
            if trade.fixed:
                amount = self._fixed_cents
            elif luck.happens(0.35):
                quantity = luck.randint(2, 24)
                price = max(1, luck.randint(*trade.cents) // quantity)
                amount = quantity * price
                line = {"quantity": money(quantity * 100), "price": money(price)}
            else:
                amount = luck.randint(*trade.cents)
            first = first or amount
            lines.append(self._line(line, amount, trade.goods))
        if len(lines) > 2 and luck.happens(0.08):
            lines.append(self._line({}, -(first // 10), ("Volume discount",)))
        return lines

    def _line(self, line: Doc, amount: int, goods: Sequence[str]) -> Doc:
        luck = self._history.luck(BILLS)
        line["amount"] = self._organization.money(amount)
        if luck.happens(0.9):
            line["description"] = luck.choice(goods)
        line["classifications"] = self._classifications()
        return line

    def _classifications(self) -> Doc:
        luck, references = self._history.luck(BILLS), self._history.references
        roll = luck.random()
        if roll < 0.03:
            return {}
        coding: Doc = {"chartOfAccountId": self._organization.account_ids[luck.choice(self.trade.accounts)]}
        if roll < 0.45:
            coding["departmentId"] = luck.choice(references.departments)
        if 0.3 < roll < 0.5:
            coding["locationId"] = luck.choice(references.locations)
        if 0.4 < roll < 0.52:
            coding["accountingClassId"] = luck.choice(references.classes)
        if roll > 0.94:
            coding["jobId"] = luck.choice(references.jobs)
            coding["customerId"] = luck.choice(references.customers)
        elif roll > 0.9:
            coding["itemId"] = luck.choice(references.items)
        elif roll > 0.88:
            coding["employeeId"] = luck.choice(references.employees)
        return coding

    def plan_recurring_bill(self, first_day: int, *, archived: bool) -> None:
        """Perhaps the vendor's bills are entered from a schedule too."""
        history, organization = self._history, self._organization
        luck = history.luck(RECURRING_BILLS)
        if not self.trade.fixed and not luck.happens(0.4):
            return
        coding = history.coding(luck, (*DIMENSIONS, "itemId", "employeeId"))
        coding["chartOfAccountId"] = organization.account_ids[self.trade.accounts[0]]
        schedule = {
            "period": "MONTHLY",
            "frequency": self.trade.months_between,
            "nextDueDate": iso(first_of_month(MONTHS) + 4),
            "endDate": luck.maybe(0.5, "2027-12-31"),
            "daysInAdvance": 5,
        }
        line = {
            "amount": organization.money(self._fixed_cents),
            "id": organization.ids.new("rbi"),
            "description": self.trade.goods[0],
            "classifications": coding,
        }
        doc = {
            "archived": archived or luck.happens(0.05),
            "id": organization.ids.new(RECURRING_BILLS.prefix),
            "recurringBillLineItems": [line],
            "schedule": compact(schedule),
            "vendorId": self.vendor_id,
            "description": f"{self.trade.goods[0]} from {self._name}",
            "processingOptions": {"autoPayment": False},
            "paymentInformation": {"bankAccountId": organization.default_bank},
        }
        created = instant(max(first_day, FIRST_DAY), luck)
        history.at(created, lambda: organization.write(RECURRING_BILLS, doc))
        if luck.happens(0.5):
            history.at(created + 7_000_000, lambda: organization.write(RECURRING_BILLS, doc))
