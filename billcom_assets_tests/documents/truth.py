"""What is attached in the simulated BILL, and reading it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from sqlalchemy import select

from billcom_assets.documents.files import DocumentFiles
from billcom_assets.documents.reading import DocumentReport, read_documents
from billcom_assets.sandbox.v3.documents import content_of, page_content
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import documents
from billcom_assets_tests.sync.company import INTEGRATION, Company

ENTITIES = ("bills", "invoices", "vendor_credits")


@dataclass(frozen=True)
class Attached:
    """A company and the folder that its files go to."""

    company: Company
    folder: Path

    def read(self, warehouse: Warehouse, *, refresh: bool = False, **options: Any) -> DocumentReport:
        """What a run does about files."""
        with self.company.connected(warehouse, keeps_documents=True, **options) as sync, sync.alone(10):
            return read_documents(sync, DocumentFiles.at(str(self.folder)), refresh=refresh)

    def truth(self) -> dict[tuple[str, str, str], bytes]:
        """Contents by entity, object and file."""
        most = self.company.server.sandbox.settings.most_documents
        found: dict[tuple[str, str, str], bytes] = {}
        for entity in ENTITIES:
            for row in self.company.organization.rows(entity.replace("_", "-")):
                if row["archived"]:
                    continue
                for number in range(crc32(row["id"].encode()) % (most + 1)):
                    one = f"00h{row['id'][3:-2]}{number:02}"
                    content = content_of(one)[0]
                    if entity == "vendor_credits":
                        one, content = str(number + 1), page_content(row["id"], number + 1)
                    found[entity, row["id"], one] = content
        return found

    def count(self) -> int:
        """Contents there are."""
        return sum(1 for path in (self.folder / INTEGRATION).glob("??/*"))

    def kept(self) -> dict[str, bytes]:
        """Contents by the name of their file, without its ending."""
        return {path.stem: path.read_bytes() for path in (self.folder / INTEGRATION).rglob("*") if path.is_file()}


def rows(warehouse: Warehouse, *columns: str) -> list[tuple[Any, ...]]:
    with warehouse.read() as connection:
        return [tuple(row) for row in connection.execute(select(*[documents.c[name] for name in columns]))]


def assert_complete(warehouse: Warehouse, attached: Attached) -> None:
    """Everything is there, under its digest, once."""
    truth = attached.truth()
    hashes = {name: sha256(content).hexdigest() for name, content in truth.items()}
    stored = {row[:3]: row[3] for row in rows(warehouse, "entity", "record_id", "id", "sha256")}
    assert stored == hashes
    assert attached.kept() == {sha256(content).hexdigest(): content for content in truth.values()}
