"""How a vendor's bills are paid: when, from what, with which credits, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from billcom_assets.sandbox.books import payments, vendor_credits
from billcom_assets.sandbox.clock import SECONDS_A_DAY
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate.calendar import EPOCH_DAY, LAST_DAY, business_day, instant, iso
from billcom_assets.sandbox.generate.history import History
from billcom_assets.sandbox.generate.vendor_papers import PURPOSE, BillPlan, CreditPlan, VendorPapers
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDOR_CREDITS
from billcom_assets.sandbox.money import cents

_DISBURSEMENTS = {
    "ACH": "achDisbursement",
    "CHECK": "checkDisbursement",
    "RPPS": "rppsDisbursement",
    "INTERNATIONAL_E_PAYMENT": "internationalDisbursement",
    "VIRTUAL_CARD": "vcardDisbursement",
    "WALLET": "walletDisbursement",
}


class VendorPayments:
    """The payments of one vendor.

    Args:
        history: The organization's past.
        papers: The vendor.
        bills: What may be paid.
        credits_granted: What may be used instead.
        waiting: Counts the payments that are still to come.
    """

    def __init__(
        self,
        history: History,
        papers: VendorPapers,
        bills: list[BillPlan],
        credits_granted: list[CreditPlan],
        waiting: Iterator[int],
    ) -> None:
        self.history = history
        self.organization = history.organization
        self.luck = history.luck(PAYMENTS)
        self.trade = papers.trade
        self.slug = papers.slug
        self.bills = bills
        self.credits = credits_granted
        self.waiting = waiting

    def plan(self) -> None:
        """The bills are paid as they fall due, several at once where the vendor combines payments."""
        luck = self.luck
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
            self._enter(parts, pay_day, status=status)

    def _pay(self, batch: list[BillPlan], pay_day: int) -> None:
        """A payment, which may come to nothing and be made again."""
        history, luck = self.history, self.luck
        if self.credits:
            self._use_credit(batch)
        parts = self._due(batch)
        if not parts:
            return
        roll = luck.random()
        again = partial(self._pay_rest, batch)
        if roll < 0.03:
            payment = self._enter(parts, pay_day, status="SCHEDULED", online=True)
            made, voided = instant(pay_day, luck), instant(pay_day + luck.randint(4, 8), luck)
            administrator = self.organization.user_ids["ADMINISTRATOR"]
            void = partial(payments.void_payment, self.organization, payment, administrator, "VOID_ONLY", "Paid twice")
            history.at(max(made, history.now), partial(payments.settle_payment, self.organization, payment))
            history.at(max(voided, history.now), void)
            if roll >= 0.01:
                history.at(max(voided, history.now) + 3_600, partial(again, min(business_day(pay_day + 9), LAST_DAY)))
        elif roll < 0.045:
            payment = self._enter(parts, pay_day, status="SCHEDULED", online=True)
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
            self._enter(parts, pay_day, status="SCHEDULED", online=True)
            return
        (bill_id, due), *others = parts
        credit_id, left = self._open_credit()
        used = min(left, due // 2)
        credit = (credit_id, used) if used else None
        self._pay_and_settle([(bill_id, due - used), *others], pay_day, credit)

    def _pay_and_settle(
        self, parts: list[tuple[str, int]], pay_day: int, credit: tuple[str, int] | None = None
    ) -> None:
        history, luck = self.history, self.luck
        if luck.happens(0.08):
            self._enter(parts, pay_day, status="PAID", online=False, credit=credit)
            return
        payment = self._enter(parts, pay_day, status="SCHEDULED", online=True, credit=credit)
        single_status, disbursed = self._progress(pay_day)
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

    def _enter(
        self,
        parts: list[tuple[str, int]],
        pay_day: int,
        *,
        status: str,
        online: bool = True,
        credit: tuple[str, int] | None = None,
    ) -> str:
        """Enter a payment of these cents of these bills; returns its id."""
        luck, organization = self.luck, self.organization
        foreign = self.trade.currency != "USD"
        funding = self._funding(online=online)
        details = {
            "description": luck.maybe(0.5, f"Payment of {iso(pay_day)}"),
            "fundingAccount": funding,
            "processingOptions": self._options(online=online),
            "transactionNumber": luck.maybe(0.8, f"PMT-{luck.randint(0, 10**11):011d}"),
            "disbursementType": self.trade.paid_by if online else "OFFLINE",
            "remittanceEmail": luck.maybe(0.2, f"remit@{self.slug}.example") if online else None,
            "disbursementInfo": self._disbursement(pay_day, sum(cents for _, cents in parts), online=online),
            "paymentPurpose": PURPOSE if foreign else None,
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
        banks = self.history.references.banks
        roll = self.luck.random()
        if roll < 0.03:
            return {"type": "WALLET"}
        if roll < 0.06 and online:
            return {"type": "BANK_ACCOUNT", "id": banks[-1]}
        if roll < 0.08 and online:
            references = self.history.references
            return {"type": "CARD_ACCOUNT", "id": references.card if roll < 0.075 else references.colleagues_card}
        if roll < 0.085 and online:
            return {"type": "AP_CARD", "id": self.history.references.ap_card}
        return {"type": "BANK_ACCOUNT", "id": banks[0]}

    def _options(self, *, online: bool) -> Doc:
        luck = self.luck
        options: Doc = {"requestPayFaster": False, "createBill": False}
        if online and self.trade.paid_by == "CHECK" and luck.happens(0.1):
            options["requestCheckDeliveryType"] = luck.choice(("STANDARD", "UPS_1DAY", "UPS_2DAY"))
        return options

    def _disbursement(self, pay_day: int, amount: int, *, online: bool) -> Doc:
        luck, paid_by = self.luck, self.trade.paid_by
        if not online:
            return {"isVoidable": False}
        detail: Doc = {"sentDate": iso(pay_day), "arrivesByDate": iso(business_day(pay_day + 3))}
        if paid_by == "CHECK":
            detail["checkNumber"] = luck.randint(10_000, 99_999)
        elif paid_by == "RPPS":
            detail |= {"traceNumber": luck.randint(1, 10**9), "batchNumber": 7}
        elif paid_by == "INTERNATIONAL_E_PAYMENT":
            detail |= {"disbursementSubType": "LOCAL", "amount": self.organization.money(amount)}
        elif paid_by == "VIRTUAL_CARD":
            detail |= {"validUntil": iso(pay_day + 60), "last4CardNumber": f"{luck.randint(0, 9999):04d}"}
        if paid_by in ("VIRTUAL_CARD", "WALLET"):
            del detail["sentDate"]
        return {"isVoidable": False, _DISBURSEMENTS[paid_by]: detail}

    def _progress(self, pay_day: int) -> tuple[str, str]:
        """How far a payment that was made has come: single status and disbursement status."""
        luck = self.luck
        roll = luck.random()
        if roll < 0.01:
            return "DISBURSEMENT_FAILED_ACTION_NEEDED", "FAILED"
        if roll < 0.015:
            return "DISBURSEMENT_ON_HOLD", "HOLD"
        if pay_day < LAST_DAY - 10:
            return "CLEARED", "DONE"
        return luck.choice(("SENT", "PROCESSED", "DELIVERED")), "DONE"
