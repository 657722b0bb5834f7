"""Loading the company's own records from files: all files of one command together, or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, literal, select

from billcom_assets.ledger.account_records import accounts
from billcom_assets.ledger.chart import Chart
from billcom_assets.ledger.csv_files import CsvTable, read_csv
from billcom_assets.ledger.dimension_records import dimensions
from billcom_assets.ledger.file_reports import FileReport, file_report
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.item_records import items
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.lists import LedgerList, TableChanges
from billcom_assets.ledger.party_records import customers, vendors
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.records import LedgerAccount, LedgerDimension, LedgerRecord
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.known_integrations import require_integration
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)

NOTHING_CHANGED = "Nothing was imported;"

_TABLES: dict[str, Table] = {
    "accounts": ledger_accounts,
    "vendors": ledger_vendors,
    "customers": ledger_customers,
    "items": ledger_items,
    "dimensions": ledger_dimensions,
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    integration: str
    tables: tuple[TableChanges, ...]
    files: tuple[FileReport, ...]
    """How each file was read."""


def import_reference_data(
    conn: Connection, integration: str, files: Mapping[str, str | os.PathLike[str]], now: datetime, *, actor: Actor
) -> ImportReport:
    """Makes the company's own records what the files say.

    A file holds the whole list of its kind: what is gone from it is deactivated, never removed, so that mappings stay.
    A file of dimensions replaces only the kinds that occur in it.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        files: Paths by kind: accounts, vendors, customers, items, dimensions.
        now: Time of the import.
        actor: Who imports.

    Raises:
        FileRefused: a file is unusable or something in it is wrong; nothing was written.
        UnknownIntegration: there is no such integration.
        ValueError: no file, or an unknown kind of file, was given.
    """
    if not files or not files.keys() <= LAYOUTS.keys():
        raise ValueError(f"files of these kinds can be imported: {', '.join(LAYOUTS)}")
    require_integration(conn, integration)
    problems = FileProblems()
    tables = {kind: read_csv(files[kind], LAYOUTS[kind], problems) for kind in LAYOUTS if kind in files}
    records = _parse(conn, integration, tables, problems)
    problems.refuse_if_any(NOTHING_CHANGED)
    report = ImportReport(
        integration,
        tables=tuple(_apply(conn, integration, kind, rows, now) for kind, rows in records.items()),
        files=tuple(file_report(kind, table) for kind, table in tables.items() if table is not None),
    )
    read = {kind: table.origin for kind, table in tables.items() if table is not None}
    audit.record(
        conn,
        actor=actor,
        what=What.LEDGER_IMPORTED,
        integration=integration,
        subject=", ".join(read),
        after={"files": read, "tables": report.tables},
        now=now,
    )
    return report


def _parse(
    conn: Connection, integration: str, tables: Mapping[str, CsvTable | None], problems: FileProblems
) -> dict[str, list[LedgerRecord]]:
    records: dict[str, list[LedgerRecord]] = {}
    home = home_currency(conn, integration)

    def keep(kind: str, parsed: Iterable[LedgerRecord]) -> None:
        records[kind] = _with_stored_ids(conn, integration, _TABLES[kind], parsed)

    before = problems.total
    if (table := tables.get("accounts")) is not None:
        keep("accounts", accounts(table, problems, home))
    chart_is_broken = "accounts" in tables and ("accounts" not in records or problems.total > before)
    chart = None if chart_is_broken else _chart(conn, integration, records.get("accounts"))
    if (table := tables.get("vendors")) is not None:
        keep("vendors", vendors(table, problems, home, chart))
    if (table := tables.get("customers")) is not None:
        keep("customers", customers(table, problems, home, chart))
    if (table := tables.get("items")) is not None:
        keep("items", items(table, problems, chart))
    if (table := tables.get("dimensions")) is not None:
        keep("dimensions", dimensions(table, problems))
    return records


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


def _chart(conn: Connection, integration: str, records: Iterable[LedgerRecord] | None) -> Chart:
    """The accounts of the file, or without one those that are stored."""
    if records is not None:
        return Chart(account for account in records if isinstance(account, LedgerAccount))
    columns = [ledger_accounts.c[column.name] for column in fields(LedgerAccount)]
    rows = conn.execute(select(*columns).where(ledger_accounts.c.integration == integration))
    return Chart(LedgerAccount(**row._mapping) for row in rows)


def _apply(
    conn: Connection, integration: str, kind: str, records: Sequence[LedgerRecord], now: datetime
) -> TableChanges:
    kinds = {record.kind for record in records if isinstance(record, LedgerDimension)}
    scope = (ledger_dimensions.c.kind.in_(sorted(kinds)),) if kinds else ()
    return LedgerList(_TABLES[kind], integration, scope).replace(conn, map(_values, records), now)


def _values(record: LedgerRecord) -> dict[str, Any]:
    values = {column.name: getattr(record, column.name) for column in fields(record)}
    if isinstance(record, LedgerAccount):
        values["type"] = record.type.value
    return values
