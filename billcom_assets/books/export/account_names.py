"""Account names that beancount and hledger both take: ``Expenses:6000-Utilities:6010-Electricity``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from billcom_assets.books.export.names import UNKNOWN_TYPE, NamedAccount, Names
from billcom_assets.books.export.parties import PartyAccount
from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.hierarchy import MAX_LEVELS

SEPARATOR: Final = ":"
ASSETS, LIABILITIES, EQUITY, INCOME, EXPENSES = ROOTS = ("Assets", "Liabilities", "Equity", "Income", "Expenses")
"""What every account is below, in the order of a balance sheet and an income statement."""

BRANCHES: Final[Mapping[str, str]] = {
    AccountType.BANK: ASSETS,
    AccountType.ACCOUNTS_RECEIVABLE: ASSETS,
    AccountType.OTHER_CURRENT_ASSET: ASSETS,
    AccountType.FIXED_ASSET: ASSETS,
    AccountType.OTHER_ASSET: ASSETS,
    AccountType.ACCOUNTS_PAYABLE: LIABILITIES,
    AccountType.CREDIT_CARD: LIABILITIES,
    AccountType.OTHER_CURRENT_LIABILITY: LIABILITIES,
    AccountType.LONG_TERM_LIABILITY: LIABILITIES,
    AccountType.EQUITY: EQUITY,
    AccountType.INCOME: INCOME,
    AccountType.OTHER_INCOME: INCOME,
    AccountType.COST_OF_GOODS_SOLD: EXPENSES,
    AccountType.EXPENSE: EXPENSES,
    AccountType.OTHER_EXPENSE: EXPENSES,
    AccountType.NON_POSTING: f"{EQUITY}{SEPARATOR}Non-Posting",
    AccountType.UNSPECIFIED: f"{EQUITY}{SEPARATOR}Unspecified",
}
"""Where accounts of BILL's types stand. The last two are no part of any statement, so they stand apart."""

_LONGEST: Final = 80
_APOSTROPHES: Final = str.maketrans("", "", "'`\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}")
_DASHES: Final = re.compile("-+")
_UNNAMED: Final = "Unnamed"


class AccountNames:
    """The name of every account, and of every vendor and customer below a control account.

    Different accounts have different names: what would be called the same is numbered, in the order of numbers and
    ids. All accounts of the books take part, so that a name does not depend on the period.
    """

    def __init__(self, names: Names, used: Iterable[str], parties: Iterable[PartyAccount]) -> None:
        """Names everything.

        Args:
            names: The ledger's accounts and the parties.
            used: Ids of the accounts in the journal, which the ledger may lack.
            parties: Vendors and customers on control accounts.
        """
        self._taken = {*ROOTS, *BRANCHES.values()}
        self._accounts: dict[str, str] = {}
        self._parties: dict[tuple[str, str], str] = {}
        accounts = {**names.accounts, **{id_: names.account(id_) for id_ in used}}
        for account in sorted(accounts.values(), key=lambda one: (one.number, one.name, one.id)):
            self._name_with_parents(account, accounts)
        for one in parties:
            name = component(names.party(one.entity, one.party, one.ledger_party), one.party)
            whole = SEPARATOR.join((self._accounts[one.ledger_account_id], name))
            self._parties[one.ledger_account_id, one.party] = self._unique(whole)

    def of(self, account: str, party: str | None = None) -> str:
        """The account's name, or with a party the name below it."""
        return self._accounts[account] if party is None else self._parties[account, party]

    def _name_with_parents(self, account: NamedAccount, accounts: Mapping[str, NamedAccount]) -> None:
        prefix = branch(account.type)
        for one in reversed(list(_upwards(account, accounts))):
            if one.id not in self._accounts:
                self._accounts[one.id] = self._unique(SEPARATOR.join((prefix, component(_label(one), one.id))))
            prefix = self._accounts[one.id]

    def _unique(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self._taken:
            count += 1
            name = f"{wanted}-{count}"
        self._taken.add(name)
        return name


def branch(type_: str) -> str:
    """What accounts of the type are below."""
    return BRANCHES.get(type_) or BRANCHES[UNKNOWN_TYPE]


def component(text: str, otherwise: str = "") -> str:
    """The text as one component of a name: letters, digits and dashes, beginning with a capital or a digit.

    Where nothing of it is left, the other text is taken.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    kept = "".join(character if _is_kept(character) else "-" for character in plain)
    dashed = _DASHES.sub("-", kept)[:_LONGEST].strip("-")
    if dashed:
        return _capitalised(dashed)
    return component(otherwise) if otherwise else _UNNAMED


def _is_kept(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "L" or category == "Nd"


def _capitalised(text: str) -> str:
    first = text[0].upper()
    if len(first) == 1 and unicodedata.category(first) in ("Lu", "Nd"):
        return first + text[1:]
    # Scripts without capitals, and letters without one.
    return f"X-{text}"


def _label(account: NamedAccount) -> str:
    if not account.number or account.name.startswith(account.number):
        return account.name
    return f"{account.number} {account.name}"


def _upwards(account: NamedAccount, accounts: Mapping[str, NamedAccount]) -> Iterator[NamedAccount]:
    """The account and its parents of the same branch; a circle, which only plain SQL can make, ends them."""
    seen: set[str] = set()
    current: NamedAccount | None = account
    while (
        current is not None
        and current.id not in seen
        and len(seen) < MAX_LEVELS
        and branch(current.type) == branch(account.type)
    ):
        seen.add(current.id)
        yield current
        current = accounts.get(current.parent_id) if current.parent_id else None
