"""The tables of one posting run: what it looks at, in one shape for all kinds of documents; gone with the run.

Money in them has the signs of the books: positive for debits, negative for credits.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Date, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy.schema import SchemaItem

from billcom_assets.warehouse.books_tables import DIMENSIONS
from billcom_assets.warehouse.types import Exact, UtcTimestamp

_metadata = MetaData()
DIGEST: Final = "billcom_digest"
SQUEEZED: Final = "billcom_squeezed"
"""Functions that SQLite lacks."""


def _table(name: str, *columns: SchemaItem) -> Table:
    return Table(name, _metadata, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def _document() -> tuple[Column[Any], ...]:
    return Column("kind", Text, nullable=False), Column("id", Text, nullable=False)


def _index_for_sqlite(table: str) -> SchemaItem:
    """Of documents: SQLite looks rows up one by one where PostgreSQL compares by hash."""
    return Index(f"ix_{table}", "kind", "id").ddl_if(dialect="sqlite")


documents: Final = _table(
    "work_documents",
    *_document(),
    Column("rank", Integer, nullable=False),
    Column("party_kind", Text),
    Column("party", Text),
    Column("number", Text),
    Column("document_date", Date),
    Column("gl_date", Date),
    Column("currency", Text),
    Column("amount", Exact(money=True)),
    Column("funding_amount", Exact(money=True)),
    Column("rate", Exact()),
    Column("home_amount", Exact(money=True)),
    Column("header_account", Text),
    Column("is_online", Boolean),
    Column("recorded_account", Text),
    Column("funding_type", Text),
    Column("funding_id", Text),
    Column("approval", Text),
    Column("status", Text),
    Column("movement_type", Text),
    Column("is_archived", Boolean),
    Column("is_draft", Boolean),
    Column("is_deleted", Boolean),
    Column("created_time", UtcTimestamp),
    Column("updated_time", UtcTimestamp),
    Column("voided_on", Date),
    Column("is_void_accepted", Boolean),
    Column("version", Text, nullable=False),
    # What it was before this run.
    Column("old_state", Text),
    Column("old_hash", Text),
    Column("old_entry", Text),
    Column("old_date", Date),
    Column("entries", Integer, nullable=False),
    Column("cutoff", Date),
    Column("is_set_aside", Boolean, nullable=False),
    # Where the money of a payment or movement is: an object that is mapped, or a setting of the policy.
    Column("money_kind", Text),
    Column("money_id", Text),
    Column("other_kind", Text),
    Column("other_id", Text),
    # What this run makes of it.
    Column("is_opposite", Boolean, nullable=False),
    Column("reason", Text),
    Column("leaves", Text),
    Column("hash", Text),
    Column("action", Text),
    Column("posting_date", Date),
    Column("reversal_date", Date),
    Column("exchange", Exact(money=True)),
    Column("applies_anew", Boolean),
    Column("recodes", Boolean),
    Column("kept_for", Text),
    PrimaryKeyConstraint("kind", "id"),
)
"""One row per document that this run looks at."""

lines: Final = _table(
    "work_lines",
    *_document(),
    Column("position", Integer, nullable=False),
    Column("amount", Exact(money=True)),
    Column("home_amount", Exact(money=True)),
    Column("account", Text),
    Column("is_headers", Boolean, nullable=False),
    Column("own_account", Text),
    Column("item", Text),
    *(Column(one, Text) for one in DIMENSIONS),
    PrimaryKeyConstraint("kind", "id", "position"),
)
"""One row per line of a document: BILL's ids, the account that it is charged to by itself, by its item or header."""

VALUES: Final = ("home_amount", "booked", "taken")
"""Of a part at home: its own, what its entry takes off the books, and what that is of the other's home value."""

parts: Final = _table(
    "work_parts",
    *_document(),
    Column("position", Integer, nullable=False),
    Column("settled_kind", Text, nullable=False),
    Column("settled_id", Text, nullable=False),
    Column("amount", Exact(money=True)),
    *(Column(one, Exact(money=True)) for one in VALUES),
    PrimaryKeyConstraint("kind", "id", "position"),
)
"""One row per amount that a document settles of another, positive."""

differences: Final = _table("work_differences", *_document(), Column("home_amount", Exact(money=True)))
"""One row per earlier settlement of a foreign document, and what the document's entry books for it as gain or loss."""

valued: Final = _table("work_valued", *_document(), PrimaryKeyConstraint("kind", "id"))
"""One row per foreign document that posts in this run, or is settled in it."""

objects: Final = _table(
    "work_objects",
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text),
    Column("is_there", Boolean, nullable=False),
    Column("ledger_id", Text),
    Column("is_usable", Boolean, nullable=False),
    Column("is_postable", Boolean, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
)
"""One row per BILL object that can be mapped: its ledger counterpart, and whether that is in use and takes postings."""

reasons: Final = _table(
    "work_reasons",
    *_document(),
    Column("code", Text, nullable=False),
    Column("subject_kind", Text),
    Column("subject", Text),
    _index_for_sqlite("work_reasons"),
)
"""One row per document, reason why it cannot post, and what is to blame."""

entry_lines: Final = _table(
    "work_entry_lines",
    *_document(),
    Column("section", Integer, nullable=False),
    Column("source_line", Integer),
    Column("role", Text, nullable=False),
    Column("account", Text),
    Column("home_amount", Exact(money=True)),
    Column("amount", Exact(money=True)),
    Column("item", Text),
    *(Column(one, Text) for one in DIMENSIONS),
    Column("settles", Text),
    _index_for_sqlite("work_entry_lines"),
)
"""One row per line of an entry to be made, on the ledger's accounts, positive for debits."""


def make(connection: Connection) -> None:
    """Makes the tables, empty, for the connection's transaction."""
    if connection.dialect.name == "sqlite":
        # It keeps them as long as the connection, which is used again; and it knows no digests.
        for table in _metadata.sorted_tables:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.{table.name}")
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - as the dialect says
        driver.create_function(DIGEST, 1, lambda text: sha256(text.encode()).hexdigest(), deterministic=True)
        driver.create_function(SQUEEZED, 1, squeezed, deterministic=True)
    _metadata.create_all(connection, checkfirst=False)


def squeezed(text: str | None) -> str | None:
    """The text without white space and with small letters alone."""
    return None if text is None else "".join(text.split()).lower()


def analyze(connection: Connection, *tables: Table) -> None:
    """Tells the planner how much is in them; without, it expects nearly nothing and loops for minutes."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ANALYZE {table.name}")
