"""Random believable business: what happens in a company between two syncs.

Every change goes through the books, so sums stay right and exactly the objects that BILL would touch get a new
``updatedTime`` (as the readings in force say).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from random import Random

from billcom_assets.sandbox.books import accounts, bills, payments, receivables, vendor_credits, vendors
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.kinds import (
    ACCOUNTS,
    BANK_ACCOUNTS,
    BILLS,
    CREDIT_MEMOS,
    CUSTOMERS,
    DEPARTMENTS,
    EMPLOYEES,
    INVOICES,
    ITEMS,
    PAYMENTS,
    RECEIVABLE_PAYMENTS,
    RECURRING_BILLS,
    RECURRING_INVOICES,
    USERS,
    VENDOR_CREDITS,
    VENDORS,
    Kind,
)
from billcom_assets.sandbox.money import cents, money
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.world import Organization

_LOOKS = 40
"""Random looks for a fitting object before the rest is searched in order."""
_SEARCHED = 2_000
"""Objects searched in order before a kind of change is given up for now."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened.

    Attributes:
        what: For example ``pay a bill``.
        path: List of the object it is about.
        id: That object.
    """

    what: str
    path: str
    id: str


class NothingFits(Exception):
    """No object is in the state that a kind of change needs."""


class Chance:
    """One organization and a stream of luck.

    Args:
        organization: Where things happen.
        seed: Decides what happens.
    """

    def __init__(self, organization: Organization, seed: int) -> None:
        self.organization = organization
        self.rng = Random(f"{organization.id}/{seed}")

    @property
    def clerk(self) -> str:
        """The user who enters things."""
        return self.organization.user_ids["CLERK"]

    def day(self, ahead: int = 0) -> str:
        """A date so many days from the clock's today."""
        return (self.organization.clock.now().date() + timedelta(days=ahead)).isoformat()

    def pick(self, kind: Kind, fits: Callable[[Doc], bool]) -> Doc:
        """Some object that fits.

        Raises:
            NothingFits: None was found in a fair number of looks.
        """
        table = self.organization.table(kind)
        count = len(table.ids)
        looks = [self.rng.randrange(count // 2 * (look % 2), count) for look in range(_LOOKS if count else 0)]
        start = self.rng.randrange(count) if count else 0
        for position in chain(looks, range(start, start + min(count, _SEARCHED))):
            doc = table.rows[table.ids[position % count]].doc()
            if fits(doc):
                return doc
        raise NothingFits

    def account(self) -> str:
        """The id of an expense account."""
        return self.organization.account_ids[self.rng.choice(("6100", "6400", "6600", "6900", "5100"))]

    def lines(self, count: int) -> list[Doc]:
        """Line items of a request body."""
        return [
            {
                "amount": str(money(self.rng.randint(500, 200_000))),
                "description": self.rng.choice(("Services", "Supplies", "Fees")),
                "classifications": {"chartOfAccountId": self.account()},
            }
            for _ in range(count)
        ]


def _active(doc: Doc) -> bool:
    return not doc["archived"]


def _open_bill(doc: Doc) -> bool:
    allowed = doc["recordStatus"] == "ACTIVE" and doc["approvalStatus"] in ("APPROVED", "UNASSIGNED")
    return allowed and cents(doc["dueAmount"]) > 0


def _untouched_bill(doc: Doc) -> bool:
    return (doc["recordStatus"], doc["paymentStatus"]) == ("ACTIVE", "UNPAID")


def _new_vendor(chance: Chance) -> Row:
    number = len(chance.organization.table(VENDORS)) + 1
    head, end = chance.rng.choice(vocabulary.COMPANY_HEADS), chance.rng.choice(vocabulary.COMPANY_ENDINGS)
    city, state, code = chance.rng.choice(vocabulary.CITIES)
    address = {"line1": f"{number} Market St", "city": city, "stateOrProvince": state, "zipOrPostalCode": code}
    body = {
        "name": f"{head} Services {end} {number}".replace("  ", " "),
        "address": {**address, "country": "US", "countryName": "United States"},
        "accountType": "BUSINESS",
        "email": f"billing{number}@{head.lower()}.example",
    }
    return vendors.create_vendor(chance.organization, body)


def _edit_vendor(chance: Chance) -> Row:
    vendor = chance.pick(VENDORS, _active)
    body: Doc = {"phone": f"415555{chance.rng.randint(100, 199):04d}"}
    if chance.rng.random() < 0.3:
        body["name"] = f"{vendor['name'][:80]} {chance.rng.choice(('Group', 'Holdings', 'West'))}"
    return vendors.update_vendor(chance.organization, vendor["id"], body)


def _archive_vendor(chance: Chance) -> Row:
    vendor = chance.pick(VENDORS, lambda doc: _active(doc) and doc["balance"]["amount"] == 0)
    return set_archived(chance.organization, VENDORS, vendor["id"], archived=True)


def _restore_vendor(chance: Chance) -> Row:
    vendor = chance.pick(VENDORS, lambda doc: bool(doc["archived"]))
    return set_archived(chance.organization, VENDORS, vendor["id"], archived=False)


def _new_bill(chance: Chance) -> Row:
    vendor = chance.pick(VENDORS, _active)
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
        approvers = [chance.organization.user_ids[role] for role in ("APPROVER", "ACCOUNTANT")]
        return bills.assign_approvers(chance.organization, row.id, approvers[: chance.rng.randint(1, 2)])
    return row


def _edit_bill(chance: Chance) -> Row:
    bill = chance.pick(BILLS, _untouched_bill)
    body: Doc = {"description": f"Corrected {chance.day()}"}
    if chance.rng.random() < 0.6:
        first = bill["billLineItems"][0]
        kept = {key: value for key, value in first.items() if key not in ("quantity", "price")}
        changed = kept | {"amount": money(chance.rng.randint(100_000, 900_000))}
        body["billLineItems"] = [changed, *chance.lines(chance.rng.randint(0, 2))]
    return bills.update_bill(chance.organization, bill["id"], body)


def _drop_a_line(chance: Chance) -> Row:
    bill = chance.pick(BILLS, lambda doc: _untouched_bill(doc) and len(doc["billLineItems"]) > 1)
    kept = bill["billLineItems"][:-1]
    if sum(cents(line["amount"]) for line in kept) <= 0:
        raise NothingFits
    return bills.update_bill(chance.organization, bill["id"], {"billLineItems": kept}, replace=True)


def _decide_bill(chance: Chance) -> Row:
    bill = chance.pick(BILLS, lambda doc: doc["approvalStatus"] in ("ASSIGNED", "APPROVING"))
    hidden = chance.organization.table(BILLS).rows[bill["id"]].hidden or {}
    waiting = next(entry for entry in hidden["approvers"] if entry["status"] == "WAITING")
    approve = chance.rng.random() < 0.85
    return bills.decide_bill(chance.organization, bill["id"], waiting["userId"], approve=approve)


def _archive_bill(chance: Chance) -> Row:
    bill = chance.pick(BILLS, _untouched_bill)
    return bills.set_bill_archived(chance.organization, bill["id"], archived=True)


def _restore_bill(chance: Chance) -> Row:
    bill = chance.pick(BILLS, lambda doc: doc["recordStatus"] == "INACTIVE")
    return bills.set_bill_archived(chance.organization, bill["id"], archived=False)


def _pay_bills(chance: Chance) -> Row:
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


def _settle_payment(chance: Chance) -> Row:
    payment = chance.pick(PAYMENTS, lambda doc: doc["status"] in ("SCHEDULED", "APPROVING"))
    return payments.settle_payment(chance.organization, payment["id"])


def _advance_payment(chance: Chance) -> Row:
    payment = chance.pick(PAYMENTS, lambda doc: doc["singleStatus"] in ("PROCESSED", "SENT", "DELIVERED"))
    following = {"PROCESSED": "SENT", "SENT": "DELIVERED", "DELIVERED": "CLEARED"}
    return payments.advance_payment(chance.organization, payment["id"], following[payment["singleStatus"]])


def _cancel_payment(chance: Chance) -> Row:
    payment = chance.pick(PAYMENTS, lambda doc: doc["singleStatus"] == "SCHEDULED")
    return payments.cancel_payment(chance.organization, payment["id"])


def _void_payment(chance: Chance) -> Row:
    payment = chance.pick(PAYMENTS, lambda doc: doc["status"] == "PAID")
    administrator = chance.organization.user_ids["ADMINISTRATOR"]
    return payments.void_payment(chance.organization, payment["id"], administrator, "VOID_ONLY", "Wrong amount")


def _new_credit(chance: Chance) -> Row:
    vendor = chance.pick(VENDORS, _active)
    return vendor_credits.create_credit(
        chance.organization,
        {
            "vendorId": vendor["id"],
            "referenceNumber": f"CR-{chance.rng.randint(10_000, 99_999)}",
            "creditDate": chance.day(),
            "vendorCreditLineItems": chance.lines(chance.rng.randint(1, 2)),
        },
    )


def _first_open(chance: Chance, kind: Kind, party_id: str, fits: Callable[[Doc], bool]) -> Doc | None:
    """The first document of a vendor or customer that fits."""
    documents = (row.doc() for row in chance.organization.table(kind).of_party(party_id))
    return next((doc for doc in documents if fits(doc)), None)


def _apply_credit(chance: Chance) -> Row:
    def usable(doc: Doc) -> bool:
        left = _active(doc) and doc["status"] != "FULLY_APPLIED"
        return left and _first_open(chance, BILLS, doc["vendorId"], _open_bill) is not None

    credit = chance.pick(VENDOR_CREDITS, usable)
    bill = _first_open(chance, BILLS, credit["vendorId"], _open_bill)
    if bill is None:
        raise NothingFits
    amount = min(cents(credit["amount"]) - cents(credit["appliedAmount"]), cents(bill["dueAmount"]))
    if chance.rng.random() < 0.4:
        amount = max(1, amount // 2)
    vendor_credits.apply_credit(chance.organization, credit["id"], bill["id"], amount)
    return chance.organization.table(VENDOR_CREDITS).rows[credit["id"]]


def _archive_credit(chance: Chance) -> Row:
    credit = chance.pick(VENDOR_CREDITS, lambda doc: _active(doc) and doc["status"] == "NOT_APPLIED")
    return set_archived(chance.organization, VENDOR_CREDITS, credit["id"], archived=True)


def _new_account(chance: Chance) -> Row:
    number = f"8{len(chance.organization.table(ACCOUNTS)) + 1:03d}"
    body = {"name": f"New Account {number}", "account": {"type": "EXPENSE", "number": number}}
    return accounts.create_classification(
        chance.organization, ACCOUNTS, body | {"parentId": chance.organization.account_ids["6000"]}
    )


def _rename_account(chance: Chance) -> Row:
    account = chance.pick(ACCOUNTS, _active)
    body = {"name": f"{account['name'][:60]} {chance.rng.randint(2, 99)}", "description": f"Renamed {chance.day()}"}
    return accounts.update_classification(chance.organization, ACCOUNTS, account["id"], body)


def _archive_account(chance: Chance) -> Row:
    account = chance.pick(ACCOUNTS, lambda doc: _active(doc) and doc["account"]["type"] == "EXPENSE")
    return accounts.archive_account(chance.organization, account["id"])[0]


def _restore_account(chance: Chance) -> Row:
    account = chance.pick(ACCOUNTS, lambda doc: bool(doc["archived"]))
    return accounts.restore_account(chance.organization, account["id"])


def _edit_dimension(chance: Chance) -> Row:
    kind = chance.rng.choice((DEPARTMENTS, ITEMS))
    doc = chance.pick(kind, _active)
    return accounts.update_classification(
        chance.organization, kind, doc["id"], {"description": f"Edited {chance.day()} #{chance.rng.randint(1, 999)}"}
    )


def _new_employee(chance: Chance) -> Row:
    names = {
        "firstName": chance.rng.choice(vocabulary.FIRST_NAMES),
        "lastName": chance.rng.choice(vocabulary.LAST_NAMES),
    }
    return accounts.create_classification(chance.organization, EMPLOYEES, names)


def _toggle_user(chance: Chance) -> Row:
    administrator = chance.organization.user_ids["ADMINISTRATOR"]
    user = chance.pick(USERS, lambda doc: doc["id"] != administrator)
    return set_archived(chance.organization, USERS, user["id"], archived=not user["archived"])


def _edit_bank(chance: Chance) -> Row:
    bank = chance.pick(BANK_ACCOUNTS, _active)
    return chance.organization.write(BANK_ACCOUNTS, bank | {"accessToAdmins": not bank["accessToAdmins"]})


def _advance_schedule(chance: Chance) -> Row:
    kind = chance.rng.choice((RECURRING_BILLS, RECURRING_INVOICES))
    doc = chance.pick(kind, _active)
    doc["schedule"] = doc["schedule"] | {"nextDueDate": chance.day(chance.rng.randint(10, 60))}
    return chance.organization.write(kind, doc)


def _new_customer(chance: Chance) -> Row:
    number = len(chance.organization.table(CUSTOMERS)) + 1
    head = chance.rng.choice(vocabulary.COMPANY_HEADS)
    return receivables.create_customer(
        chance.organization, {"name": f"{head} Retail {number}", "email": f"ap{number}@{head.lower()}.example"}
    )


def _edit_customer(chance: Chance) -> Row:
    customer = chance.pick(CUSTOMERS, _active)
    return receivables.update_customer(
        chance.organization, customer["id"], {"phone": f"206555{chance.rng.randint(100, 199):04d}"}
    )


def _new_invoice(chance: Chance) -> Row:
    customer = chance.pick(CUSTOMERS, _active)
    lines = [
        {
            "description": "Service",
            "price": money(chance.rng.randint(1_000, 80_000)),
            "quantity": chance.rng.randint(1, 9),
        }
        for _ in range(chance.rng.randint(1, 3))
    ]
    body = {"customer": {"id": customer["id"]}, "invoiceLineItems": lines, "dueDate": chance.day(30)}
    return receivables.create_invoice(chance.organization, body, chance.clerk)


def _open_invoice(doc: Doc) -> bool:
    return doc["recordStatus"] == "ACTIVE" and cents(doc["dueAmount"]) > 0


def _receive(chance: Chance) -> Row:
    invoice = chance.pick(INVOICES, _open_invoice)
    due = cents(invoice["dueAmount"])
    amount = due if chance.rng.random() < 0.7 else max(1, due // 3)
    unapplied = chance.rng.choice((0, 0, 0, 2_500)) if amount == due else 0
    return receivables.receive(chance.organization, [(invoice["id"], amount)], unapplied=unapplied)


def _void_receipt(chance: Chance) -> Row:
    payment = chance.pick(RECEIVABLE_PAYMENTS, lambda doc: doc["status"] == "PAID")
    return receivables.void_receipt(chance.organization, payment["id"])


def _archive_invoice(chance: Chance) -> Row:
    invoice = chance.pick(INVOICES, lambda doc: doc["recordStatus"] == "ACTIVE" and doc["status"] == "OPEN")
    return receivables.set_invoice_archived(chance.organization, invoice["id"], archived=True)


def _grant_memo(chance: Chance) -> Row:
    invoice = chance.pick(INVOICES, _open_invoice)
    amount = max(1, cents(invoice["dueAmount"]) // 5)
    reference = f"CM-{chance.rng.randint(10_000, 99_999)}"
    return receivables.create_memo(chance.organization, invoice["customerId"], amount, reference)


def _apply_memo(chance: Chance) -> Row:
    def usable(doc: Doc) -> bool:
        left = _active(doc) and doc["status"] != "FULLY_APPLIED"
        return left and _first_open(chance, INVOICES, doc["customerId"], _open_invoice) is not None

    memo = chance.pick(CREDIT_MEMOS, usable)
    owed = _first_open(chance, INVOICES, memo["customerId"], _open_invoice)
    if owed is None:
        raise NothingFits
    amount = min(cents(memo["amount"]) - cents(memo["appliedAmount"]), cents(owed["dueAmount"]))
    return receivables.apply_memo(chance.organization, memo["id"], owed["id"], amount)


Happening = Callable[[Chance], Row]
HAPPENINGS: dict[str, tuple[int, Kind | None, Happening]] = {
    "create a vendor": (4, VENDORS, _new_vendor),
    "edit a vendor": (4, VENDORS, _edit_vendor),
    "archive a vendor": (2, VENDORS, _archive_vendor),
    "restore a vendor": (1, VENDORS, _restore_vendor),
    "enter a bill": (16, BILLS, _new_bill),
    "edit a bill": (6, BILLS, _edit_bill),
    "drop a line of a bill": (2, BILLS, _drop_a_line),
    "decide on a bill": (6, BILLS, _decide_bill),
    "archive a bill": (2, BILLS, _archive_bill),
    "restore a bill": (1, BILLS, _restore_bill),
    "pay bills": (14, PAYMENTS, _pay_bills),
    "settle a payment": (8, PAYMENTS, _settle_payment),
    "advance a payment": (3, PAYMENTS, _advance_payment),
    "cancel a payment": (2, PAYMENTS, _cancel_payment),
    "void a payment": (3, PAYMENTS, _void_payment),
    "enter a vendor credit": (3, VENDOR_CREDITS, _new_credit),
    "apply a vendor credit": (4, VENDOR_CREDITS, _apply_credit),
    "archive a vendor credit": (1, VENDOR_CREDITS, _archive_credit),
    "create an account": (1, ACCOUNTS, _new_account),
    "rename an account": (2, ACCOUNTS, _rename_account),
    "archive an account": (1, ACCOUNTS, _archive_account),
    "restore an account": (1, ACCOUNTS, _restore_account),
    "edit a department or item": (2, None, _edit_dimension),
    "hire an employee": (1, EMPLOYEES, _new_employee),
    "archive or restore a user": (1, USERS, _toggle_user),
    "edit a bank account": (1, BANK_ACCOUNTS, _edit_bank),
    "advance a schedule": (1, None, _advance_schedule),
    "create a customer": (2, CUSTOMERS, _new_customer),
    "edit a customer": (2, CUSTOMERS, _edit_customer),
    "send an invoice": (8, INVOICES, _new_invoice),
    "receive a payment": (8, RECEIVABLE_PAYMENTS, _receive),
    "void a received payment": (1, RECEIVABLE_PAYMENTS, _void_receipt),
    "archive an invoice": (1, INVOICES, _archive_invoice),
    "grant a credit memo": (2, CREDIT_MEMOS, _grant_memo),
    "apply a credit memo": (2, CREDIT_MEMOS, _apply_memo),
}
"""What can happen: its weight, the kind of object it is about (None: several), and how."""


def change(organization: Organization, n: int, seed: int, *, only: str | None = None) -> list[Change]:
    """Let ``n`` things happen in an organization, the same for the same state and seed.

    Args:
        organization: Where.
        n: How many.
        seed: Decides what and to whom.
        only: One of ``HAPPENINGS``; any of them when None.

    Raises:
        ValueError: ``only`` is no happening, or the organization has nothing it can happen to.
    """
    if only is not None and only not in HAPPENINGS:
        raise ValueError(f"{only!r} is none of {', '.join(HAPPENINGS)}")
    chance = Chance(organization, seed)
    names = [only] if only else list(HAPPENINGS)
    return [_one(chance, names) for _ in range(n)]


def _one(chance: Chance, names: list[str]) -> Change:
    left = list(names)
    while left:
        (name,) = chance.rng.choices(left, [HAPPENINGS[one][0] for one in left])
        try:
            row = HAPPENINGS[name][2](chance)
        except NothingFits:
            left.remove(name)
            continue
        return Change(name, _path_of(chance.organization, name, row), row.id)
    raise ValueError(f"nothing of {', '.join(names)} can happen in {chance.organization.name}")


def _path_of(organization: Organization, name: str, row: Row) -> str:
    kind = HAPPENINGS[name][1]
    if kind is None:
        kind = next(one for one, table in organization.tables.items() if row.id in table.rows)
    return kind.path
