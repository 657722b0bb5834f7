"""Vendors with their bills, payments, credits and recurring bills.

A vendor's story is told in one go, from its first bill to the end of the history, so that every sum is
right when its objects are serialized and nothing has to be kept for later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle

from billcom_assets.sandbox.amounts import BillSums, bill_payment_status, credit_status, funding_cents
from billcom_assets.sandbox.clock import SECONDS_A_DAY, stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import (
    EPOCH_DAY,
    FIRST_DAY,
    LAST_DAY,
    LAST_SECOND,
    MASS_EDIT_SECOND,
    business_day,
    first_of_month,
    instant,
    iso,
)
from billcom_assets.sandbox.generate.companion import ALL_CODING, DIMENSIONS, Companion
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, RECURRING_BILLS, VENDOR_CREDITS, VENDORS
from billcom_assets.sandbox.settings import ExchangeRate

_MONTHS = 42
_PURPOSE = {"text": "Goods for resale", "code": {"name": "GOODS", "value": "1"}}
_LARGEST_SHARE = 12
"""One vendor has at most this fraction of all bills (one in twelve), so that a tiny company has several vendors."""


@dataclass(slots=True)
class BillDraft:
    """A bill on its way through its life."""

    id: str
    number: str
    invoice_day: int
    due_day: int
    created: int
    updated: int
    lines: list[Doc]
    sums: BillSums
    rate: Decimal | None
    archived: bool = False
    record_status: str = "ACTIVE"
    approval: str = "APPROVED"
    approvers: list[Doc] = field(default_factory=list)

    @property
    def payable(self) -> bool:
        """Nothing stands against paying it."""
        return self.record_status == "ACTIVE" and self.approval in ("APPROVED", "UNASSIGNED")


@dataclass(slots=True)
class CreditDraft:
    """A vendor credit and what of it is used; after ``uses`` uses it is forgotten."""

    id: str
    day: int
    created: int
    updated: int
    amount: int
    lines: list[Doc]
    archived: bool
    uses: int
    usage: list[Doc] = field(default_factory=list)
    applied: int = 0

    def usable(self, moment: int) -> bool:
        """Something of it is open at ``moment`` and nobody has forgotten it."""
        return (
            not self.archived and self.created < moment and self.applied < self.amount and len(self.usage) < self.uses
        )


class VendorStory:
    """One vendor from its first bill to the end of the history.

    Args:
        companion: The organization being made.
        trade: What the vendor does.
        name: Its name.
        limit: Bills it may have at most.
    """

    def __init__(self, companion: Companion, trade: Trade, name: str, limit: int) -> None:
        self.companion = companion
        self.trade = trade
        self.name = name
        self.id = companion.new_id(VENDORS)
        self.days = self._invoice_days(limit)
        self.archived = companion.chance(0.08)
        if self.archived:
            # It left us: nothing in the last year, but its old bills still point to it.
            leaves = LAST_DAY - 365
            self.days = [day for day in self.days if day < leaves] or [FIRST_DAY + companion.rng.randint(0, 300)]
        self.bills: list[BillDraft] = []
        self.credits: list[CreditDraft] = []
        self.fixed_cents = companion.rng.randint(*trade.cents)
        self.last_payment_day = 0
        self.last_event = 0

    def _invoice_days(self, limit: int) -> list[int]:
        rng, trade = self.companion.rng, self.trade
        if trade.months_between:
            offset = rng.randint(0, 22)
            months = range(rng.randint(0, 26) if trade.noun != "Properties" else 0, _MONTHS, trade.months_between)
            days = [first_of_month(month) + offset for month in months]
        else:
            # The root lets business grow: the last year has more bills than the first.
            span = LAST_DAY - FIRST_DAY
            days = sorted(FIRST_DAY + int(span * rng.random() ** 0.45) for _ in range(rng.randint(*trade.bills)))
        return days[-limit:]

    def tell(self) -> None:
        """Live the vendor's life and hand over its finished objects."""
        self._write_bills()
        if self.trade.credits:
            self._grant_credits()
        self._settle()
        self._finish()

    def _write_bills(self) -> None:
        companion = self.companion
        rng, references = companion.rng, companion.references
        start = rng.randint(100, 9_000)
        for position, day in enumerate(self.days):
            created = instant(business_day(day + rng.randint(0, 4)), rng)
            lines = self._lines()
            bill = BillDraft(
                id=companion.new_id(BILLS),
                number=f"INV-{start + position:05d}" if start % 2 else str(start * 100 + position * 7),
                invoice_day=day,
                due_day=day + self.trade.terms,
                created=created,
                updated=created,
                lines=lines,
                sums=BillSums(amount=sum(line.pop("cents") for line in lines)),
                rate=self._rate(),
            )
            self._decide(bill, references.users["APPROVER"], references.users["ACCOUNTANT"])
            self.bills.append(bill)
            self.last_event = max(self.last_event, bill.updated)

    def _rate(self) -> Decimal | None:
        if self.trade.currency == "USD":
            return None
        low, high = (int(Decimal(edge) * 10_000) for edge in vocabulary.RATES[self.trade.currency])
        usd_per_unit = Decimal(self.companion.rng.randint(low, high)) / 10_000
        if self.companion.settings.exchange_rate is ExchangeRate.USD_PER_UNIT:
            return usd_per_unit
        return (1 / usd_per_unit).quantize(Decimal("0.0001"))

    def _lines(self) -> list[Doc]:
        rng, trade = self.companion.rng, self.trade
        lines = []
        for _ in range(rng.randint(*trade.lines)):
            line: Doc = {"id": self.companion.ids.new("bli")}
            if trade.fixed:
                amount = self.fixed_cents
            elif rng.random() < 0.35:
                quantity = rng.randint(2, 24)
                price = max(1, rng.randint(*trade.cents) // quantity)
                amount = quantity * price
                line["quantity"] = self.companion.money(quantity * 100)
                line["price"] = self.companion.money(price)
            else:
                amount = rng.randint(*trade.cents)
            lines.append(self._complete(line, amount, trade.goods))
        if len(lines) > 2 and rng.random() < 0.08:
            discount = -(lines[0]["cents"] // 10)
            lines.append(self._complete({"id": self.companion.ids.new("bli")}, discount, ("Volume discount",)))
        return lines

    def _complete(self, line: Doc, amount: int, goods: tuple[str, ...]) -> Doc:
        rng = self.companion.rng
        line = {"id": line["id"], "amount": self.companion.money(amount), **line, "cents": amount}
        if rng.random() < 0.9:
            line["description"] = rng.choice(goods)
        coding = self._classifications()
        if coding:
            line["classifications"] = coding
        return line

    def _classifications(self) -> Doc:
        rng, references = self.companion.rng, self.companion.references
        luck = rng.random()
        if luck < 0.03:
            return {}
        coding: Doc = {"chartOfAccountId": references.accounts[rng.choice(self.trade.accounts)]}
        if luck < 0.45:
            coding["departmentId"] = rng.choice(references.departments)
        if 0.3 < luck < 0.5:
            coding["locationId"] = rng.choice(references.locations)
        if 0.4 < luck < 0.52:
            coding["accountingClassId"] = rng.choice(references.classes)
        if luck > 0.94:
            coding["jobId"] = rng.choice(references.jobs)
            if references.customers:
                coding["customerId"] = rng.choice(references.customers)
        elif luck > 0.9:
            coding["itemId"] = rng.choice(references.items)
        elif luck > 0.88:
            coding["employeeId"] = rng.choice(references.employees)
        return coding

    def _decide(self, bill: BillDraft, approver: str, second: str) -> None:
        """Drafts, archived bills and where its approval stands."""
        rng = self.companion.rng
        recent = bill.invoice_day > LAST_DAY - 60
        luck = rng.random()
        if luck < 0.012:
            bill.archived, bill.record_status = True, "INACTIVE"
        elif luck < 0.016:
            bill.archived, bill.record_status = True, "DRAFT_DELETED"
        elif recent and luck < 0.13:
            bill.archived, bill.record_status = True, "DRAFT"
        luck = rng.random()
        if luck < 0.3:
            bill.approval = "UNASSIGNED"
            return
        if recent and luck < 0.55:
            bill.approval = "ASSIGNED" if luck < 0.47 else "APPROVING"
        elif luck > 0.985:
            bill.approval = "DENIED"
        acted = min(bill.created + rng.randint(600, 200_000), LAST_SECOND)
        statuses = {
            "APPROVED": ("APPROVED",) if luck < 0.8 else ("APPROVED", "APPROVED"),
            "ASSIGNED": ("WAITING",),
            "APPROVING": ("APPROVED", "WAITING"),
            "DENIED": ("DENIED",),
        }[bill.approval]
        for order, (user, status) in enumerate(zip((approver, second), statuses, strict=False)):
            entry: Doc = {"userId": user, "status": status, "approverOrder": order}
            if status != "WAITING":
                entry["statusChangedTime"] = stamp(acted)
                bill.updated = max(bill.updated, acted)
            bill.approvers.append(entry)

    def _grant_credits(self) -> None:
        companion, rng = self.companion, self.companion.rng
        for _ in range(max(2, len(self.bills) // 6)):
            day = rng.randint(self.days[0], LAST_DAY)
            created = instant(day, rng)
            lines, amount = [], 0
            for _ in range(rng.randint(1, 2)):
                line_amount = rng.randint(*self.trade.cents) // rng.choice((1, 4, 8)) + 1
                amount += line_amount
                coding = companion.coding(ALL_CODING)
                coding["chartOfAccountId"] = companion.references.accounts[rng.choice(self.trade.accounts)]
                lines.append(
                    {
                        "id": companion.ids.new("vci"),
                        "description": "Returned goods",
                        "amount": companion.money(line_amount),
                        "classifications": coding,
                    }
                )
            archived = companion.chance(0.06)
            self.credits.append(
                CreditDraft(
                    id=companion.new_id(VENDOR_CREDITS),
                    day=day,
                    created=created,
                    updated=created,
                    amount=amount,
                    lines=lines,
                    archived=archived,
                    uses=rng.choice((1, 1, 9)),
                )
            )
        self.credits.sort(key=lambda credit: credit.day)

    def _settle(self) -> None:
        """Pay the bills as they fall due, several at once where the vendor combines payments."""
        rng = self.companion.rng
        open_bills = [bill for bill in self.bills if bill.payable and bill.sums.due > 0]
        position = 0
        while position < len(open_bills):
            size = rng.choice((1, 1, 2, 3, 4)) if self.trade.combine else 1
            batch = open_bills[position : position + size]
            position += size
            newest = max(bill.created for bill in batch) // SECONDS_A_DAY + EPOCH_DAY
            pay_day = business_day(max(max(bill.due_day for bill in batch) + rng.randint(-5, 3), newest + 1))
            if pay_day <= LAST_DAY:
                if rng.random() >= 0.03:
                    self._pay_story(batch, pay_day)
            elif pay_day <= LAST_DAY + 60 and newest < LAST_DAY - 1 and rng.random() < 0.8:
                created = instant(rng.randint(newest + 1, LAST_DAY), rng)
                self.companion.waiting += 1
                waiting = "APPROVING" if self.companion.waiting % 2 == 0 else "SCHEDULED"
                self._pay(batch, pay_day, created, waiting, [bill.sums.due for bill in batch])

    def _pay_story(self, batch: list[BillDraft], pay_day: int) -> None:
        rng = self.companion.rng
        created = instant(max(pay_day - rng.randint(1, 4), min(bill.invoice_day for bill in batch)), rng)
        created = max(created, max(bill.created for bill in batch) + 60)
        batch = self._apply_credit(batch, created)
        if not batch:
            return
        amounts = [bill.sums.due for bill in batch]
        luck = rng.random()
        if luck < 0.03:
            self._pay(batch, pay_day, created, "VOID", amounts)
            if luck < 0.01:
                return
            pay_day, created = min(business_day(pay_day + 9), LAST_DAY), created + 8 * SECONDS_A_DAY
        elif luck < 0.045:
            self._pay(batch, pay_day, created, "CANCELLED", amounts)
            created += 3_600
        elif luck < 0.1:
            part = [max(1, amount * rng.randint(30, 70) // 100) for amount in amounts]
            self._pay(batch, pay_day, created, "PAID", part)
            if luck < 0.075:
                return
            pay_day, created = business_day(pay_day + 15), created + 14 * SECONDS_A_DAY
        batch = [bill for bill in batch if bill.sums.due > 0]
        if batch and created <= LAST_SECOND:
            amounts = [bill.sums.due for bill in batch]
            status = "PAID" if pay_day <= LAST_DAY else "SCHEDULED"
            credit = self._open_credit(created)
            used = min(credit.amount - credit.applied, amounts[0] // 2) if credit and status == "PAID" else 0
            amounts[0] -= used
            self._pay(batch, pay_day, created, status, amounts, used=(credit, used) if credit and used else None)

    def _open_credit(self, moment: int) -> CreditDraft | None:
        return next((credit for credit in self.credits if credit.usable(moment)), None)

    def _apply_credit(self, batch: list[BillDraft], moment: int) -> list[BillDraft]:
        """Use an open credit on the first bill, without a payment; gives the bills that are still due."""
        credit = next((c for c in self.credits if not c.archived and c.created < moment and c.applied < c.amount), None)
        if credit is None or self.companion.chance(0.7):
            return batch
        bill = batch[0]
        used = min(credit.amount - credit.applied, bill.sums.due)
        if self.companion.chance(0.6):
            used = max(1, used // 2)
        self._use(credit, bill, used, moment, payment_id=None)
        return [bill for bill in batch if bill.sums.due > 0]

    def _use(self, credit: CreditDraft, bill: BillDraft, used: int, moment: int, payment_id: str | None) -> None:
        credit.applied += used
        credit.usage.append(compact({"billId": bill.id, "paymentId": payment_id, "amount": self.companion.money(used)}))
        bill.sums.credit += used
        settings = self.companion.settings
        if settings.usage_touches_credit:
            credit.updated = max(credit.updated, moment)
        if settings.payment_touches_bill:
            bill.updated = max(bill.updated, moment)
        self.last_event = max(self.last_event, moment)

    def _pay(
        self,
        batch: list[BillDraft],
        pay_day: int,
        created: int,
        status: str,
        amounts: list[int],
        *,
        used: tuple[CreditDraft, int] | None = None,
    ) -> None:
        """One payment over the bills of ``batch``, in its final state; ``used`` is a credit on the first of them."""
        companion, rng = self.companion, self.companion.rng
        created = min(created, LAST_SECOND)
        payment_id = companion.new_id(PAYMENTS)
        bill_payments = []
        for bill, amount in zip(batch, amounts, strict=True):
            bill_payments.append({"id": companion.ids.new("blp"), "billId": bill.id, "amount": companion.money(amount)})
            if status == "PAID":
                bill.sums.paid += amount
            elif status in ("SCHEDULED", "APPROVING"):
                bill.sums.scheduled += amount
        if used:
            credit, amount = used
            bill_payments[0]["vendorCredits"] = [{"id": credit.id, "amount": companion.money(amount)}]
            self._use(credit, batch[0], amount, created, payment_id)
        settled = self._settled_at(pay_day, created, status)
        if companion.settings.payment_touches_bill:
            for bill in batch:
                bill.updated = max(bill.updated, settled)
        self.last_event = max(self.last_event, settled)
        if status == "PAID":
            self.last_payment_day = max(self.last_payment_day, pay_day)
        online = rng.random() >= 0.08
        funding = self._funding(online)
        progress, disbursed = self._progress(pay_day, status, online)
        sums = sum(amounts)
        rate = batch[0].rate
        doc = {
            "amount": companion.money(sums),
            "id": payment_id,
            "vendorId": self.id,
            "vendorName": self.name,
            "billId": batch[0].id if len(batch) == 1 else None,
            "billPayments": bill_payments,
            "description": f"Invoice {batch[0].number}" if rng.random() < 0.5 else None,
            "processDate": iso(pay_day),
            "fundingAccount": funding,
            "processingOptions": self._options(online),
            "transactionNumber": f"PMT-{rng.randint(0, 999_999):06d}-{payment_id[-5:]}" if rng.random() < 0.8 else None,
            "confirmationNumber": f"P{iso(pay_day)[2:].replace('-', '')}01 - {rng.randint(0, 9_999_999):07d}",
            "status": status,
            "exchangeRate": rate if rate is not None else 1,
            "fundingAmount": companion.money(funding_cents(sums, rate, companion.settings.exchange_rate)),
            "onlinePayment": online,
            "disbursementType": self.trade.paid_by if online else "OFFLINE",
            "disbursementStatus": disbursed,
            "remittanceEmail": f"remit@{_slug(self.name)}.example" if online and rng.random() < 0.2 else None,
            "createdBy": companion.references.users["PAYER"],
            "voidInfo": self._void_info(status, settled),
            "disbursementInfo": self._disbursement(pay_day, status, sums, online=online),
            "cancelRequestSubmitted": status == "CANCELLED",
            "singleStatus": progress,
            "paymentPurpose": _PURPOSE if rate is not None else None,
            "cardFundingPurpose": "Advertising" if funding["type"] == "CARD_ACCOUNT" else None,
        }
        gl_account = "1050" if online else "1000"
        hidden = {"chartOfAccountId": companion.references.accounts[gl_account]}
        companion.add(PAYMENTS, compact(doc), created, settled, hidden)

    def _settled_at(self, pay_day: int, created: int, status: str) -> int:
        rng = self.companion.rng
        if status in ("SCHEDULED", "APPROVING"):
            return created
        if status == "CANCELLED":
            return min(created + 1_800, LAST_SECOND)
        days = rng.randint(4, 8) if status == "VOID" else rng.randint(0, 4)
        return max(created, instant(pay_day + days, rng))

    def _funding(self, online: bool) -> Doc:
        rng, banks = self.companion.rng, self.companion.references.banks
        luck = rng.random()
        if luck < 0.03:
            return {"type": "WALLET"}
        if luck < 0.06 and online:
            return {"type": "BANK_ACCOUNT", "id": banks[-1]}
        if luck < 0.08 and online:
            return {"type": "CARD_ACCOUNT", "id": self.companion.references.card}
        return {"type": "BANK_ACCOUNT", "id": banks[0]}

    def _options(self, online: bool) -> Doc:
        options: Doc = {"requestPayFaster": False, "createBill": False}
        if online and self.trade.paid_by == "CHECK" and self.companion.chance(0.1):
            options["requestCheckDeliveryType"] = self.companion.rng.choice(("STANDARD", "UPS_1DAY", "UPS_2DAY"))
        return options

    def _void_info(self, status: str, settled: int) -> list[Doc]:
        if status != "VOID":
            return []
        return [
            {
                "id": self.companion.ids.new("vrq"),
                "requestedBy": self.companion.references.users["ADMINISTRATOR"],
                "type": "VOID_ONLY",
                "status": "ACCEPTED",
                "reason": "Paid twice",
                "createdTime": stamp(settled),
                "updatedTime": stamp(settled),
            }
        ]

    def _disbursement(self, pay_day: int, status: str, amount: int, *, online: bool) -> Doc:
        info: Doc = {"isVoidable": status == "PAID" and online and pay_day > LAST_DAY - 90}
        if not online or status in ("CANCELLED", "APPROVING"):
            return info
        dates = {"sentDate": iso(pay_day), "arrivesByDate": iso(business_day(pay_day + 3))}
        rng = self.companion.rng
        details: dict[str, tuple[str, Doc]] = {
            "ACH": ("achDisbursement", dates),
            "CHECK": ("checkDisbursement", dates | {"checkNumber": rng.randint(10_000, 99_999)}),
            "RPPS": ("rppsDisbursement", dates | {"traceNumber": rng.randint(1, 10**9), "batchNumber": 7}),
            "INTERNATIONAL_E_PAYMENT": ("internationalDisbursement", dates | {"disbursementSubType": "LOCAL"}),
            "VIRTUAL_CARD": (
                "vcardDisbursement",
                {
                    "arrivesByDate": dates["arrivesByDate"],
                    "validUntil": iso(pay_day + 60),
                    "last4CardNumber": f"{rng.randint(0, 9999):04d}",
                },
            ),
            "WALLET": ("walletDisbursement", {"arrivesByDate": dates["arrivesByDate"]}),
        }
        key, detail = details[self.trade.paid_by]
        if key == "internationalDisbursement":
            detail = detail | {"amount": self.companion.money(amount)}
        return info | {key: detail}

    def _progress(self, pay_day: int, status: str, online: bool) -> tuple[str, str | None]:
        """Single status and disbursement status of a payment."""
        if status != "PAID":
            waiting = {"VOID": "VOIDED", "CANCELLED": "CANCELED", "SCHEDULED": "SCHEDULED", "APPROVING": "SCHEDULED"}
            return waiting[status], None
        if not online:
            return "CLEARED", None
        luck = self.companion.rng.random()
        if luck < 0.01:
            return "DISBURSEMENT_FAILED_ACTION_NEEDED", "FAILED"
        if luck < 0.015:
            return "DISBURSEMENT_ON_HOLD", "HOLD"
        if pay_day < LAST_DAY - 10:
            return "CLEARED", "DONE"
        return self.companion.rng.choice(("SENT", "PROCESSED", "DELIVERED")), "DONE"

    def _finish(self) -> None:
        companion = self.companion
        balance = 0
        for bill in self.bills:
            if companion.chance(0.06) and bill.updated < MASS_EDIT_SECOND:
                bill.updated = MASS_EDIT_SECOND
            if bill.record_status == "ACTIVE":
                balance += bill.sums.due
            self._finish_bill(bill)
        for credit in self.credits:
            self._finish_credit(credit)
        self._finish_vendor(balance)
        if self.trade.months_between and (self.trade.fixed or self.companion.chance(0.4)):
            self._add_recurring_bill()

    def _finish_bill(self, bill: BillDraft) -> None:
        companion, rng = self.companion, self.companion.rng
        money, accounts = companion.money, companion.references.accounts
        sums = bill.sums
        funding = None
        if bill.rate is not None:
            funding = money(funding_cents(sums.amount, bill.rate, companion.settings.exchange_rate))
        header: Doc | None = None
        if rng.random() < 0.25:
            header = {"chartOfAccountId": accounts[self.trade.accounts[0]]}
            header |= companion.coding(("accountingClassId", "departmentId", "locationId", "itemId"), 0.3)
        doc = {
            "id": bill.id,
            "archived": bill.archived,
            "recordStatus": bill.record_status,
            "vendorId": self.id,
            "vendorName": self.name,
            "amount": money(sums.amount),
            "fundingAmount": funding,
            "exchangeRate": bill.rate,
            "paidAmount": money(sums.paid),
            "dueAmount": money(sums.due),
            "scheduledAmount": money(sums.scheduled),
            "creditAmount": money(sums.credit),
            "description": f"{self.trade.goods[0]}, {iso(bill.invoice_day)[:7]}" if rng.random() < 0.6 else None,
            "dueDate": iso(bill.due_day),
            "invoice": {"invoiceNumber": bill.number, "invoiceDate": iso(bill.invoice_day)},
            "billLineItems": bill.lines,
            "payFromChartOfAccountId": accounts["1000"] if rng.random() < 0.5 else None,
            "classifications": header,
            "paymentStatus": bill_payment_status(sums),
            "approvalStatus": bill.approval,
            "purchaseOrderNumber": f"PO-{rng.randint(1000, 9999)}" if rng.random() < 0.12 else None,
            "createdBy": companion.references.users["CLERK"],
        }
        hidden = {"approvers": bill.approvers} if bill.approvers else None
        companion.add(BILLS, compact(doc), bill.created, bill.updated, hidden)

    def _finish_credit(self, credit: CreditDraft) -> None:
        companion = self.companion
        from_bank = companion.chance(0.08)
        doc = {
            "id": credit.id,
            "vendorId": self.id,
            "referenceNumber": f"CR-{companion.rng.randint(1, 9999)}",
            "creditDate": iso(credit.day),
            "description": "Returned goods" if companion.chance(0.6) else None,
            "archived": credit.archived,
            "applyToChartOfAccountId": None if from_bank else companion.references.accounts["2000"],
            "applyToBankAccountId": companion.references.banks[0] if from_bank else None,
            "amount": companion.money(credit.amount),
            "appliedAmount": companion.money(credit.applied),
            "status": credit_status(credit.amount, credit.applied),
            "vendorCreditLineItems": credit.lines,
            "usage": credit.usage or None,
        }
        companion.add(VENDOR_CREDITS, compact(doc), credit.created, credit.updated)

    def _finish_vendor(self, balance: int) -> None:
        companion, rng, trade = self.companion, self.companion.rng, self.trade
        slug = _slug(self.name)
        created = instant(max(min(bill.invoice_day for bill in self.bills) - rng.randint(0, 20), FIRST_DAY), rng)
        edited = instant(rng.randint(FIRST_DAY + 60, LAST_DAY), rng) if rng.random() < 0.4 else created
        if self.archived:
            edited = max(edited, min(self.last_event + 30 * SECONDS_A_DAY, LAST_SECOND))
        updated = max(edited, self.last_event) if companion.settings.balances_touch else edited
        electronic = trade.paid_by in ("ACH", "RPPS", "INTERNATIONAL_E_PAYMENT")
        bank = {
            "nameOnAccount": self.name,
            "accountNumber": f"*****{rng.randint(1000, 9999)}",
            "routingNumber": "074000010",
            "type": "CHECKING",
            "ownerType": "PERSON" if trade.person else "BUSINESS",
            "paymentCurrency": trade.currency,
            "status": "VERIFIED",
        }
        payment_information = {
            "payeeName": self.name,
            "email": f"pay@{slug}.example" if rng.random() < 0.5 else None,
            "lastPaymentDate": iso(self.last_payment_day) if self.last_payment_day else None,
            "payByType": trade.paid_by,
            "payBySubType": {"ACH": "ACH", "INTERNATIONAL_E_PAYMENT": "LOCAL"}.get(trade.paid_by, "NONE"),
            "virtualCard": self._virtual_card(slug, created) if trade.paid_by == "VIRTUAL_CARD" else None,
            "bankAccount": bank if electronic else None,
            "paymentPurpose": _PURPOSE if trade.currency != "USD" else None,
        }
        doc = {
            "archived": self.archived,
            "id": self.id,
            "name": self.name,
            "shortName": self.name.split()[0][:40] if rng.random() < 0.4 else None,
            "accountNumber": f"C-{rng.randint(1000, 99_999)}" if rng.random() < 0.6 else None,
            "accountType": "PERSON" if trade.person else "BUSINESS",
            "email": f"ar@{slug}.example" if rng.random() < 0.85 else None,
            "phone": companion.phone() if rng.random() < 0.8 else None,
            "address": companion.address(trade.currency),
            "paymentInformation": compact(payment_information),
            "additionalInfo": compact(
                {
                    "taxId": f"*****{rng.randint(1000, 9999)}" if trade.person else None,
                    "taxIdType": "SSN" if trade.person else None,
                    "track1099": trade.person,
                    "leadTimeInDays": 0,
                    "combinePayments": trade.combine,
                    "paymentTermId": rng.choice(companion.references.terms) if rng.random() < 0.3 else None,
                    "companyName": self.name if not trade.person else None,
                }
            ),
            "rppsId": f"{rng.randint(10**9, 10**10 - 1)}" if trade.paid_by == "RPPS" else None,
            "bankAccountStatus": "NO_NET_LINKED_ACCOUNT" if electronic else "NO_ACCOUNT",
            "networkStatus": "CONNECTED_RPPS" if trade.paid_by == "RPPS" else "NOT_CONNECTED",
            "recurringPayments": trade.fixed,
            "billCurrency": trade.currency,
            "balance": {
                "amount": companion.money(balance),
                "lastUpdatedDate": stamp(max(created, self.last_event)),
            },
            "autoPay": self._auto_pay(),
        }
        companion.add(VENDORS, compact(doc), created, updated)

    def _virtual_card(self, slug: str, created: int) -> Doc:
        if self.companion.chance(0.3):
            return {"status": "DECLINED", "declineDate": stamp(created), "alternatePayByType": "CHECK"}
        return {"status": "ENROLLED", "remitEmail": f"cards@{slug}.example", "enrollDate": stamp(created)}

    def _auto_pay(self) -> Doc:
        if not self.trade.fixed:
            return {"enabled": False}
        references = self.companion.references
        return {
            "enabled": True,
            "bankAccountId": references.banks[0],
            "createdBy": references.users["PAYER"],
            "maxAmount": self.companion.money(1_000_000),
            "daysBeforeDueDate": 2,
        }

    def _add_recurring_bill(self) -> None:
        companion = self.companion
        coding = companion.coding((*DIMENSIONS, "itemId", "employeeId"))
        coding["chartOfAccountId"] = companion.references.accounts[self.trade.accounts[0]]
        created = instant(max(self.days[0], FIRST_DAY), companion.rng)
        doc = {
            "archived": self.archived or companion.chance(0.05),
            "id": companion.new_id(RECURRING_BILLS),
            "recurringBillLineItems": [
                {
                    "amount": companion.money(self.fixed_cents),
                    "id": companion.ids.new("rbi"),
                    "description": self.trade.goods[0],
                    "classifications": coding,
                }
            ],
            "schedule": compact(
                {
                    "period": "MONTHLY",
                    "frequency": self.trade.months_between,
                    "nextDueDate": iso(first_of_month(_MONTHS) + 4),
                    "endDate": "2027-12-31" if companion.chance(0.5) else None,
                    "daysInAdvance": 5,
                }
            ),
            "vendorId": self.id,
            "description": f"{self.trade.goods[0]} from {self.name}",
            "processingOptions": {"autoPayment": False},
            "paymentInformation": {"bankAccountId": companion.references.banks[0]},
        }
        companion.add(RECURRING_BILLS, doc, created, created + companion.rng.choice((0, 7_000_000)))


def _slug(name: str) -> str:
    return "".join(char for char in name.lower() if char.isascii() and char.isalnum()) or "vendor"


def add_payables(companion: Companion, bills: int) -> None:
    """Vendors of all trades in turn until the organization has ``bills`` bills."""
    names: set[str] = set()
    earlier: list[str] = []
    limit = max(2, bills // _LARGEST_SHARE)
    remaining = bills
    for position, trade in enumerate(cycle(vocabulary.TRADES)):
        if remaining <= 0:
            return
        name = _vendor_name(companion, trade, position, names, earlier)
        story = VendorStory(companion, trade, name, min(limit, remaining))
        story.tell()
        remaining -= len(story.bills)


def _vendor_name(companion: Companion, trade: Trade, position: int, names: set[str], earlier: list[str]) -> str:
    rng = companion.rng
    if position % 17 == 16:
        return rng.choice(earlier)
    if position % 7 == 5 and position // 7 < len(vocabulary.ODD_COMPANY_NAMES):
        name = vocabulary.ODD_COMPANY_NAMES[position // 7]
    elif trade.person:
        name = " ".join(companion.person())
    else:
        name = f"{rng.choice(vocabulary.COMPANY_HEADS)} {trade.noun} {rng.choice(vocabulary.COMPANY_ENDINGS)}".strip()
    if name in names:
        name = f"{name} {position + 1}"
    names.add(name)
    earlier.append(name)
    return name
