"""Vendors and customers on the control accounts: who there are, and what each is expected to stand at."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from billcom_assets.books.export.names import party_entity
from billcom_assets.books.export.rows import JOURNAL, Period, amounts
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


class PartyBalance(NamedTuple):
    """What a vendor or customer stands at on a control account, in one currency."""

    ledger_account_id: str
    party: str
    """BILL's id of the vendor or customer."""
    currency: str
    """ISO 4217 code of the documents."""
    balance: Decimal
    """In that currency: negative for what the company owes, positive for what it is owed."""


def party_balances(connection: Connection, integration: str) -> list[PartyBalance]:
    """What each vendor and customer must stand at in the books as they are now, to be asserted in exported journals.

    One row per control account, BILL vendor or customer, and currency of its documents; one that is left out is
    expected at zero. Balances are in that currency, so foreign ones do not depend on rates: BILL's open amount, less
    what of it is not in the books (held documents, opening documents, changes that wait), with the sign of the books.
    """
    sums: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in amounts(connection, integration, Period()):
        if line.role == CONTROL and line.party is not None:
            sums[line.ledger_account_id, line.party, line.currency] += line.amount
    return [PartyBalance(*key, balance) for key, balance in sorted(sums.items())]


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
