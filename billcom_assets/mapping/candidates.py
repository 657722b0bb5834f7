"""What BILL objects and ledger objects are recognised by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from billcom_assets.ledger.account_types import in_words
from billcom_assets.ledger.hierarchy import SEPARATOR, same
from billcom_assets.mapping.names import Name, name_of

_MASK = re.compile(r"[*\u2022#]|x{3,}", re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_SHORTEST_TAX_ID = 5
_LAST_DIGITS = 4
_DIGIT_GROUP = re.compile(r"(?<!\d)\d{4}(?!\d)")
_ACCOUNTS = ("income_account_id", "expense_account_id")
_FUNDING_TYPES = {
    **dict.fromkeys(("CHECKING", "SAVINGS", "DEBIT_CARD", "PREPAID_CARD", "WALLET"), "BANK"),
    **dict.fromkeys(("CREDIT_CARD", "CARD_ACCOUNT", "AP_CARD"), "CREDIT_CARD"),
}
"""Of a BILL account's type, or of its kind where the type is not known."""
FUNDING_NAMES = {"CARD_ACCOUNT": "Card", "AP_CARD": "BILL card", "WALLET": "BILL balance"}
"""What a funding account without a bank is called, by kind."""
_BILL_ACCOUNTS = ("chart_of_account_id", "expense_chart_of_account_id")
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
    """Number or code that people know it by."""
    type: str | None = None
    tax_id: str | None = field(default=None, repr=False)
    """Digits and letters of a whole one; never of a masked one."""
    tax_id_end: str | None = field(default=None, repr=False)
    """Last four digits: all that BILL tells."""
    email: str | None = field(default=None, repr=False)
    currency: str | None = None
    """ISO 4217 code."""
    last_digits: str | None = field(default=None, repr=False)
    """Last four digits of the bank account or card."""
    also: tuple[str, ...] = ()
    """Other names that BILL has of it, such as the legal name and who checks are made out to."""
    accounts: frozenset[str] = frozenset()
    """Ledger ids of the accounts that it is booked on or, of a funding account, stands for."""

    @cached_property
    def words(self) -> Name:
        """The name as it is compared."""
        name = name_of(self.name)
        others = filter(None, (name_of(one).core for one in self.also))
        return replace(name, others=tuple(dict.fromkeys(one for one in (*name.others, *others) if one != name.core)))

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names of its parents as they are compared, the topmost first."""
        return tuple(name_of(part).core for part in (self.full_name or "").split(SEPARATOR)[:-1])

    @property
    def label(self) -> str:
        """Its name with its parents."""
        return self.full_name or self.name


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
    tax_id, tax_id_end = _tax_id(row.get("tax_id"))
    digits = _DIGIT_GROUP.findall(row["name"])
    return Candidate(
        id=row["id"],
        name=row["name"],
        full_name=full_name,
        number=_number(row.get("number"))
        or (_number(row["id"]) if same(row["id"]) != same(full_name or row["name"]) else None),
        type=_type(row.get("type")),
        tax_id=tax_id,
        tax_id_end=tax_id_end,
        email=_email(row.get("email")),
        currency=row.get("currency"),
        last_digits=digits[-1] if digits else None,
        accounts=frozenset(row[name] for name in _ACCOUNTS if row.get(name)) or frozenset({row["id"]}),
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
    tax_id, tax_id_end = _tax_id(row["additional_info_tax_id"])
    return Candidate(
        id=row["id"],
        name=bill_name(row),
        number=_number(row["short_name"]),
        tax_id=tax_id,
        tax_id_end=tax_id_end,
        email=_email(row["email"]),
        currency=row["bill_currency"],
        also=_texts(row, "additional_info_company_name", "payment_information_payee_name"),
    )


def customer_candidate(row: dict[str, Any]) -> Candidate:
    """A customer of BILL, from its row."""
    return Candidate(
        id=row["id"],
        name=bill_name(row),
        number=_number(row["account_number"]),
        email=_email(row["email"]),
        currency=row["invoice_currency"],
        also=_texts(row, "company_name"),
    )


def funding_account_candidate(row: dict[str, Any]) -> Candidate:
    """A bank account, a card or the balance at BILL, from its row."""
    words = (row["bank_name"] or row["issuing_bank_name"], row["brand"], in_words(row["type"] or "").title())
    digits = (row["account_number"] or row["last4"] or "")[-_LAST_DIGITS:]
    return Candidate(
        id=row["id"],
        name=" ".join(filter(None, words)) or FUNDING_NAMES.get(row["kind"]) or row["name_on_account"] or "",
        type=_FUNDING_TYPES.get(row["type"]) or _FUNDING_TYPES.get(row["kind"]),
        last_digits=digits if len(digits) == _LAST_DIGITS and digits.isdigit() else None,
        accounts=frozenset({row["chart_of_account_id"]} - {None}),
    )


def list_candidate(row: dict[str, Any]) -> Candidate:
    """An object of one of BILL's lists of items and dimensions, from its row."""
    return Candidate(
        id=row["id"],
        name=bill_name(row),
        full_name=row["full_name"],
        number=_number(row["short_name"]),
        accounts=frozenset(row[name] for name in _BILL_ACCOUNTS if row.get(name)),
    )


def _texts(row: dict[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(row[name] for name in names if row.get(name))


def _number(value: str | None) -> str | None:
    return same(value) or None if value else None


def _type(value: str | None) -> str | None:
    return None if value is None or value in _NO_TYPE else value


def _email(value: str | None) -> str | None:
    return same(value) if value and "@" in value else None


def _tax_id(value: str | None) -> tuple[str | None, str | None]:
    """Letters and digits of a whole one, and its last four digits, which a masked one shows, too.

    Nothing for one that is short or a placeholder of one repeated digit.
    """
    plain = _NOT_ALPHANUMERIC.sub("", _MASK.sub("", value or "")).casefold()
    end = plain[-_LAST_DIGITS:]
    if len(end) < _LAST_DIGITS or not end.isdigit() or len(set(plain)) == 1:
        return None, None
    is_whole = not _MASK.search(value or "") and len(plain) >= _SHORTEST_TAX_ID
    return plain if is_whole else None, end
