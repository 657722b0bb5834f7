"""Roles, users, accounts, dimensions, items, employees and bank accounts of one organization."""

from __future__ import annotations

from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import EPOCH_DAY, FIRST_DAY, IMPORT_DAY, LAST_DAY, instant
from billcom_assets.sandbox.generate.companion import Companion
from billcom_assets.sandbox.kinds import (
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    BANK_ACCOUNTS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEMS,
    JOBS,
    LOCATIONS,
    ROLES,
    USERS,
    Kind,
)

_CUSTOM_ROLE = "Reads everything, pays nothing"
_FOUNDING = (FIRST_DAY - EPOCH_DAY) * 86_400 + 9 * 3_600


def add_access(companion: Companion, number: int, slug: str) -> None:
    """Roles and users; every second organization has a role of its own making."""
    role_ids: dict[str, str] = {}
    types = vocabulary.BUILT_IN_ROLES if number % 2 == 0 else (*vocabulary.BUILT_IN_ROLES, "CUSTOM")
    for role_type in types:
        role_ids[role_type] = companion.new_id(ROLES)
        role: Doc = {"id": role_ids[role_type], "type": role_type}
        if role_type == "CUSTOM":
            role["description"] = _CUSTOM_ROLE
        companion.add(ROLES, role, _FOUNDING, _FOUNDING)
    users = list(vocabulary.USERS) + [("CUSTOM", False)] * ("CUSTOM" in role_ids)
    for position, (role_type, archived) in enumerate(users):
        user_id = companion.references.users[role_type] = companion.new_id(USERS)
        first, last = companion.person()
        user: Doc = {
            "id": user_id,
            "archived": archived,
            "firstName": first,
            "lastName": last,
            "email": f"{role_type.lower()}@{slug}.example",
            "role": {"id": role_ids[role_type], "type": role_type},
        }
        if role_type == "CUSTOM":
            user["role"]["description"] = _CUSTOM_ROLE
        created = _FOUNDING + position
        companion.add(USERS, user, created, created + (20_000_000 if archived else 0))


def add_accounts(companion: Companion, extra: int) -> None:
    """The chart of accounts, with parents, archived rows, a duplicate name and ``extra`` project accounts."""
    ids = companion.references.accounts
    chart = list(vocabulary.CHART)
    chart += [
        vocabulary.AccountSeed(f"5{2_001 + index}", f"Project {index + 1}", "COST_OF_GOODS_SOLD", parent="5200")
        for index in range(extra)
    ]
    for seed in chart:
        account_id = companion.new_id(ACCOUNTS)
        ids[seed.number or seed.name] = account_id
        _add_account(companion, account_id, seed, archived=seed.number in vocabulary.ARCHIVED_ACCOUNTS)
    twin = next(seed for seed in vocabulary.CHART if seed.number == vocabulary.DUPLICATE_ACCOUNT)
    _add_account(
        companion, companion.new_id(ACCOUNTS), vocabulary.AccountSeed("", twin.name, twin.type), archived=False
    )


def _add_account(companion: Companion, account_id: str, seed: vocabulary.AccountSeed, *, archived: bool) -> None:
    parent = companion.references.accounts.get(seed.parent)
    account = {"type": seed.type, "number": seed.number} if seed.number else {"type": seed.type}
    doc = compact(
        {
            "id": account_id,
            "archived": archived,
            "name": seed.name,
            "description": seed.description or None,
            "parentId": parent if companion.settings.parent_visible else None,
            "account": account,
        }
    )
    created = instant(IMPORT_DAY, companion.rng)
    updated = instant(companion.rng.randint(IMPORT_DAY, LAST_DAY), companion.rng) if companion.chance(0.3) else created
    companion.add(ACCOUNTS, doc, created, updated, {"parentId": parent} if parent else None)


def add_dimensions(companion: Companion, extra_jobs: int) -> None:
    """Departments, locations, classes and jobs, some of them below a parent, some archived."""
    references = companion.references
    references.departments = _dimension(companion, DEPARTMENTS, vocabulary.DEPARTMENTS)
    references.locations = _dimension(companion, LOCATIONS, vocabulary.LOCATIONS)
    references.classes = _dimension(companion, ACCOUNTING_CLASSES, vocabulary.ACCOUNTING_CLASSES)
    jobs = (*vocabulary.JOBS, *(f"Job {index + 101}" for index in range(extra_jobs)))
    references.jobs = _dimension(companion, JOBS, jobs)


def _dimension(companion: Companion, kind: Kind, names: tuple[str, ...]) -> list[str]:
    ids: dict[str, str] = {}
    for name in names:
        ids[name] = companion.new_id(kind)
        parent = next((ids[other] for other in ids if other != name and name.startswith(f"{other} ")), None)
        doc = compact(
            {
                "id": ids[name],
                "archived": companion.chance(0.06),
                "name": name,
                "shortName": "".join(word[0] for word in name.split()).upper() if companion.chance(0.6) else None,
                "description": f"{name} of the company" if companion.chance(0.3) else None,
                "parentId": parent,
            }
        )
        created = instant(IMPORT_DAY, companion.rng)
        companion.add(kind, doc, created, created + companion.rng.choice((0, 0, 3_600, 30_000_000)))
    return list(ids.values())


def add_items(companion: Companion, extra: int) -> None:
    """Items: goods, services and a sales tax item."""
    accounts = companion.references.accounts
    names = (*vocabulary.ITEM_WORDS, *(f"Part {index + 1001}" for index in range(extra)))
    for position, name in enumerate(names):
        item_id = companion.new_id(ITEMS)
        item_type = vocabulary.ITEM_TYPES[position] if position < len(vocabulary.ITEM_TYPES) else "INVENTORY"
        stocked = item_type == "INVENTORY"
        price = companion.rng.randint(300, 90_000)
        doc = compact(
            {
                "id": item_id,
                "archived": companion.chance(0.05),
                "type": item_type,
                "name": name,
                "shortName": name[:4].upper().strip(),
                "description": f"{name}, sold by the piece" if companion.chance(0.5) else None,
                "parentId": companion.references.items[0] if position > 8 and companion.chance(0.3) else None,
                "price": companion.money(price) if item_type != "SALES_TAX" else None,
                "chartOfAccountId": accounts["2200" if item_type == "SALES_TAX" else "4100" if stocked else "4000"],
                "expenseChartOfAccountId": accounts["5100"] if stocked else None,
                "purchaseDescription": f"{name}, box of 10" if stocked else None,
                "purchaseCost": companion.money(price * 6) if stocked else None,
                "taxable": stocked,
                "percentage": companion.money(825) if item_type == "SALES_TAX" else companion.money(0),
            }
        )
        created = instant(companion.rng.randint(FIRST_DAY, LAST_DAY - 200), companion.rng)
        companion.add(ITEMS, doc, created, created + companion.rng.choice((0, 0, 86_400)))
        companion.references.items.append(item_id)


def add_employees(companion: Companion, count: int) -> None:
    """Employees; most report to an earlier one."""
    for _ in range(count):
        employee_id = companion.new_id(EMPLOYEES)
        first, last = companion.person()
        managers = companion.references.employees[:6]
        doc = compact(
            {
                "id": employee_id,
                "archived": companion.chance(0.1),
                "firstName": first,
                "lastName": last,
                "shortName": first[0] + last[0] if companion.chance(0.7) else None,
                "parentId": companion.rng.choice(managers) if managers else None,
            }
        )
        created = instant(companion.rng.randint(FIRST_DAY, LAST_DAY - 30), companion.rng)
        companion.add(EMPLOYEES, doc, created, created + companion.rng.choice((0, 0, 5_000_000)))
        companion.references.employees.append(employee_id)


_BANKS = (
    ("Operating", "First Harbor Bank", "CHECKING", "VERIFIED", False, "1000"),
    ("Payroll", "First Harbor Bank", "SAVINGS", "VERIFIED", False, "1010"),
    ("Former", "Old Mutual Savings", "CHECKING", "EXPIRED", True, "1000"),
    ("Petty cash", "Riverbend Credit Union", "CHECKING", "VERIFIED", False, ""),
)
"""Purpose, bank, type, status, whether archived, and the mapped account number; the last one is unmapped."""


def add_banks(companion: Companion, company: str) -> None:
    """Bank accounts; the last one has no chart-of-accounts link."""
    references = companion.references
    for position, (purpose, bank, account_type, status, archived, number) in enumerate(_BANKS):
        bank_id = companion.new_id(BANK_ACCOUNTS)
        references.banks.append(bank_id)
        doc = compact(
            {
                "id": bank_id,
                "archived": archived,
                "status": status,
                "createdBy": references.users["ADMINISTRATOR"],
                "routingNumber": f"3222716{companion.rng.randint(10, 99)}",
                "accountNumber": f"*****{companion.rng.randint(1000, 9999)}",
                "nameOnAccount": f"{company} {purpose}",
                "type": account_type,
                "ownerType": "BUSINESS",
                "bankName": bank,
                "accessToAdmins": position == 0,
                "default": {"payables": position == 0, "receivables": position == 0},
                "chartOfAccountId": references.accounts.get(number),
            }
        )
        created = _FOUNDING + 600 * position
        companion.add(BANK_ACCOUNTS, doc, created, created + (40_000_000 if archived else 0))
