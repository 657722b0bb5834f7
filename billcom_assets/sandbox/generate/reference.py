"""Roles, users, accounts, dimensions, items, employees and bank accounts of one organization."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from billcom_assets.sandbox.books.accounts import archive_account, create_classification, update_classification
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.codec import Doc, compact
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.calendar import EPOCH_DAY, FIRST_DAY, IMPORT_DAY, LAST_DAY, instant
from billcom_assets.sandbox.generate.history import History
from billcom_assets.sandbox.kinds import (
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    BANK_ACCOUNTS,
    CARD_ACCOUNTS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEMS,
    JOBS,
    LOCATIONS,
    ROLES,
    USERS,
    Kind,
)
from billcom_assets.sandbox.organization import Organization

_CUSTOM_ROLE = "Reads everything, pays nothing"
_FOUNDING = (FIRST_DAY - EPOCH_DAY) * 86_400 + 9 * 3_600
_FOUNDED = {key: stamp(_FOUNDING) for key in ("createdTime", "updatedTime")}


def add_access(history: History) -> None:
    """Roles and users; every second organization has a role of its own making."""
    organization, luck = history.organization, history.luck(USERS)
    custom = ("CUSTOM",) if organization.number % 2 else ()
    roles: dict[str, Doc] = {}
    for role_type in (*vocabulary.BUILT_IN_ROLES, *custom):
        role = roles[role_type] = {"id": organization.ids.new(ROLES.prefix), "type": role_type}
        if role_type == "CUSTOM":
            role["description"] = _CUSTOM_ROLE
        history.at(_FOUNDING, partial(organization.write, ROLES, role.copy()))
    for position, role_type in enumerate((*vocabulary.USERS, *custom)):
        if role_type not in organization.user_ids:
            organization.user_ids[role_type] = organization.ids.new(USERS.prefix)
        first, last = luck.person()
        user = {
            "id": organization.user_ids[role_type],
            "archived": False,
            "firstName": first,
            "lastName": last,
            "email": f"{role_type.lower()}@{organization.slug}.example",
            "role": roles[role_type],
        }
        created = _FOUNDING + position
        history.at(created, partial(organization.write, USERS, user))
        if role_type in vocabulary.FORMER_USERS:
            leave = partial(set_archived, organization, USERS, organization.user_ids[role_type], archived=True)
            history.at(created + 20_000_000, leave)
    history.run()


def add_accounts(history: History, projects: int) -> None:
    """The chart of accounts, with parents, archived rows, a duplicate name and an account for each project."""
    organization = history.organization
    chart = [
        *vocabulary.CHART,
        *(
            vocabulary.AccountSeed(f"5{2_001 + index}", f"Project {index + 1}", "COST_OF_GOODS_SOLD", parent="5200")
            for index in range(projects)
        ),
    ]
    if history.settings.duplicate_accounts:
        twin = next(seed for seed in vocabulary.CHART if seed.number == vocabulary.DUPLICATE_ACCOUNT)
        chart.append(vocabulary.AccountSeed("", twin.name, twin.type))
    chart += [vocabulary.AccountSeed("", f"Further account {index + 1}", "EXPENSE") for index in history.more(ACCOUNTS)]
    for seed in chart:
        account = {"type": seed.type, "number": seed.number} if seed.number else {"type": seed.type}
        parent = organization.account_ids.get(seed.parent)
        body = {"name": seed.name, "description": seed.description, "account": account, "parentId": parent}
        archived = seed.number in vocabulary.ARCHIVED_ACCOUNTS
        account_id = _create(history, ACCOUNTS, IMPORT_DAY, body, archived=archived)
        organization.account_ids.setdefault(seed.number or seed.name, account_id)


def _create(history: History, kind: Kind, day: int, body: Doc, *, archived: bool) -> str:
    """Create a classification on a day and perhaps change it later, or archive it; returns its id."""
    organization, luck = history.organization, history.luck(kind)
    created = instant(day, luck)
    ids: list[str] = []

    def create() -> None:
        ids.append(create_classification(organization, kind, body).id)

    def change() -> None:
        if not archived:
            update_classification(organization, kind, ids[0], {})
        elif kind is ACCOUNTS:
            archive_account(organization, ids[0])
        else:
            set_archived(organization, kind, ids[0], archived=True)

    history.at(created, create)
    edited = luck.happens(0.3)
    moment = max(created, instant(luck.randint(day, LAST_DAY), luck))
    if archived or edited:
        history.at(moment, change)
    history.run()
    return ids[0]


def add_dimensions(history: History, jobs: int) -> None:
    """Departments, locations, classes and jobs, some of them below a parent, some archived."""
    references = history.references
    references.departments = _dimension(history, DEPARTMENTS, vocabulary.DEPARTMENTS)
    references.locations = _dimension(history, LOCATIONS, vocabulary.LOCATIONS)
    references.classes = _dimension(history, ACCOUNTING_CLASSES, vocabulary.ACCOUNTING_CLASSES)
    names = (*vocabulary.JOBS, *(f"Job {index + 101}" for index in range(jobs)))
    references.jobs = _dimension(history, JOBS, names)


def _dimension(history: History, kind: Kind, names: Iterable[str]) -> list[str]:
    luck, ids = history.luck(kind), dict[str, str]()
    planned = list(names)
    for name in (*planned, *(f"Further {kind.noun} {index + 1}" for index in history.more(kind))):
        initials = "".join(word[0] for word in name.split()).upper()
        body = {
            "name": name,
            "shortName": luck.maybe(0.6, initials),
            "description": luck.maybe(0.3, f"{name} of the company"),
            "parentId": next((ids[other] for other in ids if name.startswith(f"{other} ")), None),
        }
        ids[name] = _create(history, kind, IMPORT_DAY, compact(body), archived=luck.happens(0.06))
    return [ids[name] for name in planned]


def add_items(history: History, parts: int) -> None:
    """Items: goods, services and a sales tax item."""
    organization, luck, references = history.organization, history.luck(ITEMS), history.references
    accounts, money = organization.account_ids, organization.money
    planned = len(vocabulary.ITEMS) + parts
    for position in (*range(planned), *history.more(ITEMS, after=planned)):
        past_list = position >= len(vocabulary.ITEMS)
        name, item_type = (
            (f"Part {position - len(vocabulary.ITEMS) + 1001}", "INVENTORY")
            if past_list
            else vocabulary.ITEMS[position]
        )
        stocked, taxes, price = item_type == "INVENTORY", item_type == "SALES_TAX", luck.randint(300, 90_000)
        body = {
            "type": item_type,
            "name": name,
            "shortName": name[:4].upper().strip(),
            "description": luck.maybe(0.5, f"{name}, sold by the piece"),
            "parentId": references.items[0] if past_list and luck.happens(0.3) else None,
            "price": None if taxes else money(price),
            "chartOfAccountId": accounts["2200" if taxes else "4100" if stocked else "4000"],
            "expenseChartOfAccountId": accounts["5100"] if stocked else None,
            "purchaseDescription": f"{name}, box of 10" if stocked else None,
            "purchaseCost": money(price * 6) if stocked else None,
            "taxable": stocked,
            "percentage": money(825 if taxes else 0),
        }
        day = luck.randint(FIRST_DAY, LAST_DAY - 200)
        item_id = _create(history, ITEMS, day, compact(body), archived=luck.happens(0.05))
        if position < planned:
            references.items.append(item_id)


def add_employees(history: History, count: int) -> None:
    """Employees; most report to an earlier one."""
    luck, employees = history.luck(EMPLOYEES), history.references.employees
    for position in (*range(count), *history.more(EMPLOYEES, after=count)):
        first, last = luck.person()
        body = {
            "firstName": first,
            "lastName": last,
            "shortName": luck.maybe(0.7, first[0] + last[0]),
            "parentId": luck.choice(employees[:6]) if employees else None,
        }
        day = luck.randint(FIRST_DAY, LAST_DAY - 30)
        employee_id = _create(history, EMPLOYEES, day, compact(body), archived=luck.happens(0.1))
        if position < count:
            employees.append(employee_id)


def add_banks(history: History) -> None:
    """Bank accounts; the last one has no chart-of-accounts link."""
    organization, luck = history.organization, history.luck(BANK_ACCOUNTS)
    for position, (purpose, bank, account_type, status, number) in enumerate(vocabulary.BANKS):
        bank_id = organization.ids.new(BANK_ACCOUNTS.prefix)
        history.references.banks.append(bank_id)
        doc = {
            "id": bank_id,
            "archived": False,
            "status": status,
            "createdBy": organization.user_ids["ADMINISTRATOR"],
            "routingNumber": f"3222716{luck.randint(10, 99)}",
            "accountNumber": f"*****{luck.randint(1000, 9999)}",
            "nameOnAccount": f"{organization.name} {purpose}",
            "type": account_type,
            "ownerType": "BUSINESS",
            "bankName": bank,
            "accessToAdmins": position == 0,
            "default": {"payables": position == 0, "receivables": position == 0},
            "chartOfAccountId": organization.account_ids.get(number),
        }
        created = _FOUNDING + 600 * position
        history.at(created, partial(organization.write, BANK_ACCOUNTS, compact(doc)))
        if status == "EXPIRED":
            close = partial(set_archived, organization, BANK_ACCOUNTS, bank_id, archived=True)
            history.at(created + 40_000_000, close)
    history.run()
    organization.default_bank = history.references.banks[0]


def add_cards(history: History) -> None:
    """A card of the signed-in user's, one that the user is to be allowed to use, a colleague's, and one of BILL's."""
    organization, references = history.organization, history.references
    references.card, references.colleagues_card, nominated = (organization.ids.new("cat") for _ in range(3))
    references.ap_card = organization.ids.new("apc")
    organization.cards["VERIFIED"] = [_card(organization, references.card, "CREDIT_CARD", "4321")]
    organization.cards["NOMINATED"] = [_card(organization, nominated, "DEBIT_CARD", "8765")]
    colleagues = _card(organization, references.colleagues_card, "CREDIT_CARD", "1881")
    accounts = {"CREDIT_CARD": organization.account_ids["2100"], "DEBIT_CARD": organization.account_ids["1000"]}
    for card in (*organization.cards["VERIFIED"], *organization.cards["NOMINATED"], colleagues):
        known = {"chartOfAccountId": accounts[card["type"]]}
        history.at(_FOUNDING, partial(organization.write, CARD_ACCOUNTS, card.copy(), hidden=known))
    history.run()
    organization.ap_cards = [
        {
            "id": references.ap_card,
            "status": "ACTIVE",
            "nameOnAccount": organization.name,
            "balance": organization.money(125_050),
            "limit": organization.money(2_000_000),
            **_FOUNDED,
        }
    ]


def _card(organization: Organization, card_id: str, card_type: str, last4: str) -> Doc:
    uses = ("payables", "receivables", "funding", "disbursement")
    return {
        "id": card_id,
        "archived": False,
        "createdBy": organization.user_ids["ADMINISTRATOR"],
        "issuingBankName": "First Harbor Bank",
        "nameOnAccount": organization.name,
        "brand": "VISA",
        "type": card_type,
        "status": "VERIFIED",
        "last4": last4,
        "expiration": {"year": 2029, "month": 4},
        "default": {use: use == "funding" and card_type == "CREDIT_CARD" for use in uses},
        **_FOUNDED,
    }
