"""What can be mapped: the ten kinds of BILL objects, where their ledger counterparts are, and what makes a match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from billcom_assets.ledger.account_types import PAYMENT_TYPES
from billcom_assets.ledger.hierarchy import full_names, same
from billcom_assets.mapping.matching import Candidate, Rule, Rules, differ
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)

_MASK = re.compile(r"[*\u2022#]|x{3,}", re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_SHORTEST_TAX_ID = 5
_LAST_DIGITS = 4
_DIGIT_GROUP = re.compile(r"(?<!\d)\d{4}(?!\d)")
# What accounting programs and BILL write where no type was chosen: it contradicts nothing.
_NO_TYPE = frozenset({"UNSPECIFIED", "UNDEFINED", ""})


@dataclass(frozen=True, slots=True)
class Kind:
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


@dataclass(frozen=True, slots=True)
class BillObject:
    """A BILL object of some kind and whether it still counts."""

    candidate: Candidate
    number: str | None
    type: str | None
    archived: bool
    deleted: bool

    @property
    def is_live(self) -> bool:
        """Neither archived nor deleted."""
        return not self.archived and not self.deleted

    @property
    def state(self) -> str:
        """live, archived or deleted."""
        if self.deleted:
            return "deleted"
        return "archived" if self.archived else "live"


@dataclass(frozen=True, slots=True)
class LedgerObject:
    """A ledger object of some kind and whether it still counts."""

    candidate: Candidate
    active: bool

    @property
    def label(self) -> str:
        """Its name with its parents."""
        return self.candidate.full_name or self.candidate.name


def bill_objects(conn: Connection, integration: str, kind: Kind) -> dict[str, BillObject]:
    """All BILL objects of the kind by id, archived and deleted ones too."""
    table = catalog_mirror().table(kind.name)
    query = select(table.c.id, table.c.archived, table.c.deleted_at, *(table.c[name] for name in kind.columns))
    rows = [row._asdict() for row in conn.execute(query.where(table.c.integration == integration))]
    paths = _paths(rows) if "parent_id" in kind.columns else {}
    return {
        row["id"]: BillObject(
            candidate=kind.bill(row | {"full_name": paths.get(row["id"])}),
            number=row[kind.number_column] if kind.number_column else None,
            type=row[kind.type_column] if kind.type_column else None,
            archived=bool(row["archived"]),
            deleted=row["deleted_at"] is not None,
        )
        for row in rows
    }


def ledger_objects(conn: Connection, integration: str, kind: Kind) -> dict[str, LedgerObject]:
    """All ledger objects of the kind by id, inactive ones too."""
    table = kind.table
    query = select(table).where(table.c.integration == integration)
    if table is ledger_dimensions:
        query = query.where(table.c.kind == kind.name)
    rows = [row._asdict() for row in conn.execute(query)]
    paths = _paths(rows) if "parent_id" in table.c else {}
    return {
        row["id"]: LedgerObject(_ledger_candidate(row, paths.get(row["id"])), row["active"])
        for row in rows
        if not kind.ledger_types or row["type"] in kind.ledger_types
    }


def _paths(rows: Iterable[dict[str, Any]]) -> dict[str, str | None]:
    """Full names by id; None where an object has no parent that is known."""
    entries = {row["id"]: (_name(row), row["parent_id"]) for row in rows}
    return {id_: path if entries[id_][1] in entries else None for id_, path in full_names(entries).items()}


def _name(row: dict[str, Any]) -> str:
    if "first_name" in row:
        return " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    return row["name"] or ""


def _ledger_candidate(row: dict[str, Any], full_name: str | None) -> Candidate:
    return Candidate(
        id=row["id"],
        name=row["name"],
        full_name=full_name,
        number=_number(row.get("number")),
        type=_type(row.get("type")),
        tax_id=_tax_id(row.get("tax_id")),
        email=_email(row.get("email")),
        code=same(row["id"]),
    )


def _account(row: dict[str, Any]) -> Candidate:
    return Candidate(
        id=row["id"],
        name=_name(row),
        full_name=row["full_name"],
        number=_number(row["account_number"]),
        type=_type(row["account_type"]),
    )


def _vendor(row: dict[str, Any]) -> Candidate:
    return Candidate(
        id=row["id"],
        name=_name(row),
        tax_id=_tax_id(row["additional_info_tax_id"]),
        email=_email(row["email"]),
    )


def _customer(row: dict[str, Any]) -> Candidate:
    return Candidate(
        id=row["id"], name=_name(row), email=_email(row["email"]), code=same(row["account_number"] or "") or None
    )


def _funding_account(row: dict[str, Any]) -> Candidate:
    words = (row["bank_name"], row["type"].title() if row["type"] else None)
    digits = (row["account_number"] or "")[-_LAST_DIGITS:]
    return Candidate(
        id=row["id"],
        name=" ".join(word for word in words if word) or row["name_on_account"] or "",
        code=digits if len(digits) == _LAST_DIGITS and digits.isdigit() else None,
        counterpart=row["chart_of_account_id"],
    )


def _listed(row: dict[str, Any]) -> Candidate:
    return Candidate(
        id=row["id"], name=_name(row), full_name=row["full_name"], code=same(row["short_name"] or "") or None
    )


def _number(value: str | None) -> str | None:
    return same(value) or None if value else None


def _type(value: str | None) -> str | None:
    return None if value is None or value in _NO_TYPE else value


def _email(value: str | None) -> str | None:
    return same(value) if value and "@" in value else None


def _tax_id(value: str | None) -> str | None:
    """Its letters and digits; None for one that is masked, short or a placeholder of one repeated digit."""
    if not value or _MASK.search(value):
        return None
    plain = _NOT_ALPHANUMERIC.sub("", value).casefold()
    return plain if len(plain) >= _SHORTEST_TAX_ID and len(set(plain)) > 1 else None


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


_PATH = Rule(
    "same full name",
    lambda bill: bill.path.full if bill.full_name else None,
    lambda ledger: ledger.path.full if ledger.full_name else None,
    doubt=_unless_contradicted,
)
_NAME = Rule(
    "same name",
    lambda bill: bill.words.full or None,
    lambda ledger: ledger.words.full or None,
    doubt=_unless_contradicted,
)
_NAME_BUT_LEGAL_FORM = Rule(
    "same name without legal form",
    lambda bill: bill.words.core or None,
    lambda ledger: ledger.words.core or None,
    doubt=_unless_contradicted,
)
_PERSON = Rule(
    "same first and last name",
    lambda bill: bill.words.sorted_core or None,
    lambda ledger: ledger.words.sorted_core or None,
)
_TAX_ID = Rule("same tax id", lambda bill: bill.tax_id, lambda ledger: ledger.tax_id)
_EMAIL = Rule("same e-mail", lambda bill: bill.email, lambda ledger: ledger.email, doubt=_unless_contradicted)
_CODE = Rule("same code", lambda bill: bill.code, lambda ledger: ledger.code, is_certain=False)

_PARTIES = Rules((_TAX_ID, _NAME, _NAME_BUT_LEGAL_FORM, _EMAIL))
_LISTS = Rules((_PATH, _NAME, _CODE))
_LIST_COLUMNS = ("name", "short_name", "parent_id")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "accounts",
            "account",
            ledger_accounts,
            ("name", "parent_id", "account_number", "account_type"),
            _account,
            Rules(
                (
                    Rule("same number and type", _number_and_type, _number_and_type),
                    Rule("same number", lambda bill: bill.number, lambda ledger: ledger.number, doubt=_types_agree),
                    _PATH,
                    _NAME,
                ),
                types_matter=True,
            ),
            number_column="account_number",
            type_column="account_type",
        ),
        Kind("vendors", "vendor", ledger_vendors, ("name", "email", "additional_info_tax_id"), _vendor, _PARTIES),
        Kind(
            "funding_accounts",
            "funding account",
            ledger_accounts,
            ("bank_name", "name_on_account", "type", "account_number", "chart_of_account_id"),
            _funding_account,
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
        Kind("items", "item", ledger_items, _LIST_COLUMNS, _listed, _LISTS, "short_name"),
        Kind(
            "customers",
            "customer",
            ledger_customers,
            ("name", "email", "account_number"),
            _customer,
            Rules((_NAME, _NAME_BUT_LEGAL_FORM, _EMAIL, _CODE)),
            number_column="account_number",
        ),
        Kind("departments", "department", ledger_dimensions, _LIST_COLUMNS, _listed, _LISTS, "short_name"),
        Kind("jobs", "job", ledger_dimensions, _LIST_COLUMNS, _listed, _LISTS, "short_name"),
        Kind("locations", "location", ledger_dimensions, _LIST_COLUMNS, _listed, _LISTS, "short_name"),
        Kind("accounting_classes", "accounting class", ledger_dimensions, _LIST_COLUMNS, _listed, _LISTS, "short_name"),
        Kind(
            "employees",
            "employee",
            ledger_dimensions,
            ("first_name", "last_name", "short_name", "parent_id"),
            _listed,
            Rules((_PERSON, _CODE)),
            number_column="short_name",
        ),
    )
}
"""The kinds in the order in which they are suggested: funding accounts look at how accounts are mapped."""
