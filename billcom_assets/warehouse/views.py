"""Views over the mirror that an analyst would otherwise write first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Connection,
    Date,
    Integer,
    Select,
    Table,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.sql.elements import ColumnElement

from billcom_assets.warehouse.mirror import Mirror
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
VIEWS = ("ap_aging", "ar_aging")


def queries(connection: Connection, mirror: Mirror) -> dict[str, Select[Any]]:
    """What the views show, by name; only those whose tables exist: ``ap_aging`` and ``ar_aging``."""
    names = {entity.name for entity in mirror.entities}
    found = {}
    if {"bills", "vendors"} <= names:
        found["ap_aging"] = _aging(connection, mirror.table("bills"), mirror.table("vendors"), "vendor")
    if {"invoices", "customers"} <= names:
        found["ar_aging"] = _aging(connection, mirror.table("invoices"), mirror.table("customers"), "customer")
    return found


def create_views(connection: Connection, mirror: Mirror) -> None:
    """Creates the views whose tables exist."""
    for name, query in queries(connection, mirror).items():
        connection.exec_driver_sql(f"CREATE VIEW {_place(connection, name)} AS {rendered(connection, query)}")


def drop_views(connection: Connection) -> None:
    """Drops them, so that the tables below may change."""
    for name in VIEWS:
        connection.execute(text(f"DROP VIEW IF EXISTS {_place(connection, name)}"))


def _place(connection: Connection, name: str) -> str:
    return f"{SCHEMA}.{name}" if connection.dialect.name == "postgresql" else name


def rendered(connection: Connection, query: Select[Any]) -> str:
    """The query as SQL without parameters."""
    schemas = connection.get_execution_options().get("schema_translate_map")
    compiled = query.compile(
        dialect=connection.dialect,
        compile_kwargs={"literal_binds": True},
        schema_translate_map=schemas,
        render_schema_translate=schemas is not None,
    )
    return str(compiled)


def _days_overdue(connection: Connection, due: ColumnElement[Any]) -> ColumnElement[int]:
    if connection.dialect.name == "postgresql":
        return literal_column("CURRENT_DATE") - cast(due, Date)
    return cast(func.julianday("now", "start of day") - func.julianday(due), Integer)


def _aging(connection: Connection, documents: Table, parties: Table, party: str) -> Select[Any]:
    """Open amounts per party and currency by days overdue today; drafts, archived and deleted documents left out."""
    currency = parties.c["bill_currency" if party == "vendor" else "invoice_currency"]
    days = func.coalesce(_days_overdue(connection, documents.c.due_date), 0)
    sums = [func.sum(case((inside(days), documents.c.due_amount), else_=0)).label(name) for name, inside in _BUCKETS]
    party_id = documents.c[f"{party}_id"]
    return (
        select(
            documents.c.integration,
            party_id.label(f"{party}_id"),
            parties.c.name.label(f"{party}_name"),
            func.coalesce(currency, "USD").label("currency"),
            func.count().label("documents"),
            *sums,
            func.sum(documents.c.due_amount).label("total"),
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
