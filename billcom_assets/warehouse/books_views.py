"""Views over the books: the journal, the trial balance, and held documents with reasons and fixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Select, and_, select

from billcom_assets.warehouse.books_tables import DIMENSIONS, ledger_documents, ledger_entries, ledger_lines
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import integration_errors


def journal() -> Select[Any]:
    """One row per line of every entry, with the entry and the name of the account."""
    e, line, account = ledger_entries.c, ledger_lines.c, ledger_accounts.c
    of_entry = and_(line.integration == e.integration, line.entry_id == e.id)
    of_account = and_(account.integration == line.integration, account.id == line.ledger_account_id)
    return select(
        e.integration,
        e.id.label("entry_id"),
        e.kind,
        e.document_id,
        e.sequence,
        e.type,
        e.reversed_entry_id,
        e.document_date,
        e.posting_date,
        e.memo,
        line.line,
        line.role,
        line.ledger_account_id,
        account.number.label("account_number"),
        account.name.label("account_name"),
        line.debit,
        line.credit,
        line.currency,
        line.amount,
        line.party,
        line.ledger_party,
        line.item,
        *(line[one] for one in DIMENSIONS),
        line.source_line,
        line.settles,
        e.run_id,
        e.posted_at,
    ).select_from(ledger_entries.join(ledger_lines, of_entry).outerjoin(ledger_accounts, of_account))


def trial_balance() -> Select[Any]:
    """One row per account: sums of all lines, reversals included, whatever their date; in the home currency."""
    line = ledger_lines.c
    key = (line.integration, line.ledger_account_id)
    return select(
        *key,
        MoneySum(line.debit).label("debit"),
        MoneySum(line.credit).label("credit"),
        MoneySum(line.debit - line.credit).label("balance"),
    ).group_by(*key)


def held_documents() -> Select[Any]:
    """One row per held document and reason: what it is, why it is held, and the command that is next."""
    d, e = ledger_documents.c, integration_errors.c
    about = and_(e.integration == d.integration, e.entity == d.kind, e.record_id == d.id)
    return (
        select(
            d.integration,
            d.kind,
            d.id,
            d.number,
            d.party,
            d.document_date,
            d.currency,
            d.amount,
            d.home_amount,
            e.code.label("reason"),
            e.message,
            e.next_step.label("fix"),
            e.status,
            e.id.label("error_id"),
            e.occurrences.label("attempts"),
            e.first_seen_at,
            e.last_seen_at,
            d.set_aside_reason,
        )
        .select_from(ledger_documents.outerjoin(integration_errors, and_(about, e.status.in_(("open", "ignored")))))
        .where(d.state == "held")
    )


COMMENTS: Final = {
    "debit": "Debits in the home currency",
    "credit": "Credits in the home currency",
    "balance": "Debits less credits, in the home currency",
}
"""What the columns mean that are not taken from a table as they are."""
VIEWS: Final[Mapping[str, Callable[[], Select[Any]]]] = {
    "journal": journal,
    "trial_balance": trial_balance,
    "held_documents": held_documents,
}
