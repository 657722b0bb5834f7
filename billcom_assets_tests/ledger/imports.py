"""Loading files of the company's own records, and looking at what is stored then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select

from billcom_assets.ledger.problems import FileRefused
from billcom_assets.ledger.reference_data import ImportReport, import_reference_data
from billcom_assets_tests.small_company import ADA, KEY, LATER


@dataclass
class Files:
    """Writes files and imports them."""

    conn: Connection
    folder: Path
    type_map: str | None = None

    def load(self, *, allow_removals: bool = False, **texts: str | bytes) -> ImportReport:
        paths = {}
        for kind, text in texts.items():
            paths[kind] = self.folder / f"{kind}.csv"
            paths[kind].write_bytes(text.encode() if isinstance(text, str) else text)
        type_map = None if self.type_map is None else self.folder / "type-map.csv"
        if type_map is not None:
            type_map.write_text(self.type_map or "")
        return import_reference_data(
            self.conn, KEY, paths, LATER, actor=ADA, type_map=type_map, allow_removals=allow_removals
        )

    def refused(self, **texts: str | bytes) -> list[str]:
        """What is wrong with files that are not taken."""
        with pytest.raises(FileRefused) as refused:
            self.load(**texts)
        return [str(problem).replace(f"{self.folder}/", "") for problem in refused.value.problems]

    def stored(self, table: Table, *columns: str) -> dict[str, Any]:
        """The values of some columns by id; of one column the value itself."""
        wanted = [table.c[name] for name in columns]
        rows = self.conn.execute(select(table.c.id, *wanted).where(table.c.integration == KEY).order_by(table.c.id))
        return {row[0]: row[1] if len(columns) == 1 else tuple(row[1:]) for row in rows}
