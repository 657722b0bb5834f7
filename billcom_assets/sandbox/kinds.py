"""The twenty kinds of object of v3 and two that only v2 shows, as ``kinds.toml`` describes them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

_FACTS: dict[str, Any] = tomllib.loads(files(__package__).joinpath("kinds.toml").read_text(encoding="utf-8"))
_OPERATORS: dict[str, frozenset[str]] = {
    name: frozenset(operators.split()) for name, operators in _FACTS["operators"].items()
}

TIMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"createdTime": _OPERATORS["order"], "updatedTime": _OPERATORS["order"]}
)
TIME_SORTS = frozenset(TIMES)
ACCOUNT_TYPES: tuple[str, ...] = tuple(_FACTS["account_types"].split())
"""Chart-of-account types in the order of their v2 digits."""
ITEM_TYPES: tuple[str, ...] = tuple(_FACTS["item_types"].split())
BOOLEANS = frozenset(_FACTS["booleans"].split())


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """One kind of object.

    Attributes:
        path: Its list under ``/v3``, for example ``/v3/bills``.
        prefix: First three characters of its ids.
        noun: What BILL's messages call it.
        filters: Filterable field to the operators it takes.
        sorts: Sortable fields.
        values: Enum values that a filter on the field may name.
        dates: Filterable fields that hold calendar dates.
        keys: Every documented top-level key, in BILL's order.
        status_keys: Top-level enum keys, which an unknown value may stand in.
        lines: Key of the object's line items, "" if it has none.
        paths: Filter field to its path in the object where the two differ.
        timeless: The official tables give its list no time filter.
    """

    path: str
    prefix: str
    noun: str
    filters: Mapping[str, frozenset[str]]
    sorts: frozenset[str]
    keys: tuple[str, ...]
    values: Mapping[str, frozenset[str]]
    dates: frozenset[str]
    status_keys: tuple[str, ...]
    lines: str
    paths: Mapping[str, str]
    timeless: bool


def _kind(facts: Mapping[str, Any]) -> Kind:
    return Kind(
        path=facts["path"],
        prefix=facts["prefix"],
        noun=facts["noun"],
        filters={
            field: _OPERATORS[operators]
            for operators, fields in facts.get("filters", {}).items()
            for field in fields.split()
        },
        sorts=frozenset(facts.get("sorts", "").split()),
        keys=(*facts["keys"].split(), "createdTime", "updatedTime"),
        values={field: frozenset(values.split()) for field, values in facts.get("values", {}).items()},
        dates=frozenset(facts.get("dates", "").split()),
        status_keys=tuple(facts.get("status_keys", "").split()),
        lines=facts.get("lines", ""),
        paths=facts.get("paths", {}),
        timeless=facts.get("timeless", False),
    )


KINDS = tuple(_kind(facts) for facts in _FACTS["kinds"])
"""Those of v3."""
V2_KINDS = tuple(_kind(facts) for facts in _FACTS["v2_kinds"])
"""Those that only v2 shows."""
BY_PATH: Mapping[str, Kind] = {kind.path: kind for kind in (*KINDS, *V2_KINDS)}

BILLS = BY_PATH["/v3/bills"]
PAYMENTS = BY_PATH["/v3/payments"]
VENDORS = BY_PATH["/v3/vendors"]
VENDOR_CREDITS = BY_PATH["/v3/vendor-credits"]
RECURRING_BILLS = BY_PATH["/v3/recurringbills"]
INVOICES = BY_PATH["/v3/invoices"]
CUSTOMERS = BY_PATH["/v3/customers"]
RECEIVABLE_PAYMENTS = BY_PATH["/v3/receivable-payments"]
CREDIT_MEMOS = BY_PATH["/v3/credit-memos"]
RECURRING_INVOICES = BY_PATH["/v3/recurring-invoices"]
ACCOUNTS = BY_PATH["/v3/classifications/chart-of-accounts"]
DEPARTMENTS = BY_PATH["/v3/classifications/departments"]
LOCATIONS = BY_PATH["/v3/classifications/locations"]
ITEMS = BY_PATH["/v3/classifications/items"]
EMPLOYEES = BY_PATH["/v3/classifications/employees"]
JOBS = BY_PATH["/v3/classifications/jobs"]
ACCOUNTING_CLASSES = BY_PATH["/v3/classifications/accounting-classes"]
USERS = BY_PATH["/v3/users"]
ROLES = BY_PATH["/v3/roles"]
BANK_ACCOUNTS = BY_PATH["/v3/funding-accounts/banks"]
CARD_ACCOUNTS = BY_PATH["/card-accounts"]
MONEY_MOVEMENTS = BY_PATH["/money-movements"]


def kind_at(path: str) -> Kind:
    """The kind whose list is at ``path``; ``/v3`` may be left off.

    Raises:
        KeyError: No list is there; the message names those that are.
    """
    full = path if path in BY_PATH else f"/v3/{path.strip('/')}"
    try:
        return BY_PATH[full]
    except KeyError:
        raise KeyError(f"no list at {path}; there are {', '.join(BY_PATH)}") from None
