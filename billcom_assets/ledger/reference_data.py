"""Loading the company's own records from files: all files of one command together, or nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.ledger.file_reports import FileReport
from billcom_assets.ledger.following import move_policy
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.lists import TableChanges
from billcom_assets.ledger.parsing import parse
from billcom_assets.ledger.problems import FileProblems
from billcom_assets.ledger.replacing import Renamed, replace_lists
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.known_integrations import require_integration

NOTHING_CHANGED = "Nothing was imported;"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    integration: str
    tables: tuple[TableChanges, ...]
    files: tuple[FileReport, ...]
    """How each file was read."""
    renamed: tuple[Renamed, ...] = ()
    """Records that were recognised under a new number or name."""


def import_reference_data(
    conn: Connection,
    integration: str,
    files: Mapping[str, str | os.PathLike[str]],
    now: datetime,
    *,
    actor: Actor,
    type_map: str | os.PathLike[str] | None = None,
    allow_removals: bool = False,
) -> ImportReport:
    """Makes the company's own records what the files say.

    A file holds the whole list of its kind: what is gone from it is deactivated, never removed. Records that are
    renamed or renumbered are recognised, and mappings and the posting policy follow them. A file of dimensions
    replaces only the kinds that occur in it.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        files: Paths by kind: accounts, vendors, customers, items, departments, classes, locations, jobs, employees, or
            dimensions of all kinds in one file.
        now: Time of the import.
        actor: Who imports.
        type_map: File of account types for what the program calls otherwise, or has no types for.
        allow_removals: Whether more than a tenth of a list, or what is mapped, may be deactivated.

    Raises:
        FileRefused: a file is unusable or something in it is wrong; nothing was written.
        RemovalsRefused: a file lacks too much, or something mapped, and that is not allowed; nothing was written.
        UnknownIntegration: there is no such integration.
        ValueError: no file, or an unknown kind of file, was given.
    """
    if not files or not files.keys() <= LAYOUTS.keys():
        raise ValueError(f"files of these kinds can be imported: {', '.join(LAYOUTS)}")
    require_integration(conn, integration)
    problems = FileProblems()
    parsed = parse(conn, integration, files, type_map, problems)
    problems.refuse_if_any(NOTHING_CHANGED)
    replaced = replace_lists(conn, integration, parsed.records, now, allow_removals=allow_removals)
    after = {
        "files": parsed.origins,
        "tables": replaced.tables,
        "renamed": replaced.renamed,
        "removals_confirmed": replaced.confirmed,
    }
    imported = Decision(What.LEDGER_IMPORTED, ", ".join(parsed.origins), integration, after=after)
    accounts = {
        one.old_id: one.new_id for one in replaced.renamed if one.list == "accounts" and one.old_id != one.new_id
    }
    settings = move_policy(conn, integration, accounts, set_by=actor.name, now=now)
    audit.record_all(conn, actor, [imported, *replaced.decisions, *settings], now)
    return ImportReport(integration, replaced.tables, parsed.reports, replaced.renamed)
