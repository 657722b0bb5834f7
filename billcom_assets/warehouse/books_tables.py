"""The books: the posting policy, what became of each BILL document, and the journal.

Money is Decimal. Debits, credits and home amounts are in the company's home currency, other amounts in the document's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.schema import SchemaItem

from billcom_assets.warehouse.tables import metadata
from billcom_assets.warehouse.types import Exact, UtcTimestamp

DIMENSIONS = ("department", "job", "location", "accounting_class", "employee")
"""Columns of ``ledger_lines`` that name the ledger's dimensions; the kinds of ``ledger_dimensions``, singular."""


def _integration() -> Column[str]:
    return Column("integration", Text, nullable=False, comment="Integration key")


def _money(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, Exact(money=True), nullable=nullable, comment=comment)


def _dimensions() -> tuple[SchemaItem, ...]:
    return tuple(
        Column(one, Text, comment=f"Ledger's id of the {one.replace('_', ' ')}; null for none") for one in DIMENSIONS
    )


posting_policies = Table(
    "posting_policies",
    metadata,
    _integration(),
    Column("version", Integer, nullable=False, comment="Version of the policy that this change made: 1, 2, 3"),
    Column("setting", Text, nullable=False, comment="Name of the setting"),
    Column("previous", Text, comment="What it was before; null for nothing"),
    Column("value", Text, comment="What it is since; null for nothing"),
    Column("origin", Text, nullable=False, comment="decided by a person, or found in the ledger or in BILL"),
    Column("set_at", UtcTimestamp, nullable=False, comment="When (UTC)"),
    Column("set_by", Text, nullable=False, comment="Who"),
    PrimaryKeyConstraint("integration", "version", "setting"),
    CheckConstraint("origin in ('decided', 'found')", name="origin"),
    comment="One row per change of a setting of the posting policy; the latest of each setting holds",
)

ledger_documents = Table(
    "ledger_documents",
    metadata,
    _integration(),
    Column(
        "kind", Text, nullable=False, comment="Entity: bills, vendor_credits, vendor_payments, money_movements, ..."
    ),
    Column("id", Text, nullable=False, comment="BILL's id"),
    Column("number", Text, comment="Its number in BILL"),
    Column("party", Text, comment="BILL's id of the vendor or customer"),
    Column("document_date", Date, comment="Invoice, credit, process or payment date"),
    Column("posting_date", Date, comment="Day on which the standing entry counts; null without one"),
    Column("currency", Text, comment="ISO 4217 code"),
    _money("amount", "Total, in its currency"),
    _money("home_amount", "Total, in the home currency; null where BILL gives no rate"),
    Column("state", Text, nullable=False, comment="imported, held or out_of_scope"),
    Column("reason", Text, comment="Why it is out of scope; null unless it is"),
    Column("entry_id", Text, comment="The standing entry; null without one"),
    Column("entries", Integer, nullable=False, server_default="0", comment="Entries made of it so far, reversals too"),
    Column("cutoff", Date, comment="Cutoff under which it came into the books; null while it never did"),
    Column("content_hash", Text, comment="Digest of the content that stands; null unless imported"),
    Column("payload_digest", Text, nullable=False, comment="Digest of the mirror's row that this one follows"),
    Column("waiting_digest", Text, comment="Digest of a newer row of the mirror that may not post yet; null for none"),
    Column("set_aside_reason", Text, comment="Why a person set it aside; null unless ignored"),
    Column("set_aside_by", Text, comment="Who set it aside"),
    Column("set_aside_at", UtcTimestamp, comment="When it was set aside (UTC)"),
    Column("run_id", Text, comment="Dagster run that last changed this row"),
    Column("first_seen_at", UtcTimestamp, nullable=False, comment="When posting first looked at it (UTC)"),
    Column("changed_at", UtcTimestamp, nullable=False, comment="When this row last changed (UTC)"),
    PrimaryKeyConstraint("integration", "kind", "id"),
    CheckConstraint("state in ('imported', 'held', 'out_of_scope')", name="state"),
    CheckConstraint("(state = 'out_of_scope') = (reason is not null)", name="reason"),
    comment="One row per document in the mirror: what it is in the books now, and why",
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    _integration(),
    Column("id", Text, nullable=False, comment="Derived: kind, document and sequence"),
    Column("kind", Text, nullable=False, comment="Entity of the document"),
    Column("document_id", Text, nullable=False, comment="BILL's id of the document"),
    Column("sequence", Integer, nullable=False, comment="1 for the document's first entry, and so on"),
    Column("type", Text, nullable=False, comment="posting or reversal"),
    Column("reversed_entry_id", Text, comment="The entry that this one reverses; null for postings"),
    Column("document_date", Date, nullable=False, comment="The document's date when it was posted"),
    Column("posting_date", Date, nullable=False, comment="Day on which it counts; never moves"),
    Column("memo", Text, nullable=False, comment="What it is, in words"),
    Column("payload_digest", Text, nullable=False, comment="Digest of the mirror's row that it was made of"),
    Column("policy_version", Integer, nullable=False, comment="Version of the posting policy that it was made under"),
    Column("run_id", Text, comment="Dagster run that made it"),
    Column("posted_at", UtcTimestamp, nullable=False, comment="When it was made (UTC)"),
    PrimaryKeyConstraint("integration", "id"),
    CheckConstraint("type in ('posting', 'reversal')", name="type"),
    CheckConstraint("(type = 'reversal') = (reversed_entry_id is not null)", name="reversed_entry_id"),
    Index(None, "integration", "kind", "document_id"),
    Index(None, "integration", "reversed_entry_id", unique=True),
    comment="One row per journal entry; never changed and never deleted",
)

ledger_lines = Table(
    "ledger_lines",
    metadata,
    _integration(),
    Column("entry_id", Text, nullable=False, comment="The entry"),
    Column("line", Integer, nullable=False, comment="Place in the entry, from 1"),
    Column(
        "role",
        Text,
        nullable=False,
        comment="control (payable or receivable), line (of the document), money (what it is paid from or into), "
        "exchange (gain or loss)",
    ),
    Column("ledger_account_id", Text, nullable=False, comment="The ledger's account"),
    _money("debit", "Home currency; 0 on a credit line", nullable=False),
    _money("credit", "Home currency; 0 on a debit line", nullable=False),
    Column("currency", Text, nullable=False, comment="ISO 4217 code of the amount"),
    _money("amount", "In the document's currency: positive for debits, negative for credits", nullable=False),
    Column("party", Text, comment="BILL's id of the vendor or customer"),
    Column("ledger_party", Text, comment="The ledger's id of the vendor or customer"),
    Column("item", Text, comment="Ledger's id of the item; null for none"),
    *_dimensions(),
    Column("source_line", Integer, comment="Place in BILL's list of lines or of bills paid, from 0; null for none"),
    Column("settles", Text, comment="BILL's id of the bill or invoice that this line settles; null for none"),
    PrimaryKeyConstraint("integration", "entry_id", "line"),
    CheckConstraint("role in ('control', 'line', 'money', 'exchange')", name="role"),
    comment="One row per line of a journal entry; never changed and never deleted",
)

ledger_applications = Table(
    "ledger_applications",
    metadata,
    _integration(),
    Column(
        "kind", Text, nullable=False, comment="Entity of the settling document: vendor_credits, vendor_payments, ..."
    ),
    Column("document_id", Text, nullable=False, comment="BILL's id of the settling document"),
    Column("position", Integer, nullable=False, comment="Place in its list, from 0"),
    Column("settled_kind", Text, nullable=False, comment="Entity of the settled document: bills or invoices"),
    Column("settled_id", Text, nullable=False, comment="BILL's id of the settled document, an opening document too"),
    _money("amount", "What is settled, in the currency of both; negative for an opposite payment", nullable=False),
    _money("home_amount", "What the settling document booked for it, in the home currency", nullable=False),
    _money("settled_home_amount", "What of the settled document's home value it settles", nullable=False),
    Column("date", Date, nullable=False, comment="Posting date of the settling document"),
    PrimaryKeyConstraint("integration", "kind", "document_id", "position"),
    Index(None, "integration", "settled_kind", "settled_id"),
    comment="One row per amount of an imported payment or credit that settles a bill or invoice",
)

opening_documents = Table(
    "opening_documents",
    metadata,
    _integration(),
    Column("entity", Text, nullable=False, comment="bills, vendor_credits, vendor_payments, ..."),
    Column("id", Text, nullable=False, comment="BILL's id"),
    Column("party", Text, comment="BILL's id of the vendor or customer"),
    Column("number", Text, comment="Its number in BILL"),
    Column("date", Date, nullable=False, comment="Its date, before the cutoff"),
    Column("currency", Text, nullable=False, comment="ISO 4217 code"),
    _money("amount", "Total, in its currency", nullable=False),
    _money("open_amount", "What BILL says is open on it, in its currency", nullable=False),
    PrimaryKeyConstraint("integration", "entity", "id"),
    comment="One row per document before the cutoff that is open, settled by a later one, or settles a later one",
)

opening_applications = Table(
    "opening_applications",
    metadata,
    _integration(),
    Column("entity", Text, nullable=False, comment="Entity of the settling document: vendor_credits, vendor_payments"),
    Column("document_id", Text, nullable=False, comment="BILL's id of the settling document"),
    Column("position", Integer, nullable=False, comment="Place in its list, from 0"),
    Column("settled_id", Text, nullable=False, comment="BILL's id of the bill or invoice that it settles"),
    _money("amount", "What is settled, in the currency of both", nullable=False),
    PrimaryKeyConstraint("integration", "entity", "document_id", "position"),
    Index(None, "integration", "settled_id"),
    comment="One row per amount of a document before the cutoff that settles a bill or invoice",
)

posting_state = Table(
    "posting_state",
    metadata,
    Column("integration", Text, primary_key=True, comment="Integration key"),
    Column("basis", Text, nullable=False, comment="Digest of what postings rest on beside the documents themselves"),
    Column("cutoff", Date, comment="Cutoff that the documents were looked at with"),
    Column("payments", Text, nullable=False, comment="Setting of the posting policy that they were looked at with"),
    Column("run_id", Text, comment="Dagster run of the last posting that had something to look at"),
    Column("posted_at", UtcTimestamp, nullable=False, comment="When that was (UTC)"),
    comment="One row per integration: what the last posting rested on, so that one after it knows what to look at",
)
