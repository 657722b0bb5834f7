"""What happens with vendors, bills, credits and payments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from billcom_assets.sandbox.books import approvals, bills, money_movements, payments, vendor_credits, vendors
from billcom_assets.sandbox.books.objects import set_archived, set_hidden
from billcom_assets.sandbox.changes.chance import Chance, NothingFits, first_open, is_active
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import next_month
from billcom_assets.sandbox.kinds import (
    BILLS,
    MONEY_MOVEMENTS,
    PAYMENTS,
    VENDOR_CREDITS,
    VENDORS,
)
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.table import Row


def _open_bill(doc: Doc) -> bool:
    allowed = doc["recordStatus"] == "ACTIVE" and doc["approvalStatus"] in ("APPROVED", "UNASSIGNED")
    return allowed and cents(doc["dueAmount"]) > 0


def _untouched_bill(doc: Doc) -> bool:
    return (doc["recordStatus"], doc["paymentStatus"]) == ("ACTIVE", "UNPAID")


def new_vendor(chance: Chance) -> Row:
    """A new vendor."""
    number = len(chance.organization.table(VENDORS)) + 1
    head, end = chance.rng.choice(vocabulary.COMPANY_HEADS), chance.rng.choice(vocabulary.COMPANY_ENDINGS)
    city, state, code, country, country_name = chance.rng.choice(vocabulary.CITIES["USD"])
    address = {"line1": f"{number} Market St", "city": city, "stateOrProvince": state, "zipOrPostalCode": code}
    body = {
        "name": f"{head} Services {end} {number}".replace("  ", " "),
        "address": {**address, "country": country, "countryName": country_name},
        "accountType": "BUSINESS",
        "email": f"billing{number}@{head.lower()}.example",
    }
    return vendors.create_vendor(chance.organization, body)


def edit_vendor(chance: Chance) -> Row:
    """A vendor's phone changes, sometimes its name."""
    vendor = chance.pick(VENDORS, is_active)
    body: Doc = {"phone": f"415555{chance.rng.randint(100, 199):04d}"}
    if chance.rng.random() < 0.3:
        body["name"] = f"{vendor['name'][:80]} {chance.rng.choice(('Group', 'Holdings', 'West'))}"
    return vendors.update_vendor(chance.organization, vendor["id"], body)


def archive_vendor(chance: Chance) -> Row:
    """A vendor that is owed nothing is archived."""
    vendor = chance.pick(VENDORS, lambda doc: is_active(doc) and doc["balance"]["amount"] == 0)
    return set_archived(chance.organization, VENDORS, vendor["id"], archived=True)


def restore_vendor(chance: Chance) -> Row:
    """A vendor comes back."""
    vendor = chance.pick(VENDORS, lambda doc: bool(doc["archived"]))
    return set_archived(chance.organization, VENDORS, vendor["id"], archived=False)


def new_bill(chance: Chance) -> Row:
    """A bill comes in; some need approval."""
    vendor = chance.pick(VENDORS, is_active)
    body = {
        "vendorId": vendor["id"],
        "dueDate": chance.day(chance.rng.randint(5, 40)),
        "invoice": {
            "invoiceNumber": f"N-{chance.rng.randint(10_000, 999_999)}",
            "invoiceDate": chance.day(-chance.rng.randint(0, 6)),
        },
        "billLineItems": chance.lines(chance.rng.randint(1, 4)),
    }
    row = bills.create_bill(chance.organization, body, chance.clerk)
    if chance.rng.random() < 0.4:
        users = [chance.organization.user_ids[role] for role in ("APPROVER", "ACCOUNTANT")]
        return approvals.assign_approvers(chance.organization, BILLS, row.id, users[: chance.rng.randint(1, 2)])
    return row


def edit_bill(chance: Chance) -> Row:
    """An unpaid bill is corrected."""
    bill = chance.pick(BILLS, _untouched_bill)
    body: Doc = {"description": f"Corrected {chance.day()}"}
    if chance.rng.random() < 0.6:
        first = bill["billLineItems"][0]
        kept = {key: value for key, value in first.items() if key not in ("quantity", "price")}
        changed = kept | {"amount": chance.organization.money(chance.rng.randint(100_000, 900_000))}
        body["billLineItems"] = [changed, *chance.lines(chance.rng.randint(0, 2))]
    return bills.update_bill(chance.organization, bill["id"], body)


def drop_a_line(chance: Chance) -> Row:
    """The last line of an unpaid bill is removed."""
    bill = chance.pick(BILLS, lambda doc: _untouched_bill(doc) and len(doc["billLineItems"]) > 1)
    kept = bill["billLineItems"][:-1]
    if sum(cents(line["amount"]) for line in kept) <= 0:
        raise NothingFits
    return bills.update_bill(chance.organization, bill["id"], {"billLineItems": kept}, replace=True)


def decide_bill(chance: Chance) -> Row:
    """Whoever is asked approves or denies."""
    bill = chance.pick(BILLS, lambda doc: doc["approvalStatus"] in ("ASSIGNED", "APPROVING"))
    user_id = approvals.waiting_users(chance.organization.table(BILLS).rows[bill["id"]])[0]
    approve = chance.rng.random() < 0.85
    return approvals.decide(chance.organization, BILLS, bill["id"], user_id, approve=approve)


def decide_credit(chance: Chance) -> Row:
    """Whoever is asked approves or denies a vendor credit."""
    table = chance.organization.table(VENDOR_CREDITS)
    waiting = [(row.id, users[0]) for row in table if (users := approvals.waiting_users(row))]
    if not waiting:
        raise NothingFits
    credit_id, user_id = chance.rng.choice(waiting)
    approve = chance.rng.random() < 0.85
    return approvals.decide(chance.organization, VENDOR_CREDITS, credit_id, user_id, approve=approve)


def move_posting_date(chance: Chance) -> Row:
    """A bill or vendor credit is posted a month later than it was: the books of its month are closed."""
    kind = chance.rng.choice((BILLS, BILLS, VENDOR_CREDITS))
    doc = chance.pick(kind, is_active)
    day = doc["invoice"]["invoiceDate"] if kind is BILLS else doc["creditDate"]
    posted = date.fromisoformat(
        (chance.organization.table(kind).rows[doc["id"]].hidden or {}).get("glPostingDate", day)
    )
    following = date.fromordinal(next_month(posted.toordinal())).isoformat()
    return set_hidden(chance.organization, kind, doc["id"], glPostingDate=following)


def archive_bill(chance: Chance) -> Row:
    """An unpaid bill is archived."""
    bill = chance.pick(BILLS, _untouched_bill)
    return bills.set_bill_archived(chance.organization, bill["id"], archived=True)


def restore_bill(chance: Chance) -> Row:
    """An archived bill comes back."""
    bill = chance.pick(BILLS, lambda doc: doc["recordStatus"] == "INACTIVE")
    return bills.set_bill_archived(chance.organization, bill["id"], archived=False)


def pay_bills(chance: Chance) -> Row:
    """One or more bills of a vendor are paid, wholly or in part."""
    bill = chance.pick(BILLS, _open_bill)
    paid = [bill]
    if chance.rng.random() < 0.3:
        others = (row.doc() for row in chance.organization.table(BILLS).of_party(bill["vendorId"]))
        paid += [other for other in others if _open_bill(other) and other["id"] != bill["id"]][:3]
    part = 100 if chance.rng.random() < 0.8 else chance.rng.randint(20, 80)
    parts = [(one["id"], max(1, cents(one["dueAmount"]) * part // 100)) for one in paid]
    status = chance.rng.choice(("SCHEDULED", "SCHEDULED", "APPROVING", "PAID"))
    return payments.pay(
        chance.organization,
        parts,
        created_by=chance.organization.user_ids["PAYER"],
        status=status,
        online=status != "PAID" or chance.rng.random() < 0.5,
        process_date=chance.day(0 if status == "PAID" else 3),
    )


def settle_payment(chance: Chance) -> Row:
    """A scheduled payment is made."""
    payment = chance.pick(PAYMENTS, lambda doc: doc["status"] in ("SCHEDULED", "APPROVING"))
    return payments.settle_payment(chance.organization, payment["id"])


def advance_payment(chance: Chance) -> Row:
    """A payment goes on its way to the vendor."""
    payment = chance.pick(PAYMENTS, lambda doc: doc["singleStatus"] in ("PROCESSED", "SENT", "DELIVERED"))
    following = {"PROCESSED": "SENT", "SENT": "DELIVERED", "DELIVERED": "CLEARED"}
    return payments.advance_payment(chance.organization, payment["id"], following[payment["singleStatus"]])


def cancel_payment(chance: Chance) -> Row:
    """A scheduled payment is cancelled."""
    payment = chance.pick(PAYMENTS, lambda doc: doc["singleStatus"] == "SCHEDULED")
    return payments.cancel_payment(chance.organization, payment["id"])


def void_payment(chance: Chance) -> Row:
    """A payment is voided."""
    payment = chance.pick(PAYMENTS, lambda doc: doc["status"] == "PAID")
    administrator = chance.organization.user_ids["ADMINISTRATOR"]
    return payments.void_payment(chance.organization, payment["id"], administrator, "VOID_ONLY", "Wrong amount")


def conclude_movement(status: str) -> Callable[[Chance], Row]:
    """The bank confirms or returns a money movement."""

    def conclude(chance: Chance) -> Row:
        movement = chance.pick(MONEY_MOVEMENTS, lambda doc: doc["status"] == "SENT")
        return money_movements.conclude(chance.organization, movement["id"], status)

    return conclude


def new_credit(chance: Chance) -> Row:
    """A vendor grants a credit."""
    vendor = chance.pick(VENDORS, is_active)
    return vendor_credits.create_credit(
        chance.organization,
        {
            "vendorId": vendor["id"],
            "referenceNumber": f"CR-{chance.rng.randint(10_000, 99_999)}",
            "creditDate": chance.day(),
            "vendorCreditLineItems": chance.lines(chance.rng.randint(1, 2)),
        },
    )


def apply_credit(chance: Chance) -> Row:
    """A credit is used on a bill."""

    def usable(doc: Doc) -> bool:
        left = is_active(doc) and doc["status"] != "FULLY_APPLIED"
        return left and first_open(chance, BILLS, doc["vendorId"], _open_bill) is not None

    credit = chance.pick(VENDOR_CREDITS, usable)
    bill = first_open(chance, BILLS, credit["vendorId"], _open_bill)
    if bill is None:
        raise NothingFits
    amount = min(cents(credit["amount"]) - cents(credit["appliedAmount"]), cents(bill["dueAmount"]))
    if chance.rng.random() < 0.4:
        amount = max(1, amount // 2)
    vendor_credits.apply_credit(chance.organization, credit["id"], bill["id"], amount)
    return chance.organization.table(VENDOR_CREDITS).rows[credit["id"]]


def archive_credit(chance: Chance) -> Row:
    """An unused credit is archived."""
    credit = chance.pick(VENDOR_CREDITS, lambda doc: is_active(doc) and doc["status"] == "NOT_APPLIED")
    return set_archived(chance.organization, VENDOR_CREDITS, credit["id"], archived=True)
