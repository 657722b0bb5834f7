"""hledger: accounts from its directives, or from the list of full names that it prints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from billcom_assets.ledger.account_paths import is_account_path
from billcom_assets.ledger.tables import Record
from billcom_assets.ledger.text_files import TextFile

_DIRECTIVE = re.compile(r"account\s+(?P<account>\S.*)")
_TYPE = re.compile(r"\btype:\s*(?P<type>\w+)")
_COMMENT = re.compile(r"\s{2,};|\t\s*;")
_NOT_A_NAME = re.compile(r"[,;\t|\"]")


def is_hledger(source: TextFile) -> bool:
    """Whether the file declares accounts, or every line is the full name of one."""
    names = [name for _, name, _ in _accounts(source)]
    return bool(names) and all(is_account_path(name) and not _NOT_A_NAME.search(name) for name in names)


def hledger_records(source: TextFile, _keyword: str) -> Iterator[Record]:
    """A header, then one record for each account."""
    yield 0, ["Account", "Type"]
    for number, name, type_ in _accounts(source):
        yield number, [name, type_]


def _accounts(source: TextFile) -> Iterator[tuple[int, str, str]]:
    """Line, full name and type; in a journal of directives everything else is passed over."""
    lines = [
        (number, line)
        for number, line in enumerate(source.lines(), start=1)
        if line.strip() and not line[0].isspace() and line[0] not in ";#*"
    ]
    directives = [(number, found["account"]) for number, line in lines if (found := _DIRECTIVE.match(line))]
    for number, stated in directives or lines:
        name, *comments = _COMMENT.split(stated, maxsplit=1)
        type_ = _TYPE.search(comments[0]) if comments else None
        yield number, name.strip(), type_["type"] if type_ else ""
