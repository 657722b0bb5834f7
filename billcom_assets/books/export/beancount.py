"""The books in the words of beancount, checked by ``bean-check``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from billcom_assets.books.export.amounts import Units, commodity, number
from billcom_assets.books.export.journal import Assertion, Journal, Metadata, OpenAccount, Transaction
from billcom_assets.books.export.one_line import on_one_line
from billcom_assets.ledger.currencies import decimals

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})
_NOT_IN_LINKS: Final = re.compile(r"[^A-Za-z0-9\-_/.]")
_ROUNDING: Final = Decimal("0.4")
"""Of the smallest unit: what a price per unit, which beancount makes of a total, may be off by."""


def beancount_text(journal: Journal) -> Iterator[str]:
    """The journal as a beancount file, piece by piece."""
    yield from (f"; {on_one_line(remark)}\n" for remark in journal.remarks)
    home = commodity(journal.home)
    tolerance = _ROUNDING.scaleb(-decimals(journal.home))
    yield f'\noption "title" {_string(journal.title)}\n'
    yield f'option "operating_currency" "{home}"\n'
    yield f'option "inferred_tolerance_default" "{home}:{tolerance:f}"\n\n'
    yield from (f"{journal.first} commodity {commodity(currency)}\n" for currency in journal.currencies)
    yield from (_open(journal.first, account) for account in journal.accounts)
    if journal.opening is not None:
        yield _transaction(journal.opening, home)
    yield from (_transaction(one, home) for one in journal.transactions)
    yield "\n"
    if journal.day_after is None:
        yield "; No day is left on which balances could be asserted.\n"
        return
    yield from (_balance(journal.day_after, one, home) for one in journal.assertions)


def _open(day: date, account: OpenAccount) -> str:
    return f"\n{day} open {account.name}\n{_metadata(account.metadata, '  ')}"


def _transaction(one: Transaction, home: str) -> str:
    payee = f"{_string(one.payee)} " if one.payee else ""
    links = "".join(f" ^{_NOT_IN_LINKS.sub('-', link)}" for link in one.links if link)
    tag = " #reversal" if one.is_reversal else ""
    head = f"\n{one.day} * {payee}{_string(one.text)}{tag}{links}\n{_metadata(one.metadata, '  ')}"
    postings = "".join(
        f"  {posting.account}  {_priced(posting.units, home)}\n{_metadata(posting.metadata, '    ')}"
        for posting in one.postings
    )
    return head + postings


def _priced(units: Units, home: str) -> str:
    price = "" if units.value is None else f" @@ {number(abs(units.value), home)} {home}"
    return f"{number(units.quantity, units.currency)} {commodity(units.currency)}{price}"


def _balance(day: date, one: Assertion, home: str) -> str:
    # Without a tolerance of its own beancount lets a balance be wrong by a cent.
    quantity = f"{number(one.units.quantity, one.units.currency)} ~ 0 {commodity(one.units.currency)}"
    worth = "" if one.units.value is None else f"  home_value: {number(one.units.value, home)} {home}\n"
    return f"{day} balance {one.account}  {quantity}\n{worth}"


def _metadata(metadata: Metadata, indent: str) -> str:
    return "".join(f"{indent}{name}: {_string(value)}\n" for name, value in metadata.items() if value)


def _string(text: str) -> str:
    return f'"{on_one_line(text).translate(_ESCAPES)}"'
