"""The lives of vendors: when bills come, who approves them, how they are paid and credited."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count, cycle

from billcom_assets.sandbox.books import approvals, bills, vendor_credits
from billcom_assets.sandbox.books.objects import set_archived, set_hidden
from billcom_assets.sandbox.books.vendors import update_vendor
from billcom_assets.sandbox.clock import SECONDS_A_DAY
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import (
    FIRST_DAY,
    LAST_DAY,
    LAST_SECOND,
    MASS_EDIT_SECOND,
    MONTHS,
    business_day,
    first_of_month,
    instant,
    iso,
    next_month,
)
from billcom_assets.sandbox.generate.history import ALL_CODING, History
from billcom_assets.sandbox.generate.vendor_papers import BillPlan, CreditPlan, Decisions, VendorPapers
from billcom_assets.sandbox.generate.vendor_payments import VendorPayments
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, VENDOR_CREDITS, VENDORS, Kind

_LARGEST_SHARE = 12
"""One vendor has at most this fraction of all bills (one in twelve), so that a tiny company has several vendors."""

_POSTED_LATER = 0.06
"""How many bills and credits are posted in the month after theirs, which is closed already."""
_CREDIT_DECISIONS: tuple[Decisions, ...] = ((), (), (), (None,), (True,), (True, None), (True, True), (False,))
"""What the approvers of vendor credits have said; None has yet to say it."""


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
        if self.trade.credits and self.days:
            self._plan_credits()
        self._plan_vendor()
        VendorPayments(self.history, self.papers, self.bills, self.credits, self.waiting).plan()
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
        papers = [bill.created for bill in self.bills] + [credit.created for credit in self.credits]
        created = min([created, *papers]) - 5
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
                self.history.at(bill.decided, partial(self._decide_bill, bill))
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

    def _approvers(self, decisions: Decisions) -> list[str]:
        return [self.organization.user_ids[role] for role in ("APPROVER", "ACCOUNTANT")[: len(decisions)]]

    def _enter(self, bill: BillPlan) -> None:
        body = bill.body | {"vendorId": self.papers.vendor_id}
        clerk = self.organization.user_ids["CLERK"]
        bill.id = bills.create_bill(
            self.organization, body, clerk, details=self.papers.rate(bill.day) | bill.details
        ).id
        if self.history.luck("Posting dates").happens(_POSTED_LATER):
            set_hidden(self.organization, BILLS, bill.id, glPostingDate=iso(next_month(bill.day)))
        self._ask(BILLS, bill.id, bill.decisions)

    def _ask(self, kind: Kind, object_id: str, decisions: Decisions) -> None:
        if decisions:
            approvals.assign_approvers(self.organization, kind, object_id, self._approvers(decisions))

    def _decide_bill(self, bill: BillPlan) -> None:
        self._decide(BILLS, bill.id, bill.decisions)

    def _decide(self, kind: Kind, object_id: str, decisions: Decisions) -> None:
        for user, approve in zip(self._approvers(decisions), decisions, strict=True):
            if approve is not None:
                approvals.decide(self.organization, kind, object_id, user, approve=approve)

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
            credit = CreditPlan(0 if archived else luck.choice((1, 1, 9)), created)
            self.credits.append(credit)
            history.at(created, partial(self._grant, credit, day, body, archived=archived))

    def _grant(self, credit: CreditPlan, day: int, body: Doc, *, archived: bool) -> None:
        body = compact(body) | {"vendorId": self.papers.vendor_id}
        credit.id = vendor_credits.create_credit(self.organization, body, hidden=compact(self.papers.rate(day))).id
        if self.history.luck("Posting dates").happens(_POSTED_LATER):
            set_hidden(self.organization, VENDOR_CREDITS, credit.id, glPostingDate=iso(next_month(day)))
        decisions = self.history.luck("Credit approvals").choice(_CREDIT_DECISIONS)
        self._ask(VENDOR_CREDITS, credit.id, decisions)
        self._decide(VENDOR_CREDITS, credit.id, decisions)
        if archived:
            end = partial(set_archived, self.organization, VENDOR_CREDITS, credit.id, archived=True)
            self.history.at(self.history.now + SECONDS_A_DAY, end)


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
