"""What postings rest on beside the documents: where nothing of it has changed, only new and changed documents count."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from billcom_assets.books.run import Run
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.warehouse.books_tables import ledger_documents, opening_documents, posting_state
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.upsert import upsert


@dataclass(frozen=True, slots=True)
class Basis:
    """What the documents of one run are looked at with."""

    is_known: bool
    """The last run had the same."""
    is_wider: bool
    """The cutoff or the way payments are booked has changed: what was out of scope may not be so any longer."""


def basis_of(connection: Connection, run: Run) -> Basis:
    """What this run rests on, beside what the last one rested on."""
    s = posting_state.c
    query = select(s.basis, s.cutoff, s.payments).where(s.integration == run.integration)
    last = connection.execute(query).one_or_none()
    if last is None:
        return Basis(is_known=False, is_wider=True)
    is_wider = (last.cutoff, last.payments) != (run.cutoff, run.policy.payments)
    return Basis(is_known=last.basis == _digest(connection, run), is_wider=is_wider)


def keep(connection: Connection, run: Run) -> None:
    """Notes what this run rested on, at its end."""
    row = {
        "integration": run.integration,
        "basis": _digest(connection, run),
        "cutoff": run.cutoff,
        "payments": run.policy.payments,
        "run_id": run.run_id,
        "posted_at": run.started_at,
    }
    upsert(connection, posting_state, [row])


def _digest(connection: Connection, run: Run) -> str:
    found: list[Any] = [run.policy, run.cutoff, run.today]
    for kind in KINDS.values():
        t = run.mirror.table(kind.name)
        found.append(_changes(connection, run, t, func.max(t.c.synced_at), func.count(t.c.deleted_at)))
    for ledger in dict.fromkeys(kind.table for kind in KINDS.values()):
        found.append(_changes(connection, run, ledger, func.max(ledger.c.imported_at)))
    found.append(_changes(connection, run, mappings, func.max(mappings.c.decided_at)))
    aside = ledger_documents.c.set_aside_at
    found.append(_changes(connection, run, ledger_documents, func.max(aside), func.count(aside)))
    found.append(_changes(connection, run, opening_documents))
    return sha256(repr(found).encode()).hexdigest()


def _changes(connection: Connection, run: Run, table: Table, *signs: Any) -> tuple[Any, ...]:
    query: Select[Any] = select(func.count(), *signs).select_from(table)
    return tuple(connection.execute(query.where(table.c.integration == run.integration)).one())
