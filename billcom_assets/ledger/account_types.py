"""BILL's account types, and the words that accounting programs use for them."""

from __future__ import annotations

import re
from enum import StrEnum

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


FUNDING_TYPES = frozenset({AccountType.BANK, AccountType.CREDIT_CARD})
"""Accounts that money is paid from."""

EXPENSE_TYPES = frozenset({AccountType.EXPENSE, AccountType.COST_OF_GOODS_SOLD, AccountType.OTHER_EXPENSE})
"""Accounts that bills are charged to."""

INCOME_TYPES = frozenset({AccountType.INCOME, AccountType.OTHER_INCOME})
"""Accounts that sales are booked to."""

# Singular and plural, case, spaces and punctuation make no difference: one spelling of each wording is enough.
WORDINGS: dict[AccountType, tuple[str, ...]] = {
    AccountType.UNSPECIFIED: ("unspecified",),
    AccountType.ACCOUNTS_PAYABLE: (
        "accounts payable",
        "accounts payable (A/P)",
        "AcctPay",
        "A/P",
        "trade payables",
        "trade creditors",
        "creditors",
        "creditors control account",
        "payable retainage",
    ),
    AccountType.ACCOUNTS_RECEIVABLE: (
        "accounts receivable",
        "accounts receivable (A/R)",
        "AcctRec",
        "A/R",
        "trade receivables",
        "trade debtors",
        "debtors",
        "debtors control account",
        "receivable retainage",
    ),
    AccountType.BANK: (
        "bank",
        "bank account",
        "bank accounts",
        "cash",
        "cash and cash equivalents",
        "cash at bank",
        "cash at bank and in hand",
        "cash equivalents",
        "cash on hand",
        "checking",
        "savings",
        "paypal",
    ),
    AccountType.COST_OF_GOODS_SOLD: (
        "cost of goods sold",
        "COGS",
        "cost of sales",
        "cost of revenue",
        "direct costs",
        "direct expenses",
        "purchases",
    ),
    AccountType.CREDIT_CARD: ("credit card", "CCARD", "CredCard", "credit card account", "credit card payable"),
    AccountType.EQUITY: (
        "equity",
        "capital",
        "capital and reserves",
        "equity doesn't close",
        "equity gets closed",
        "equity retained earnings",
        "owner's equity",
        "owners equity",
        "reserves",
        "retained earnings",
        "shareholders equity",
        "shareholders' equity",
        "stockholders equity",
    ),
    AccountType.EXPENSE: (
        "expense",
        "administrative expenses",
        "depreciation",
        "DEPRECIATN",
        "EXP",
        "general and administrative expenses",
        "indirect expenses",
        "operating expenses",
        "overheads",
        "superannuation expense",
        "wages expense",
    ),
    AccountType.FIXED_ASSET: (
        "fixed asset",
        "accumulated depreciation",
        "fixed",
        "FIXASSET",
        "intangible assets",
        "property, plant and equipment",
        "tangible assets",
    ),
    AccountType.INCOME: (
        "income",
        "INC",
        "operating income",
        "operating revenue",
        "revenue",
        "sales",
        "sales income",
        "sales revenue",
        "turnover",
    ),
    AccountType.LONG_TERM_LIABILITY: (
        "long term liability",
        "long-term liabilities",
        "LongTermLiab",
        "LTLIAB",
        "non-current liability",
        "noncurrent liability",
        "other long term liability",
        "TERMLIAB",
    ),
    AccountType.OTHER_ASSET: (
        "other asset",
        "asset",
        "long term asset",
        "non-current asset",
        "noncurrent asset",
        "noncurrent",
        "OASSET",
        "OthAsset",
        "other non-current asset",
    ),
    AccountType.OTHER_CURRENT_ASSET: (
        "other current asset",
        "current",
        "current asset",
        "deferred expense",
        "DeferExpense",
        "inventory",
        "inventory asset",
        "OCASSET",
        "OthCurrAsset",
        "other receivables",
        "prepaid expenses",
        "prepayment",
        "stock",
        "unbilled receivable",
        "undeposited funds",
    ),
    AccountType.OTHER_CURRENT_LIABILITY: (
        "other current liability",
        "accrued liabilities",
        "current liability",
        "CURRLIAB",
        "deferred revenue",
        "DeferRevenue",
        "historical adjustment",
        "liability",
        "OCLIAB",
        "OthCurrLiab",
        "PAYG liability",
        "payroll liabilities",
        "rounding",
        "sales tax",
        "sales tax payable",
        "superannuation liability",
        "tax liability",
        "tracking",
        "unpaid expense claims",
    ),
    AccountType.OTHER_EXPENSE: (
        "other expense",
        "EXEXP",
        "OthExpense",
        "finance costs",
        "interest expense",
        "non-operating expense",
        "nonoperating expense",
    ),
    AccountType.OTHER_INCOME: (
        "other income",
        "EXINC",
        "OthIncome",
        "interest income",
        "non-operating income",
        "nonoperating income",
        "other revenue",
    ),
    AccountType.NON_POSTING: ("non-posting", "nonposting", "Stat", "statistical", "memo"),
}


def _words(wording: str) -> list[str]:
    return _WORD.findall(wording.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", ""))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _keys(wording: str) -> tuple[str, str]:
    """Two spellings without case, spaces and punctuation: as written, and with every word in the singular."""
    words = _words(wording)
    return "".join(words), "".join(map(_singular, words))


def _index() -> dict[str, AccountType]:
    index: dict[str, AccountType] = {}
    for account_type, wordings in WORDINGS.items():
        for wording in (account_type.value.replace("_", " "), *wordings):
            for key in _keys(wording):
                if index.setdefault(key, account_type) is not account_type:
                    raise ValueError(f"{wording!r} means both {index[key]} and {account_type}")
    return index


_INDEX = _index()


def account_type(wording: str) -> AccountType | None:
    """The type that a program calls by ``wording``, or None when it is no type we know.

    Accepted are BILL's own names (``OTHER_CURRENT_ASSET``, ``OtherCurrentAsset``) and the wordings of QuickBooks,
    Xero, NetSuite and Sage ("Other Current Assets", "Overheads", "Direct Costs").
    """
    as_written, singular = _keys(wording.replace("_", " "))
    return _INDEX.get(as_written) or _INDEX.get(singular)
