"""From the files of one import to the records of the ledger's tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from sqlalchemy import Connection, Table, literal, select

from billcom_assets.ledger.account_records import accounts
from billcom_assets.ledger.account_typing import TypesFound
from billcom_assets.ledger.chart import Chart
from billcom_assets.ledger.dimension_records import dimensions, dimensions_of_kind
from billcom_assets.ledger.file_reports import FileReport, file_report
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.item_records import items
from billcom_assets.ledger.layouts import DIMENSION_LISTS, LAYOUTS
from billcom_assets.ledger.list_files import read_list
from billcom_assets.ledger.party_records import customers, vendors
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.records import LedgerAccount, LedgerDimension, LedgerRecord
from billcom_assets.ledger.tables import CsvTable
from billcom_assets.ledger.type_map import TypeMap, read_type_map
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)

TABLES: dict[str, Table] = {
    "accounts": ledger_accounts,
    "vendors": ledger_vendors,
    "customers": ledger_customers,
    "items": ledger_items,
    "dimensions": ledger_dimensions,
}
"""The table of each kind of record."""

_Path = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the files of one import say."""

    records: dict[str, list[LedgerRecord]]
    """By kind, as in :data:`TABLES`."""
    reports: tuple[FileReport, ...]
    origins: dict[str, dict[str, str]]
    """Which files these were, for the audit log."""


def parse(
    conn: Connection, integration: str, files: Mapping[str, _Path], type_map: _Path | None, problems: FileProblems
) -> Parsed:
    """Reads the files together: accounts are there for the vendors and items that name them.

    Records that are stored already keep the ids that they have there. What is wrong is added to ``problems``.
    """
    reader = _Reader(conn, integration, problems, home_currency(conn, integration))
    types = read_type_map(type_map, problems) if type_map is not None else TypeMap()
    for kind in LAYOUTS:
        if kind in files:
            table = read_list(files[kind], kind, problems, typed_elsewhere=type_map is not None)
            if table is not None:
                reader.tables[kind] = table
    reader.read(types, chart_given="accounts" in files)
    return Parsed(
        {kind: reader.records[kind] for kind in TABLES if kind in reader.records},
        tuple(file_report(kind, table, reader.types.get(kind)) for kind, table in reader.tables.items()),
        {kind: table.origin for kind, table in reader.tables.items()},
    )


@dataclass(slots=True)
class _Reader:
    conn: Connection
    integration: str
    problems: FileProblems
    home: str
    tables: dict[str, CsvTable] = field(default_factory=dict)
    records: dict[str, list[LedgerRecord]] = field(default_factory=dict)
    types: dict[str, TypesFound] = field(default_factory=dict)

    def read(self, type_map: TypeMap, *, chart_given: bool) -> None:
        """Reads every table into records, the chart of accounts first."""
        before = self.problems.total
        if (table := self.tables.get("accounts")) is not None:
            chart = accounts(table, self.problems, self.home, type_map)
            self.types["accounts"] = chart.types
            self._keep("accounts", chart.accounts)
        is_broken = chart_given and ("accounts" not in self.records or self.problems.total > before)
        self._read_what_names_accounts(None if is_broken else self._chart())
        self._read_dimensions()

    def _read_what_names_accounts(self, chart: Chart | None) -> None:
        if (table := self.tables.get("vendors")) is not None:
            self._keep("vendors", vendors(table, self.problems, self.home, chart))
        if (table := self.tables.get("customers")) is not None:
            self._keep("customers", customers(table, self.problems, self.home, chart))
        if (table := self.tables.get("items")) is not None:
            self._keep("items", items(table, self.problems, chart))

    def _read_dimensions(self) -> None:
        found: list[LedgerDimension] = []
        if (table := self.tables.get("dimensions")) is not None:
            found += dimensions(table, self.problems)
        for kind, name in DIMENSION_LISTS.items():
            if (table := self.tables.get(kind)) is None:
                continue
            if name in {one.kind for one in found}:
                self.problems.add(table.file, None, f"the file of dimensions holds {kind} too; give each list once")
            found += dimensions_of_kind(name, table, self.problems)
        if found:
            self._keep("dimensions", found)

    def _keep(self, kind: str, parsed: Iterable[LedgerRecord]) -> None:
        self.records[kind] = _with_stored_ids(self.conn, self.integration, TABLES[kind], parsed)

    def _chart(self) -> Chart:
        """The accounts of the file, or without one those that are stored."""
        if "accounts" in self.records:
            return Chart(account for account in self.records["accounts"] if isinstance(account, LedgerAccount))
        columns = [ledger_accounts.c[column.name] for column in fields(LedgerAccount)]
        rows = self.conn.execute(select(*columns).where(ledger_accounts.c.integration == self.integration))
        return Chart(LedgerAccount(**row._mapping) for row in rows)


def _with_stored_ids(
    conn: Connection, integration: str, table: Table, records: Iterable[LedgerRecord]
) -> list[LedgerRecord]:
    """The records, those that are stored under another spelling of their id keeping the stored one."""
    kind = table.c.kind if table is ledger_dimensions else literal("")
    stored = conn.execute(select(kind, table.c.id).where(table.c.integration == integration))
    exact = {(row[0], row[1]) for row in stored}
    spelled = {(kind, same(id_)): id_ for kind, id_ in exact}

    def renamed(record: LedgerRecord) -> LedgerRecord:
        kind = record.kind if isinstance(record, LedgerDimension) else ""

        def kept(id_: str) -> str:
            return id_ if (kind, id_) in exact else spelled.get((kind, same(id_)), id_)

        if isinstance(record, LedgerAccount | LedgerDimension) and record.parent_id is not None:
            record = replace(record, parent_id=kept(record.parent_id))
        return replace(record, id=kept(record.id))

    return [renamed(record) for record in records]
