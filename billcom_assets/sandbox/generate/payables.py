"""The lives of vendors: when bills come, who approves them, how they are paid and credited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle

from billcom_assets.sandbox.books import bills, payments, vendor_credits
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.books.vendors import update_vendor
from billcom_assets.sandbox.clock import SECONDS_A_DAY
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
    iso,
)
from billcom_assets.sandbox.generate.history import ALL_CODING, History
from billcom_assets.sandbox.generate.vendor_papers import VendorPapers
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDOR_CREDITS, VENDORS
from billcom_assets.sandbox.money import cents

_LARGEST_SHARE = 12
"""One vendor has at most this fraction of all bills (one in twelve), so that a tiny company has several vendors."""


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
        decisions: What its approvers will say, in their order; None for one who says nothing.
        archived: It is archived soon.
        id: Its id, once it is there.
    """

    day: int
    due_day: int
    created: int
    decided: int
    body: Doc
    details: Doc = field(default_factory=dict)
    decisions: tuple[bool | None, ...] = ()
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
    id: str = ""


class VendorStory:
    """One vendor from its first bill to the end of the history.

    Args:
        history: The organization's past.
        trade: What the vendor does.
        name: Its name.
        limit: Bills it may have at most.
        waiting: Counts the payments that are still to come.
    """

    def __init__(self, history: History, trade: Trade, name: str, limit: int, waiting: Iterator[int]) -> None:
        self.history = history
        self.organization = history.organization
        self.trade = trade
        self.waiting = waiting
        self.archived = history.luck(VENDORS).happens(0.08)
        self.days = self._invoice_days(limit) if limit else []
        self.papers = VendorPapers(history, trade, name)
        self.bills: list[BillPlan] = []
        self.credits: list[CreditPlan] = []

    def _invoice_days(self, limit: int) -> list[int]:
        luck, trade = self.history.luck(BILLS), self.trade
        if trade.months_between:
            offset = luck.randint(0, 22)
            months = range(luck.randint(0, 26) if trade.noun != "Properties" else 0, MONTHS, trade.months_between)
            days = [first_of_month(month) + offset for month in months]
        else:
            # The root lets business grow: the last year has more bills than the first.
            span = LAST_DAY - FIRST_DAY
            days = sorted(FIRST_DAY + int(span * luck.random() ** 0.45) for _ in range(luck.randint(*trade.bills)))
        if self.archived:
            # It left us: nothing in the last year, but its old bills still point to it.
            days = [day for day in days if day < LAST_DAY - 365] or [FIRST_DAY + luck.randint(0, 300)]
        return days[-limit:]

    def live(self) -> int:
        """Live the vendor's life; returns how many bills it had."""
        self._plan_bills()
        self._plan_vendor()
        if self.trade.credits and self.days:
            self._plan_credits()
        self._plan_payments()
        last = self.history.run()
        if self.archived:
            leave = partial(set_archived, self.organization, VENDORS, self.papers.vendor_id, archived=True)
            self.history.at(last + 30 * SECONDS_A_DAY, leave)
        if self.days and self.trade.months_between:
            self.papers.plan_recurring_bill(self.days[0], archived=self.archived)
        self.history.run()
        self.organization.finish()
        return len(self.bills)

    def _plan_vendor(self) -> None:
        luck = self.history.luck(VENDORS)
        first = self.days[0] if self.days else LAST_DAY
        created = instant(max(first - luck.randint(0, 20), FIRST_DAY), luck)
        # Whatever came in on the day of its creation, the vendor came first.
        created = min([created, *(bill.created for bill in self.bills)]) - 5
        self.history.at(created, self.papers.create_vendor)
        if luck.happens(0.4):
            edited = max(created, instant(luck.randint(FIRST_DAY + 60, LAST_DAY), luck))
            self.history.at(edited, lambda: update_vendor(self.organization, self.papers.vendor_id, {}))

    def _plan_bills(self) -> None:
        luck = self.history.luck(BILLS)
        start = luck.randint(100, 9_000)
        for position, day in enumerate(self.days):
            number = f"INV-{start + position:05d}" if start % 2 else str(start * 100 + position * 7)
            due_day = day + self.trade.terms
            created = instant(business_day(day + luck.randint(0, 4)), luck)
            bill = BillPlan(day, due_day, created, created, self.papers.bill(number, day, due_day))
            self._plan_fate(bill)
            self.bills.append(bill)
            self.history.at(created, partial(self._enter, bill))
            if any(decision is not None for decision in bill.decisions):
                self.history.at(bill.decided, partial(self._decide, bill))
            if bill.archived:
                self.history.at(created + SECONDS_A_DAY, partial(self._archive, bill))
            if luck.happens(0.06) and created < MASS_EDIT_SECOND:
                self.history.at(MASS_EDIT_SECOND, partial(self._reclassify, bill))

    def _plan_fate(self, bill: BillPlan) -> None:
        """Drafts, archived bills and where its approval ends."""
        luck = self.history.luck(BILLS)
        recent = bill.day > LAST_DAY - 60
        roll = luck.random()
        bill.archived = roll < 0.012
        if 0.012 <= roll < 0.016:
            bill.details = {"archived": True, "recordStatus": "DRAFT_DELETED"}
        elif recent and 0.016 <= roll < 0.13:
            bill.details = {"archived": True, "recordStatus": "DRAFT"}
        roll = luck.random()
        if roll < 0.3:
            return
        if recent and roll < 0.55:
            bill.decisions = (None,) if roll < 0.47 else (True, None)
        elif roll > 0.985:
            bill.decisions = (False,)
        else:
            bill.decisions = (True,) if roll < 0.8 else (True, True)
        bill.decided = min(bill.created + luck.randint(600, 200_000), LAST_SECOND)

    def _approvers(self, bill: BillPlan) -> list[str]:
        return [self.organization.user_ids[role] for role in ("APPROVER", "ACCOUNTANT")[: len(bill.decisions)]]

    def _enter(self, bill: BillPlan) -> None:
        body = bill.body | {"vendorId": self.papers.vendor_id}
        clerk = self.organization.user_ids["CLERK"]
        bill.id = bills.create_bill(
            self.organization, body, clerk, details=self.papers.rate(bill.day) | bill.details
        ).id
        if bill.decisions:
            bills.assign_approvers(self.organization, bill.id, self._approvers(bill))

    def _decide(self, bill: BillPlan) -> None:
        for user, approve in zip(self._approvers(bill), bill.decisions, strict=True):
            if approve is not None:
                bills.decide_bill(self.organization, bill.id, user, approve=approve)

    def _archive(self, bill: BillPlan) -> None:
        bills.set_bill_archived(self.organization, bill.id, archived=True)

    def _reclassify(self, bill: BillPlan) -> None:
        bills.update_bill(self.organization, bill.id, {})

    def _plan_credits(self) -> None:
        history, luck = self.history, self.history.luck(VENDOR_CREDITS)
        for _ in range(max(2, len(self.bills) // 6)):
            day = luck.randint(self.days[0], LAST_DAY)
            created = instant(day, luck)
            lines = []
            for _ in range(luck.randint(1, 2)):
                amount = luck.randint(*self.trade.cents) // luck.choice((1, 4, 8)) + 1
                coding = history.coding(luck, ALL_CODING)
                coding["chartOfAccountId"] = self.organization.account_ids[luck.choice(self.trade.accounts)]
                money = self.organization.money(amount)
                lines.append({"description": "Returned goods", "amount": money, "classifications": coding})
            from_bank = luck.happens(0.08)
            body = {
                "referenceNumber": f"CR-{luck.randint(1, 9999)}",
                "creditDate": iso(day),
                "description": luck.maybe(0.6, "Returned goods"),
                "applyToBankAccountId": self.organization.default_bank if from_bank else None,
                "applyToChartOfAccountId": None if from_bank else self.organization.account_ids["2000"],
                "vendorCreditLineItems": lines,
            }
            archived = luck.happens(0.06)
            credit = CreditPlan(0 if archived else luck.choice((1, 1, 9)))
            self.credits.append(credit)
            history.at(created, partial(self._grant, credit, body, archived=archived))

    def _grant(self, credit: CreditPlan, body: Doc, *, archived: bool) -> None:
        body = compact(body) | {"vendorId": self.papers.vendor_id}
        credit.id = vendor_credits.create_credit(self.organization, body).id
        if archived:
            end = partial(set_archived, self.organization, VENDOR_CREDITS, credit.id, archived=True)
            self.history.at(self.history.now + SECONDS_A_DAY, end)

    def _plan_payments(self) -> None:
        """The bills are paid as they fall due, several at once where the vendor combines payments."""
        luck = self.history.luck(PAYMENTS)
        open_bills = [bill for bill in self.bills if bill.payable]
        position = 0
        while position < len(open_bills):
            size = luck.choice((1, 1, 2, 3, 4)) if self.trade.combine else 1
            batch = open_bills[position : position + size]
            position += size
            newest = max(bill.created for bill in batch) // SECONDS_A_DAY + EPOCH_DAY
            pay_day = business_day(max(max(bill.due_day for bill in batch) + luck.randint(-5, 3), newest + 1))
            ready = max(bill.decided for bill in batch) + 60
            if pay_day <= LAST_DAY and luck.random() >= 0.03:
                start = instant(max(pay_day - luck.randint(1, 4), min(bill.day for bill in batch)), luck)
                self.history.at(max(start, ready), partial(self._pay, batch, pay_day))
            elif LAST_DAY < pay_day <= LAST_DAY + 60 and newest < LAST_DAY - 1 and luck.random() < 0.8:
                start = instant(luck.randint(newest + 1, LAST_DAY), luck)
                self.history.at(max(start, ready), partial(self._schedule, batch, pay_day))

    def _due(self, batch: list[BillPlan]) -> list[tuple[str, int]]:
        """Of these bills those with something due, and how much, in cents."""
        table = self.organization.table(BILLS)
        parts = [(bill.id, cents(table.rows[bill.id].look()["dueAmount"])) for bill in batch]
        return [(bill_id, due) for bill_id, due in parts if due > 0]

    def _schedule(self, batch: list[BillPlan], pay_day: int) -> None:
        """A payment that is still to come at the end of the history."""
        parts = self._due(batch)
        if parts:
            status = "SCHEDULED" if next(self.waiting) % 2 else "APPROVING"
            self.papers.pay(parts, pay_day, status=status)

    def _pay(self, batch: list[BillPlan], pay_day: int) -> None:
        """A payment, which may come to nothing and be made again."""
        history, luck = self.history, self.history.luck(PAYMENTS)
        if self.credits:
            self._use_credit(batch)
        parts = self._due(batch)
        if not parts:
            return
        roll = luck.random()
        again = partial(self._pay_rest, batch)
        if roll < 0.03:
            payment = self.papers.pay(parts, pay_day, status="SCHEDULED", online=True)
            made, voided = instant(pay_day, luck), instant(pay_day + luck.randint(4, 8), luck)
            administrator = self.organization.user_ids["ADMINISTRATOR"]
            void = partial(payments.void_payment, self.organization, payment, administrator, "VOID_ONLY", "Paid twice")
            history.at(max(made, history.now), partial(payments.settle_payment, self.organization, payment))
            history.at(max(voided, history.now), void)
            if roll >= 0.01:
                history.at(max(voided, history.now) + 3_600, partial(again, min(business_day(pay_day + 9), LAST_DAY)))
        elif roll < 0.045:
            payment = self.papers.pay(parts, pay_day, status="SCHEDULED", online=True)
            history.at(history.now + 1_800, partial(payments.cancel_payment, self.organization, payment))
            history.at(history.now + 3_600, partial(again, pay_day))
        elif roll < 0.1:
            some = [(bill_id, max(1, due * luck.randint(30, 70) // 100)) for bill_id, due in parts]
            self._pay_and_settle(some, pay_day)
            if roll >= 0.075:
                history.at(history.now + 14 * SECONDS_A_DAY, partial(again, business_day(pay_day + 15)))
        else:
            self._pay_rest(batch, pay_day)

    def _pay_rest(self, batch: list[BillPlan], pay_day: int) -> None:
        """Pay whatever is due, an open credit first."""
        parts = self._due(batch)
        if not parts:
            return
        if pay_day > LAST_DAY:
            self.papers.pay(parts, pay_day, status="SCHEDULED", online=True)
            return
        (bill_id, due), *others = parts
        credit_id, left = self._open_credit()
        used = min(left, due // 2)
        credit = (credit_id, used) if used else None
        self._pay_and_settle([(bill_id, due - used), *others], pay_day, credit)

    def _pay_and_settle(
        self, parts: list[tuple[str, int]], pay_day: int, credit: tuple[str, int] | None = None
    ) -> None:
        history, luck = self.history, self.history.luck(PAYMENTS)
        if luck.happens(0.08):
            self.papers.pay(parts, pay_day, status="PAID", online=False, credit=credit)
            return
        payment = self.papers.pay(parts, pay_day, status="SCHEDULED", online=True, credit=credit)
        single_status, disbursed = self.papers.progress(pay_day)
        settle = partial(payments.settle_payment, self.organization, payment, single_status, disbursed)
        history.at(max(history.now, instant(pay_day + luck.randint(0, 4), luck)), settle)

    def _open_credit(self) -> tuple[str, int]:
        """The first credit that is open and not forgotten, and how much of it is left in cents."""
        table = self.organization.table(VENDOR_CREDITS)
        for credit in self.credits:
            if credit.id:
                doc = table.rows[credit.id].look()
                left = cents(doc["amount"]) - cents(doc["appliedAmount"])
                if left > 0 and len(doc.get("usage", ())) < credit.uses:
                    return credit.id, left
        return "", 0

    def _use_credit(self, batch: list[BillPlan]) -> None:
        """Use an open credit on the first bill, without a payment."""
        luck = self.history.luck(VENDOR_CREDITS)
        credit_id, left = self._open_credit()
        parts = self._due(batch[:1])
        if not credit_id or not parts or luck.happens(0.7):
            return
        bill_id, due = parts[0]
        used = min(left, due)
        if luck.happens(0.6):
            used = max(1, used // 2)
        vendor_credits.apply_credit(self.organization, credit_id, bill_id, used)


def add_payables(history: History, bills_wanted: int) -> None:
    """Vendors of all trades in turn until the organization has this many bills."""
    names: list[str] = []
    limit = max(2, bills_wanted // _LARGEST_SHARE)
    waiting = count(1)
    remaining = bills_wanted
    for position, trade in enumerate(cycle(vocabulary.TRADES)):
        if remaining <= 0:
            break
        name = _vendor_name(history, trade, position, names)
        remaining -= VendorStory(history, trade, name, min(limit, remaining), waiting).live()
    for position in history.more(VENDORS):
        trade = vocabulary.TRADES[position % len(vocabulary.TRADES)]
        VendorStory(history, trade, f"Further {trade.noun} {position + 1}", 0, waiting).live()


def _vendor_name(history: History, trade: Trade, position: int, earlier: list[str]) -> str:
    luck = history.luck(VENDORS)
    if position % 17 == 16:
        return luck.choice(earlier)
    if position % 7 == 5 and position // 7 < len(vocabulary.ODD_COMPANY_NAMES):
        name = vocabulary.ODD_COMPANY_NAMES[position // 7]
    elif trade.person:
        name = " ".join(luck.person())
    else:
        head, ending = luck.choice(vocabulary.COMPANY_HEADS), luck.choice(vocabulary.COMPANY_ENDINGS)
        name = f"{head} {trade.noun} {ending}".strip()
    if name in earlier:
        name = f"{name} {position + 1}"
    earlier.append(name)
    return name
