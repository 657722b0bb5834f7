"""Fills a SQLite database and stores it here, named after its revision.

To be run with an earlier version's tree, which ``git archive`` takes out, first on PYTHONPATH.
"""

from __future__ import annotations

import lzma
import sqlite3
import sys
import tempfile
from pathlib import Path

from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets_tests.sync.company import Company
from billcom_assets_tests.warehouse.old_databases.company import SETTINGS, plant


def main(folder: Path) -> None:
    """Syncs the stored company into a database."""
    with tempfile.TemporaryDirectory() as temporary, SandboxServer(SETTINGS) as server:
        plant(server.world.organizations[0])
        file = Path(temporary) / "billcom.db"
        warehouse = open_warehouse(f"sqlite:///{file}")
        Company(server).sync(warehouse)
        warehouse.close()
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        folder.joinpath(f"{revision}.db.xz").write_bytes(lzma.compress(file.read_bytes(), preset=9))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
