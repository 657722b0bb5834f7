"""Loading the company's own records from files: all files of one command together, or nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from billcom_assets.ledger.file_reports import FileReport
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.lists import LedgerList, TableChanges
from billcom_assets.ledger.parsing import TABLES, parse
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.records import LedgerAccount, LedgerDimension, LedgerRecord
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.known_integrations import require_integration
from billcom_assets.warehouse.ledger_tables import ledger_dimensions

NOTHING_CHANGED = "Nothing was imported;"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    integration: str
    tables: tuple[TableChanges, ...]
    files: tuple[FileReport, ...]
    """How each file was read."""


def import_reference_data(
    conn: Connection,
    integration: str,
    files: Mapping[str, str | os.PathLike[str]],
    now: datetime,
    *,
    actor: Actor,
    type_map: str | os.PathLike[str] | None = None,
) -> ImportReport:
    """Makes the company's own records what the files say.

    A file holds the whole list of its kind: what is gone from it is deactivated, never removed, so that mappings stay.
    A file of dimensions replaces only the kinds that occur in it.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        files: Paths by kind: accounts, vendors, customers, items, departments, classes, locations, jobs, employees, or
            dimensions of all kinds in one file.
        now: Time of the import.
        actor: Who imports.
        type_map: File of account types for what the program calls otherwise, or has no types for.

    Raises:
        FileRefused: a file is unusable or something in it is wrong; nothing was written.
        UnknownIntegration: there is no such integration.
        ValueError: no file, or an unknown kind of file, was given.
    """
    if not files or not files.keys() <= LAYOUTS.keys():
        raise ValueError(f"files of these kinds can be imported: {', '.join(LAYOUTS)}")
    require_integration(conn, integration)
    problems = FileProblems()
    parsed = parse(conn, integration, files, type_map, problems)
    problems.refuse_if_any(NOTHING_CHANGED)
    report = ImportReport(
        integration,
        tables=tuple(_apply(conn, integration, kind, rows, now) for kind, rows in parsed.records.items()),
        files=parsed.reports,
    )
    audit.record(
        conn,
        actor=actor,
        what=What.LEDGER_IMPORTED,
        integration=integration,
        subject=", ".join(parsed.origins),
        after={"files": parsed.origins, "tables": report.tables},
        now=now,
    )
    return report


def _apply(
    conn: Connection, integration: str, kind: str, records: Sequence[LedgerRecord], now: datetime
) -> TableChanges:
    kinds = {record.kind for record in records if isinstance(record, LedgerDimension)}
    scope = (ledger_dimensions.c.kind.in_(sorted(kinds)),) if kinds else ()
    return LedgerList(TABLES[kind], integration, scope).replace(conn, map(_values, records), now)


def _values(record: LedgerRecord) -> dict[str, Any]:
    values = {column.name: getattr(record, column.name) for column in fields(record)}
    if isinstance(record, LedgerAccount):
        values["type"] = record.type.value
    return values
