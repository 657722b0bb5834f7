"""What uses accounts of BILL's: documents that are not finished, which an archived account would strand, and others."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sqlalchemy import ColumnElement, Connection

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.mapping.uses import references, referring
from billcom_assets.sync.state import pulled_completely
from billcom_assets.warehouse.catalog_mirror import catalog_mirror

_FINISHED: Final = {
    "bills": ("payment_status", ("PAID",)),
    "vendor_credits": ("status", ("FULLY_APPLIED",)),
    "credit_memos": ("status", ("FULLY_APPLIED",)),
    "invoices": ("status", ("PAID_IN_FULL",)),
}
"""Of documents the column that says so, and its values; the others are finished as they are, or never."""
_NEVER_FINISHED: Final = frozenset({"recurring_bills", "recurring_invoices", "items", "funding_accounts"})
"""New documents are made of them, or name what they name."""
MUST_BE_KNOWN: Final = ("bills", "recurring_bills")
"""Without having seen these nobody knows whether an account is in use."""
_OPEN: Final = "open"


def is_open(use: str) -> bool:
    """Whether a use is one that an archived account would strand."""
    return use.startswith(f"{_OPEN} ") or use.replace(" ", "_") in _NEVER_FINISHED


def account_uses(connection: Connection, integration: str) -> dict[str, frozenset[str]]:
    """By BILL's id of an account the names of what uses it, such as ``open bills`` and ``vendor payments``.

    Only of what is mirrored: documents before the cutoff are not.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for reference in references(tuple(CATALOG)):
        if reference.target != "accounts" or reference.entity.name == "accounts":
            continue
        name = reference.entity.name
        words = name.replace("_", " ")
        everything = referring(catalog_mirror(), reference, integration).distinct()
        for id_ in connection.scalars(everything):
            found[id_].add(words)
        if name in _FINISHED:
            for id_ in connection.scalars(everything.where(_is_open(name))):
                found[id_].add(f"{_OPEN} {words}")
    return {id_: frozenset(users) for id_, users in found.items()}


def _is_open(entity: str) -> ColumnElement[bool]:
    column, finished = _FINISHED[entity]
    status = catalog_mirror().table(entity).c[column]
    return status.is_(None) | status.not_in(finished)


def never_fetched(connection: Connection, integration: str) -> tuple[str, ...]:
    """Entities that have to be seen to know what is in use, and never were."""
    pulled = pulled_completely(connection, integration)
    return tuple(name for name in MUST_BE_KNOWN if name not in pulled)
