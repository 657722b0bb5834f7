"""The books: posting policy, documents, entries that nobody can change, and opening documents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""
UNIQUE = {
    "ledger_entries": (("integration", "id"), ("integration", "reversed_entry_id")),
    "ledger_lines": (("integration", "entry_id", "line"),),
}
"""Of the tables that only grow, what no two rows have in common."""


def upgrade() -> None:
    """Creates the tables; books begin empty."""
    _create_policies()
    _create_documents()
    _create_entries()
    _create_lines()
    _create_applications()
    _create_opening()
    _create_state()
    for table in UNIQUE:
        _refuse_changes(table)


def _create_policies() -> None:
    _create(
        "posting_policies",
        "One row per change of a setting of the posting policy; the latest of each setting holds",
        _integer("version", "Version of the policy that this change made: 1, 2, 3"),
        _text("setting", "Name of the setting"),
        _text("previous", "What it was before; null for nothing", nullable=True),
        _text("value", "What it is since; null for nothing", nullable=True),
        _text("origin", "decided by a person, or found in the ledger or in BILL"),
        _time("set_at", "When (UTC)"),
        _text("set_by", "Who"),
        _check("posting_policies", "origin", "origin in ('decided', 'found')"),
        key=("version", "setting"),
    )


def _create_documents() -> None:
    _create(
        "ledger_documents",
        "One row per document in the mirror: what it is in the books now, and why",
        _text("kind", "Entity: bills, vendor_credits, vendor_payments, money_movements, ..."),
        _text("id", "BILL's id"),
        _text("number", "Its number in BILL", nullable=True),
        _text("party", "BILL's id of the vendor or customer", nullable=True),
        _date("document_date", "Invoice, credit, process or payment date", nullable=True),
        _date("posting_date", "Day on which the standing entry counts; null without one", nullable=True),
        _text("currency", "ISO 4217 code", nullable=True),
        _money("amount", "Total, in its currency", nullable=True),
        _money("home_amount", "Total, in the home currency; null where BILL gives no rate", nullable=True),
        _text("state", "imported, held or out_of_scope"),
        _text("reason", "Why it is out of scope; null unless it is", nullable=True),
        _text("entry_id", "The standing entry; null without one", nullable=True),
        sa.Column(
            "entries",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="Entries made of it so far, reversals too",
        ),
        _date("cutoff", "Cutoff under which it came into the books; null while it never did", nullable=True),
        _text("content_hash", "Digest of the content that stands; null unless imported", nullable=True),
        _text("payload_digest", "Digest of the mirror's row that this one follows"),
        _text(
            "waiting_digest", "Digest of a newer row of the mirror that may not post yet; null for none", nullable=True
        ),
        _text("set_aside_reason", "Why a person set it aside; null unless ignored", nullable=True),
        _text("set_aside_by", "Who set it aside", nullable=True),
        _time("set_aside_at", "When it was set aside (UTC)", nullable=True),
        _text("run_id", "Dagster run that last changed this row", nullable=True),
        _time("first_seen_at", "When posting first looked at it (UTC)"),
        _time("changed_at", "When this row last changed (UTC)"),
        _check("ledger_documents", "state", "state in ('imported', 'held', 'out_of_scope')"),
        _check("ledger_documents", "reason", "(state = 'out_of_scope') = (reason is not null)"),
        key=("kind", "id"),
    )


def _create_entries() -> None:
    _create(
        "ledger_entries",
        "One row per journal entry; never changed and never deleted",
        _text("id", "Derived: kind, document and sequence"),
        _text("kind", "Entity of the document"),
        _text("document_id", "BILL's id of the document"),
        _integer("sequence", "1 for the document's first entry, and so on"),
        _text("type", "posting or reversal"),
        _text("reversed_entry_id", "The entry that this one reverses; null for postings", nullable=True),
        _date("document_date", "The document's date when it was posted"),
        _date("posting_date", "Day on which it counts; never moves"),
        _text("memo", "What it is, in words"),
        _text("payload_digest", "Digest of the mirror's row that it was made of"),
        _integer("policy_version", "Version of the posting policy that it was made under"),
        _text("run_id", "Dagster run that made it", nullable=True),
        _time("posted_at", "When it was made (UTC)"),
        _check("ledger_entries", "type", "type in ('posting', 'reversal')"),
        _check("ledger_entries", "reversed_entry_id", "(type = 'reversal') = (reversed_entry_id is not null)"),
        key=("id",),
    )
    _index("ledger_entries", "kind", "document_id")
    _index("ledger_entries", "reversed_entry_id", unique=True)


def _create_lines() -> None:
    roles = (
        "control (payable or receivable), line (of the document), money (what it is paid from or into), "
        "exchange (gain or loss)"
    )
    _create(
        "ledger_lines",
        "One row per line of a journal entry; never changed and never deleted",
        _text("entry_id", "The entry"),
        _integer("line", "Place in the entry, from 1"),
        _text("role", roles),
        _text("ledger_account_id", "The ledger's account"),
        _money("debit", "Home currency; 0 on a credit line"),
        _money("credit", "Home currency; 0 on a debit line"),
        _text("currency", "ISO 4217 code of the amount"),
        _money("amount", "In the document's currency: positive for debits, negative for credits"),
        _text("party", "BILL's id of the vendor or customer", nullable=True),
        _text("ledger_party", "The ledger's id of the vendor or customer", nullable=True),
        *(
            _text(name, f"Ledger's id of the {name.replace('_', ' ')}; null for none", nullable=True)
            for name in ("item", "department", "job", "location", "accounting_class", "employee")
        ),
        sa.Column(
            "source_line",
            sa.Integer(),
            nullable=True,
            comment="Place in BILL's list of lines or of bills paid, from 0; null for none",
        ),
        _text("settles", "BILL's id of the bill or invoice that this line settles; null for none", nullable=True),
        _check("ledger_lines", "role", "role in ('control', 'line', 'money', 'exchange')"),
        key=("entry_id", "line"),
    )


def _create_applications() -> None:
    _create(
        "ledger_applications",
        "One row per amount of an imported payment or credit that settles a bill or invoice",
        _text("kind", "Entity of the settling document: vendor_credits, vendor_payments, ..."),
        _text("document_id", "BILL's id of the settling document"),
        _integer("position", "Place in its list, from 0"),
        _text("settled_kind", "Entity of the settled document: bills or invoices"),
        _text("settled_id", "BILL's id of the settled document, an opening document too"),
        _money("amount", "What is settled, in the currency of both; negative for an opposite payment"),
        _money("home_amount", "What the settling document booked for it, in the home currency"),
        _money("settled_home_amount", "What of the settled document's home value it settles"),
        _date("date", "Posting date of the settling document"),
        key=("kind", "document_id", "position"),
    )
    _index("ledger_applications", "settled_kind", "settled_id")


def _create_opening() -> None:
    _create(
        "opening_documents",
        "One row per document before the cutoff that is open, settled by a later one, or settles a later one",
        _text("entity", "bills, vendor_credits, vendor_payments, ..."),
        _text("id", "BILL's id"),
        _text("party", "BILL's id of the vendor or customer", nullable=True),
        _text("number", "Its number in BILL", nullable=True),
        _date("date", "Its date, before the cutoff"),
        _text("currency", "ISO 4217 code"),
        _money("amount", "Total, in its currency"),
        _money("open_amount", "What BILL says is open on it, in its currency"),
        key=("entity", "id"),
    )
    _create(
        "opening_applications",
        "One row per amount of a document before the cutoff that settles a bill or invoice",
        _text("entity", "Entity of the settling document: vendor_credits, vendor_payments"),
        _text("document_id", "BILL's id of the settling document"),
        _integer("position", "Place in its list, from 0"),
        _text("settled_id", "BILL's id of the bill or invoice that it settles"),
        _money("amount", "What is settled, in the currency of both"),
        key=("entity", "document_id", "position"),
    )
    _index("opening_applications", "settled_id")


def _create_state() -> None:
    _create(
        "posting_state",
        "One row per integration: what the last posting rested on, so that one after it knows what to look at",
        _text("basis", "Digest of what postings rest on beside the documents themselves"),
        _date("cutoff", "Cutoff that the documents were looked at with", nullable=True),
        _text("payments", "Setting of the posting policy that they were looked at with"),
        _text("run_id", "Dagster run of the last posting that had something to look at", nullable=True),
        _time("posted_at", "When that was (UTC)"),
        key=(),
    )


def _refuse_changes(table: str) -> None:
    """Only the books of an integration that is being forgotten, or is gone, can be deleted."""
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgresql(table)
    else:
        _refuse_on_sqlite(table)


def _refuse_on_postgresql(table: str) -> None:
    # The row is looked at apart: where a whole table is emptied there is none.
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {SCHEMA}.refuse_change_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF NOT EXISTS (
                    SELECT 1 FROM {SCHEMA}.integrations WHERE key = OLD.integration AND status <> 'forgetting'
                ) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION '{table} is append-only: post a reversal instead' USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {SCHEMA}.{table} "
        f"FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.refuse_change_of_{table}()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {SCHEMA}.{table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.refuse_change_of_{table}()"
    )


def _refuse_on_sqlite(table: str) -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: post a reversal instead'); END"
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN EXISTS "
        f"(SELECT 1 FROM integrations WHERE key = OLD.integration AND status <> 'forgetting') {refuse}"
    )
    # INSERT OR REPLACE would delete the row that is there without asking the trigger above.
    there = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{column} = NEW.{column}' for column in columns)})"
        for columns in UNIQUE[table]
    )
    op.execute(f"CREATE TRIGGER {table}_no_replacement BEFORE INSERT ON {table} WHEN {there} {refuse}")


def _create(name: str, comment: str, *columns: Any, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        _text("integration", "Integration key"),
        *columns,
        sa.PrimaryKeyConstraint("integration", *key, name=op.f(f"pk_{name}")),
        schema=SCHEMA,
        comment=comment,
    )


def _index(table: str, *columns: str, unique: bool = False) -> None:
    names = ("integration", *columns)
    op.create_index(op.f(f"ix_{table}_{'_'.join(names)}"), table, list(names), schema=SCHEMA, unique=unique)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _integer(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _money(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, types.Exact(money=True), nullable=nullable, comment=comment)


def _date(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Date(), nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, types.UtcTimestamp(), nullable=nullable, comment=comment)
