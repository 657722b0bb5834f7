"""What documents and parties are called in findings: BILL's own words, fit to be shown as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from billcom_assets.books.identities.findings import Document
from billcom_assets.books.run import Run
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.ledger_tables import ledger_accounts

LONGEST: Final = 60
_LONGEST_CODE: Final = 10
NOBODY: Final = "no vendor"


class Label(NamedTuple):
    """A vendor or an account."""

    what: str
    """By its id or number."""
    name: str | None = None


def document(kind: str, id_: str, number: str | None) -> Document:
    """The document with its number as it may be shown."""
    return Document(kind, excerpt(id_), excerpt(number, limit=LONGEST) if number else None)


def document_of(row: Any) -> Document:
    """The document that a row with kind, id and number is about."""
    return document(row.kind, row.id, row.number)


def title(one: Document) -> str:
    """What a document is called in a sentence."""
    what = one.kind.removesuffix("s").replace("_", " ")
    return f"{what} {one.number} ({one.id})" if one.number else f"{what} {one.id}"


def currency_label(code: str) -> str:
    """An ISO 4217 code, if BILL has one there."""
    return excerpt(code, limit=_LONGEST_CODE)


def in_currency(of: Label, code: str) -> Label:
    """The same in one currency."""
    return Label(f"{of.what}, {currency_label(code)}", of.name)


def party_labels(
    connection: Connection, run: Run, kind: str, ids: Collection[str | None]
) -> Mapping[str | None, Label]:
    """Vendors, or what else ``kind`` is, by id."""
    t = run.mirror.table(kind).c
    wanted = [one for one in ids if one]
    rows = connection.execute(select(t.id, t.name).where(t.integration == run.integration, t.id.in_(wanted)))
    names = {row.id: row.name for row in rows}
    found: dict[str | None, Label] = {one: label(one, names.get(one)) for one in wanted}
    return found | dict.fromkeys((None, ""), Label(NOBODY))


def account_labels(connection: Connection, run: Run, ids: Collection[str]) -> Mapping[str, Label]:
    """Accounts of the ledger, by id."""
    a = ledger_accounts.c
    query = select(a.id, a.number, a.name).where(a.integration == run.integration, a.id.in_(ids))
    found = {row.id: (row.number or row.id, row.name) for row in connection.execute(query)}
    return {one: label(*found.get(one, (one, None))) for one in ids}


def label(what: str, name: str | None) -> Label:
    """What others have written, as it may be shown."""
    return Label(excerpt(what), excerpt(name, limit=LONGEST) if name else None)
