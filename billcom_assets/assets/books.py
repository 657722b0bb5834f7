"""What the assets of the books show: documents by state and reason, the journal, the trial balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from billcom_assets.books import summary
from billcom_assets.books.posting import PostingReport, post
from billcom_assets.entities.plan import HELD_DOCUMENTS, JOURNAL, LEDGER_DOCUMENTS, OPENING_DOCUMENTS, TRIAL_BALANCE
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table

_SHOWN = 50
"""Rows of a preview."""


@dataclass
class Books:
    """The books in one run: posted once, before the first asset of theirs."""

    sync: Sync
    report: PostingReport | None = None

    def materialized(self, name: str) -> dict[str, Any]:
        """Metadata of the asset; posts what there is to post when it is the run's first of the books.

        Money is given as floating-point numbers, which is what a plot takes; tables and views hold the exact sums.

        Raises:
            WarehouseError: the database refused; nothing of the posting is kept.
        """
        if self.report is None:
            sync = self.sync
            self.report = post(
                sync.warehouse, sync.integration, run_id=sync.run_id, clock=sync.clock, fence=sync.fence.check
            )
        with self.sync.warehouse.read() as connection:
            if name in LEDGER_DOCUMENTS:
                return self._documents(connection, name.removeprefix("ledger_"))
            return _OTHERS[name](connection, self.sync)

    def _documents(self, connection: Connection, kind: str) -> dict[str, Any]:
        assert self.report is not None  # noqa: S101 - posted before
        found = [one for one in summary.states(connection, self.sync.integration) if one.kind == kind]
        held = [one for one in summary.held(connection, self.sync.integration) if one.kind == kind]
        rows = [(one.state, one.reason, str(one.documents), _money(one.home_amount)) for one in found]
        rows += [("held", one.reason, str(one.documents), _money(one.home_amount)) for one in held]
        metadata: dict[str, Any] = {
            "preview": table(("state", "reason", "documents", "home amount"), rows),
            "dagster/partition_row_count": sum(one.documents for one in found),
        }
        for state in ("imported", "held", "out_of_scope"):
            count, amount = summary.total(found, state)
            metadata |= {state: count, f"{state}_amount": float(amount)}
        metadata |= {f"{one.state}_{one.reason.lower()}": one.documents for one in found if one.reason}
        by_reason = summary.reasons(connection, self.sync.integration)
        metadata |= {f"held_{reason.lower()}": count for (of, reason), count in by_reason.items() if of == kind}
        done = {action: count for (of, action), count in sorted(self.report.actions.items()) if of == kind}
        metadata |= {"looked_at": sum(done.values()), "posted": done.get("post", 0), "reposted": done.get("repost", 0)}
        return {**metadata, "taken_out": done.get("leave", 0)}


def _journal(connection: Connection, sync: Sync) -> dict[str, Any]:
    found = summary.journal(connection, sync.integration, sync.run_id)
    balances = summary.trial_balance(connection, sync.integration)
    return {
        "dagster/partition_row_count": found.lines,
        "entries": found.entries,
        "reversals": found.reversals,
        "entries_made": found.made_in_run,
        "debit": float(sum((one.debit for one in balances), Decimal(0))),
        "credit": float(sum((one.credit for one in balances), Decimal(0))),
    }


def _trial_balance(connection: Connection, sync: Sync) -> dict[str, Any]:
    found = summary.trial_balance(connection, sync.integration)
    columns = ("account", "name", "debit", "credit", "balance")
    # Accounts by their ids, which are the ledger's numbers where it has any.
    rows = [
        (excerpt(one.account), excerpt(one.name), *map(_money, (one.debit, one.credit, one.balance)))
        for one in _largest(found)
    ]
    difference = sum((one.balance for one in found), Decimal(0))
    return {
        "preview": table(columns, rows),
        "dagster/partition_row_count": len(found),
        "accounts": len(found),
        "difference": float(difference),
    }


def _largest(found: Sequence[summary.Balance]) -> list[summary.Balance]:
    kept = sorted(found, key=lambda one: (-abs(one.balance), one.account))[:_SHOWN]
    return sorted(kept, key=lambda one: one.account)


def _held_documents(connection: Connection, sync: Sync) -> dict[str, Any]:
    count, amount = summary.total(summary.states(connection, sync.integration), "held")
    found = summary.held(connection, sync.integration)
    rows = [(one.kind, one.reason, str(one.documents), _money(one.home_amount)) for one in found]
    by_reason: Counter[str] = Counter()
    for (_, reason), documents in summary.reasons(connection, sync.integration).items():
        by_reason[reason.lower()] += documents
    return {
        "preview": table(("kind", "reason", "documents", "home amount"), rows),
        "dagster/partition_row_count": count,
        "documents": count,
        "amount": float(amount),
        **by_reason,
    }


def _opening_documents(connection: Connection, sync: Sync) -> dict[str, Any]:
    found = summary.opening(connection, sync.integration)
    count = sum(one.documents for one in found)
    rows = [(one.entity, excerpt(one.currency), str(one.documents), _money(one.open_amount)) for one in found]
    return {
        "preview": table(("kind", "currency", "documents", "open amount"), rows),
        "dagster/partition_row_count": count,
        "documents": count,
        **{f"{one.entity}_open_{excerpt(one.currency.lower())}": float(one.open_amount) for one in found},
    }


_OTHERS: dict[str, Callable[[Connection, Sync], dict[str, Any]]] = {
    JOURNAL: _journal,
    TRIAL_BALANCE: _trial_balance,
    HELD_DOCUMENTS: _held_documents,
    OPENING_DOCUMENTS: _opening_documents,
}


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
