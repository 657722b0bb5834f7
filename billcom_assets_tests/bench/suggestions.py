"""How long it takes to suggest mappings for many vendors. JSON in, JSON out."""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert

from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets.mapping.overview import Overviews
from billcom_assets.mapping.review_file import export_csv
from billcom_assets.mapping.review_import import import_csv
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.warehouse import ledger_tables, tables
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import Warehouse, open_warehouse

KEY = "bench"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PLACES = (
    "Atlas",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Harbor",
    "Iris",
    "Juniper",
    "Lumen",
    "Maple",
)
LANDS = (
    "Bay",
    "Creek",
    "Field",
    "Forge",
    "Gate",
    "Grove",
    "Hill",
    "Lake",
    "Point",
    "Ridge",
    "River",
    "Shore",
    "Valley",
)
TRADES = (
    "Advisors",
    "Catering",
    "Cleaning",
    "Electric",
    "Foods",
    "Freight",
    "Legal",
    "Media",
    "Office",
    "Supply",
    "Tools",
)
FORMS = ("Inc.", "LLC", "Co", "Ltd", "Corp.", "")


def main() -> None:
    """Fill the books with ``vendors`` vendors on both sides, then suggest."""
    given = json.load(sys.stdin)
    warehouse = open_warehouse(given["database_url"])
    with warehouse.write() as connection:
        _fill(warehouse, connection, given["vendors"])
    started = time.monotonic()
    with warehouse.write() as connection:
        report = suggest(connection, KEY, NOW)
    seconds = time.monotonic() - started
    round_trip_seconds = _round_trip(warehouse)
    warehouse.close()
    vendors = next(one for one in report if one.kind == "vendors")
    counts = {"exact": vendors.exact, "likely": vendors.likely, "without": vendors.without}
    json.dump({"suggest_seconds": seconds, "round_trip_seconds": round_trip_seconds, **counts}, sys.stdout)


def _round_trip(warehouse: Warehouse) -> float:
    """Seconds from the export to the import of a file in which every suggestion was taken over."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mappings.csv"
        with warehouse.write() as connection:
            suggest(connection, KEY, NOW)
            text = export_csv(Overviews(connection, KEY))
        rows = list(csv.DictReader(io.StringIO(text)))
        with file.open("w", encoding=ENCODING, newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(row | {"ledger_id": row["suggested_ledger_id"]} for row in rows)
        with warehouse.write() as connection:
            import_csv(connection, KEY, file, actor=Actor(0, "bench", How.COMMAND), now=NOW)
    return time.monotonic() - started


def _fill(warehouse: Warehouse, connection: Connection, count: int) -> None:
    chance = random.Random(7)
    names = [_name(chance, number) for number in range(count)]
    connection.execute(
        insert(tables.integrations).values(
            key=KEY,
            company="Bench",
            organization_id="00802BENCHBENCHBENCH",
            environment="stage",
            credentials="sealed",
            status="connected",
            created_at=NOW,
            updated_at=NOW,
        )
    )
    common = {"integration": KEY, "archived": False, "first_seen_at": NOW, "synced_at": NOW, "payload_digest": ""}
    bill = [common | {"id": f"009{number:017d}", "name": name, "payload": "{}"} for number, name in enumerate(names)]
    connection.execute(insert(warehouse.mirror.table("vendors")), bill)
    ledger = [
        {
            "integration": KEY,
            "id": f"V{number}",
            "name": _as_kept(chance, name, number),
            "active": True,
            "imported_at": NOW,
        }
        for number, name in enumerate(names)
    ]
    connection.execute(insert(ledger_tables.ledger_vendors), ledger)


def _name(chance: random.Random, number: int) -> str:
    words = [chance.choice(one) for one in (PLACES, LANDS, TRADES)]
    return " ".join((*words, str(number % 97), chance.choice(FORMS))).rstrip()


def _as_kept(chance: random.Random, name: str, number: int) -> str:
    """The same vendor as another bookkeeper wrote it down."""
    match number % 10:
        case 0:
            return f"Somebody Else {number}"
        case 1:
            at = chance.randrange(1, len(name) - 1)
            return name[:at] + name[at + 1 :]
        case 2 | 3:
            return name.upper().removesuffix(" LLC").removesuffix(" INC.")
    return name


if __name__ == "__main__":
    main()
