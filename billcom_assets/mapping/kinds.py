"""What can be mapped: the ten kinds of BILL objects, where their ledger counterparts are, and what makes a match."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from billcom_assets.ledger.account_types import PAYMENT_TYPES
from billcom_assets.mapping.candidates import (
    Candidate,
    account_candidate,
    customer_candidate,
    differ,
    funding_account_candidate,
    list_candidate,
    vendor_candidate,
)
from billcom_assets.mapping.matching import Rule, Rules
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)

_DIGIT_GROUP = re.compile(r"(?<!\d)\d{4}(?!\d)")


@dataclass(frozen=True, slots=True)
class MappedKind:
    """One kind of BILL object that is linked to the ledger."""

    name: str
    """The entity's name."""
    title: str
    """For messages, singular."""
    table: Table
    """Where the ledger counterparts are."""
    columns: tuple[str, ...]
    """Columns of the mirror table that :attr:`bill` reads."""
    bill: Callable[[dict[str, Any]], Candidate]
    """The BILL object as a candidate, from a row of :attr:`columns`."""
    rules: Rules
    number_column: str | None = None
    """Column of the number or code that people know the object by."""
    type_column: str | None = None
    ledger_types: frozenset[str] = frozenset()
    """Types that a ledger account must have; empty for any."""


def _number_and_type(candidate: Candidate) -> object | None:
    return (candidate.number, candidate.type) if candidate.number and candidate.type else None


def _unless_contradicted(bill: Candidate, ledger: Candidate) -> str | None:
    if differ(bill.number, ledger.number):
        return f"the numbers differ ({bill.number}, {ledger.number})"
    if differ(bill.type, ledger.type):
        return f"the types differ ({bill.type}, {ledger.type})"
    if differ(bill.tax_id, ledger.tax_id):
        return "the tax ids differ"
    ours, theirs = bill.words.legal_forms, ledger.words.legal_forms
    if ours and theirs and not ours & theirs:
        return "the legal forms differ"
    if bill.full_name and ledger.full_name and bill.path.core != ledger.path.core:
        return "they have different parents"
    return None


def _types_agree(bill: Candidate, ledger: Candidate) -> str | None:
    return f"the types differ ({bill.type}, {ledger.type})" if differ(bill.type, ledger.type) else None


def _digits_in_name(candidate: Candidate) -> object | None:
    groups = _DIGIT_GROUP.findall(candidate.name)
    return groups[-1] if groups else None


_PATH = Rule("same full name", lambda one: one.path.full if one.full_name else None, doubt=_unless_contradicted)
_NAME = Rule("same name", lambda one: one.words.full or None, doubt=_unless_contradicted)
_NAME_BUT_LEGAL_FORM = Rule(
    "same name without legal form", lambda one: one.words.core or None, doubt=_unless_contradicted
)
_PERSON = Rule("same first and last name", lambda one: one.words.sorted_core or None)
_TAX_ID = Rule("same tax id", lambda one: one.tax_id)
_EMAIL = Rule("same e-mail", lambda one: one.email, doubt=_unless_contradicted)
_CODE = Rule("same code", lambda one: one.code, is_certain=False)

_PARTIES = Rules((_TAX_ID, _NAME, _NAME_BUT_LEGAL_FORM, _EMAIL))
_LISTS = Rules((_PATH, _NAME, _CODE))
_LIST_COLUMNS = ("name", "short_name", "parent_id")

KINDS: dict[str, MappedKind] = {
    kind.name: kind
    for kind in (
        MappedKind(
            "accounts",
            "account",
            ledger_accounts,
            ("name", "parent_id", "account_number", "account_type"),
            account_candidate,
            Rules(
                (
                    Rule("same number and type", _number_and_type),
                    Rule("same number", lambda one: one.number, doubt=_types_agree),
                    _PATH,
                    _NAME,
                ),
                types_matter=True,
            ),
            number_column="account_number",
            type_column="account_type",
        ),
        MappedKind(
            "vendors", "vendor", ledger_vendors, ("name", "email", "additional_info_tax_id"), vendor_candidate, _PARTIES
        ),
        MappedKind(
            "funding_accounts",
            "funding account",
            ledger_accounts,
            ("bank_name", "name_on_account", "type", "account_number", "chart_of_account_id"),
            funding_account_candidate,
            Rules(
                (
                    Rule(
                        "its account in BILL is mapped there",
                        lambda bill: bill.counterpart,
                        lambda ledger: ledger.id,
                    ),
                    Rule(
                        "the same last four digits are in the ledger account's name",
                        lambda bill: bill.code,
                        _digits_in_name,
                        is_certain=False,
                    ),
                    _NAME,
                )
            ),
            type_column="type",
            ledger_types=frozenset(account_type.value for account_type in PAYMENT_TYPES),
        ),
        MappedKind("items", "item", ledger_items, _LIST_COLUMNS, list_candidate, _LISTS, "short_name"),
        MappedKind(
            "customers",
            "customer",
            ledger_customers,
            ("name", "email", "account_number"),
            customer_candidate,
            Rules((_NAME, _NAME_BUT_LEGAL_FORM, _EMAIL, _CODE)),
            number_column="account_number",
        ),
        *(
            MappedKind(name, title, ledger_dimensions, _LIST_COLUMNS, list_candidate, _LISTS, "short_name")
            for name, title in (
                ("departments", "department"),
                ("jobs", "job"),
                ("locations", "location"),
                ("accounting_classes", "accounting class"),
            )
        ),
        MappedKind(
            "employees",
            "employee",
            ledger_dimensions,
            ("first_name", "last_name", "short_name", "parent_id"),
            list_candidate,
            Rules((_PERSON, _CODE)),
            number_column="short_name",
        ),
    )
}
"""The kinds in the order in which they are suggested: funding accounts look at how accounts are mapped."""
