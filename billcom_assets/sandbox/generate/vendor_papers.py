"""The finished objects of a vendor, in the shapes that v3 serves."""

from __future__ import annotations

from billcom_assets.sandbox.amounts import bill_payment_status, credit_status, funding_cents
from billcom_assets.sandbox.clock import SECONDS_A_DAY, stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate.calendar import (
    FIRST_DAY,
    LAST_DAY,
    LAST_SECOND,
    MONTHS,
    business_day,
    first_of_month,
    instant,
    iso,
)
from billcom_assets.sandbox.generate.companion import DIMENSIONS, Companion
from billcom_assets.sandbox.generate.drafts import BillDraft, CreditDraft, PaymentDraft, VendorDraft
from billcom_assets.sandbox.generate.vocabulary import Trade
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, RECURRING_BILLS, VENDOR_CREDITS, VENDORS

_PURPOSE = {"text": "Goods for resale", "code": {"name": "GOODS", "value": "1"}}


class VendorPapers:
    """Writes out one vendor and its documents.

    Args:
        companion: The organization being made.
        trade: What the vendor does.
        vendor_id: Its id.
        name: Its name.
    """

    def __init__(self, companion: Companion, trade: Trade, vendor_id: str, name: str) -> None:
        self._companion = companion
        self._trade = trade
        self._id = vendor_id
        self._name = name

    def payment(self, payment: PaymentDraft) -> None:
        """Hand over a payment."""
        companion, rng = self._companion, self._companion.rng
        online = rng.random() >= 0.08
        funding = self._funding(online)
        progress, disbursed = self._progress(payment.pay_day, payment.status, online)
        rate = payment.bills[0].rate
        doc = {
            "amount": companion.money(payment.amount),
            "id": payment.id,
            "vendorId": self._id,
            "vendorName": self._name,
            "billId": payment.bills[0].id if len(payment.bills) == 1 else None,
            "billPayments": payment.parts,
            "description": f"Invoice {payment.bills[0].number}" if rng.random() < 0.5 else None,
            "processDate": iso(payment.pay_day),
            "fundingAccount": funding,
            "processingOptions": self._options(online),
            "transactionNumber": f"PMT-{rng.randint(0, 999_999):06d}-{payment.id[-5:]}" if rng.random() < 0.8 else None,
            "confirmationNumber": f"P{iso(payment.pay_day)[2:].replace('-', '')}01 - {rng.randint(0, 9_999_999):07d}",
            "status": payment.status,
            "exchangeRate": rate if rate is not None else 1,
            "fundingAmount": companion.money(funding_cents(payment.amount, rate, companion.settings.exchange_rate)),
            "onlinePayment": online,
            "disbursementType": self._trade.paid_by if online else "OFFLINE",
            "disbursementStatus": disbursed,
            "remittanceEmail": f"remit@{_slug(self._name)}.example" if online and rng.random() < 0.2 else None,
            "createdBy": companion.references.users["PAYER"],
            "voidInfo": self._void_info(payment.status, payment.settled),
            "disbursementInfo": self._disbursement(payment, online=online),
            "cancelRequestSubmitted": payment.status == "CANCELLED",
            "singleStatus": progress,
            "paymentPurpose": _PURPOSE if rate is not None else None,
            "cardFundingPurpose": "Advertising" if funding["type"] == "CARD_ACCOUNT" else None,
        }
        gl_account = "1050" if online else "1000"
        hidden = {"chartOfAccountId": companion.references.accounts[gl_account]}
        companion.add(PAYMENTS, compact(doc), payment.created, payment.settled, hidden)

    def _funding(self, online: bool) -> Doc:
        rng, banks = self._companion.rng, self._companion.references.banks
        luck = rng.random()
        if luck < 0.03:
            return {"type": "WALLET"}
        if luck < 0.06 and online:
            return {"type": "BANK_ACCOUNT", "id": banks[-1]}
        if luck < 0.08 and online:
            return {"type": "CARD_ACCOUNT", "id": self._companion.references.card}
        return {"type": "BANK_ACCOUNT", "id": banks[0]}

    def _options(self, online: bool) -> Doc:
        options: Doc = {"requestPayFaster": False, "createBill": False}
        if online and self._trade.paid_by == "CHECK" and self._companion.chance(0.1):
            options["requestCheckDeliveryType"] = self._companion.rng.choice(("STANDARD", "UPS_1DAY", "UPS_2DAY"))
        return options

    def _void_info(self, status: str, settled: int) -> list[Doc]:
        if status != "VOID":
            return []
        return [
            {
                "id": self._companion.ids.new("vrq"),
                "requestedBy": self._companion.references.users["ADMINISTRATOR"],
                "type": "VOID_ONLY",
                "status": "ACCEPTED",
                "reason": "Paid twice",
                "createdTime": stamp(settled),
                "updatedTime": stamp(settled),
            }
        ]

    def _disbursement(self, payment: PaymentDraft, *, online: bool) -> Doc:
        pay_day, status = payment.pay_day, payment.status
        info: Doc = {"isVoidable": status == "PAID" and online and pay_day > LAST_DAY - 90}
        if not online or status in ("CANCELLED", "APPROVING"):
            return info
        dates = {"sentDate": iso(pay_day), "arrivesByDate": iso(business_day(pay_day + 3))}
        rng = self._companion.rng
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
        key, detail = details[self._trade.paid_by]
        if key == "internationalDisbursement":
            detail = detail | {"amount": self._companion.money(payment.amount)}
        return info | {key: detail}

    def _progress(self, pay_day: int, status: str, online: bool) -> tuple[str, str | None]:
        """Single status and disbursement status of a payment."""
        if status != "PAID":
            waiting = {"VOID": "VOIDED", "CANCELLED": "CANCELED", "SCHEDULED": "SCHEDULED", "APPROVING": "SCHEDULED"}
            return waiting[status], None
        if not online:
            return "CLEARED", None
        luck = self._companion.rng.random()
        if luck < 0.01:
            return "DISBURSEMENT_FAILED_ACTION_NEEDED", "FAILED"
        if luck < 0.015:
            return "DISBURSEMENT_ON_HOLD", "HOLD"
        if pay_day < LAST_DAY - 10:
            return "CLEARED", "DONE"
        return self._companion.rng.choice(("SENT", "PROCESSED", "DELIVERED")), "DONE"

    def bill(self, bill: BillDraft) -> None:
        """Hand over a bill."""
        companion, rng = self._companion, self._companion.rng
        money, accounts = companion.money, companion.references.accounts
        sums = bill.sums
        funding = None
        if bill.rate is not None:
            funding = money(funding_cents(sums.amount, bill.rate, companion.settings.exchange_rate))
        header: Doc | None = None
        if rng.random() < 0.25:
            header = {"chartOfAccountId": accounts[self._trade.accounts[0]]}
            header |= companion.coding(("accountingClassId", "departmentId", "locationId", "itemId"), 0.3)
        doc = {
            "id": bill.id,
            "archived": bill.archived,
            "recordStatus": bill.record_status,
            "vendorId": self._id,
            "vendorName": self._name,
            "amount": money(sums.amount),
            "fundingAmount": funding,
            "exchangeRate": bill.rate,
            "paidAmount": money(sums.paid),
            "dueAmount": money(sums.due),
            "scheduledAmount": money(sums.scheduled),
            "creditAmount": money(sums.credit),
            "description": f"{self._trade.goods[0]}, {iso(bill.invoice_day)[:7]}" if rng.random() < 0.6 else None,
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

    def credit(self, credit: CreditDraft) -> None:
        """Hand over a vendor credit."""
        companion = self._companion
        from_bank = companion.chance(0.08)
        doc = {
            "id": credit.id,
            "vendorId": self._id,
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

    def vendor(self, vendor: VendorDraft) -> None:
        """Hand over the vendor itself."""
        companion, rng, trade = self._companion, self._companion.rng, self._trade
        slug = _slug(self._name)
        created = instant(max(vendor.first_day - rng.randint(0, 20), FIRST_DAY), rng)
        edited = instant(rng.randint(FIRST_DAY + 60, LAST_DAY), rng) if rng.random() < 0.4 else created
        if vendor.archived:
            edited = max(edited, min(vendor.last_event + 30 * SECONDS_A_DAY, LAST_SECOND))
        updated = max(edited, vendor.last_event) if companion.settings.balances_touch else edited
        electronic = trade.paid_by in ("ACH", "RPPS", "INTERNATIONAL_E_PAYMENT")
        bank = {
            "nameOnAccount": self._name,
            "accountNumber": f"*****{rng.randint(1000, 9999)}",
            "routingNumber": "074000010",
            "type": "CHECKING",
            "ownerType": "PERSON" if trade.person else "BUSINESS",
            "paymentCurrency": trade.currency,
            "status": "VERIFIED",
        }
        payment_information = {
            "payeeName": self._name,
            "email": f"pay@{slug}.example" if rng.random() < 0.5 else None,
            "lastPaymentDate": iso(vendor.last_payment_day) if vendor.last_payment_day else None,
            "payByType": trade.paid_by,
            "payBySubType": {"ACH": "ACH", "INTERNATIONAL_E_PAYMENT": "LOCAL"}.get(trade.paid_by, "NONE"),
            "virtualCard": self._virtual_card(slug, created) if trade.paid_by == "VIRTUAL_CARD" else None,
            "bankAccount": bank if electronic else None,
            "paymentPurpose": _PURPOSE if trade.currency != "USD" else None,
        }
        doc = {
            "archived": vendor.archived,
            "id": self._id,
            "name": self._name,
            "shortName": self._name.split()[0][:40] if rng.random() < 0.4 else None,
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
                    "companyName": self._name if not trade.person else None,
                }
            ),
            "rppsId": f"{rng.randint(10**9, 10**10 - 1)}" if trade.paid_by == "RPPS" else None,
            "bankAccountStatus": "NO_NET_LINKED_ACCOUNT" if electronic else "NO_ACCOUNT",
            "networkStatus": "CONNECTED_RPPS" if trade.paid_by == "RPPS" else "NOT_CONNECTED",
            "recurringPayments": trade.fixed,
            "billCurrency": trade.currency,
            "balance": {
                "amount": companion.money(vendor.balance),
                "lastUpdatedDate": stamp(max(created, vendor.last_event)),
            },
            "autoPay": self._auto_pay(),
        }
        companion.add(VENDORS, compact(doc), created, updated)

    def _virtual_card(self, slug: str, created: int) -> Doc:
        if self._companion.chance(0.3):
            return {"status": "DECLINED", "declineDate": stamp(created), "alternatePayByType": "CHECK"}
        return {"status": "ENROLLED", "remitEmail": f"cards@{slug}.example", "enrollDate": stamp(created)}

    def _auto_pay(self) -> Doc:
        if not self._trade.fixed:
            return {"enabled": False}
        references = self._companion.references
        return {
            "enabled": True,
            "bankAccountId": references.banks[0],
            "createdBy": references.users["PAYER"],
            "maxAmount": self._companion.money(1_000_000),
            "daysBeforeDueDate": 2,
        }

    def recurring_bill(self, first_day: int, amount: int, *, archived: bool) -> None:
        """Hand over a recurring bill of ``amount`` cents."""
        companion = self._companion
        coding = companion.coding((*DIMENSIONS, "itemId", "employeeId"))
        coding["chartOfAccountId"] = companion.references.accounts[self._trade.accounts[0]]
        created = instant(max(first_day, FIRST_DAY), companion.rng)
        doc = {
            "archived": archived or companion.chance(0.05),
            "id": companion.new_id(RECURRING_BILLS),
            "recurringBillLineItems": [
                {
                    "amount": companion.money(amount),
                    "id": companion.ids.new("rbi"),
                    "description": self._trade.goods[0],
                    "classifications": coding,
                }
            ],
            "schedule": compact(
                {
                    "period": "MONTHLY",
                    "frequency": self._trade.months_between,
                    "nextDueDate": iso(first_of_month(MONTHS) + 4),
                    "endDate": "2027-12-31" if companion.chance(0.5) else None,
                    "daysInAdvance": 5,
                }
            ),
            "vendorId": self._id,
            "description": f"{self._trade.goods[0]} from {self._name}",
            "processingOptions": {"autoPayment": False},
            "paymentInformation": {"bankAccountId": companion.references.banks[0]},
        }
        companion.add(RECURRING_BILLS, doc, created, created + companion.rng.choice((0, 7_000_000)))


def _slug(name: str) -> str:
    return "".join(char for char in name.lower() if char.isascii() and char.isalnum()) or "vendor"
