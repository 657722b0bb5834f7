"""Following JSON paths in a decoded BILL object; a missing or wrongly shaped step is no value, never an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def at(node: Any, keys: Sequence[str]) -> Any:
    """The value at ``keys``, or None where a step is absent or no object."""
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def each(node: Any, keys: Sequence[str]) -> Iterator[Any]:
    """Every value at ``keys``, going into each element of the lists on the way; nulls are left out."""
    if isinstance(node, list):
        for element in node:
            yield from each(element, keys)
    elif not keys:
        if node is not None:
            yield node
    elif isinstance(node, dict):
        yield from each(node.get(keys[0]), keys[1:])
