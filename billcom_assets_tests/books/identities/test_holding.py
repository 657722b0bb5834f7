"""Books that nothing happened to but business: the identities hold, and other programs accept them as exported."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from billcom_assets.books.export.formats import FORMATS, export_books
from billcom_assets.books.export.rows import Period
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.control_balances import control_balances
from billcom_assets.books.identities.findings import Identity
from billcom_assets.books.run import Run
from billcom_assets_tests.books.export.checked import accepted, hledger, load
from billcom_assets_tests.books.identities.conftest import SETTINGS, Books
from billcom_assets_tests.books.identities.seeds import change_line, lines_of, open_journal, standing_entry
from billcom_assets_tests.sync.company import INTEGRATION


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda one: one.name)
def test_every_identity_holds(books: Books, name: str, identity: Identity) -> None:
    with books(name).undone() as (connection, run):
        outcome = identity.outcome(connection, run)
    assert outcome.first == ()
    assert outcome.holds
    assert outcome.compared or outcome.not_applicable


def exported(format_: str, connection: Connection, run: Run) -> str:
    expected = partial(control_balances, connection, run)
    return "".join(export_books(connection, INTEGRATION, FORMATS[format_], Period(), expected)[0])


@pytest.mark.parametrize("name", SETTINGS)
def test_beancount_accepts_them(books: Books, name: str) -> None:
    with books(name).undone() as (connection, run):
        accepted(exported("beancount", connection, run))


@pytest.mark.parametrize("name", SETTINGS)
def test_hledger_accepts_them(books: Books, name: str, tmp_path: Path) -> None:
    with books(name).undone() as (connection, run):
        text = exported("hledger", connection, run)
    checked = hledger(text, tmp_path, "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_bill_at_another_amount_than_bills_is_refused_though_its_entry_balances(books: Books) -> None:
    with books("direct").undone() as (connection, run):
        open_journal(connection)
        bill = standing_entry(connection, "bills")
        more = Decimal("0.01")
        line, *_, control = lines_of(connection, bill.entry_id)
        assert (line.debit > 0, control.role) == (True, "control")
        change_line(connection, line, debit=line.debit + more, amount=line.amount + more)
        change_line(connection, control, credit=control.credit + more, amount=control.amount - more)
        errors = load(exported("beancount", connection, run))[1]
    assert len(errors) == 1
    assert "Balance failed for 'Liabilities:" in errors[0]
    assert "0.01 too much" in errors[0] or "0.01 too little" in errors[0]
