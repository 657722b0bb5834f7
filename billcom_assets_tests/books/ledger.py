"""A ledger that has a counterpart for all that BILL has, each mapped, and the policy that goes with it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.warehouse.books_tables import posting_policies
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_dimensions, mappings
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.sync.company import INTEGRATION

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PAYABLE, RECEIVABLE, CLEARING, EXCHANGE, BANK = "2000-AP", "1200-AR", "1050-OUT", "7900-FX", "1000-BANK"
"""Accounts of the ledger that no account of BILL's is mapped to."""
OWN_ACCOUNTS = {
    PAYABLE: "ACCOUNTS_PAYABLE",
    RECEIVABLE: "ACCOUNTS_RECEIVABLE",
    CLEARING: "OTHER_CURRENT_ASSET",
    EXCHANGE: "OTHER_EXPENSE",
    BANK: "BANK",
}
POLICY = {
    "accounts_payable": PAYABLE,
    "accounts_receivable": RECEIVABLE,
    "payables_clearing": CLEARING,
    "exchange_gain_loss": EXCHANGE,
}


def register(connection: Connection, *, cutoff: date | None = None, key: str = INTEGRATION) -> None:
    """Makes the integration known."""
    connection.execute(
        insert(integrations).values(
            key=key,
            company="Acme",
            organization_id="0",
            environment="production",
            status="disconnected",
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
            cutoff=cutoff,
        )
    )


def set_cutoff(connection: Connection, cutoff: date | None, key: str = INTEGRATION) -> None:
    """Moves the cutoff."""
    connection.execute(update(integrations).where(integrations.c.key == key).values(cutoff=cutoff))


def set_policy(connection: Connection, key: str = INTEGRATION, **settings: str | None) -> None:
    """Stores settings of the posting policy."""
    p = posting_policies.c
    version = len(connection.execute(select(p.version).where(p.integration == key).distinct()).all()) + 1
    rows = [
        {
            "integration": key,
            "version": version,
            "setting": name,
            "value": value,
            "origin": "decided",
            "set_at": LONG_AGO,
            "set_by": "a test",
        }
        for name, value in settings.items()
    ]
    connection.execute(insert(posting_policies), rows)


def mirror_ledger(connection: Connection, warehouse: Warehouse, key: str = INTEGRATION) -> None:
    """Gives every BILL object that has none yet a counterpart of its own, mapped; and the accounts of the policy."""
    if not connection.execute(select(ledger_accounts.c.id).where(ledger_accounts.c.id == PAYABLE)).first():
        connection.execute(insert(ledger_accounts), [_account(key, id_, type_) for id_, type_ in OWN_ACCOUNTS.items()])
    known = set(connection.execute(select(mappings.c.kind, mappings.c.bill_id).where(mappings.c.integration == key)))
    for kind in KINDS.values():
        t = warehouse.mirror.table(kind.name)
        rows = connection.execute(select(t).where(t.c.integration == key)).mappings().all()
        for row in rows:
            if (kind.name, row["id"]) not in known:
                ledger_id = f"L-{kind.name}-{row['id']}"
                type_ = row["account_type"] if kind.name == "accounts" else "BANK"
                table = kind.table
                there = select(table.c.id).where(table.c.integration == key, table.c.id == ledger_id)
                if not connection.execute(there).first():
                    connection.execute(insert(table).values(_counterpart(key, kind.name, ledger_id, type_)))
                map_to(connection, kind.name, row["id"], ledger_id, key)


def _account(key: str, id_: str, type_: str) -> dict[str, Any]:
    return {"integration": key, "id": id_, "name": id_, "type": type_, "active": True, "imported_at": LONG_AGO}


def _counterpart(key: str, kind: str, id_: str, type_: str | None) -> dict[str, Any]:
    table = KINDS[kind].table
    values: dict[str, Any] = {"integration": key, "id": id_, "name": id_, "active": True, "imported_at": LONG_AGO}
    if table is ledger_accounts:
        values["type"] = type_ or "EXPENSE"
    if table is ledger_dimensions:
        values["kind"] = kind
    return values


def map_to(connection: Connection, kind: str, bill_id: str, ledger_id: str | None, key: str = INTEGRATION) -> None:
    """Maps a BILL object, or takes its mapping away."""
    m = mappings.c
    connection.execute(delete(mappings).where(m.integration == key, m.kind == kind, m.bill_id == bill_id))
    if ledger_id is not None:
        connection.execute(
            insert(mappings).values(
                integration=key,
                kind=kind,
                bill_id=bill_id,
                ledger_id=ledger_id,
                state="mapped",
                method="manual",
                reason="a test",
                decided_at=datetime.now(UTC),
            )
        )
