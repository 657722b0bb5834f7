"""The mandated orders, and which assets look at what others have brought.

Sync plan: the catalog's order, with ``gate`` and ``account_alignment`` between ``accounts`` and ``bills``, and the
agings and ``documents`` at its end. Seed plan: the catalog's entities marked ``in_seed``, in the same order. The order
is that of the plan, which one function walks; dependencies do not tell it, because no list of BILL's is made from
another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity

GATE = "gate"
ALIGNMENT = "account_alignment"
PAYABLES_AGING = "ap_aging"
RECEIVABLES_AGING = "ar_aging"
DOCUMENTS = "documents"


@dataclass(frozen=True)
class Step:
    """One asset of the sync plan."""

    name: str
    reads: tuple[str, ...]
    """Assets whose data it looks at, which is what it depends on."""
    entity: Entity | None = None
    """None for a step that pulls nothing."""
    is_gated: bool = False
    """The gate is examined before it, and it is left out while that is closed."""


_BETWEEN = {"accounts": (Step(GATE, ("vendors", "accounts"), is_gated=True), Step(ALIGNMENT, ("accounts", GATE)))}
"""Steps that pull nothing, by the entity that they follow."""
_AFTERWARDS = (
    # A payment pulls the bills that it pays again, so that what is open is known after payments only.
    Step(PAYABLES_AGING, ("vendors", "bills", "vendor_credits", "vendor_payments"), is_gated=True),
    Step(RECEIVABLES_AGING, ("customers", "invoices", "credit_memos"), is_gated=True),
    # Last, because papers keep nobody waiting for numbers.
    Step(DOCUMENTS, ("bills", "invoices", "vendor_credits"), is_gated=True),
)
"""Steps that look at what the pulls have brought."""


def sync_plan(catalog: Catalog) -> Iterator[Step]:
    """Every step in the order in which a full sync takes them."""
    for entity in catalog:
        yield Step(entity.name, (GATE,) if entity.gated else (), entity, is_gated=entity.gated)
        yield from _BETWEEN.get(entity.name, ())
    yield from _AFTERWARDS


def seed_plan(catalog: Catalog) -> tuple[str, ...]:
    """Names of the seed's steps in their order."""
    return tuple(entity.name for entity in catalog.seed_plan())
