"""The books in the words of hledger, checked by ``hledger check --strict``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from billcom_assets.books.export.account_names import ASSETS, EQUITY, EXPENSES, INCOME, LIABILITIES, SEPARATOR, branch
from billcom_assets.books.export.amounts import ZERO, Units, commodity, number
from billcom_assets.books.export.journal import Assertion, Journal, Metadata, OpenAccount, Transaction
from billcom_assets.books.export.one_line import on_one_line
from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.currencies import decimals

_TYPES: Final[Mapping[str, str]] = {ASSETS: "A", LIABILITIES: "L", EQUITY: "E", INCOME: "R", EXPENSES: "X"}
_CASH: Final = "C"
_IN_DESCRIPTIONS: Final = str.maketrans({";": ",", "|": "/"})
"""A comment would begin, or the payee end."""
_IN_CODES: Final = str.maketrans({"(": "%28", ")": "%29"})
_IN_TAGS: Final = str.maketrans({"%": "%25", ",": "%2C", "[": "%5B", "]": "%5D"})
"""A comma ends a tag, and brackets may hold a date that would count."""


def hledger_text(journal: Journal) -> Iterator[str]:
    """The journal as an hledger file, piece by piece."""
    yield from (f"; {on_one_line(remark)}\n" for remark in journal.remarks)
    yield "\ndecimal-mark .\n"
    yield from (f"commodity {_style(currency)} {commodity(currency)}\n" for currency in journal.currencies)
    yield "\n"
    yield from map(_account, journal.accounts)
    home = commodity(journal.home)
    if journal.opening is not None:
        yield _transaction(journal.opening, home)
    yield from (_transaction(one, home) for one in journal.transactions)
    yield f"\n{journal.day_after or journal.last} * Balances\n"
    yield from (_assertion(one, home) for one in journal.assertions)


def _style(currency: str) -> str:
    return f"1000.{'0' * decimals(currency)}"


def _account(account: OpenAccount) -> str:
    root = branch(account.type).split(SEPARATOR, 1)[0]
    type_ = _CASH if account.type == AccountType.BANK else _TYPES[root]
    return f"account {account.name}  ; type:{type_}\n{_tags(account.metadata)}"


def _transaction(one: Transaction, home: str) -> str:
    code = f"({on_one_line(one.code).translate(_IN_CODES)}) " if one.code else ""
    payee = f"{_described(one.payee)} | " if one.payee else ""
    head = f"\n{one.day} * {code}{payee}{_described(one.text)}".rstrip()
    reversal = "    ; reversal:\n" if one.is_reversal else ""
    postings = "".join(
        f"    {posting.account}  {_priced(posting.units, home)}\n{_tags(posting.metadata)}" for posting in one.postings
    )
    return f"{head}\n{reversal}{_tags(one.metadata)}{postings}"


def _priced(units: Units, home: str) -> str:
    price = "" if units.value is None else f" @@ {number(abs(units.value), home)} {home}"
    return f"{number(units.quantity, units.currency)} {commodity(units.currency)}{price}"


def _assertion(one: Assertion, home: str) -> str:
    currency = one.units.currency
    nothing = f"{number(ZERO, currency)} {commodity(currency)}"
    worth = "" if one.units.value is None else f"  ; home_value:{number(one.units.value, home)} {home}"
    stated = f"{number(one.units.quantity, currency)} {commodity(currency)}"
    return f"    {one.account}  {nothing} =* {stated}{worth}\n"


def _described(text: str) -> str:
    return on_one_line(text).translate(_IN_DESCRIPTIONS)


def _tags(metadata: Metadata) -> str:
    return "".join(
        f"    ; {name}:{on_one_line(value).translate(_IN_TAGS)}\n" for name, value in metadata.items() if value
    )
