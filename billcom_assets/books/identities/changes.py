"""What has changed in the mirror since the books were last brought up to date."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, or_, select

from billcom_assets.books.run import Run
from billcom_assets.books.staging import version_of
from billcom_assets.warehouse.books_tables import ledger_documents, posting_state


def waits(table: Table) -> ColumnElement[bool]:
    """BILL has changed the document since the row of ``ledger_documents`` was written: it stands as it was."""
    return ledger_documents.c.payload_digest != version_of(table)


def is_newer(run: Run, table: Table) -> ColumnElement[bool]:
    """The mirror got the document after the last posting began, or nothing was ever posted."""
    s = posting_state.c
    last = select(s.posted_at).where(s.integration == run.integration).scalar_subquery()
    return or_(last.is_(None), table.c.first_seen_at > last)
