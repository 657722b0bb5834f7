"""Views over the mirror that an analyst would otherwise write first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Date,
    Dialect,
    Integer,
    Select,
    Table,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from billcom_assets.warehouse.managed_views import ManagedView
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import SCHEMA

_Days = ColumnElement[int]
_BUCKETS: tuple[tuple[str, Callable[[_Days], ColumnElement[bool]]], ...] = (
    ("not_due", lambda days: days <= 0),
    ("days_1_30", lambda days: days.between(1, 30)),
    ("days_31_60", lambda days: days.between(31, 60)),
    ("days_61_90", lambda days: days.between(61, 90)),
    ("days_over_90", lambda days: days > 90),
)
_DRAFTS = ("DRAFT", "DRAFT_DELETED")
_AGINGS = (("ap_aging", "bills", "vendors", "vendor"), ("ar_aging", "invoices", "customers", "customer"))
"""Name of the view, documents, parties, and what a party is called."""
VIEWS = tuple(name for name, *_ in _AGINGS)


def managed_views(dialect: Dialect, mirror: Mirror) -> list[ManagedView]:
    """The views whose tables exist: ``ap_aging`` and ``ar_aging``."""
    names = {entity.name for entity in mirror.entities}
    found = []
    for name, documents, parties, party in _AGINGS:
        if {documents, parties} <= names:
            query = _aging(dialect, mirror.table(documents), mirror.table(parties), party)
            columns = tuple(column.name for column in query.selected_columns)
            found.append(ManagedView(name, _rendered(dialect, query), columns))
    return found


def _rendered(dialect: Dialect, query: Select[Any]) -> str:
    """The query as SQL without parameters."""
    schemas = None if dialect.name == "postgresql" else {SCHEMA: "main"}
    compiled = query.compile(
        dialect=dialect,
        compile_kwargs={"literal_binds": True},
        schema_translate_map=schemas,
        render_schema_translate=schemas is not None,
    )
    return str(compiled)


def _days_overdue(dialect: Dialect, due: ColumnElement[Any]) -> ColumnElement[int]:
    if dialect.name == "postgresql":
        return literal_column("CURRENT_DATE") - cast(due, Date)
    return cast(func.julianday("now", "start of day") - func.julianday(due), Integer)


def _aging(dialect: Dialect, documents: Table, parties: Table, party: str) -> Select[Any]:
    """Open amounts per party and currency by days overdue today; drafts, archived and deleted documents left out."""
    currency = parties.c["bill_currency" if party == "vendor" else "invoice_currency"]
    days = func.coalesce(_days_overdue(dialect, documents.c.due_date), 0)
    sums = [MoneySum(case((inside(days), documents.c.due_amount), else_=0)).label(name) for name, inside in _BUCKETS]
    party_id = documents.c[f"{party}_id"]
    return (
        select(
            documents.c.integration,
            party_id.label(f"{party}_id"),
            parties.c.name.label(f"{party}_name"),
            func.coalesce(currency, "USD").label("currency"),
            func.count().label("documents"),
            *sums,
            MoneySum(documents.c.due_amount).label("total"),
        )
        .select_from(
            documents.outerjoin(
                parties, (parties.c.integration == documents.c.integration) & (parties.c.id == party_id)
            )
        )
        .where(
            documents.c.due_amount != 0,
            documents.c.deleted_at.is_(None),
            or_(documents.c.archived.is_(None), documents.c.archived.is_(False)),
            or_(documents.c.record_status.is_(None), documents.c.record_status.not_in(_DRAFTS)),
        )
        .group_by(documents.c.integration, party_id, parties.c.name, func.coalesce(currency, "USD"))
    )
