"""What v2 shows and no single field of the object holds: values, and parts of which objects consist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.ids import NO_ID, derived_id
from billcom_assets.sandbox.kinds import ACCOUNT_TYPES, BANK_ACCOUNTS, ITEM_TYPES, PAYMENTS
from billcom_assets.sandbox.money import cents, times
from billcom_assets.sandbox.v2.subject import Subject


def _line_type(subject: Subject) -> str:
    return "2" if subject.at("classifications.itemId") else "1"


def _lines_of_type(line_type: str) -> Callable[[Subject], Doc]:
    def roll_up(subject: Subject) -> Doc:
        lines = [line for line in subject.parts(subject.doc["billLineItems"]) if _line_type(line) == line_type]
        return {"count": len(lines), "totalAmount": sum((line.usd(line.part["amount"]) for line in lines), Decimal(0))}

    return roll_up


def _paying(account_type: str) -> Callable[[Subject], str]:
    def paying(subject: Subject) -> str:
        funding = subject.doc.get("fundingAccount", {})
        return funding.get("id") or NO_ID if funding.get("type") == account_type else NO_ID

    return paying


def _bank_to_pay_from(subject: Subject) -> str:
    """The first bank account behind the account that a bill is to be paid from."""
    account = subject.doc.get("payFromChartOfAccountId")
    banks = [row.look() for row in subject.organization.table(BANK_ACCOUNTS)] if account else []
    return next((bank["id"] for bank in banks if bank.get("chartOfAccountId") == account), NO_ID)


def _posting_date(subject: Subject) -> str | None:
    moved: str | None = subject.at("doc.hidden.glPostingDate")
    if moved or subject.organization.readings.settings.posting_date_when_moved:
        return moved
    day: str = subject.at("doc.invoice.invoiceDate") or subject.at("doc.creditDate")
    return day


def _line_amount(subject: Subject) -> Decimal:
    price, quantity = subject.part["price"], subject.part["quantity"]
    return subject.organization.money(times(cents(price), Decimal(quantity)))


def _number_of(name: str, names: Sequence[str]) -> str:
    """v2's number for a type; 0, as for none, where v2 has no number for it."""
    return str(names.index(name)) if name in names else "0"


def _of_sync(value: Callable[[Subject], str]) -> Callable[[Subject], str | None]:
    """What an accounting program leaves in a record that BILL syncs with it."""

    def of_sync(subject: Subject) -> str | None:
        return value(subject) if subject.organization.readings.settings.accounting_sync else None

    return of_sync


VALUES: Mapping[str, Callable[[Subject], Any]] = {
    "organization_id": lambda subject: subject.organization.id,
    "organization_name": lambda subject: subject.organization.name,
    "payables_account": lambda subject: subject.organization.account_ids["2000"],
    "several_lines": lambda subject: len(subject.doc["billLineItems"]) > 1,
    "item_lines": _lines_of_type("2"),
    "expense_lines": _lines_of_type("1"),
    "line_type": _line_type,
    "paying_bank": _paying("BANK_ACCOUNT"),
    "paying_card": _paying("CARD_ACCOUNT"),
    "bank_to_pay_from": _bank_to_pay_from,
    "masked_routing_number": lambda subject: f"*****{subject.doc['routingNumber'][-4:]}",
    "is_savings": lambda subject: subject.doc["type"] == "SAVINGS",
    "is_personal": lambda subject: subject.doc["ownerType"] == "PERSONAL",
    "line_amount": _line_amount,
    "posting_date": _posting_date,
    "account_type": lambda subject: _number_of(subject.doc["account"]["type"], ACCOUNT_TYPES),
    "synced_id": _of_sync(lambda subject: f"80000{subject.doc['id'][-5:]}"),
    "synced_at": _of_sync(lambda subject: str(subject.at("updatedTime")).replace("+00:00", "+0000")),
    "item_type": lambda subject: _number_of(subject.doc["type"], ITEM_TYPES),
}
"""Values by the names that the tables give them."""


def _credit(credit_id: str, bill_id: str, payment: Doc | None, nth: int, facts: Doc) -> Doc:
    """The use of a vendor credit on a bill, with or without a payment: the same from either side."""
    payment_id = payment["id"] if payment else NO_ID
    name = derived_id("bcr", credit_id, bill_id, payment_id, str(nth))
    return facts | {"useId": name, "vendorCreditId": credit_id, "billId": bill_id, "sentPayId": payment_id}


def _credits_in_payment(subject: Subject) -> Iterator[Doc]:
    payment = subject.doc
    facts = {"createdTime": payment["createdTime"], "updatedTime": payment["updatedTime"]}
    for part in payment["billPayments"]:
        for used in part.get("vendorCredits", ()):
            yield _credit(used["id"], part["billId"], payment, 0, facts | {"amount": used["amount"]})


def _uses_of_credit(subject: Subject) -> Iterator[Doc]:
    seen: Counter[tuple[str, str]] = Counter()
    table = subject.organization.table(PAYMENTS)
    for use in subject.doc.get("usage", ()):
        payment = table.rows[use["paymentId"]].look() if "paymentId" in use else None
        times_of = payment or subject.doc
        key = use["billId"], use.get("paymentId", "")
        facts = {name: times_of[name] for name in ("createdTime", "updatedTime")} | {"amount": use["amount"]}
        yield _credit(subject.doc["id"], use["billId"], payment, seen[key], facts)
        seen[key] += 1


def _approvers(prefix: str) -> Callable[[Subject], Iterator[Doc]]:
    """Who is asked to approve: one at a time, and nobody any more once somebody has denied."""

    def approvers(subject: Subject) -> Iterator[Doc]:
        asked = subject.doc["hidden"].get("approvers", ())
        following = "STALE" if any(one["status"] == "DENIED" for one in asked) else "WAITING"
        for one in asked:
            status = one["status"]
            if status == "WAITING":
                status = following
                following = "STALE" if following == "STALE" else "UPCOMING"
            name = derived_id(prefix, subject.doc["id"], str(one["approverOrder"]), one["userId"])
            yield one | {"approverId": name, "status": status}

    return approvers


PARTS: Mapping[str, Callable[[Subject], Iterator[Doc]]] = {
    "credits_in_payment": _credits_in_payment,
    "uses_of_credit": _uses_of_credit,
    "bill_approvers": _approvers("0ba"),
    "credit_approvers": _approvers("vca"),
}
"""Parts by the names that the tables give them, where they are not simply an array of the object."""
