"""The v2 calls that a sync needs: form posts, responses in envelopes with status 200 whatever happened."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.gateway import Operation
from billcom_assets.sandbox.v2 import access, approvals, disbursements, documents, lists
from billcom_assets.sandbox.v2.envelope import V2Dialect
from billcom_assets.sandbox.v2.shapes import v2_rows

__all__ = ["V2Dialect", "operations", "v2_rows"]


def operations() -> Iterator[Operation]:
    """Every v2 operation."""
    yield from access.operations()
    yield from approvals.operations()
    yield from disbursements.operations()
    yield from documents.operations()
    yield from lists.operations()
