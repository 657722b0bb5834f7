"""Reconciling: all identities at one moment of the books, and, where that is asked for, the mirror with BILL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from billcom_assets.books.as_of import AsOf, books_as_of
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.findings import Identity, Outcome
from billcom_assets.books.policy import posting_policy
from billcom_assets.books.recount import Recount, recount
from billcom_assets.books.run import Run
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.comparing import compare_by_hash
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import cutoff_of
from billcom_assets.warehouse.mirror import Mirror


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was found of the books of one integration."""

    integration: str
    at: datetime
    """When (UTC)."""
    outcomes: tuple[Outcome, ...]
    """What each identity says, in their order."""
    recounts: tuple[Recount, ...] = ()
    """The mirror's documents and BILL's, by entity; empty unless BILL was asked."""
    as_of: AsOf | None = None
    """The books as of a day, if one was given."""

    @property
    def holds(self) -> bool:
        """True when nothing differs anywhere."""
        return all(one.holds for one in self.outcomes) and all(one.holds for one in self.recounts)


def reconcile(
    warehouse: Warehouse,
    integration: str,
    now: datetime,
    *,
    as_of: date | None = None,
    bill: Sync | None = None,
    identities: Sequence[Identity] = IDENTITIES,
) -> Reconciliation:
    """Looks at everything; writes nothing.

    Args:
        warehouse: Where the mirror and the books are.
        integration: Integration key.
        now: Its UTC day is today.
        as_of: Show the trial balance and what is owed as of the end of this day, too.
        bill: Reads the lists of the books' documents in BILL to compare the mirror with; None for no request.
        identities: Those to look at; some take as long as posting everything once more.

    Raises:
        UnknownIntegration: there is no such integration.
        BillError: BILL failed; that says nothing about the books.
    """
    with one_moment(warehouse) as connection:
        run = books_of(connection, warehouse.mirror, integration, now)
        compare_by_hash(connection)
        found = tuple(identity.outcome(connection, run) for identity in identities)
        day = books_as_of(connection, run, as_of) if as_of is not None else None
    recounts = tuple(recount(bill)) if bill is not None else ()
    return Reconciliation(integration, now, found, recounts, day)


def books_of(connection: Connection, mirror: Mirror, integration: str, now: datetime) -> Run:
    """What the identities have to know of an integration's books.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    return Run(integration, mirror, posting_policy(connection, integration), cutoff_of(connection, integration), now)


@contextmanager
def one_moment(warehouse: Warehouse) -> Iterator[Connection]:
    """A connection that sees the database as it is at its first statement, whatever others write; keeps nothing."""
    with warehouse.read() as connection:
        if warehouse.is_postgresql:
            # SQLite's transactions are so already.
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
