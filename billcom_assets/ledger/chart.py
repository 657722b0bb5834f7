"""Finding the account that another list names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from billcom_assets.ledger.hierarchy import SEPARATOR, ReportLine, full_names, same, split_name
from billcom_assets.ledger.problems import quoted
from billcom_assets.ledger.records import LedgerAccount

_Index = dict[str, list[LedgerAccount]]


class Chart:
    """A chart of accounts, whose accounts are found by number, full name, name, or number and name together."""

    def __init__(self, accounts: Iterable[LedgerAccount]) -> None:
        """Indexes the accounts."""
        self._accounts = list(accounts)
        paths = full_names({one.id: (one.name, one.parent_id) for one in self._accounts})
        self._by_number: _Index = defaultdict(list)
        self._by_path: _Index = defaultdict(list)
        self._by_name: _Index = defaultdict(list)
        self._by_label: _Index = defaultdict(list)
        for account in self._accounts:
            self._by_path[_path(paths[account.id])].append(account)
            self._by_name[same(account.name)].append(account)
            if account.number:
                self._by_number[same(account.number)].append(account)
                self._by_number[_bare(account.number)].append(account)
                for name in {account.name, paths[account.id]}:
                    self._by_label[_path(f"{account.number} {name}")].append(account)
                    self._by_label[_path(f"{account.number} - {name}")].append(account)

    def find(self, reference: str, line: int, report: ReportLine) -> LedgerAccount | None:
        """The account that a cell means; None for an empty cell, or when it is not just one, which is reported."""
        if not reference:
            return None
        found = {account.id: account for account in self._meant(reference)}
        usable = [account for account in found.values() if account.active] or list(found.values())
        if len(usable) == 1:
            return usable[0]
        report(line, f"the account {quoted(reference)} {self._reason(usable)}")
        return None

    def _meant(self, reference: str) -> Iterable[LedgerAccount]:
        number, parts = split_name(reference)
        readings: Iterator[Iterable[LedgerAccount] | None] = iter(
            (
                self._exactly(reference),
                self._by_number.get(same(number)),
                self._by_path.get(_path(SEPARATOR.join(parts))),
                self._by_name.get(same(SEPARATOR.join(parts))),
                self._by_label.get(_path(reference)),
                self._by_number.get(_bare(reference)),
            )
        )
        return next((found for found in readings if found), ())

    def _exactly(self, reference: str) -> list[LedgerAccount]:
        """By number as it is written, not as it reads without punctuation."""
        found = self._by_number.get(same(reference), ())
        return [account for account in found if same(account.number or "") == same(reference)]

    def _reason(self, found: list[LedgerAccount]) -> str:
        if found:
            return "may mean several accounts; give its number"
        nowhere = "is not in the chart of accounts"
        return nowhere if self._accounts else f"{nowhere}, which is empty; give its file too with --accounts"


def _path(name: str) -> str:
    """A full name whatever the spaces around its colons."""
    return SEPARATOR.join(map(same, name.split(SEPARATOR)))


def _bare(number: str) -> str:
    """A number without punctuation: MYOB writes 4-1110 in one file and 41110 in the next."""
    return "".join(character for character in number.casefold() if character.isalnum())
