"""The company's own records as imported from its accounting program, and the mappings between BILL and them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, false, true

from billcom_assets.warehouse.tables import metadata
from billcom_assets.warehouse.types import Exact, Json, UtcTimestamp


def _integration() -> Column[str]:
    return Column("integration", Text, nullable=False, comment="Integration key")


def _active() -> Column[bool]:
    return Column(
        "active", Boolean, nullable=False, comment="In use; false when marked inactive or gone from the import"
    )


def _imported_at() -> Column[Any]:
    return Column("imported_at", UtcTimestamp, nullable=False, comment="When an import last changed it")


def _source_id() -> Column[Any]:
    return Column(
        "source_id", Text, comment="Stable id that the accounting program gave it; null where its file has none"
    )


def _number() -> Column[Any]:
    return Column("number", Text, comment="Number or code")


def _currency() -> Column[Any]:
    return Column("currency", Text, comment="ISO 4217 code; null for the home currency")


def _party() -> tuple[Column[Any], ...]:
    """What is known of vendors and customers alike."""
    return (
        _integration(),
        Column("id", Text, nullable=False, comment="The ledger's own id: its number, or the name without one"),
        Column("name", Text, nullable=False, comment="Name"),
        Column("tax_id", Text, comment="Tax id, as imported"),
        Column("email", Text, comment="E-mail"),
        _currency(),
        _source_id(),
        _number(),
        Column("terms", Text, comment="Payment terms"),
        Column("on_hold", Boolean, nullable=False, server_default=false(), comment="Not to be traded with for now"),
        Column("default_account_id", Text, comment="Id of the ledger account that its lines usually go to"),
    )


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
    _source_id(),
    _currency(),
    Column(
        "postable",
        Boolean,
        nullable=False,
        server_default=true(),
        comment="May be posted to; false for a header that only sums up",
    ),
    Column(
        "control",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Kept by a subledger, such as accounts payable; not posted to by hand",
    ),
    Column(
        "required_dimensions",
        Text,
        comment="Kinds of dimensions that every line on it must name, separated by commas; null for none",
    ),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "id"),
    comment="One row per account of the company's chart of accounts",
)

ledger_vendors = Table(
    "ledger_vendors",
    metadata,
    *_party(),
    Column("eligible_1099", Boolean, comment="Payments are reported on form 1099; null where unknown"),
    Column("box_1099", Text, comment="Box of form 1099 that payments are reported in"),
    _active(),
    _imported_at(),
    PrimaryKeyConstraint("integration", "id"),
    comment="One row per vendor of the company's ledger",
)

ledger_customers = Table(
    "ledger_customers",
    metadata,
    *_party(),
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
    Column("income_account_id", Text, comment="Ledger account that sales of it post to"),
    Column("expense_account_id", Text, comment="Ledger account that purchases of it post to"),
    _source_id(),
    _number(),
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
    _source_id(),
    _number(),
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
    Column("state", Text, nullable=False, comment="mapped; unmapped by hand"),
    Column("method", Text, nullable=False, comment="manual, exact or likely"),
    Column("score", Exact, comment="0 to 100: how well it fitted; null for one decided by hand"),
    Column("reason", Text, nullable=False, comment="Why the two belong together"),
    Column("decided_by", Text, comment="Who decided"),
    Column("decided_at", UtcTimestamp, nullable=False, comment="When it was decided"),
    PrimaryKeyConstraint("integration", "kind", "bill_id"),
    CheckConstraint("state in ('mapped', 'unmapped')", name="state"),
    CheckConstraint("(state = 'unmapped') = (ledger_id is null)", name="ledger_id"),
    CheckConstraint("method in ('manual', 'exact', 'likely')", name="method"),
    Index(None, "integration", "kind", "ledger_id"),
    comment="One row per BILL object that is mapped or left unmapped",
)

mapping_suggestions = Table(
    "mapping_suggestions",
    metadata,
    _integration(),
    Column("kind", Text, nullable=False, comment="Entity of the BILL object"),
    Column("bill_id", Text, nullable=False, comment="BILL's id"),
    Column("rank", Integer, nullable=False, comment="1 for the best fit, up to 3"),
    Column("ledger_id", Text, nullable=False, comment="Id of the ledger object that is proposed"),
    Column("certainty", Text, nullable=False, comment="exact, likely or ambiguous"),
    Column("score", Integer, nullable=False, comment="0 to 100: how well it fits"),
    Column("supporting", Json, nullable=False, comment="JSON list of the facts for it, in words"),
    Column("contradicting", Json, nullable=False, comment="JSON list of the facts against it, in words"),
    Column("suggested_at", UtcTimestamp, nullable=False, comment="When it was first proposed"),
    PrimaryKeyConstraint("integration", "kind", "bill_id", "rank"),
    CheckConstraint("certainty in ('exact', 'likely', 'ambiguous')", name="certainty"),
    comment="One row per ledger object that is proposed for a BILL object which waits for a decision",
)
