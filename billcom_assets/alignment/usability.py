"""Accounts of the ledger that BILL cannot have as they are, and why."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from billcom_assets.alignment.chart import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    LONGEST_NUMBER,
    Charts,
    LedgerAccount,
    ancestors,
    plain,
    same,
)
from billcom_assets.alignment.findings import Finding

_TOO_LONG: Final = (("name", LONGEST_NAME), ("number", LONGEST_NUMBER), ("description", LONGEST_DESCRIPTION))


def unusable(charts: Charts) -> dict[str, Finding]:
    """By ledger id why an active account is left as it is in BILL, or is not created there."""
    found = dict(_duplicates(charts))
    for account in charts.active:
        reason = _reason(account)
        if reason is not None:
            found[account.id] = reason
    parents = {one.id: one.parent_id for one in charts.ledger}
    for account in charts.active:
        above = ancestors(account.id, parents)
        # Whoever ends at itself is in the circle; who ends in somebody else's is below it.
        if parents.get(above[-1] if above else account.id) == account.id:
            found[account.id] = Finding("ledger_circle")
    return found


def _reason(account: LedgerAccount) -> Finding | None:
    if not plain(account.name):
        return Finding("no_name")
    for field, longest in _TOO_LONG:
        if len(getattr(account, field) or "") > longest:
            return Finding("too_long", field)
    return None if account.type else Finding("unknown_type")


def _duplicates(charts: Charts) -> Iterator[tuple[str, Finding]]:
    """Accounts that BILL could not tell from an earlier one: by number and type, or without numbers by name."""
    seen: dict[Hashable, LedgerAccount] = {}
    for account in charts.active:
        if account.number:
            key: Hashable = (same(account.number), account.type)
        else:
            key = (None, same(account.name), account.type, account.parent_id)
        first = seen.setdefault(key, account)
        if first is not account:
            yield account.id, Finding("ledger_duplicate", first.label)
