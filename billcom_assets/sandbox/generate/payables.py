"""The lives of vendors: when bills come, who approves them, how they are paid and credited.

A vendor's story is told in one go, from its first bill to the end of the history, so that every sum is
right when its objects are serialized and nothing has to be kept for later.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import cycle

from billcom_assets.sandbox.amounts import BillSums
from billcom_assets.sandbox.clock import SECONDS_A_DAY, stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import (
    EPOCH_DAY,
    FIRST_DAY,
    LAST_DAY,
    LAST_SECOND,
    MASS_EDIT_SECOND,
    MONTHS,
    business_day,
    first_of_month,
    instant,
)
from billcom_assets.sandbox.generate.companion import ALL_CODING, Companion
from billcom_assets.sandbox.generate.drafts import BillDraft, CreditDraft, PaymentDraft, VendorDraft
from billcom_assets.sandbox.generate.vendor_papers import VendorPapers
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDOR_CREDITS, VENDORS
from billcom_assets.sandbox.settings import ExchangeRate

_LARGEST_SHARE = 12
"""One vendor has at most this fraction of all bills (one in twelve), so that a tiny company has several vendors."""


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
        self.papers = VendorPapers(companion, trade, self.id, name)
        self.bills: list[BillDraft] = []
        self.credits: list[CreditDraft] = []
        self.fixed_cents = companion.rng.randint(*trade.cents)
        self.last_payment_day = 0
        self.last_event = 0

    def _invoice_days(self, limit: int) -> list[int]:
        rng, trade = self.companion.rng, self.trade
        if trade.months_between:
            offset = rng.randint(0, 22)
            months = range(rng.randint(0, 26) if trade.noun != "Properties" else 0, MONTHS, trade.months_between)
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
        credit = self._open_credit(moment)
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
        companion = self.companion
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
        payment = PaymentDraft(payment_id, batch, bill_payments, sum(amounts), pay_day, created, settled, status)
        self.papers.payment(payment)

    def _settled_at(self, pay_day: int, created: int, status: str) -> int:
        rng = self.companion.rng
        if status in ("SCHEDULED", "APPROVING"):
            return created
        if status == "CANCELLED":
            return min(created + 1_800, LAST_SECOND)
        days = rng.randint(4, 8) if status == "VOID" else rng.randint(0, 4)
        return max(created, instant(pay_day + days, rng))

    def _finish(self) -> None:
        companion = self.companion
        balance = 0
        for bill in self.bills:
            if companion.chance(0.06) and bill.updated < MASS_EDIT_SECOND:
                bill.updated = MASS_EDIT_SECOND
            if bill.record_status == "ACTIVE":
                balance += bill.sums.due
            self.papers.bill(bill)
        for credit in self.credits:
            self.papers.credit(credit)
        vendor = VendorDraft(
            first_day=min(bill.invoice_day for bill in self.bills),
            archived=self.archived,
            balance=balance,
            last_payment_day=self.last_payment_day,
            last_event=self.last_event,
        )
        self.papers.vendor(vendor)
        if self.trade.months_between and (self.trade.fixed or companion.chance(0.4)):
            self.papers.recurring_bill(self.days[0], self.fixed_cents, archived=self.archived)


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
