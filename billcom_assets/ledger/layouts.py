"""The files that a ledger can be loaded from, and the headers of their columns."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from billcom_assets.ledger.csv_files import Field, Layout

_STATED = tomllib.loads(resources.files(__package__).joinpath("layouts.toml").read_text(encoding="utf-8"))


def _layout(kind: str, stated: dict[str, Any]) -> Layout:
    headers = stated["headers"] | {name: _STATED["common"][name] for name in stated["common"]}
    required = stated["required"]
    return Layout(kind, tuple(Field(name, tuple(words), name in required) for name, words in headers.items()))


LAYOUTS = {kind: _layout(kind, stated) for kind, stated in _STATED["layouts"].items()}

DIMENSION_KINDS: dict[str, list[str]] = _STATED["dimensions"]
"""Our name of each dimension, and what accounting programs call it."""

KIND_OF_DIMENSION = {word: kind for kind, words in DIMENSION_KINDS.items() for word in words}
"""Our name of a dimension by each of its names, in lower case."""
