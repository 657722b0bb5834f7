"""What happens with accounts, dimensions, people, bank accounts and schedules."""

from __future__ import annotations

from collections.abc import Callable

from billcom_assets.sandbox.books import accounts
from billcom_assets.sandbox.books.objects import merge, set_archived
from billcom_assets.sandbox.changes.chance import Chance, is_active
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.kinds import (
    ACCOUNTS,
    BANK_ACCOUNTS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEMS,
    RECURRING_BILLS,
    RECURRING_INVOICES,
    USERS,
    Kind,
)
from billcom_assets.sandbox.table import Row


def new_account(chance: Chance) -> Row:
    """A new account below the operating expenses."""
    number = f"8{len(chance.organization.table(ACCOUNTS)) + 1:03d}"
    body = {"name": f"New Account {number}", "account": {"type": "EXPENSE", "number": number}}
    return accounts.create_classification(
        chance.organization, ACCOUNTS, body | {"parentId": chance.organization.account_ids["6000"]}
    )


def rename_account(chance: Chance) -> Row:
    """An account is renamed."""
    account = chance.pick(ACCOUNTS, is_active)
    body = {"name": f"{account['name'][:60]} {chance.rng.randint(2, 99)}", "description": f"Renamed {chance.day()}"}
    return accounts.update_classification(chance.organization, ACCOUNTS, account["id"], body)


def archive_account(chance: Chance) -> Row:
    """An expense account is archived with all below it."""
    account = chance.pick(ACCOUNTS, lambda doc: is_active(doc) and doc["account"]["type"] == "EXPENSE")
    return accounts.archive_account(chance.organization, account["id"])[0]


def restore_account(chance: Chance) -> Row:
    """An archived account comes back."""
    account = chance.pick(ACCOUNTS, lambda doc: bool(doc["archived"]))
    return accounts.restore_account(chance.organization, account["id"])


def edit_dimension(chance: Chance) -> Row:
    """A department or item gets another description."""
    kind = chance.rng.choice((DEPARTMENTS, ITEMS))
    doc = chance.pick(kind, is_active)
    return accounts.update_classification(
        chance.organization, kind, doc["id"], {"description": f"Edited {chance.day()} #{chance.rng.randint(1, 999)}"}
    )


def new_employee(chance: Chance) -> Row:
    """A new employee."""
    names = {
        "firstName": chance.rng.choice(vocabulary.FIRST_NAMES),
        "lastName": chance.rng.choice(vocabulary.LAST_NAMES),
    }
    return accounts.create_classification(chance.organization, EMPLOYEES, names)


def toggle_user(chance: Chance) -> Row:
    """A user is archived or restored."""
    administrator = chance.organization.user_ids["ADMINISTRATOR"]
    user = chance.pick(USERS, lambda doc: doc["id"] != administrator)
    return set_archived(chance.organization, USERS, user["id"], archived=not user["archived"])


def edit_bank(chance: Chance) -> Row:
    """A bank account is opened to the administrators, or closed."""
    bank = chance.pick(BANK_ACCOUNTS, is_active)
    return chance.organization.write(BANK_ACCOUNTS, bank | {"accessToAdmins": not bank["accessToAdmins"]})


def merging(*kinds: Kind) -> Callable[[Chance], Row]:
    """Two objects of one of these kinds turn out to be the same, accounts only of one type."""

    def merge_two(chance: Chance) -> Row:
        kind = chance.rng.choice(kinds)
        survivor = chance.pick(kind, is_active)

        def same(doc: Doc) -> bool:
            alike = kind is not ACCOUNTS or doc["account"]["type"] == survivor["account"]["type"]
            return alike and is_active(doc) and doc["id"] != survivor["id"]

        return merge(chance.organization, kind, chance.pick(kind, same)["id"], survivor["id"])

    return merge_two


def advance_schedule(chance: Chance) -> Row:
    """A recurring bill or invoice moves to its next date."""
    kind = chance.rng.choice((RECURRING_BILLS, RECURRING_INVOICES))
    doc = chance.pick(kind, is_active)
    doc["schedule"] = doc["schedule"] | {"nextDueDate": chance.day(chance.rng.randint(10, 60))}
    return chance.organization.write(kind, doc)
