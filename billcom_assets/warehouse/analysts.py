"""What analysts may read on PostgreSQL: one view per table in a schema of their own.

Closed unless a rule here opens it. A sensitive column is left out rather than masked: what is not there can neither be
guessed at nor grouped by. No view has a payload or any other JSON, whose contents no declaration describes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, String, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import IdentifierPreparer

from billcom_assets.entities.model import Column, ColumnType
from billcom_assets.warehouse import alignment_tables, books_tables
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.mirror import COMMON, Mirror
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.views import managed_views

_ = alignment_tables, books_tables  # their tables register themselves in the metadata
ANALYST_SCHEMA: Final = "billcom_analyst"
_BOOKKEEPING = ("deleted_at", "unreadable_since", "first_seen_at", "synced_at")
_PARTY = (
    *("integration", "id", "number", "name", "currency", "terms", "on_hold", "default_account_id"),
    *("active", "imported_at"),
)

_OF_OURS: Final[Mapping[str, tuple[str, ...]]] = {
    "integrations": (
        *("key", "company", "organization_id", "environment", "cutoff", "history_start", "time_zone", "home_currency"),
        *("owner", "excluded_entities", "api", "documents"),
        *("alignment", "source_of_truth", "second_approver", "other_accounting_system"),
        *("status", "status_code", "checked_at", "created_at", "updated_at"),
    ),
    "sync_state": (
        *("integration", "entity", "watermark", "cutoff", "time_filter_refused", "time_filter_probed_at"),
        *("first_pulled_at", "swept_at", "synced_at", "probed_at", "reread_at", "checked_at"),
    ),
    "sync_runs": (
        *("id", "run_id", "integration", "entity", "kind", "status", "started_at", "finished_at"),
        *("fetched", "inserted", "updated", "unchanged", "skipped_by_cutoff", "rejected", "deleted"),
        *("requests", "retries", "logins", "seconds", "watermark_from", "watermark_to"),
    ),
    "sync_sightings": ("integration", "entity", "sweep", "id"),
    "sync_missing": ("integration", "entity", "id", "missed_at", "sweeps"),
    "sync_rereads": ("integration", "entity", "id"),
    "integration_errors": (
        *("id", "integration", "entity", "record_id", "code", "status", "occurrences"),
        *("first_seen_at", "last_seen_at"),
    ),
    "quality_findings": ("integration", "entity", "measure", "found", "found_at"),
    "documents": (
        *("integration", "entity", "record_id", "id", "created_time", "status", "sha256", "size", "media_type"),
        *("tried_at", "listed_at", "detached_at"),
    ),
    "document_reads": ("integration", "entity", "record_id", "updated_time", "read_at", "answered"),
    "contract_findings": ("integration", "entity", "kind", "place", "first_seen_at", "last_seen_at"),
    "ledger_accounts": (
        *("integration", "id", "number", "name", "type", "parent_id", "description", "currency"),
        *("postable", "control", "required_dimensions", "active", "imported_at"),
    ),
    "ledger_vendors": _PARTY,
    "ledger_customers": _PARTY,
    "ledger_items": (
        *("integration", "id", "number", "name", "description", "income_account_id", "expense_account_id"),
        *("active", "imported_at"),
    ),
    "ledger_dimensions": ("integration", "kind", "id", "number", "name", "parent_id", "active", "imported_at"),
    "posting_policies": ("integration", "version", "setting", "previous", "value", "origin", "set_at"),
    "ledger_documents": (
        *("integration", "kind", "id", "number", "party", "document_date", "posting_date", "currency", "amount"),
        *("home_amount", "state", "reason", "entry_id", "entries", "cutoff", "set_aside_at", "run_id"),
        *("first_seen_at", "changed_at"),
    ),
    "ledger_entries": (
        *("integration", "id", "kind", "document_id", "sequence", "type", "reversed_entry_id", "document_date"),
        *("posting_date", "policy_version", "run_id", "posted_at"),
    ),
    "ledger_lines": (
        *("integration", "entry_id", "line", "role", "ledger_account_id", "debit", "credit", "currency", "amount"),
        *("party", "ledger_party", "item", "department", "job", "location", "accounting_class"),
        *("source_line", "settles"),
    ),
    "ledger_applications": (
        *("integration", "kind", "document_id", "position", "settled_kind", "settled_id", "amount", "home_amount"),
        *("settled_home_amount", "date"),
    ),
    "opening_documents": (
        *("integration", "entity", "id", "party", "number", "date", "currency", "amount", "open_amount"),
    ),
    "opening_applications": ("integration", "entity", "document_id", "position", "settled_id", "amount"),
    "mappings": ("integration", "kind", "bill_id", "ledger_id", "state", "method", "score", "decided_at"),
    "alignment_plans": (
        *("integration", "number", "status", "made_at", "run_id", "expires_at", "max_changes", "decided_at"),
        *("apply_run_id", "started_at", "finished_at", "undone_at"),
    ),
    "alignment_changes": (
        *("integration", "plan", "position", "action", "bill_id", "ledger_id", "parent_bill_id", "parent_ledger_id"),
        *("parent_position", "status", "decided_at", "written_at", "undone_at"),
    ),
}
"""Columns that analysts see of the tables that are ours, such as dates, counts and the ledger's own names."""

WITHHELD: Final[Mapping[str, str]] = {
    "audit_head": "says nothing about the company",
    "audit_log": "names people and repeats settings",
    "bill_sessions": "holds sessions",
    "mapping_suggestions": "waits for a decision, and may tell what is known of a person",
    "mirror_parts": "says nothing about the company but ids of BILL's at which an upgrade stopped",
    "mirror_schema": "says nothing about the company",
    "posting_state": "says nothing about the company",
    "request_budget": "names developer keys",
    "sync_locks": "says nothing about the company",
}
"""Tables that are ours and that analysts do not see at all, and why."""

_NOT_OF_VIEWS: Final = frozenset({"employee", "fix", "memo", "message", "set_aside_reason"})
"""Columns of views that may name people, or hold what somebody wrote."""

_ONLY: Final[Mapping[str, str]] = {"ledger_dimensions": "kind <> 'employees'", "mappings": "kind <> 'employees'"}
"""Rows that analysts see: the ledger often knows an employee by name alone, in the id too."""


@dataclass(frozen=True)
class Shown:
    """What analysts see of one table."""

    table: str
    columns: tuple[str, ...]
    only: str = ""
    """Condition in SQL on the rows; empty: all."""
    comment: str = ""


def shown(mirror: Mirror) -> Iterator[Shown]:
    """Every table that analysts see something of, the mirror's first."""
    for entity in mirror.entities:
        names = (*COMMON, *_harmless(entity.columns), *_BOOKKEEPING)
        yield Shown(entity.name, names, comment=entity.description)
        for child in entity.children:
            names = ("integration", entity.id_column, "position", *_harmless(child.columns))
            yield Shown(child.table, names, comment=child.description)
    for name, columns in _OF_OURS.items():
        yield Shown(name, columns, _ONLY.get(name, ""), our_tables()[name].comment or "")


def _harmless(columns: tuple[Column, ...]) -> Iterator[str]:
    for column in columns:
        if not column.sensitive and column.type is not ColumnType.JSON:
            yield column.name


def our_tables() -> dict[str, Table]:
    """The tables that are ours rather than the mirror's."""
    return {table.name: table for table in mappings.metadata.sorted_tables}


def fingerprint(mirror: Mirror) -> str:
    """Digest of everything that the mirror tables and the analysts' views are built from."""
    return hashlib.sha256(f"{mirror.fingerprint} {list(shown(mirror))!r}".encode()).hexdigest()


def view_statements(connection: Connection, mirror: Mirror) -> list[str]:
    """SQL that makes the analysts' views what the rules say; for the owner of the tables, in a transaction.

    Views are replaced and never dropped, so that grants on them and other views that read them stay. PostgreSQL lets
    such a view only grow at its end: what it showed before and may show no longer stays as a column without values.
    """
    before = _existing_columns(connection)
    return [
        statement for view in _views(connection, mirror) for statement in _replaced(view, before.get(view.name, {}))
    ]


@dataclass(frozen=True)
class _View:
    name: str
    columns: tuple[str, ...]
    source: str
    """What it reads, as SQL."""
    only: str
    comment: str


def _views(connection: Connection, mirror: Mirror) -> Iterator[_View]:
    visible = list(shown(mirror))
    for table in visible:
        yield _View(table.table, table.columns, qualified(SCHEMA, table.table), table.only, table.comment)
    for view in managed_views(connection.dialect, mirror):
        source = f"({view.query}) AS {_quote.quote(view.name)}"
        harmless = tuple(name for name in view.columns if name not in _NOT_OF_VIEWS)
        yield _View(view.name, harmless, source, "", view.about)
    gone = {*our_tables(), *WITHHELD} - {table.table for table in visible}
    for name in sorted(gone):
        # Only where an earlier version showed it; see _replaced.
        yield _View(name, (), qualified(SCHEMA, name), "false", "No longer shown")


def _existing_columns(connection: Connection) -> dict[str, dict[str, str]]:
    """Columns of the analysts' views that are there and their types, in order."""
    query = text("""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'v'
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = :schema
        WHERE a.attnum > 0 AND NOT a.attisdropped
        ORDER BY c.relname, a.attnum
    """)
    found: dict[str, dict[str, str]] = {}
    for view, column, type_name in connection.execute(query, {"schema": ANALYST_SCHEMA}):
        found.setdefault(view, {})[column] = type_name
    return found


def _replaced(view: _View, before: Mapping[str, str]) -> Iterator[str]:
    if not view.columns and not before:
        return
    kept = [
        _quote.quote(name) if name in view.columns else f"NULL::{type_name} AS {_quote.quote(name)}"
        for name, type_name in before.items()
    ]
    added = [_quote.quote(name) for name in view.columns if name not in before]
    place = qualified(ANALYST_SCHEMA, view.name)
    selected = f"SELECT {', '.join([*kept, *added])} FROM {view.source}"  # noqa: S608 - names of ours, quoted
    yield (
        # A barrier: no function of the reader's sees a row before the view's own condition has.
        f"CREATE OR REPLACE VIEW {place} WITH (security_barrier = true) AS\n    {selected}"
        + (f"\n    WHERE {view.only}" if view.only else "")
    )
    yield f"COMMENT ON VIEW {place} IS {literal(view.comment)}"


# Named parameters, because with others SQLAlchemy doubles every percent sign; what is made here has no parameters.
_dialect: Any = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call] # SQLAlchemy gives it no types
_quote: IdentifierPreparer = _dialect.identifier_preparer
_literal: Callable[[str], str] = String().literal_processor(_dialect)  # type: ignore[no-untyped-call]


def qualified(schema: str, name: str) -> str:
    """The name of a relation as it stands in SQL."""
    return f"{_quote.quote(schema)}.{_quote.quote(name)}"


def identifier(name: str) -> str:
    """Somebody else's name as it stands in SQL."""
    return _quote.quote_identifier(name)


def literal(value: str) -> str:
    """A text as it stands in SQL."""
    return _literal(value)
