"""ISO 4217 codes, and the names and symbols that accounting programs write instead."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

_STATED: dict[str, Any] = tomllib.loads(
    resources.files(__package__).joinpath("currencies.toml").read_text(encoding="utf-8")
)
_CODE_FIRST = re.compile(r"([A-Z]{3})(?:\s*[-:(,]|\s+\S)")

CODES: frozenset[str] = frozenset(_STATED["codes"].split())
"""The codes of the currencies in use."""


_DECIMALS = {code: int(count) for count, codes in _STATED["decimals"].items() for code in codes.split()}


def decimals(code: str) -> int:
    """How many decimals amounts in the currency have: 2, unless it has none or three."""
    return _DECIMALS.get(code, 2)


def _key(text: str) -> str:
    return "".join(text.split()).casefold()


_NAMES: dict[str, str] = {_key(name): code for code, names in _STATED["names"].items() for name in names}
_SHARED = {_key(symbol): frozenset(codes.split()) for symbol, codes in _STATED["shared_symbols"].items()}


def iso_code(text: str, home: str | None = None) -> str | None:
    """The code of the currency that ``text`` means, or None where it means none or more than one.

    Understood are codes (``usd``), codes with the name behind (``USD - US Dollar``), names and symbols of one currency
    alone, and a symbol of several, such as ``$``, where ``home`` is one of them.
    """
    key = _key(text)
    if key.upper() in CODES:
        return key.upper()
    singular = key.removesuffix("s")
    if found := _NAMES.get(key) or _NAMES.get(singular):
        return found
    shared = _SHARED.get(key) or _SHARED.get(singular) or frozenset()
    if home in shared:
        return home
    code_first = _CODE_FIRST.match(text.strip())
    code = code_first.group(1) if code_first else ""
    return code if code in CODES else None
