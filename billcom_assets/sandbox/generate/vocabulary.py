"""The words of ``vocabulary.toml``: names, places, a chart of accounts, the trades of vendors."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """One account of the chart."""

    number: str
    name: str
    type: str
    parent: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Trade:
    """A kind of vendor: what it bills for, how often and how it is paid.

    Attributes:
        noun: Part of its name.
        accounts: Numbers of the accounts its lines go to.
        goods: What a line says.
        cents: Lowest and highest amount of a line.
        lines: Fewest and most lines of a bill.
        terms: Days until due.
        paid_by: Usual disbursement type.
        months_between: Billing rhythm in months; 0 for ``bills`` at random dates.
        bills: Fewest and most bills when there is no rhythm.
        currency: Currency of its bills.
        credits: It gives vendor credits.
        combine: Several of its bills are paid at once.
        person: A person, not a business.
        fixed: Every bill has the same amount.
    """

    noun: str
    accounts: tuple[str, ...]
    goods: tuple[str, ...]
    cents: tuple[int, int]
    lines: tuple[int, int]
    terms: int
    paid_by: str
    months_between: int = 0
    bills: tuple[int, int] = (0, 0)
    currency: str = "USD"
    credits: bool = False
    combine: bool = False
    person: bool = False
    fixed: bool = False


_WORDS: dict[str, Any] = tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8"))

FIRST_NAMES: list[str] = _WORDS["first_names"]
LAST_NAMES: list[str] = _WORDS["last_names"]
COMPANY_HEADS: list[str] = _WORDS["company_heads"]
COMPANY_ENDINGS: list[str] = _WORDS["company_endings"]
ODD_COMPANY_NAMES: list[str] = _WORDS["odd_company_names"]
STREETS: list[str] = _WORDS["streets"]
CITIES: dict[str, list[list[str]]] = _WORDS["cities"]
CHART = [AccountSeed(*account) for account in _WORDS["chart"]]
ARCHIVED_ACCOUNTS: list[str] = _WORDS["archived_accounts"]
DUPLICATE_ACCOUNT: str = _WORDS["duplicate_account"]
TRADES = [Trade(**trade) for trade in _WORDS["trades"]]
DEPARTMENTS: list[str] = _WORDS["departments"]
LOCATIONS: list[str] = _WORDS["locations"]
ACCOUNTING_CLASSES: list[str] = _WORDS["accounting_classes"]
JOBS: list[str] = _WORDS["jobs"]
ITEMS: list[tuple[str, str]] = [(name, item_type) for name, item_type in _WORDS["items"]]
USERS: list[str] = _WORDS["users"]
FORMER_USERS: list[str] = _WORDS["former_users"]
BUILT_IN_ROLES: list[str] = _WORDS["built_in_roles"]
BANKS: list[list[str]] = _WORDS["banks"]
