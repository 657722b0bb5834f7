"""The ledger's accounts as the posting policy names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, select

from billcom_assets.books.settings import CONTROL_TYPES, Setting
from billcom_assets.ledger.account_types import AccountType, in_words
from billcom_assets.ledger.hierarchy import full_names, same
from billcom_assets.redaction.close_matches import listed, quoted
from billcom_assets.redaction.display import one_line
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.ledger_tables import ledger_accounts

_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the ledger."""

    id: str
    number: str | None
    name: str
    full_name: str
    """With its parents."""
    type: str
    active: bool
    postable: bool

    @property
    def label(self) -> str:
        """As people call it, on one line."""
        return one_line(f"{self.number} {self.name}" if self.number else self.full_name, limit=_LONGEST_LABEL)


def unsuitable(setting: Setting, account: Account) -> str | None:
    """Why the setting cannot name the account; None when it can."""
    if not account.active:
        return "is inactive in the ledger"
    if not account.postable or account.type == AccountType.NON_POSTING:
        return "takes no entries: it only sums up others"
    if setting.type is not None and account.type != setting.type:
        return f"is of the type {in_words(account.type)}, not {in_words(setting.type)}"
    if setting.type is None and account.type in CONTROL_TYPES:
        return f"is of the type {in_words(account.type)}, which is for that alone"
    return None


@dataclass(frozen=True, slots=True)
class Chart:
    """The accounts of one integration's ledger, inactive ones too."""

    integration: str
    accounts: Mapping[str, Account]
    """By id."""

    @classmethod
    def of(cls, connection: Connection, integration: str) -> Self:
        """As it is now."""
        t = ledger_accounts.c
        query = select(t.id, t.number, t.name, t.parent_id, t.type, t.active, t.postable)
        rows = connection.execute(query.where(t.integration == integration).order_by(t.id)).all()
        paths = full_names({row.id: (row.name, row.parent_id) for row in rows})
        return cls(
            integration,
            {
                row.id: Account(row.id, row.number, row.name, paths[row.id], row.type, row.active, row.postable)
                for row in rows
            },
        )

    def suitable(self, setting: Setting) -> list[Account]:
        """The accounts that the setting can name."""
        return [account for account in self.accounts.values() if unsuitable(setting, account) is None]

    def label(self, id_: str) -> str:
        """An account as people call it; the bare id of one that is not there."""
        found = self.accounts.get(id_)
        return found.label if found else one_line(id_, limit=_LONGEST_LABEL)

    def find(self, setting: Setting, text: str) -> Account:
        """The account that somebody means for the setting, by its id, its number, its full name or its plain name.

        Raises:
            InvalidSetting: there is none, several could be meant, or the setting cannot name it.
        """
        account = self.accounts.get(text) or self._only(setting, text)
        why = unsuitable(setting, account)
        if why is not None:
            raise InvalidSetting(f"{setting.name} cannot be {account.label}: it {why}.{self._can_be(setting)}")
        return account

    def _only(self, setting: Setting, text: str) -> Account:
        # What is out of use is only meant where nothing in use is called so.
        found = self._called(text, active=True) or self._called(text, active=False)
        if not found:
            raise InvalidSetting(f"The ledger has no account {quoted(text)}.{self._can_be(setting)}")
        if len(found) > 1:
            ids = listed(f"{one_line(one.id, limit=_LONGEST_LABEL)} ({one_line(one.full_name)})" for one in found)
            raise InvalidSetting(f"{quoted(text)} could be several accounts. Give the id of the one you mean: {ids}.")
        return found[0]

    def _called(self, text: str, *, active: bool) -> list[Account]:
        """Those with that number; else with that full name; else with that plain name."""
        wanted, some = same(text), [one for one in self.accounts.values() if one.active == active]
        for way in ("number", "full_name", "name"):
            found = [one for one in some if same(getattr(one, way) or "") == wanted]
            if found:
                return found
        return []

    def _can_be(self, setting: Setting) -> str:
        """What the setting can name, in a sentence with a space before it."""
        if not self.accounts:
            command = f"billcom ledger import {self.integration} --accounts accounts.csv"
            return f" Its chart of accounts was not loaded yet: {command}"
        labels = listed(account.label for account in self.suitable(setting))
        return f" It can be: {labels}." if labels else f" The ledger has no account that {setting.name} could be."
