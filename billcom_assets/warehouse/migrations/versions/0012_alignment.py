"""Alignment of the chart of accounts: its settings, plans and changes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""
PLAN_STATUSES = ("proposed", "approved", "rejected", "superseded", "applying", "applied", "failed", "undoing", "undone")
CHANGE_STATUSES = ("proposed", "approved", "rejected", "writing", "done", "failed", "undone", "not_undone")
ACTIONS = ("create", "update", "archive", "restore", "conflict")


def upgrade() -> None:
    """Adds the settings and creates the tables; an integration plans and writes nothing until somebody wants it to."""
    _add_settings()
    _create_plans()
    _create_changes()


def _add_settings() -> None:
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column(
            "alignment",
            sa.Text(),
            nullable=False,
            server_default="plan",
            comment="What becomes of differences between the charts of accounts: off, plan or apply",
        ),
        sa.Column(
            "source_of_truth",
            sa.Text(),
            nullable=False,
            server_default="ledger",
            comment="Whose chart of accounts the other follows: ledger or bill",
        ),
        sa.Column(
            "second_approver",
            sa.Boolean(),
            nullable=False,
            server_default="0",
            comment="A plan of the chart of accounts is approved by somebody else than who made it",
        ),
        _text("other_accounting_system", "Accounting system that BILL itself syncs with; none; null while unknown"),
    )
    for column in columns:
        op.add_column("integrations", column, schema=schema)


def _create_plans() -> None:
    op.create_table(
        "alignment_plans",
        _text("integration", "Integration key", nullable=False),
        _integer("number", "Number of the plan: 1, 2, 3 in each integration"),
        _text(
            "status",
            "proposed, approved, rejected, superseded, applying, applied, failed, undoing or undone",
            nullable=False,
        ),
        _time("made_at", "When it was made (UTC)", nullable=False),
        _text("made_by", "Who made it", nullable=False),
        _text("run_id", "Dagster run that made it; null for none"),
        _time("expires_at", "From when on it can be neither approved nor applied (UTC)", nullable=False),
        _integer("max_changes", "Largest number of changes that one approval covers"),
        _text("ledger_hash", "Digest of the ledger's chart that it was made from", nullable=False),
        _text("bill_hash", "Digest of BILL's chart that it was made from", nullable=False),
        _time("decided_at", "When it was approved or rejected (UTC)"),
        _text("decided_by", "Who approved or rejected it"),
        _text("apply_run_id", "Dagster run that last wrote of it; null for none"),
        _time("started_at", "When writing began (UTC)"),
        _text("started_by", "Who had it written"),
        _time("finished_at", "When writing ended (UTC)"),
        _time("undone_at", "When undoing ended (UTC)"),
        _text("undone_by", "Who had it undone"),
        sa.PrimaryKeyConstraint("integration", "number", name=op.f("pk_alignment_plans")),
        _one_of("alignment_plans", "status", PLAN_STATUSES),
        schema=SCHEMA,
        comment="One row per plan that brings BILL's chart of accounts in line with the ledger's",
    )


def _create_changes() -> None:
    op.create_table(
        "alignment_changes",
        _text("integration", "Integration key", nullable=False),
        _integer("plan", "Number of the plan"),
        _integer("position", "Place in the plan, from 1: the order of writing"),
        _text("action", "create, update, archive, restore; conflict for what is not done", nullable=False),
        _text("bill_id", "BILL's id of the account; null until it is created"),
        _text("ledger_id", "Ledger's id of the account; null for one that BILL alone has"),
        _text(
            "parent_bill_id", "BILL's id of the parent that it gets or keeps; null for none or until that is created"
        ),
        _text("parent_ledger_id", "Ledger's id of that parent; null for none"),
        _integer("parent_position", "Place of the change that creates that parent; null for none", nullable=True),
        _json("needs", "JSON list of the places of changes that must be written before it", nullable=False),
        _text("reason", "Why, in a sentence", nullable=False),
        _text("advice", "What a person should do; null unless it is a conflict"),
        _json("before", "JSON: name, number, type, description, parent, archived in BILL now; null for a new account"),
        _json("after", "JSON: the same as they should be; null for a conflict"),
        _json(
            "risks",
            "JSON list of what may go wrong, or of why it is not done: code, and the account that it is about",
            nullable=False,
        ),
        _json(
            "cascades",
            "JSON list of BILL's ids of what it archives with it, where that is still under it",
            nullable=False,
        ),
        _text("bill_hash", "Digest of what the account in BILL must be when it is written; null for a new account"),
        _text("status", "proposed, approved, rejected, writing, done, failed, undone or not_undone", nullable=False),
        _time("decided_at", "When it was approved or rejected (UTC)"),
        _text("decided_by", "Who approved or rejected it"),
        _json("request", "JSON: method, path and body as sent"),
        _json("response", "JSON: BILL's response, cut where it is long"),
        _time("written_at", "When BILL confirmed it (UTC)"),
        _text("error", "Why it was not written; null unless it failed"),
        _json("undo_request", "JSON: method, path and body of what undid it"),
        _json("undo_response", "JSON: BILL's response to that"),
        _time("undone_at", "When BILL confirmed that it is undone (UTC)"),
        _text("undo_note", "How far it could be undone, or why not"),
        sa.PrimaryKeyConstraint("integration", "plan", "position", name=op.f("pk_alignment_changes")),
        _one_of("alignment_changes", "action", ACTIONS),
        _one_of("alignment_changes", "status", CHANGE_STATUSES),
        _check("alignment_changes", "conflict", "action <> 'conflict' or status = 'proposed'"),
        _check("alignment_changes", "after", "(action = 'conflict') = (after is null)"),
        schema=SCHEMA,
        comment="One row per change of a plan: what it does to one account of BILL's, why, and what became of it",
    )


def _one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return _check(table, column, f"{column} in ({listed})")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _text(name: str, comment: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _integer(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable, comment=comment)


def _json(name: str, comment: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, types.Json(), nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, types.UtcTimestamp(), nullable=nullable, comment=comment)
