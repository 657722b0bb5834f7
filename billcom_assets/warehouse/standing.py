"""Entries that stand: those that no other entry reverses."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, exists, func, select

from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse.books_tables import ledger_entries
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.policy_changes import NewChange


def standing_entries(connection: Connection, integration: str, kinds: Collection[str] | None = None) -> int:
    """How many entries of the integration stand, of documents of these kinds or of all."""
    e, reversal = ledger_entries.c, ledger_entries.alias("reversal").c
    reversed_ = exists().where(reversal.integration == e.integration, reversal.reversed_entry_id == e.id)
    query = select(func.count()).select_from(ledger_entries)
    query = query.where(e.integration == integration, e.type == "posting", ~reversed_)
    if kinds is not None:
        query = query.where(e.kind.in_(kinds))
    return connection.scalar(query) or 0


def refuse_to_mix(
    connection: Connection, integration: str, change: NewChange, kinds: Collection[str] | None = None
) -> None:
    """Raises InvalidSetting when entries stand that do not add up with those of the setting's new value.

    Args:
        connection: A reading connection.
        integration: Integration key.
        change: Of the posting policy.
        kinds: Of what documents the entries would be; None for all.
    """
    standing = standing_entries(connection, integration, kinds)
    if not standing:
        return
    name, old, new = change.setting, change.previous, change.value
    those = counted(standing, "entry stands that was", "entries stand that were")
    raise InvalidSetting(
        f"{name} cannot change from {old} to {new} alone: {those} posted with {old}, and the two do not add up. "
        f"To post them again with {new}: billcom books {integration} repost --set {name}={new}"
    )
