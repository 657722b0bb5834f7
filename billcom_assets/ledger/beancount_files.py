"""Beancount: accounts from the directives that open and close them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from billcom_assets.ledger.tables import Record
from billcom_assets.ledger.text_files import TextFile

_DIRECTIVE = re.compile(
    r"\d{4}[-/]\d\d?[-/]\d\d?\s+(?P<what>open|close)\s+(?P<account>[^\W\d_][\w-]*(?::[\w-]+)+)(?P<rest>.*)"
)
_CURRENCIES = re.compile(r"[^\";]*")


def is_beancount(source: TextFile) -> bool:
    """Whether the file opens an account."""
    return any((found := _DIRECTIVE.match(line)) and found["what"] == "open" for line in source.lines())


def beancount_records(source: TextFile, _keyword: str) -> Iterator[Record]:
    """A header, then one record for each account that is opened."""
    yield 0, ["Account", "Currencies", "Closed"]
    opened: dict[str, tuple[int, str]] = {}
    closed: set[str] = set()
    for number, line in enumerate(source.lines(), start=1):
        if (found := _DIRECTIVE.match(line)) is None:
            continue
        account = found["account"]
        if found["what"] == "close":
            closed.add(account)
        else:
            currencies = _CURRENCIES.match(found["rest"].strip())
            opened.setdefault(account, (number, currencies[0].strip() if currencies else ""))
    for account, (number, currencies_) in opened.items():
        yield number, [account, currencies_, "yes" if account in closed else ""]
