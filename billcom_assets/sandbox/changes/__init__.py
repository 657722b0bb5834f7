"""Random believable business: what happens in a company between two syncs.

Every change goes through the books, so sums stay right and exactly the objects that BILL would touch get a new
``updatedTime`` (as the readings in force say).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from billcom_assets.sandbox.books.money_movements import move_money
from billcom_assets.sandbox.changes import payables, receivables, reference
from billcom_assets.sandbox.changes.chance import Chance, NothingFits
from billcom_assets.sandbox.kinds import (
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    BANK_ACCOUNTS,
    BILLS,
    CREDIT_MEMOS,
    CUSTOMERS,
    DEPARTMENTS,
    EMPLOYEES,
    INVOICES,
    JOBS,
    LOCATIONS,
    MONEY_MOVEMENTS,
    PAYMENTS,
    RECEIVABLE_PAYMENTS,
    USERS,
    VENDOR_CREDITS,
    VENDORS,
    Kind,
)
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row


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


Happening = Callable[[Chance], Row]
HAPPENINGS: dict[str, tuple[int, Kind | None, Happening]] = {
    "create a vendor": (4, VENDORS, payables.new_vendor),
    "edit a vendor": (4, VENDORS, payables.edit_vendor),
    "archive a vendor": (2, VENDORS, payables.archive_vendor),
    "restore a vendor": (1, VENDORS, payables.restore_vendor),
    "enter a bill": (16, BILLS, payables.new_bill),
    "edit a bill": (6, BILLS, payables.edit_bill),
    "drop a line of a bill": (2, BILLS, payables.drop_a_line),
    "decide on a bill": (6, BILLS, payables.decide_bill),
    "archive a bill": (2, BILLS, payables.archive_bill),
    "restore a bill": (1, BILLS, payables.restore_bill),
    "pay bills": (14, PAYMENTS, payables.pay_bills),
    "settle a payment": (8, PAYMENTS, payables.settle_payment),
    "advance a payment": (3, PAYMENTS, payables.advance_payment),
    "cancel a payment": (2, PAYMENTS, payables.cancel_payment),
    "void a payment": (3, PAYMENTS, payables.void_payment),
    "enter a vendor credit": (3, VENDOR_CREDITS, payables.new_credit),
    "apply a vendor credit": (4, VENDOR_CREDITS, payables.apply_credit),
    "archive a vendor credit": (1, VENDOR_CREDITS, payables.archive_credit),
    "create an account": (1, ACCOUNTS, reference.new_account),
    "rename an account": (2, ACCOUNTS, reference.rename_account),
    "archive an account": (1, ACCOUNTS, reference.archive_account),
    "restore an account": (1, ACCOUNTS, reference.restore_account),
    "edit a department or item": (2, None, reference.edit_dimension),
    "hire an employee": (1, EMPLOYEES, reference.new_employee),
    "archive or restore a user": (1, USERS, reference.toggle_user),
    "edit a bank account": (1, BANK_ACCOUNTS, reference.edit_bank),
    "advance a schedule": (1, None, reference.advance_schedule),
    "create a customer": (2, CUSTOMERS, receivables.new_customer),
    "edit a customer": (2, CUSTOMERS, receivables.edit_customer),
    "send an invoice": (8, INVOICES, receivables.new_invoice),
    "receive a payment": (8, RECEIVABLE_PAYMENTS, receivables.receive),
    "void a received payment": (1, RECEIVABLE_PAYMENTS, receivables.void_receipt),
    "archive an invoice": (1, INVOICES, receivables.archive_invoice),
    "grant a credit memo": (2, CREDIT_MEMOS, receivables.grant_memo),
    "apply a credit memo": (2, CREDIT_MEMOS, receivables.apply_memo),
    "move a posting date": (0, None, payables.move_posting_date),
    "confirm a money movement": (0, MONEY_MOVEMENTS, payables.conclude_movement("CONFIRMED")),
    "void a money movement": (0, MONEY_MOVEMENTS, payables.conclude_movement("VOIDED")),
    "merge two vendors": (0, VENDORS, reference.merging(VENDORS)),
    "merge two customers": (0, CUSTOMERS, reference.merging(CUSTOMERS)),
    "merge two accounts": (0, ACCOUNTS, reference.merging(ACCOUNTS)),
    "merge two employees": (0, EMPLOYEES, reference.merging(EMPLOYEES)),
    "merge two dimensions": (0, None, reference.merging(ACCOUNTING_CLASSES, DEPARTMENTS, JOBS, LOCATIONS)),
    "decide on a vendor credit": (0, VENDOR_CREDITS, payables.decide_credit),
}
"""What can happen: its weight, the kind of object it is about (None: several), and how.

What has no weight happens only when asked for: v3 hardly shows it.
"""


def change(organization: Organization, n: int, seed: int, *, only: str | None = None) -> list[Change]:
    """Let ``n`` things happen in an organization, the same for the same state and seed; then the money moves.

    Args:
        organization: Where.
        n: How many.
        seed: Decides what and to whom.
        only: One of ``HAPPENINGS``; any of those with a weight when None.

    Raises:
        ValueError: ``only`` is no happening, or the organization has nothing it can happen to.
    """
    if only is not None and only not in HAPPENINGS:
        raise ValueError(f"{only!r} is none of {', '.join(HAPPENINGS)}")
    chance = Chance(organization, seed)
    names = [only] if only else [name for name, (weight, _, _) in HAPPENINGS.items() if weight]
    changes = [_one(chance, names) for _ in range(n)]
    move_money(organization)
    return changes


def _one(chance: Chance, names: list[str]) -> Change:
    left = list(names)
    while left:
        (name,) = chance.rng.choices(left, [HAPPENINGS[one][0] or 1 for one in left])
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
