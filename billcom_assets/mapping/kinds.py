"""What can be mapped: the ten kinds of BILL objects, where their ledger counterparts are, and what makes a match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from billcom_assets.ledger.account_types import PAYMENT_TYPES
from billcom_assets.mapping import facts
from billcom_assets.mapping.candidates import (
    Candidate,
    account_candidate,
    customer_candidate,
    funding_account_candidate,
    list_candidate,
    vendor_candidate,
)
from billcom_assets.mapping.matching import Rules
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)


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

    @property
    def refers_to_accounts(self) -> bool:
        """Its objects are recognised by the accounts that they name, too."""
        return "chart_of_account_id" in self.columns


_PARTIES = Rules(
    (
        facts.tax_ids,
        facts.emails,
        facts.codes,
        facts.currencies,
        facts.legal_forms,
        facts.out_of_use,
    ),
    keys=("tax_id_end", "email", "number"),
)
_ACCOUNTS = Rules((facts.numbers, facts.types, facts.parents, facts.out_of_use), keys=("number",), certain_from=0.85)
_LISTS = Rules((facts.codes, facts.places, facts.out_of_use), keys=("number",))
_ITEMS = Rules((facts.codes, facts.booked_accounts, facts.parents, facts.out_of_use), keys=("number",))
_PEOPLE = Rules((facts.codes, facts.out_of_use), keys=("number",))
_FUNDING = Rules(
    (facts.own_account, facts.last_digits, facts.types), keys=("accounts", "last_digits"), certain_from=0.0
)
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
            _ACCOUNTS,
            number_column="account_number",
            type_column="account_type",
        ),
        MappedKind(
            "vendors",
            "vendor",
            ledger_vendors,
            (
                *("name", "short_name", "email", "additional_info_tax_id", "bill_currency"),
                *("additional_info_company_name", "payment_information_payee_name"),
            ),
            vendor_candidate,
            _PARTIES,
        ),
        MappedKind(
            "funding_accounts",
            "funding account",
            ledger_accounts,
            (
                *("kind", "bank_name", "name_on_account", "type", "account_number", "chart_of_account_id"),
                *("issuing_bank_name", "brand", "last4"),
            ),
            funding_account_candidate,
            _FUNDING,
            type_column="type",
            ledger_types=frozenset(account_type.value for account_type in PAYMENT_TYPES),
        ),
        MappedKind(
            "items",
            "item",
            ledger_items,
            (*_LIST_COLUMNS, "chart_of_account_id", "expense_chart_of_account_id"),
            list_candidate,
            _ITEMS,
            number_column="short_name",
        ),
        MappedKind(
            "customers",
            "customer",
            ledger_customers,
            ("name", "email", "account_number", "invoice_currency", "company_name"),
            customer_candidate,
            _PARTIES,
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
            _PEOPLE,
            number_column="short_name",
        ),
    )
}
"""The kinds in the order in which they are suggested: items and funding accounts look at how accounts are mapped."""
