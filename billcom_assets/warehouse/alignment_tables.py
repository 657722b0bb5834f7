"""Plans that bring BILL's chart of accounts in line with the ledger's, their changes, and what became of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text

from billcom_assets.warehouse.tables import metadata
from billcom_assets.warehouse.types import Json, UtcTimestamp


class PlanStatus(StrEnum):
    """How far a plan is; that it has expired follows from ``expires_at``."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    """A person has approved all of its changes, or some."""
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """A newer plan took its place before anybody decided about it."""
    APPLYING = "applying"
    """Writing has begun and not ended; another run goes on with it."""
    APPLIED = "applied"
    FAILED = "failed"
    """Writing has ended and BILL does not show all of it."""
    UNDOING = "undoing"
    UNDONE = "undone"


class ChangeStatus(StrEnum):
    """How far one change is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WRITING = "writing"
    """Its request was about to be sent; BILL may have taken it or not."""
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    NOT_UNDONE = "not_undone"
    """It was to be undone and could not be."""


class Action(StrEnum):
    """What a change does to an account of BILL's."""

    CREATE = "create"
    UPDATE = "update"
    """Another name, number, type, description or parent."""
    ARCHIVE = "archive"
    RESTORE = "restore"
    """Brings an archived account back as it is; where it should be otherwise, an update follows."""
    CONFLICT = "conflict"
    """Nothing that could be done safely: a person has to decide, and it can never be approved."""


def _text(name: str, comment: str, *, nullable: bool = True) -> Column[str]:
    return Column(name, Text, nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, UtcTimestamp, nullable=nullable, comment=comment)


def _json(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, Json, nullable=nullable, comment=comment)


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


alignment_plans = Table(
    "alignment_plans",
    metadata,
    _text("integration", "Integration key", nullable=False),
    Column("number", Integer, nullable=False, comment="Number of the plan: 1, 2, 3 in each integration"),
    _text(
        "status",
        "proposed, approved, rejected, superseded, applying, applied, failed, undoing or undone",
        nullable=False,
    ),
    _time("made_at", "When it was made (UTC)", nullable=False),
    _text("made_by", "Who made it", nullable=False),
    _text("run_id", "Dagster run that made it; null for none"),
    _time("expires_at", "From when on it can be neither approved nor applied (UTC)", nullable=False),
    Column("max_changes", Integer, nullable=False, comment="Largest number of changes that one approval covers"),
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
    PrimaryKeyConstraint("integration", "number"),
    _one_of("status", PlanStatus),
    comment="One row per plan that brings BILL's chart of accounts in line with the ledger's",
)

alignment_changes = Table(
    "alignment_changes",
    metadata,
    _text("integration", "Integration key", nullable=False),
    Column("plan", Integer, nullable=False, comment="Number of the plan"),
    Column("position", Integer, nullable=False, comment="Place in the plan, from 1: the order of writing"),
    _text("action", "create, update, archive, restore; conflict for what is not done", nullable=False),
    _text("bill_id", "BILL's id of the account; null until it is created"),
    _text("ledger_id", "Ledger's id of the account; null for one that BILL alone has"),
    _text("parent_bill_id", "BILL's id of the parent that it gets or keeps; null for none or until that is created"),
    _text("parent_ledger_id", "Ledger's id of that parent; null for none"),
    Column("parent_position", Integer, comment="Place of the change that creates that parent; null for none"),
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
        "cascades", "JSON list of BILL's ids of what it archives with it, where that is still under it", nullable=False
    ),
    _text("bill_hash", "Digest of what the account in BILL must be when it is written; null for a new account"),
    _text(
        "status",
        "proposed, approved, rejected, writing, done, failed, undone or not_undone",
        nullable=False,
    ),
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
    PrimaryKeyConstraint("integration", "plan", "position"),
    _one_of("action", Action),
    _one_of("status", ChangeStatus),
    CheckConstraint("action <> 'conflict' or status = 'proposed'", name="conflict"),
    CheckConstraint("(action = 'conflict') = (after is null)", name="after"),
    comment="One row per change of a plan: what it does to one account of BILL's, why, and what became of it",
)
