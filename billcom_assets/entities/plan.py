"""The mandated orders, and which assets look at what others have brought.

Sync plan: the catalog's order, with ``gate`` and ``account_alignment`` between ``accounts`` and ``bills``, and the
books, the agings and ``documents`` at its end. Seed plan: the catalog's entities marked ``in_seed``, in the same order.
The order is that of the plan, which one function walks; dependencies do not tell it, because no list of BILL's is made
from another.
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
JOURNAL = "journal"
TRIAL_BALANCE = "trial_balance"
HELD_DOCUMENTS = "held_documents"
OPENING_DOCUMENTS = "opening_documents"


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
_CODING = ("vendors", "accounts", "items", "departments", "jobs", "locations", "accounting_classes", "employees")
"""What lines of documents are mapped by."""
LEDGER_DOCUMENTS = {
    "ledger_bills": ("bills", *_CODING),
    "ledger_vendor_credits": ("vendor_credits", *_CODING),
    "ledger_vendor_payments": ("vendor_payments", "vendors", "funding_accounts", "accounts"),
    "ledger_money_movements": ("money_movements", "funding_accounts"),
}
"""What became of the documents of each kind in the books, and the assets that it follows from."""
BOOKS = (*LEDGER_DOCUMENTS, JOURNAL, TRIAL_BALANCE, HELD_DOCUMENTS, OPENING_DOCUMENTS)
"""The books, in their order."""
_AFTERWARDS = (
    # One posting brings all of the books up to date, before anything looks at them.
    *(Step(name, reads, is_gated=True) for name, reads in LEDGER_DOCUMENTS.items()),
    Step(JOURNAL, tuple(LEDGER_DOCUMENTS), is_gated=True),
    Step(TRIAL_BALANCE, (JOURNAL,), is_gated=True),
    Step(HELD_DOCUMENTS, tuple(LEDGER_DOCUMENTS), is_gated=True),
    Step(OPENING_DOCUMENTS, ("bills", "vendor_credits", "vendor_payments"), is_gated=True),
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
