"""Accounts whose names are nearly the same, found without comparing every name with every other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from rapidfuzz.distance import OSA

from billcom_assets.alignment.chart import BillAccount

_WORD: Final = re.compile(r"[^\W_]+")
_COMMON: Final = 40
"""A word that more accounts have says little of any of them."""
_MOST_EDITS: Final = 0.15
"""Of the longer name, at which two names are still nearly the same."""
_BEGINNING: Final = 5


class NearNames:
    """The accounts to look among."""

    def __init__(self, accounts: Iterable[BillAccount]) -> None:
        self._by_key: dict[str, list[tuple[str, BillAccount]]] = defaultdict(list)
        for account in accounts:
            words = _words(account.name)
            for key in _keys(words):
                self._by_key[key].append((" ".join(words), account))

    def nearest(self, name: str) -> BillAccount | None:
        """The account whose name is nearest, where that is near enough."""
        words = _words(name)
        ours = " ".join(words)
        best: tuple[float, str, BillAccount] | None = None
        for theirs, account in self._candidates(words):
            longest = max(len(ours), len(theirs))
            distance = OSA.distance(ours, theirs, score_cutoff=int(longest * _MOST_EDITS))
            share = distance / longest if longest else 1.0
            if share <= _MOST_EDITS and (best is None or (share, account.id) < best[:2]):
                best = (share, account.id, account)
        return best[2] if best else None

    def _candidates(self, words: list[str]) -> Iterator[tuple[str, BillAccount]]:
        seen: set[str] = set()
        for key in _keys(words):
            sharing = self._by_key.get(key, ())
            for theirs, account in sharing if len(sharing) <= _COMMON else ():
                if account.id not in seen:
                    seen.add(account.id)
                    yield theirs, account


def _words(name: str) -> list[str]:
    """The words of a name, in the singular and in order, so that their order makes no difference."""
    return sorted(word.removesuffix("s") for word in _WORD.findall(name.casefold()))


def _keys(words: list[str]) -> Iterator[str]:
    yield from dict.fromkeys(words)
    whole = "".join(words)
    yield f"<{whole[:_BEGINNING]}"
    yield f">{whole[-_BEGINNING:]}"
    yield f"={whole}"
