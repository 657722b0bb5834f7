"""What BILL objects and ledger objects are recognised by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from billcom_assets.ledger.hierarchy import same
from billcom_assets.mapping.names import Name, name_of

_MASK = re.compile(r"[*\u2022#]|x{3,}", re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_SHORTEST_TAX_ID = 5
_LAST_DIGITS = 4
# What accounting programs and BILL write where no type was chosen: it contradicts nothing.
_NO_TYPE = frozenset({"UNSPECIFIED", "UNDEFINED", ""})


@dataclass(frozen=True)
class Candidate:
    """A BILL object or a ledger object with what it is recognised by; None where that is unknown or unusable."""

    id: str
    name: str
    full_name: str | None = None
    """With its parents; None when it has none."""
    number: str | None = None
    type: str | None = None
    tax_id: str | None = field(default=None, repr=False)
    """Digits and letters only; never a masked one."""
    email: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    """A short code that hints at the counterpart without proving it."""
    counterpart: str | None = None
    """Ledger id known by another way, for example through the BILL account of a bank account."""

    @cached_property
    def words(self) -> Name:
        """The name as it is compared."""
        return name_of(self.name)

    @cached_property
    def path(self) -> Name:
        """The full name as it is compared."""
        return name_of(self.full_name) if self.full_name else self.words


def differ(one: str | None, other: str | None) -> bool:
    """True when both are known and not the same."""
    return one is not None and other is not None and one != other


def bill_name(row: dict[str, Any]) -> str:
    """The name in a row of BILL's or of the ledger's; of a person, first and last."""
    if "first_name" in row:
        return " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    return row["name"] or ""


def ledger_candidate(row: dict[str, Any], full_name: str | None) -> Candidate:
    """A ledger object, from its row."""
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


def account_candidate(row: dict[str, Any]) -> Candidate:
    """An account of BILL, from its row."""
    return Candidate(
        id=row["id"],
        name=bill_name(row),
        full_name=row["full_name"],
        number=_number(row["account_number"]),
        type=_type(row["account_type"]),
    )


def vendor_candidate(row: dict[str, Any]) -> Candidate:
    """A vendor of BILL, from its row."""
    return Candidate(
        id=row["id"],
        name=bill_name(row),
        tax_id=_tax_id(row["additional_info_tax_id"]),
        email=_email(row["email"]),
    )


def customer_candidate(row: dict[str, Any]) -> Candidate:
    """A customer of BILL, from its row."""
    return Candidate(
        id=row["id"], name=bill_name(row), email=_email(row["email"]), code=same(row["account_number"] or "") or None
    )


def funding_account_candidate(row: dict[str, Any]) -> Candidate:
    """A bank account or card of BILL, from its row."""
    words = (row["bank_name"], row["type"].title() if row["type"] else None)
    digits = (row["account_number"] or "")[-_LAST_DIGITS:]
    return Candidate(
        id=row["id"],
        name=" ".join(word for word in words if word) or row["name_on_account"] or "",
        code=digits if len(digits) == _LAST_DIGITS and digits.isdigit() else None,
        counterpart=row["chart_of_account_id"],
    )


def list_candidate(row: dict[str, Any]) -> Candidate:
    """An object of one of BILL's lists of items and dimensions, from its row."""
    return Candidate(
        id=row["id"], name=bill_name(row), full_name=row["full_name"], code=same(row["short_name"] or "") or None
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
