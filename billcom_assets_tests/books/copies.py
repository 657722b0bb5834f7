"""The documents of a mirror once more under other ids, to post many that a simulated company made few of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

from billcom_assets.warehouse.engine import Warehouse

_OF_ITS_OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "bills": ("id", "invoice_number"),
    "bill_line_items": ("bill_id",),
    "vendor_credits": ("id",),
    "vendor_credit_line_items": ("vendor_credit_id",),
    "vendor_credit_usages": ("vendor_credit_id", "bill_id", "payment_id"),
    "vendor_payments": ("id", "bill_id"),
    "vendor_payment_bills": ("vendor_payment_id", "bill_id"),
    "money_movements": ("id",),
    "money_movement_items": ("money_movement_id",),
}
"""Tables with the documents that are posted, and the columns in which a copy differs from its original."""


def copy_documents(connection: Connection, warehouse: Warehouse, copies: int) -> None:
    """Adds so many copies of each document, which settle one another as the originals do; all share the vendors."""
    for name, differing in _OF_ITS_OWN.items():
        table, columns = warehouse.qualified(name), [column.name for column in warehouse.mirror.table(name).columns]
        values = (f"{one} || '-' || n" if one in differing else one for one in columns)
        connection.execute(
            text(f"""
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :copies)
                INSERT INTO {table} ({", ".join(columns)})
                SELECT {", ".join(values)} FROM {table}, numbers WHERE n <= :copies
            """),
            {"copies": copies},
        )
