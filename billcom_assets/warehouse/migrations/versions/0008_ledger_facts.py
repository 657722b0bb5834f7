"""What posting needs to know of the company's own records, and suggestions apart from decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "billcom"

_SOURCE_ID = "Stable id that the accounting program gave it; null where its file has none"
_CURRENCY = "ISO 4217 code; null for the home currency"
_INCOME_TYPES = ("INCOME", "OTHER_INCOME")


def upgrade() -> None:
    """Adds the columns, tells income accounts from expense accounts of items, and moves suggestions out."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if is_postgresql else None
    _add_columns(schema)
    _tell_item_accounts_apart(schema)
    op.create_table(
        "mapping_suggestions",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("kind", sa.Text(), nullable=False, comment="Entity of the BILL object"),
        sa.Column("bill_id", sa.Text(), nullable=False, comment="BILL's id"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 for the best fit, up to 3"),
        sa.Column("ledger_id", sa.Text(), nullable=False, comment="Id of the ledger object that is proposed"),
        sa.Column("certainty", sa.Text(), nullable=False, comment="exact, likely or ambiguous"),
        sa.Column("score", sa.Integer(), nullable=False, comment="0 to 100: how well it fits"),
        sa.Column("supporting", types.Json(), nullable=False, comment="JSON list of the facts for it, in words"),
        sa.Column("contradicting", types.Json(), nullable=False, comment="JSON list of the facts against it, in words"),
        sa.Column("suggested_at", types.UtcTimestamp(), nullable=False, comment="When it was first proposed"),
        sa.PrimaryKeyConstraint("integration", "kind", "bill_id", "rank", name=op.f("pk_mapping_suggestions")),
        sa.CheckConstraint(
            "certainty in ('exact', 'likely', 'ambiguous')", name=op.f("ck_mapping_suggestions_certainty")
        ),
        schema=SCHEMA,
        comment="One row per ledger object that is proposed for a BILL object which waits for a decision",
    )
    # What was suggested by rules that no longer hold is suggested anew by the next pull.
    mappings = sa.table("mappings", sa.column("state", sa.Text), schema=schema)
    op.execute(mappings.delete().where(mappings.c.state == "suggested"))
    _narrow(schema)


def _add_columns(schema: str | None) -> None:
    def add(table: str, *columns: sa.Column[object]) -> None:
        for column in columns:
            op.add_column(table, column, schema=schema)

    def text(name: str, comment: str) -> sa.Column[object]:
        return sa.Column(name, sa.Text(), nullable=True, comment=comment)

    def flag(name: str, default: bool, comment: str) -> sa.Column[object]:
        default_text = sa.true() if default else sa.false()
        return sa.Column(name, sa.Boolean(), nullable=False, server_default=default_text, comment=comment)

    add(
        "integrations",
        sa.Column(
            "home_currency",
            sa.Text(),
            nullable=False,
            server_default="USD",
            comment="ISO 4217 code of the currency that the company keeps its books in",
        ),
    )
    add(
        "ledger_accounts",
        text("source_id", _SOURCE_ID),
        text("currency", _CURRENCY),
        flag("postable", True, "May be posted to; false for a header that only sums up"),
        flag("control", False, "Kept by a subledger, such as accounts payable; not posted to by hand"),
        text(
            "required_dimensions",
            "Kinds of dimensions that every line on it must name, separated by commas; null for none",
        ),
    )
    for table in ("ledger_vendors", "ledger_customers"):
        add(
            table,
            text("source_id", _SOURCE_ID),
            text("number", "Number or code"),
            text("terms", "Payment terms"),
            flag("on_hold", False, "Not to be traded with for now"),
            text("default_account_id", "Id of the ledger account that its lines usually go to"),
        )
    add(
        "ledger_vendors",
        sa.Column(
            "eligible_1099",
            sa.Boolean(),
            nullable=True,
            comment="Payments are reported on form 1099; null where unknown",
        ),
        text("box_1099", "Box of form 1099 that payments are reported in"),
    )
    add(
        "ledger_items",
        text("source_id", _SOURCE_ID),
        text("number", "Number or code"),
        text("income_account_id", "Ledger account that sales of it post to"),
    )
    add("ledger_dimensions", text("source_id", _SOURCE_ID), text("number", "Number or code"))
    if schema:
        for table in ("ledger_vendors", "ledger_customers"):
            op.execute(f"COMMENT ON COLUMN {schema}.{table}.currency IS '{_CURRENCY}'")


def _tell_item_accounts_apart(schema: str | None) -> None:
    place = f"{schema}." if schema else ""
    op.execute(f"ALTER TABLE {place}ledger_items RENAME COLUMN account_id TO expense_account_id")
    if schema:
        op.execute(
            f"COMMENT ON COLUMN {place}ledger_items.expense_account_id IS 'Ledger account that purchases of it post to'"
        )
    columns = [sa.column(name, sa.Text) for name in ("integration", "id", "type")]
    accounts = sa.table("ledger_accounts", *columns, schema=schema)
    names = ("integration", "income_account_id", "expense_account_id")
    items = sa.table("ledger_items", *(sa.column(name, sa.Text) for name in names), schema=schema)
    sold = sa.select(accounts.c.id).where(
        accounts.c.integration == items.c.integration,
        accounts.c.id == items.c.expense_account_id,
        accounts.c.type.in_(_INCOME_TYPES),
    )
    op.execute(
        items.update()
        .where(sa.exists(sold))
        .values(income_account_id=items.c.expense_account_id, expense_account_id=None)
    )


def _narrow(schema: str | None) -> None:
    """Decisions alone are left: mapped, or left unmapped."""
    if schema is None:
        # SQLite changes no constraint of a table that is there; a row that only it would refuse is never written.
        return
    op.drop_constraint(op.f("ck_mappings_state"), "mappings", schema=schema)
    op.create_check_constraint(op.f("ck_mappings_state"), "mappings", "state in ('mapped', 'unmapped')", schema=schema)
    for column, comment in (
        ("state", "mapped; unmapped by hand"),
        ("score", "0 to 100: how well it fitted; null for one decided by hand"),
        ("reason", "Why the two belong together"),
        ("decided_by", "Who decided"),
        ("decided_at", "When it was decided"),
    ):
        op.execute(f"COMMENT ON COLUMN {schema}.mappings.{column} IS '{comment}'")
    op.execute(f"COMMENT ON TABLE {schema}.mappings IS 'One row per BILL object that is mapped or left unmapped'")
