"""The company's own records as imported from its accounting program, and the mappings between BILL and them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, Text

from billcom_assets.warehouse.tables import metadata
from billcom_assets.warehouse.types import Exact, UtcTimestamp


def _integration() -> Column[str]:
    return Column("integration", Text, nullable=False, comment="Integration key")


def _active() -> Column[bool]:
    return Column(
        "active", Boolean, nullable=False, comment="In use; false when marked inactive or gone from the import"
    )


def _imported_at() -> Column[Any]:
    return Column("imported_at", UtcTimestamp, nullable=False, comment="When an import last changed it")


ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    _integration(),
    Column("id", Text, nullable=False, comment="The ledger's own id: the number, or the full name without one"),
    Column("number", Text, comment="Account number"),
    Column("name", Text, nullable=False, comment="Account name without its parents"),
    Column("type", Text, nullable=False, comment="One of BILL's 17 account types"),
    Column("parent_id", Text, comment="Id of the parent account"),
    Column("description", Text, comment="Description"),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "id"),
    comment="One row per account of the company's chart of accounts",
)

ledger_vendors = Table(
    "ledger_vendors",
    metadata,
    _integration(),
    Column("id", Text, nullable=False, comment="The ledger's own id: its number, or the name without one"),
    Column("name", Text, nullable=False, comment="Name"),
    Column("tax_id", Text, comment="Tax id, as imported"),
    Column("email", Text, comment="E-mail"),
    Column("currency", Text, comment="ISO-4217 code"),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "id"),
    comment="One row per vendor of the company's ledger",
)

ledger_customers = Table(
    "ledger_customers",
    metadata,
    _integration(),
    Column("id", Text, nullable=False, comment="The ledger's own id: its number, or the name without one"),
    Column("name", Text, nullable=False, comment="Name"),
    Column("tax_id", Text, comment="Tax id, as imported"),
    Column("email", Text, comment="E-mail"),
    Column("currency", Text, comment="ISO-4217 code"),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "id"),
    comment="One row per customer of the company's ledger",
)

ledger_items = Table(
    "ledger_items",
    metadata,
    _integration(),
    Column("id", Text, nullable=False, comment="The ledger's own id: its number (SKU), or the name without one"),
    Column("name", Text, nullable=False, comment="Name"),
    Column("description", Text, comment="Description"),
    Column("account_id", Text, comment="Ledger account that it posts to"),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "id"),
    comment="One row per product or service of the company's ledger",
)

ledger_dimensions = Table(
    "ledger_dimensions",
    metadata,
    _integration(),
    Column("kind", Text, nullable=False, comment="departments, jobs, locations, accounting_classes or employees"),
    Column("id", Text, nullable=False, comment="The ledger's own id: its code, or the full name without one"),
    Column("name", Text, nullable=False, comment="Name without its parents"),
    Column("parent_id", Text, comment="Id of the parent"),
    Column("email", Text, comment="E-mail, for employees"),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "kind", "id"),
    comment="One row per department, job, location, accounting class or employee of the company's ledger",
)

mappings = Table(
    "mappings",
    metadata,
    _integration(),
    Column("kind", Text, nullable=False, comment="Entity of the BILL object"),
    Column("bill_id", Text, nullable=False, comment="BILL's id"),
    Column("ledger_id", Text, comment="Id of the ledger counterpart; null when left unmapped by hand"),
    Column("state", Text, nullable=False, comment="mapped; suggested, waiting for a decision; unmapped by hand"),
    Column("method", Text, nullable=False, comment="manual, exact or likely"),
    Column("score", Exact, comment="0 to 100: how likely it is; null for exact and manual ones"),
    Column("reason", Text, nullable=False, comment="Why the two belong together"),
    Column("decided_by", Text, comment="Who decided; null while it is only suggested"),
    Column("decided_at", UtcTimestamp, nullable=False, comment="When it was suggested or decided"),
    PrimaryKeyConstraint("integration", "kind", "bill_id"),
    CheckConstraint("state in ('mapped', 'suggested', 'unmapped')", name="state"),
    CheckConstraint("(state = 'unmapped') = (ledger_id is null)", name="ledger_id"),
    CheckConstraint("method in ('manual', 'exact', 'likely')", name="method"),
    Index(None, "integration", "kind", "ledger_id"),
    comment="One row per BILL object that is linked to a ledger object, is proposed to be, or shall not be",
)
