"""Everything at one moment: the identities, and the books as of any day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.findings import Finding, Outcome
from billcom_assets.books.reconciliation import outcomes_apart, reconcile
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents, ledger_entries, ledger_lines
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.books.identities.conftest import Books, Posted
from billcom_assets_tests.books.ledger import PAYABLE
from billcom_assets_tests.sync.company import INTEGRATION

DAY = date(2026, 3, 31)


def rows(warehouse: Warehouse) -> list[int | None]:
    tables = (ledger_documents, ledger_entries, ledger_lines)
    with warehouse.read() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) for table in tables]


def test_all_identities_are_looked_at_and_nothing_is_written(books: Books) -> None:
    posted = books("cutoff")
    before = rows(posted.warehouse)
    found = reconcile(posted.warehouse, INTEGRATION, posted.company.server.clock.now())
    assert [one.number for one in found.outcomes] == [one.number for one in IDENTITIES]
    assert (found.holds, found.recounts, found.as_of) == (True, (), None)
    assert rows(posted.warehouse) == before


def test_an_identity_that_meets_an_error_holds_up_no_other(books: Books) -> None:
    posted = books("direct")

    def refused(connection: Connection, _run: Run) -> Finding:
        connection.execute(text("SELECT nothing FROM nowhere"))
        raise AssertionError("the database has refused")

    first, last = IDENTITIES[0], IDENTITIES[-1]
    wanted = (first, replace(first, look=refused), last)
    found = outcomes_apart(posted.warehouse, INTEGRATION, posted.company.server.clock.now(), wanted)
    assert [isinstance(one, Outcome) and one.holds for one in found] == [True, False, True]
    assert isinstance(found[1], SQLAlchemyError)


def test_what_others_write_meanwhile_is_not_seen(books: Books) -> None:
    posted = books("direct")
    count = select(func.count()).select_from(ledger_documents)
    with posted.warehouse.snapshot() as connection:
        before = connection.scalar(count)
        with posted.warehouse.write() as other:
            row = other.execute(select(ledger_documents).limit(1)).mappings().one()
            other.execute(ledger_documents.insert().values(dict(row) | {"id": "another"}))
        assert connection.scalar(count) == before
    with posted.warehouse.write() as other:
        other.execute(ledger_documents.delete().where(ledger_documents.c.id == "another"))


def test_a_day_shows_what_was_posted_until_then(books: Books) -> None:
    posted = books("clearing")
    found = reconcile(posted.warehouse, INTEGRATION, posted.company.server.clock.now(), as_of=DAY, identities=())
    assert found.as_of is not None
    expected = _balances(posted, DAY)
    assert {one.account: one.balance for one in found.as_of.trial_balance} == expected
    assert sum(one.home_amount for one in found.as_of.payables) == -expected[PAYABLE]
    assert expected != _balances(posted, date(2099, 1, 1))
    assert len({one.currency for one in found.as_of.payables}) > 1


def _balances(posted: Posted, day: date) -> dict[str, Decimal]:
    """Added up line by line."""
    e, line = ledger_entries.c, ledger_lines.c
    query = select(line.ledger_account_id, line.debit, line.credit).join_from(
        ledger_lines, ledger_entries, line.entry_id == e.id
    )
    found: dict[str, Decimal] = {}
    with posted.warehouse.read() as connection:
        for account, debit, credit in connection.execute(query.where(e.posting_date <= day)):
            found[account] = found.get(account, Decimal(0)) + debit - credit
    return found
