"""BILL's account types, and the words that accounting programs use for them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib import resources

_WORD = re.compile(r"[^\W_]+")


class AccountType(StrEnum):
    """BILL's 17 account types."""

    UNSPECIFIED = "UNSPECIFIED"
    ACCOUNTS_PAYABLE = "ACCOUNTS_PAYABLE"
    ACCOUNTS_RECEIVABLE = "ACCOUNTS_RECEIVABLE"
    BANK = "BANK"
    COST_OF_GOODS_SOLD = "COST_OF_GOODS_SOLD"
    CREDIT_CARD = "CREDIT_CARD"
    EQUITY = "EQUITY"
    EXPENSE = "EXPENSE"
    FIXED_ASSET = "FIXED_ASSET"
    INCOME = "INCOME"
    LONG_TERM_LIABILITY = "LONG_TERM_LIABILITY"
    OTHER_ASSET = "OTHER_ASSET"
    OTHER_CURRENT_ASSET = "OTHER_CURRENT_ASSET"
    OTHER_CURRENT_LIABILITY = "OTHER_CURRENT_LIABILITY"
    OTHER_EXPENSE = "OTHER_EXPENSE"
    OTHER_INCOME = "OTHER_INCOME"
    NON_POSTING = "NON_POSTING"


PAYMENT_TYPES = frozenset({AccountType.BANK, AccountType.CREDIT_CARD})
"""Accounts that money is paid from."""

EXPENSE_TYPES = frozenset({AccountType.EXPENSE, AccountType.COST_OF_GOODS_SOLD, AccountType.OTHER_EXPENSE})
"""Accounts that bills are charged to."""

INCOME_TYPES = frozenset({AccountType.INCOME, AccountType.OTHER_INCOME})
"""Accounts that sales are booked to."""


_FAMILIES = (
    frozenset({AccountType.BANK}),
    frozenset({AccountType.CREDIT_CARD}),
    frozenset({AccountType.ACCOUNTS_PAYABLE}),
    frozenset({AccountType.ACCOUNTS_RECEIVABLE}),
    EXPENSE_TYPES,
    INCOME_TYPES,
    frozenset({AccountType.EQUITY}),
    frozenset({AccountType.FIXED_ASSET, AccountType.OTHER_ASSET, AccountType.OTHER_CURRENT_ASSET}),
    frozenset({AccountType.LONG_TERM_LIABILITY, AccountType.OTHER_CURRENT_LIABILITY}),
    frozenset({AccountType.NON_POSTING}),
)
_FAMILY_OF = {one.value: number for number, types in enumerate(_FAMILIES) for one in types}


def in_words(type_: str) -> str:
    """A type as people read it: ``OTHER_CURRENT_ASSET`` is "other current asset"."""
    return type_.replace("_", " ").lower()


def family(type_: str) -> int | None:
    """A number that types share between which an amount may move without a statement being wrong.

    None for an unspecified or unknown one, of which nothing can be said.
    """
    return _FAMILY_OF.get(type_)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _keys(wording: str) -> tuple[str, str]:
    """Two spellings without case, spaces and punctuation: as written, and with every word in the singular."""
    words = _WORD.findall(wording.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", ""))
    return "".join(words), "".join(map(_singular, words))


def wordings() -> dict[AccountType, list[str]]:
    """What accounting programs call each type, from ``account_types.toml``."""
    text = resources.files(__package__).joinpath("account_types.toml").read_text(encoding="utf-8")
    return {AccountType(name): words for name, words in tomllib.loads(text).items()}


def type_index(words: Mapping[AccountType, Iterable[str]]) -> dict[str, AccountType]:
    """Types by the spellings of their wordings, for :func:`type_in`.

    Raises:
        ValueError: a wording stands for two types.
    """
    index: dict[str, AccountType] = {}
    for account_type, wordings_of_type in words.items():
        for wording in wordings_of_type:
            for key in _keys(wording):
                if index.setdefault(key, account_type) is not account_type:
                    raise ValueError(f"{wording!r} means both {index[key]} and {account_type}")
    return index


def type_in(index: Mapping[str, AccountType], wording: str) -> AccountType | None:
    """The type that ``wording`` stands for; case, spaces, punctuation and the plural make no difference."""
    as_written, singular = _keys(wording.replace("_", " "))
    return index.get(as_written) or index.get(singular)


@cache
def _index() -> dict[str, AccountType]:
    return type_index({one: (one.value.replace("_", " "), *words) for one, words in wordings().items()})


def account_type(wording: str) -> AccountType | None:
    """The type that a program calls by ``wording``, or None when it is no type we know.

    Accepted are BILL's own names (``OTHER_CURRENT_ASSET``, ``OtherCurrentAsset``) and the wordings that mean the same
    in every program ("Other Current Assets", "Overheads", "Direct Costs").
    """
    return type_in(_index(), wording)
