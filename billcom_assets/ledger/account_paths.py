"""The type of an account from its full name, as plain-text accounting has it: ``Assets:Bank:Checking``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.hierarchy import SEPARATOR, same


@cache
def _roots() -> dict[str, dict[str, Any]]:
    text = resources.files(__package__).joinpath("account_paths.toml").read_text(encoding="utf-8")
    return {name: root for root in tomllib.loads(text)["roots"] for name in root["names"]}


def is_account_path(text: str) -> bool:
    """Whether a text begins with the root of a chart of accounts."""
    return same(text.split(SEPARATOR, maxsplit=1)[0]) in _roots()


def type_of_path(full_name: str) -> AccountType | None:
    """The type that the components say, the deepest one first; None below no known root."""
    first, *below = map(same, full_name.split(SEPARATOR))
    root = _roots().get(first)
    if root is None:
        return None
    for component in reversed(below):
        for type_, words in root.get("words", {}).items():
            if component in words or component.replace("-", " ") in words:
                return AccountType(type_)
    return AccountType(root["type"])
