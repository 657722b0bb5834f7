"""What a vendor's own record, its bills and its payments say."""

from __future__ import annotations

from collections.abc import Sequence

from billcom_assets.sandbox.books import payments
from billcom_assets.sandbox.books.bills import usd_rate
from billcom_assets.sandbox.books.vendors import create_vendor
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate.calendar import (
    FIRST_DAY,
    LAST_DAY,
    MONTHS,
    business_day,
    first_of_month,
    instant,
    iso,
)
from billcom_assets.sandbox.generate.history import DIMENSIONS, History
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, RECURRING_BILLS, VENDORS

_PURPOSE = {"text": "Goods for resale", "code": {"name": "GOODS", "value": "1"}}
_DISBURSEMENTS = {
    "ACH": "achDisbursement",
    "CHECK": "checkDisbursement",
    "RPPS": "rppsDisbursement",
    "INTERNATIONAL_E_PAYMENT": "internationalDisbursement",
    "VIRTUAL_CARD": "vcardDisbursement",
    "WALLET": "walletDisbursement",
}


class VendorPapers:
    """Writes out what a vendor, its bills and its payments say.

    Args:
        history: The organization's past.
        trade: What the vendor does.
        name: Its name.
    """

    def __init__(self, history: History, trade: Trade, name: str) -> None:
        self._history = history
        self._organization = history.organization
        self._trade = trade
        self._name = name
        self._slug = "".join(char for char in name.lower() if char.isascii() and char.isalnum()) or "vendor"
        self._fixed_cents = history.luck(BILLS).randint(*trade.cents)
        self.vendor_id = ""

    def create_vendor(self) -> None:
        """Enter the vendor."""
        luck, trade = self._history.luck(VENDORS), self._trade
        body = {
            "name": self._name,
            "shortName": luck.maybe(0.4, self._name.split()[0][:40]),
            "accountNumber": luck.maybe(0.6, f"C-{luck.randint(1000, 99_999)}"),
            "accountType": "PERSON" if trade.person else "BUSINESS",
            "email": luck.maybe(0.85, f"ar@{self._slug}.example"),
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
        luck, trade = self._history.luck(VENDORS), self._trade
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
            "email": luck.maybe(0.5, f"pay@{self._slug}.example"),
            "payByType": trade.paid_by,
            "payBySubType": {"ACH": "ACH", "INTERNATIONAL_E_PAYMENT": "LOCAL"}.get(trade.paid_by, "NONE"),
            "virtualCard": self._virtual_card() if trade.paid_by == "VIRTUAL_CARD" else None,
            "bankAccount": bank if electronic else None,
            "paymentPurpose": _PURPOSE if trade.currency != "USD" else None,
        }
        return compact(information)

    def _virtual_card(self) -> Doc:
        now = stamp(self._history.now)
        if self._history.luck(VENDORS).happens(0.3):
            return {"status": "DECLINED", "declineDate": now, "alternatePayByType": "CHECK"}
        return {"status": "ENROLLED", "remitEmail": f"cards@{self._slug}.example", "enrollDate": now}

    def _auto_pay(self) -> Doc:
        if not self._trade.fixed:
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
            header = {"chartOfAccountId": accounts[self._trade.accounts[0]]}
            header |= self._history.coding(luck, ("accountingClassId", "departmentId", "locationId", "itemId"), 0.3)
        body = {
            "invoice": {"invoiceNumber": number, "invoiceDate": iso(day)},
            "dueDate": iso(due_day),
            "billLineItems": self._lines(),
            "description": luck.maybe(0.6, f"{self._trade.goods[0]}, {iso(day)[:7]}"),
            "payFromChartOfAccountId": luck.maybe(0.5, accounts["1000"]),
            "classifications": header,
            "purchaseOrderNumber": luck.maybe(0.12, f"PO-{luck.randint(1000, 9999)}"),
        }
        return compact(body)

    def rate(self, day: int) -> Doc:
        """The exchange rate of a bill, as a detail of it."""
        when = (day - FIRST_DAY) / (LAST_DAY - FIRST_DAY)
        return {"exchangeRate": usd_rate(self._organization, self._trade.currency, when)}

    def _lines(self) -> list[Doc]:
        luck, trade, money = self._history.luck(BILLS), self._trade, self._organization.money
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
        coding: Doc = {"chartOfAccountId": self._organization.account_ids[luck.choice(self._trade.accounts)]}
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

    def pay(
        self,
        parts: list[tuple[str, int]],
        pay_day: int,
        *,
        status: str,
        online: bool = True,
        credit: tuple[str, int] | None = None,
    ) -> str:
        """Enter a payment of these cents of these bills; returns its id."""
        luck, organization = self._history.luck(PAYMENTS), self._organization
        foreign = self._trade.currency != "USD"
        funding = self._funding(online=online)
        details = {
            "description": luck.maybe(0.5, f"Payment of {iso(pay_day)}"),
            "fundingAccount": funding,
            "processingOptions": self._options(online=online),
            "transactionNumber": luck.maybe(0.8, f"PMT-{luck.randint(0, 10**11):011d}"),
            "disbursementType": self._trade.paid_by if online else "OFFLINE",
            "remittanceEmail": luck.maybe(0.2, f"remit@{self._slug}.example") if online else None,
            "disbursementInfo": self._disbursement(pay_day, sum(cents for _, cents in parts), online=online),
            "paymentPurpose": _PURPOSE if foreign else None,
            "cardFundingPurpose": "Advertising" if funding["type"] == "CARD_ACCOUNT" else None,
        }
        row = payments.pay(
            organization,
            parts,
            created_by=organization.user_ids["PAYER"],
            status=status,
            online=online,
            process_date=iso(pay_day),
            details=details,
            credit=credit,
        )
        return row.id

    def _funding(self, *, online: bool) -> Doc:
        banks = self._history.references.banks
        roll = self._history.luck(PAYMENTS).random()
        if roll < 0.03:
            return {"type": "WALLET"}
        if roll < 0.06 and online:
            return {"type": "BANK_ACCOUNT", "id": banks[-1]}
        if roll < 0.08 and online:
            return {"type": "CARD_ACCOUNT", "id": self._history.references.card}
        return {"type": "BANK_ACCOUNT", "id": banks[0]}

    def _options(self, *, online: bool) -> Doc:
        luck = self._history.luck(PAYMENTS)
        options: Doc = {"requestPayFaster": False, "createBill": False}
        if online and self._trade.paid_by == "CHECK" and luck.happens(0.1):
            options["requestCheckDeliveryType"] = luck.choice(("STANDARD", "UPS_1DAY", "UPS_2DAY"))
        return options

    def _disbursement(self, pay_day: int, amount: int, *, online: bool) -> Doc:
        luck, paid_by = self._history.luck(PAYMENTS), self._trade.paid_by
        if not online:
            return {"isVoidable": False}
        detail: Doc = {"sentDate": iso(pay_day), "arrivesByDate": iso(business_day(pay_day + 3))}
        if paid_by == "CHECK":
            detail["checkNumber"] = luck.randint(10_000, 99_999)
        elif paid_by == "RPPS":
            detail |= {"traceNumber": luck.randint(1, 10**9), "batchNumber": 7}
        elif paid_by == "INTERNATIONAL_E_PAYMENT":
            detail |= {"disbursementSubType": "LOCAL", "amount": self._organization.money(amount)}
        elif paid_by == "VIRTUAL_CARD":
            detail |= {"validUntil": iso(pay_day + 60), "last4CardNumber": f"{luck.randint(0, 9999):04d}"}
        if paid_by in ("VIRTUAL_CARD", "WALLET"):
            del detail["sentDate"]
        return {"isVoidable": False, _DISBURSEMENTS[paid_by]: detail}

    def progress(self, pay_day: int) -> tuple[str, str]:
        """How far a payment that was made has come: single status and disbursement status."""
        luck = self._history.luck(PAYMENTS)
        roll = luck.random()
        if roll < 0.01:
            return "DISBURSEMENT_FAILED_ACTION_NEEDED", "FAILED"
        if roll < 0.015:
            return "DISBURSEMENT_ON_HOLD", "HOLD"
        if pay_day < LAST_DAY - 10:
            return "CLEARED", "DONE"
        return luck.choice(("SENT", "PROCESSED", "DELIVERED")), "DONE"

    def plan_recurring_bill(self, first_day: int, *, archived: bool) -> None:
        """Perhaps the vendor's bills are entered from a schedule too."""
        history, organization = self._history, self._organization
        luck = history.luck(RECURRING_BILLS)
        if not self._trade.fixed and not luck.happens(0.4):
            return
        coding = history.coding(luck, (*DIMENSIONS, "itemId", "employeeId"))
        coding["chartOfAccountId"] = organization.account_ids[self._trade.accounts[0]]
        schedule = {
            "period": "MONTHLY",
            "frequency": self._trade.months_between,
            "nextDueDate": iso(first_of_month(MONTHS) + 4),
            "endDate": luck.maybe(0.5, "2027-12-31"),
            "daysInAdvance": 5,
        }
        line = {
            "amount": organization.money(self._fixed_cents),
            "id": organization.ids.new("rbi"),
            "description": self._trade.goods[0],
            "classifications": coding,
        }
        doc = {
            "archived": archived or luck.happens(0.05),
            "id": organization.ids.new(RECURRING_BILLS.prefix),
            "recurringBillLineItems": [line],
            "schedule": compact(schedule),
            "vendorId": self.vendor_id,
            "description": f"{self._trade.goods[0]} from {self._name}",
            "processingOptions": {"autoPayment": False},
            "paymentInformation": {"bankAccountId": organization.default_bank},
        }
        created = instant(max(first_day, FIRST_DAY), luck)
        history.at(created, lambda: organization.write(RECURRING_BILLS, doc))
        if luck.happens(0.5):
            history.at(created + 7_000_000, lambda: organization.write(RECURRING_BILLS, doc))
