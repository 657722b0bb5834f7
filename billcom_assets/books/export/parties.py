"""Vendors and customers on the control accounts."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from billcom_assets.books.export.names import party_entity
from billcom_assets.books.export.rows import JOURNAL
from billcom_assets.warehouse.books_tables import ledger_entries, ledger_lines

CONTROL = "control"


class PartyAccount(NamedTuple):
    """A vendor or customer on accounts payable or receivable."""

    ledger_account_id: str
    entity: str
    """vendors or customers."""
    party: str
    """BILL's id."""
    ledger_party: str | None
    """The ledger's id that the latest line names."""


def party_accounts(connection: Connection, integration: str) -> list[PartyAccount]:
    """Every vendor and customer on a control account, whatever the date, in a stable order."""
    entry, line = ledger_entries.c, ledger_lines.c
    columns = (line.ledger_account_id, entry.kind, line.party, line.ledger_party)
    query = (
        select(*columns, func.max(entry.posting_date).label("latest"))
        .select_from(JOURNAL)
        .where(line.integration == integration, line.role == CONTROL, line.party.is_not(None))
        .group_by(*columns)
    )
    latest: dict[tuple[str, str, str], tuple[Any, str]] = {}
    for row in connection.execute(query):
        key = (row.ledger_account_id, party_entity(row.kind), row.party)
        latest[key] = max(latest.get(key, (row.latest, "")), (row.latest, row.ledger_party or ""))
    return [PartyAccount(*key, ledger_party or None) for key, (_, ledger_party) in sorted(latest.items())]
