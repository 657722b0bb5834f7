"""A synced simulated company some of whose documents are held, to be copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, func, make_url, select

from billcom_assets.books.posting import PostingReport, post
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.books_tables import ledger_documents, ledger_entries
from billcom_assets.warehouse.books_views import held_documents
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.books import ledger
from billcom_assets_tests.postgres import Postgres
from billcom_assets_tests.sync.company import INTEGRATION, Company

BILLS: Final = 40


@dataclass(frozen=True)
class HeldCompany:
    """One company: its vendor with the most bills is not mapped, the rest as the simulated BILL has it; posted once."""

    company: Company
    warehouse: Warehouse
    url: str
    vendor: str
    """The one that is not mapped."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """That of the simulated BILL."""
        return self.company.server.clock.now

    def post(self, **options: Any) -> PostingReport:
        return post(self.warehouse, INTEGRATION, clock=self.clock, **options)

    def map_vendor(self) -> None:
        """Maps the one that is not mapped."""
        with self.warehouse.write() as connection:
            ledger.map_to(connection, "vendors", self.vendor, f"L-vendors-{self.vendor}")

    def errors(self, **values: Any) -> list[Row[Any]]:
        """The errors with these values, in the order of their numbers."""
        e = integration_errors.c
        conditions = [e[name] == value for name, value in values.items()]
        return self._rows(select(integration_errors).where(*conditions).order_by(e.id))

    def error(self, **values: Any) -> Row[Any]:
        """The one error with these values."""
        (found,) = self.errors(**values)
        return found

    def held_by(self, *codes: str) -> list[Row[Any]]:
        """The first error of each document that is held for exactly these reasons."""
        firsts: dict[tuple[str, str], list[Row[Any]]] = {}
        for row in self.errors(status="open"):
            firsts.setdefault((row.entity, row.record_id), []).append(row)
        return [rows[0] for rows in firsts.values() if {row.code for row in rows} == set(codes)]

    def document(self, kind: str, id_: str) -> Row[Any]:
        """What it is in the books."""
        d = ledger_documents.c
        (found,) = self._rows(select(ledger_documents).where(d.kind == kind, d.id == id_))
        return found

    def documents(self, **values: Any) -> list[Row[Any]]:
        d = ledger_documents.c
        conditions = [d[name] == value for name, value in values.items()]
        return self._rows(select(ledger_documents).where(*conditions).order_by(d.kind, d.id))

    def rows(self, table: Table) -> list[Row[Any]]:
        """Of a table of the books."""
        return self._rows(select(table))

    def rows_of(self, table: str) -> list[Row[Any]]:
        """Of a table of the mirror."""
        return self._rows(select(self.warehouse.mirror.table(table)))

    def entries(self) -> list[Row[Any]]:
        return self._rows(select(ledger_entries).order_by(ledger_entries.c.id))

    def view(self) -> list[Row[Any]]:
        """The view ``held_documents``."""
        return self._rows(held_documents())

    def _rows(self, query: Any) -> list[Row[Any]]:
        with self.warehouse.read() as connection:
            return list(connection.execute(query))


@dataclass(frozen=True)
class Template:
    """A database that holds the company, to be copied."""

    company: Company
    url: str
    vendor: str
    postgres: Postgres | None
    """The server that it is on; None for a file."""

    @contextmanager
    def copied(self, folder: Path) -> Iterator[HeldCompany]:
        """The company in a copy of its own; ``folder`` is for files."""
        database = str(make_url(self.url).database)
        if self.postgres is None:
            url = f"sqlite:///{folder / 'billcom.db'}"
            shutil.copy(database, folder / "billcom.db")
        else:
            url = self.postgres.create(template=database)
        warehouse = open_warehouse(url)
        yield HeldCompany(self.company, warehouse, url, self.vendor)
        warehouse.close()
        if self.postgres is not None:
            self.postgres.drop(url)


@contextmanager
def served() -> Iterator[Company]:
    """The simulated BILL of the company."""
    with SandboxServer(Settings(bills=BILLS)) as server:
        yield Company(server)


def filled(company: Company, url: str, postgres: Postgres | None) -> Template:
    """Syncs and posts the company into an empty database."""
    warehouse = open_warehouse(url)
    with warehouse.write() as connection:
        ledger.register(connection)
    company.sync(warehouse)
    with warehouse.write() as connection:
        ledger.mirror_ledger(connection, warehouse)
        ledger.set_policy(connection, **ledger.POLICY)
        vendor = _busiest(connection, warehouse)
        ledger.map_to(connection, "vendors", vendor, None)
    post(warehouse, INTEGRATION, clock=company.server.clock.now)
    warehouse.close()
    return Template(company, url, vendor, postgres)


def _busiest(connection: Connection, warehouse: Warehouse) -> str:
    """The vendor with the most bills in the home currency."""
    bills, vendors = warehouse.mirror.table("bills").c, warehouse.mirror.table("vendors").c
    of_home = select(vendors.id).where(func.coalesce(vendors.bill_currency, "USD") == "USD")
    found: list[str] = list(connection.scalars(select(bills.vendor_id).where(bills.vendor_id.in_(of_home))))
    return max(sorted(set(found)), key=found.count)
