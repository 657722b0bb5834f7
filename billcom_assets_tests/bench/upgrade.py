"""An upgrade that adds one column to many bills, while somebody reads them. JSON in, JSON out."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

from sqlalchemy import text

from billcom_assets.entities.catalog import CATALOG, Catalog
from billcom_assets.entities.model import Entity
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.bench.reader import reading
from billcom_assets_tests.sync.company import Company

BILLS = 200_000
NEW_COLUMN = "invoice_number"
_TEMPLATES = 500


def _before(entity: Entity) -> Entity:
    kept = tuple(column for column in entity.columns if column.name != NEW_COLUMN)
    return replace(entity, columns=kept, touches=(), settled=()) if entity.name == "bills" else entity


def measure(database_url: str, bills: int = BILLS) -> dict[str, float]:
    """Fills an empty PostgreSQL database as the version before would have, and upgrades it."""
    catalog = Catalog(tuple(map(_before, CATALOG)))
    old = open_warehouse(database_url, entities=tuple(catalog))
    with SandboxServer(Settings(bills=_TEMPLATES, orgs=1)) as server:
        Company(server).sync(old, catalog=catalog, only=["bills"])
    _multiply(old, bills)
    old.close()
    with reading(database_url) as waits:
        began = time.monotonic()
        new = open_warehouse(database_url)
        seconds = time.monotonic() - began
    table = new.mirror.table("bills")
    with new.read() as connection:
        rows = connection.scalar(text("SELECT count(*) FROM billcom.bills"))
        empty = connection.scalar(table.select().where(table.c[NEW_COLUMN].is_(None)).with_only_columns(table.c.id))
        megabytes = connection.scalar(text("SELECT pg_database_size(current_database()) / 1e6"))
    assert empty is None
    assert new.notices == ()
    new.close()
    began = time.monotonic()
    open_warehouse(database_url).close()
    return {
        "bills": float(rows or 0),
        "upgrade_seconds": seconds,
        "longest_read_seconds": max(waits),
        "reads": len(waits),
        "database_mb": float(megabytes or 0),
        "open_seconds": time.monotonic() - began,
    }


def _multiply(warehouse: Warehouse, bills: int) -> None:
    """Copies what is there, each object under ids of its own."""
    t = warehouse.mirror.table("bills")
    names = ", ".join(name for name in t.columns.keys() if name not in ("id", "payload"))  # noqa: SIM118
    lines = ", ".join(
        name
        for name in warehouse.mirror.table("bill_line_items").columns.keys()  # noqa: SIM118
        if name not in ("bill_id",)
    )
    given = {"copies": bills // _TEMPLATES - 1}
    with warehouse.write() as connection:
        connection.execute(
            text(f"""
                INSERT INTO billcom.bills (id, payload, {names})
                SELECT id || '-' || n, jsonb_set(payload, '{{id}}', to_jsonb(id || '-' || n)), {names}
                FROM billcom.bills, generate_series(1, :copies) n
            """),
            given,
        )
        connection.execute(
            text(f"""
                INSERT INTO billcom.bill_line_items (bill_id, {lines})
                SELECT bill_id || '-' || n, {lines} FROM billcom.bill_line_items, generate_series(1, :copies) n
            """),
            given,
        )


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(measure(given["database_url"], int(given.get("bills", BILLS))), sys.stdout)
