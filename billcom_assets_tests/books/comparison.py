"""Whether the books in the database are those that the reference works out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, select

from billcom_assets.books.policy import posting_policy
from billcom_assets.warehouse.books_tables import (
    DIMENSIONS,
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
)
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.books.reference import PAYABLES, Policy, ReferenceBooks, load_snapshot
from billcom_assets_tests.sync.company import INTEGRATION

_ENTRY = ("kind", "document_id", "sequence", "type", "reversed_entry_id", "document_date", "posting_date")
_LINE = (
    *("role", "ledger_account_id", "debit", "credit", "currency", "amount", "party", "ledger_party", "item"),
    *DIMENSIONS,
    *("source_line", "settles"),
)
_APPLICATION = ("settled_kind", "settled_id", "amount", "home_amount", "settled_home_amount", "date")
_DOCUMENT = ("state", "reason", "entry_id")


def follow(
    connection: Connection,
    reference: ReferenceBooks,
    today: date,
    cutoff: date | None = None,
    *,
    reposting: bool = False,
    key: str = INTEGRATION,
) -> list[str]:
    """Posts to the reference what the database has posted; gives what differs afterwards."""
    stored = posting_policy(connection, key)
    policy = Policy(**{name: getattr(stored, name) for name in Policy.__dataclass_fields__})
    snapshot = load_snapshot(connection, key)
    reference.post(snapshot, policy, cutoff, today, kinds=PAYABLES, reposting=reposting)
    return list(differences(connection, reference, key))


def differences(connection: Connection, reference: ReferenceBooks, key: str = INTEGRATION) -> Iterator[str]:
    """What differs, in words: documents, reasons, entries with their lines, and applications."""
    yield from _differing("document", _documents(connection, key), _expected_documents(reference))
    yield from _differing("reasons", _reasons(connection, key), _expected_reasons(reference))
    yield from _differing("entry", _entries(connection, key), _expected_entries(reference))
    yield from _differing("applications", _applications(connection, key), _expected_applications(reference))


def _differing(what: str, found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(found.keys() | expected.keys(), key=str):
        if found.get(key) != expected.get(key):
            yield f"{what} {key}:\n   is        {found.get(key)}\n   should be {expected.get(key)}"


def _rows(connection: Connection, table: Table, key: str) -> Iterator[Any]:
    return iter(connection.execute(select(table).where(table.c.integration == key)).mappings())


def _documents(connection: Connection, key: str) -> dict[Any, Any]:
    return {
        (row["kind"], row["id"]): tuple(row[n] for n in _DOCUMENT) for row in _rows(connection, ledger_documents, key)
    }


def _expected_documents(reference: ReferenceBooks) -> dict[Any, Any]:
    return {key: tuple(getattr(one, n) for n in _DOCUMENT) for key, one in reference.documents.items()}


def _reasons(connection: Connection, key: str) -> dict[Any, Any]:
    found: dict[Any, set[str]] = defaultdict(set)
    for row in _rows(connection, integration_errors, key):
        if row["status"] == "open" and row["code"].isupper():
            found[row["entity"], row["record_id"]].add(row["code"])
    return found


def _expected_reasons(reference: ReferenceBooks) -> dict[Any, Any]:
    return {key: set(one.held) for key, one in reference.documents.items() if one.held}


def _entries(connection: Connection, key: str) -> dict[Any, Any]:
    lines: dict[str, list[Any]] = defaultdict(list)
    for row in _rows(connection, ledger_lines, key):
        lines[row["entry_id"]].append(tuple(_plain(row[name]) for name in _LINE))
    return {
        row["id"]: (tuple(row[name] for name in _ENTRY), sorted(lines[row["id"]], key=str))
        for row in _rows(connection, ledger_entries, key)
    }


def _expected_entries(reference: ReferenceBooks) -> dict[Any, Any]:
    return {
        one.id: (
            tuple(getattr(one, name) for name in _ENTRY),
            sorted((tuple(_of_line(line, name) for name in _LINE) for line in one.lines), key=str),
        )
        for one in reference.entries
    }


def _of_line(line: Any, name: str) -> Any:
    return _plain(getattr(line, "account" if name == "ledger_account_id" else name))


def _applications(connection: Connection, key: str) -> dict[Any, Any]:
    return {
        (row["kind"], row["document_id"], row["position"]): tuple(_plain(row[name]) for name in _APPLICATION)
        for row in _rows(connection, ledger_applications, key)
    }


def _expected_applications(reference: ReferenceBooks) -> dict[Any, Any]:
    return {
        (one.kind, one.document_id, one.position): tuple(_plain(getattr(one, name)) for name in _APPLICATION)
        for one in reference.applications()
    }


def _plain(value: Any) -> Any:
    """Numbers that are equal in the same form."""
    return f"{Decimal(value).normalize():f}" if isinstance(value, Decimal | int) else value
