"""Reconciling: all identities at one moment of the books, and, where that is asked for, the mirror with BILL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from billcom_assets.books.as_of import AsOf, books_as_of
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.findings import Identity, Outcome
from billcom_assets.books.policy import posting_policy
from billcom_assets.books.recount import Recount, recount
from billcom_assets.books.run import Run
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.comparing import compare_by_hash
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
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
    with warehouse.snapshot() as connection:
        run = books_of(connection, warehouse.mirror, integration, now)
        compare_by_hash(connection)
        found = tuple(identity.outcome(connection, run) for identity in identities)
        day = books_as_of(connection, run, as_of) if as_of is not None else None
    recounts = tuple(recount(bill)) if bill is not None else ()
    return Reconciliation(integration, now, found, recounts, day)


def outcomes_apart(
    warehouse: Warehouse, integration: str, now: datetime, identities: Sequence[Identity]
) -> list[Outcome | Exception]:
    """What each identity says, with the error in place of one that could not look: it must not hold up the others.

    Args:
        warehouse: Where the mirror and the books are.
        integration: Integration key.
        now: Its UTC day is today.
        identities: Those to look at, all at one moment of the books.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    found: list[Outcome | Exception] = []
    try:
        with warehouse.snapshot() as connection:
            run = books_of(connection, warehouse.mirror, integration, now)
            compare_by_hash(connection)
            found += (_outcome_or_error(connection, run, identity) for identity in identities)
    except (SQLAlchemyError, WarehouseError) as error:
        found += [error] * (len(identities) - len(found))
    return found


def _outcome_or_error(connection: Connection, run: Run, identity: Identity) -> Outcome | Exception:
    try:
        # After an error PostgreSQL refuses what follows in the same transaction, unless it is taken back.
        with connection.begin_nested():
            return identity.outcome(connection, run)
    except Exception as error:  # noqa: BLE001 - told where the others go on
        return error


def books_of(connection: Connection, mirror: Mirror, integration: str, now: datetime) -> Run:
    """What the identities have to know of an integration's books.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    return Run(integration, mirror, posting_policy(connection, integration), cutoff_of(connection, integration), now)
