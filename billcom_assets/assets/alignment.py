"""BILL's chart of accounts beside the ledger's: what has a counterpart and what has none. Reads only."""

from __future__ import annotations

from sqlalchemy import Connection, select

from billcom_assets.warehouse.catalog_mirror import is_live
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.mirror import Mirror

_NO_LEDGER = "No chart of accounts was imported yet: billcom ledger import KEY --accounts FILE"


def compare_charts(connection: Connection, mirror: Mirror, integration: str) -> dict[str, int | str]:
    """Counts of live accounts by counterpart, an account being known by its number and type, or name and type."""
    accounts = mirror.table("accounts")
    ours = accounts.c
    in_bill = connection.execute(
        select(ours.account_number, ours.name, ours.account_type).where(is_live(accounts, integration))
    ).all()
    theirs = ledger_accounts.c
    in_ledger = connection.execute(
        select(theirs.number, theirs.name, theirs.type).where(theirs.integration == integration, theirs.active)
    ).all()
    bill_keys = {(number or name, kind) for number, name, kind in in_bill}
    ledger_keys = {(number or name, kind) for number, name, kind in in_ledger}
    result: dict[str, int | str] = {
        "accounts_in_bill": len(in_bill),
        "accounts_in_ledger": len(in_ledger),
        "in_both": len(bill_keys & ledger_keys),
        "only_in_bill": len(bill_keys - ledger_keys),
        "only_in_ledger": len(ledger_keys - bill_keys),
    }
    if not in_ledger:
        result["note"] = _NO_LEDGER.replace("KEY", integration)
    return result
