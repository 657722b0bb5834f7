"""Both sides of one kind as the database has them: the objects of BILL and those of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from billcom_assets.ledger.hierarchy import full_names
from billcom_assets.mapping.candidates import Candidate, bill_name, ledger_candidate
from billcom_assets.mapping.kinds import MappedKind
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.ledger_tables import ledger_dimensions


@dataclass(frozen=True, slots=True)
class BillObject:
    """A BILL object of some kind and whether it still counts."""

    candidate: Candidate
    number: str | None
    type: str | None
    archived: bool
    deleted: bool

    @property
    def is_live(self) -> bool:
        """Neither archived nor deleted."""
        return not self.archived and not self.deleted

    @property
    def state(self) -> str:
        """live, archived or deleted."""
        if self.deleted:
            return "deleted"
        return "archived" if self.archived else "live"


@dataclass(frozen=True, slots=True)
class LedgerObject:
    """A ledger object of some kind and whether it still counts."""

    candidate: Candidate
    active: bool

    @property
    def label(self) -> str:
        """Its name with its parents."""
        return self.candidate.full_name or self.candidate.name


def bill_objects(conn: Connection, integration: str, kind: MappedKind) -> dict[str, BillObject]:
    """All BILL objects of the kind by id, archived and deleted ones too."""
    table = catalog_mirror().table(kind.name)
    query = select(table.c.id, table.c.archived, table.c.deleted_at, *(table.c[name] for name in kind.columns))
    rows = [row._asdict() for row in conn.execute(query.where(table.c.integration == integration))]
    paths = _paths(rows) if "parent_id" in kind.columns else {}
    return {
        row["id"]: BillObject(
            candidate=kind.bill(row | {"full_name": paths.get(row["id"])}),
            number=row[kind.number_column] if kind.number_column else None,
            type=row[kind.type_column] if kind.type_column else None,
            archived=bool(row["archived"]),
            deleted=row["deleted_at"] is not None,
        )
        for row in rows
    }


def ledger_objects(conn: Connection, integration: str, kind: MappedKind) -> dict[str, LedgerObject]:
    """All ledger objects of the kind by id, inactive ones too."""
    table = kind.table
    query = select(table).where(table.c.integration == integration)
    if table is ledger_dimensions:
        query = query.where(table.c.kind == kind.name)
    rows = [row._asdict() for row in conn.execute(query)]
    paths = _paths(rows) if "parent_id" in table.c else {}
    if any(row.get("currency") for row in rows):
        # Where some state one, the others are in the home currency.
        home = home_currency(conn, integration)
        rows = [row | {"currency": row["currency"] or home} for row in rows]
    return {
        row["id"]: LedgerObject(ledger_candidate(row, paths.get(row["id"])), row["active"])
        for row in rows
        if not kind.ledger_types or row["type"] in kind.ledger_types
    }


def _paths(rows: Iterable[dict[str, Any]]) -> dict[str, str | None]:
    """Full names by id; None where an object has no parent that is known."""
    entries = {row["id"]: (bill_name(row), row["parent_id"]) for row in rows}
    return {id_: path if entries[id_][1] in entries else None for id_, path in full_names(entries).items()}
