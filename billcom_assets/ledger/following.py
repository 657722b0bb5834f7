"""Everything that refers to a record of the ledger follows it to its new id."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, select, update

from billcom_assets.warehouse.audit import Decision, What
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
    mapping_suggestions,
    mappings,
)
from billcom_assets.warehouse.policy_changes import ACCOUNT_SETTINGS, NewChange, Origin, add_changes, policy_changes

_Scope = tuple[ColumnElement[bool], ...]

_TO_ACCOUNTS = (
    ledger_accounts.c.parent_id,
    ledger_vendors.c.default_account_id,
    ledger_customers.c.default_account_id,
    ledger_items.c.income_account_id,
    ledger_items.c.expense_account_id,
)
_ON_THE_WAY = "\N{INFORMATION SEPARATOR ONE}"
"""Begins an id while others change places with it; no id of a file begins with it."""


def give_new_ids(conn: Connection, integration: str, table: Table, scope: _Scope, ids: Mapping[str, str]) -> None:
    """Changes ids of records, old to new, and what other records of the ledger refer to them by."""
    _replace(conn, integration, table.c.id, scope, ids)
    if table is ledger_accounts:
        for column in _TO_ACCOUNTS:
            _replace(conn, integration, column, (), ids)
    elif table is ledger_dimensions:
        _replace(conn, integration, table.c.parent_id, scope, ids)


def _replace(
    conn: Connection,
    integration: str,
    column: Column[Any],
    scope: tuple[ColumnElement[bool], ...],
    ids: Mapping[str, str],
) -> None:
    statement = (
        update(column.table)
        .where(column.table.c.integration == integration, *scope, column == bindparam("before"))
        .values({column.name: bindparam("after")})
    )
    # In two steps: a new id may be another record's old one.
    conn.execute(statement, [{"before": old, "after": _ON_THE_WAY + new} for old, new in ids.items()])
    conn.execute(statement, [{"before": _ON_THE_WAY + new, "after": new} for new in ids.values()])


def mapped_to(conn: Connection, integration: str, kinds: tuple[str, ...]) -> Counter[str]:
    """How many BILL objects of the kinds are mapped to each record, by its id."""
    m = mappings.c
    query = select(m.ledger_id).where(m.integration == integration, m.kind.in_(kinds), m.state == "mapped")
    return Counter(conn.scalars(query))


def move_mappings(
    conn: Connection, integration: str, kinds: tuple[str, ...], ids: Mapping[str, str]
) -> dict[str, list[Decision]]:
    """Lets mappings, and what is suggested, follow records from old to new ids.

    Returns:
        What the audit log says of each mapping, by the old id.
    """
    m = mappings.c
    query = select(m.kind, m.bill_id, m.ledger_id, m.state, m.method, m.decided_by, m.decided_at).where(
        m.integration == integration, m.kind.in_(kinds), m.state == "mapped"
    )
    moved: dict[str, list[Decision]] = {}
    for row in conn.execute(query.order_by(m.kind, m.bill_id)):
        if row.ledger_id in ids:
            before = {name: getattr(row, name) for name in ("ledger_id", "state", "method", "decided_by", "decided_at")}
            after = {"ledger_id": ids[row.ledger_id], "state": row.state, "method": row.method}
            decision = Decision(What.MAPPING_DECIDED, f"{row.kind} {row.bill_id}", integration, before, after)
            moved.setdefault(row.ledger_id, []).append(decision)
    for table, kind in itertools.product((mappings, mapping_suggestions), kinds):
        _replace(conn, integration, table.c.ledger_id, (table.c.kind == kind,), ids)
    return moved


def move_policy(
    conn: Connection, integration: str, ids: Mapping[str, str], *, set_by: str, now: datetime
) -> list[Decision]:
    """Lets the posting policy follow accounts from old to new ids; what was found still counts as found.

    Returns:
        What the audit log says of each setting.
    """
    stored = {change.setting: change for change in policy_changes(conn, integration)} if ids else {}
    moved = [
        NewChange(name, one.value, ids[one.value], Origin(one.origin))
        for name, one in stored.items()
        if name in ACCOUNT_SETTINGS and one.value is not None and one.value in ids
    ]
    if moved:
        add_changes(conn, integration, moved, set_by=set_by, now=now)
    return [Decision(What.POLICY_CHANGED, one.setting, integration, one.previous, one.value) for one in moved]
