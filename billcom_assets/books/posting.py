"""Posting: what of BILL's documents belongs into the books enters them, in one transaction.

The rules, in their order: documents are looked at when they are new, changed, held or waiting (``staging``); scope says
which the books are about (``scope``); a digest tells whether what was posted still holds (``content``); reasons hold
what may not post (``reasons``); entries are made for the rest (``entries``). All of it is set-based; what needs exact
division, which SQLite lacks, is computed here (``fills``, ``exchange``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from billcom_assets.books import work
from billcom_assets.books.basis import basis_of, keep
from billcom_assets.books.content import fill_hashes
from billcom_assets.books.decisions import (
    find_duplicates,
    forget_duplicates,
    hold_back,
    propose,
    settle_dates,
)
from billcom_assets.books.entries import make_entries
from billcom_assets.books.exchange import value_settlements
from billcom_assets.books.fills import fill_cash, fill_home_shares, fill_home_totals, fill_voids
from billcom_assets.books.held import report_held
from billcom_assets.books.money_accounts import find_money
from billcom_assets.books.objects import fill_objects
from billcom_assets.books.opening import follow_opening
from billcom_assets.books.outcome import follow_usages, keep_what_stands, store_applications, store_documents
from billcom_assets.books.policy import store_found
from billcom_assets.books.reasons import find_reasons
from billcom_assets.books.recoding import give_up_recoding, propose_recoding
from billcom_assets.books.run import Run
from billcom_assets.books.scope import decide_scope
from billcom_assets.books.staging import LookAt, has_changes, stage
from billcom_assets.clock import utc_now
from billcom_assets.warehouse.comparing import compare_by_hash
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import cutoff_of
from billcom_assets.warehouse.mirror import Mirror


@dataclass(frozen=True, slots=True)
class PostingReport:
    """What one run did."""

    looked_at: int
    """Documents that were new, changed, held or waiting."""
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many documents of each kind (first) met which action (second)."""

    @property
    def is_quiet(self) -> bool:
        """True when nothing was looked at."""
        return not self.looked_at


def post(
    warehouse: Warehouse,
    integration: str,
    *,
    run_id: str | None = None,
    clock: Callable[[], datetime] = utc_now,
    fence: Callable[[Connection], None] = lambda _connection: None,
    even_if_quiet: bool = False,
) -> PostingReport:
    """Brings the books up to date with the mirror; nothing of it is kept when it fails.

    Args:
        warehouse: Where the mirror and the books are.
        integration: Integration key.
        run_id: Dagster run, kept with what it makes.
        clock: Tells the time; its UTC day is today.
        fence: Raises when another run may write by now.
        even_if_quiet: Try what is held once more although nothing has changed since the last run.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    with warehouse.write() as connection:
        fence(connection)
        run = _run(connection, warehouse.mirror, integration, clock(), run_id)
        compare_by_hash(connection)
        basis = basis_of(connection, run)
        if basis.is_known and not even_if_quiet and not has_changes(connection, run):
            return PostingReport(0)
        report = _post(connection, run, LookAt.EVERYTHING if basis.is_wider else LookAt.OPEN)
        keep(connection, run)
        return report


def post_anew(
    connection: Connection, mirror: Mirror, integration: str, now: datetime, *, revalues: bool
) -> PostingReport:
    """Brings the books up to date, and posts anew what would be coded otherwise by now; in the caller's transaction.

    Args:
        connection: Writing.
        mirror: Where BILL's documents are.
        integration: Integration key.
        now: UTC.
        revalues: Post everything anew, because the home currency is another.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    run = replace(_run(connection, mirror, integration, now, None), reposts=True, revalues=revalues)
    compare_by_hash(connection)
    report = _post(connection, run, LookAt.EVERYTHING)
    keep(connection, run)
    return report


def _run(connection: Connection, mirror: Mirror, integration: str, now: datetime, run_id: str | None) -> Run:
    cutoff = cutoff_of(connection, integration)
    return Run(integration, mirror, store_found(connection, integration, now), cutoff, now, run_id)


def post_everything(connection: Connection, run: Run) -> PostingReport:
    """Looks at every document of the mirror, whatever has changed; in the caller's transaction."""
    return _post(connection, run, LookAt.EVERYTHING)


def _post(connection: Connection, run: Run, look_at: LookAt) -> PostingReport:
    work.make(connection)
    looked_at = stage(connection, run, look_at)
    fill_voids(connection, run)
    fill_cash(connection, run)
    fill_home_totals(connection, run)
    decide_scope(connection, run)
    fill_hashes(connection)
    propose(connection, run)
    find_money(connection, run)
    fill_objects(connection, run)
    if run.reposts:
        propose_recoding(connection, run)
    find_reasons(connection, run)
    hold_back(connection)
    give_up_recoding(connection)
    keep_what_stands(connection, run)
    fill_home_shares(connection, run)
    _settle(connection, run)
    settle_dates(connection, run)
    make_entries(connection, run)
    store_documents(connection, run)
    store_applications(connection, run)
    report_held(connection, run)
    follow_opening(connection, run)
    return PostingReport(looked_at, _actions(connection))


def _settle(connection: Connection, run: Run) -> None:
    """Duplicates and exchange differences depend on what else posts; each pass holds some documents or is the last."""
    while True:
        find_duplicates(connection, run)
        hold_back(connection)
        follow_usages(connection, run)
        if not value_settlements(connection, run):
            return
        forget_duplicates(connection)
        hold_back(connection)
        give_up_recoding(connection)


def _actions(connection: Connection) -> Counter[tuple[str, str]]:
    d = work.documents.c
    query = select(d.kind, d.action, func.count()).group_by(d.kind, d.action)
    return Counter({(kind, action): count for kind, action, count in connection.execute(query)})
