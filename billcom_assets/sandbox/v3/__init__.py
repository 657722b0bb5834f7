"""The v3 API."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.gateway import Operation
from billcom_assets.sandbox.v3 import (
    approvals,
    cards,
    classifications,
    documents,
    funding,
    payables,
    reading,
    receivables,
)
from billcom_assets.sandbox.v3.reading import V3Dialect

__all__ = ["V3Dialect", "operations"]


def operations() -> Iterator[Operation]:
    """Every operation of v3, lists first: they are called most."""
    for area in (funding, reading, cards, classifications, payables, receivables, approvals, documents):
        yield from area.operations()
