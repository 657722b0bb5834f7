"""Posting anew follows changed mappings and policies: shown first, done when confirmed, equal to the second opinion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from billcom_assets.books.exact import home_total
from billcom_assets.books.policy import posting_policy
from billcom_assets.books.posting import post
from billcom_assets.books.reconciliation import reconcile
from billcom_assets.books.reposting import Reposting, repost
from billcom_assets.books.summary import trial_balance
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.books_tables import ledger_documents, ledger_entries
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.home_currency import set_home_currency
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.books.comparison import follow
from billcom_assets_tests.books.ledger import BANK, POLICY, map_to, mirror_ledger, register, set_policy
from billcom_assets_tests.books.reference import ReferenceBooks
from billcom_assets_tests.sync.company import INTEGRATION, Company


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=150, orgs=1)) as server:
        yield Company(server)


@pytest.fixture
def reference() -> ReferenceBooks:
    return ReferenceBooks()


@pytest.fixture
def posted(company: Company, warehouse: Warehouse, reference: ReferenceBooks) -> Warehouse:
    """A warehouse with books, which the reference has followed."""
    with warehouse.write() as connection:
        register(connection)
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **POLICY)
    post(warehouse, INTEGRATION, clock=company.server.clock.now)
    with warehouse.read() as connection:
        assert follow(connection, reference, company.server.clock.now().date()) == []
    return warehouse


def reposted(company: Company, warehouse: Warehouse, *, confirmed: bool, **settings: str) -> Reposting:
    now = company.server.clock.now()
    actor = Actor.of_process(How.COMMAND)
    return repost(warehouse, INTEGRATION, settings=settings, is_confirmed=confirmed, actor=actor, now=now)


def map_an_expense_to_the_bank(warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        m = mappings.c
        lines = warehouse.mirror.table("bill_line_items")
        account = lines.c.classifications_chart_of_account_id
        most = select(account).where(account.is_not(None)).group_by(account).order_by(func.count().desc(), account)
        bill_id = connection.scalar(most.limit(1))
        assert connection.scalar(select(m.ledger_id).where(m.kind == "accounts", m.bill_id == bill_id))
        map_to(connection, "accounts", str(bill_id), BANK)


def unmap_a_vendor(warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        bills = warehouse.mirror.table("bills")
        map_to(connection, "vendors", str(connection.scalar(select(func.min(bills.c.vendor_id)))), None)


def nothing(_: Warehouse) -> None:
    """Leaves the mappings as they are."""


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        pytest.param(nothing, {}, id="nothing"),
        pytest.param(map_an_expense_to_the_bank, {}, id="an account is mapped elsewhere"),
        pytest.param(unmap_a_vendor, {}, id="a vendor is no longer mapped"),
        pytest.param(nothing, {"payments": "clearing"}, id="payments go through clearing"),
        pytest.param(map_an_expense_to_the_bank, {"payments": "clearing"}, id="both"),
    ],
)
def test_is_what_the_reference_does(
    company: Company,
    posted: Warehouse,
    reference: ReferenceBooks,
    change: Callable[[Warehouse], Any],
    settings: dict[str, str],
) -> None:
    change(posted)
    done = reposted(company, posted, confirmed=True, **settings)
    with posted.read() as connection:
        assert follow(connection, reference, company.server.clock.now().date(), reposting=True) == []
    expects_change = change is map_an_expense_to_the_bank or bool(settings)
    assert done.changes_something == expects_change == bool(done.accounts)
    assert bool(done.kept_back) == (change is unmap_a_vendor)
    assert not reposted(company, posted, confirmed=True).changes_something


def test_nothing_is_kept_until_it_is_confirmed(company: Company, posted: Warehouse) -> None:
    map_an_expense_to_the_bank(posted)
    with posted.read() as connection:
        before = trial_balance(connection, INTEGRATION), connection.scalar(select(func.count(ledger_entries.c.id)))
    told = reposted(company, posted, confirmed=False, payments="clearing")
    with posted.read() as connection:
        after = trial_balance(connection, INTEGRATION), connection.scalar(select(func.count(ledger_entries.c.id)))
    assert told.changes_something
    assert not told.is_done
    assert after == before
    done = reposted(company, posted, confirmed=True, payments="clearing")
    assert (done.documents, done.accounts) == (told.documents, told.accounts)


def unmap_a_paid_vendor(warehouse: Warehouse) -> str:
    with warehouse.write() as connection:
        d = ledger_documents.c
        paid = (d.kind == "vendor_payments", d.state == "imported", d.entry_id.is_not(None))
        payment = connection.execute(select(d.id, d.party).where(*paid).order_by(d.id).limit(1)).one()
        map_to(connection, "vendors", payment.party, None)
    return str(payment.id)


def test_what_old_and_new_entries_must_have_in_common_changes_for_all_of_them_or_for_none(
    company: Company, posted: Warehouse
) -> None:
    payment = unmap_a_paid_vendor(posted)
    with posted.read() as connection:
        before = posting_policy(connection, INTEGRATION), trial_balance(connection, INTEGRATION)
    with pytest.raises(InvalidSetting, match="payments cannot change from direct to clearing") as refused:
        reposted(company, posted, confirmed=True, payments="clearing")
    assert f"vendor_payments:{payment} (VENDOR_UNMAPPED)" in str(refused.value)
    with posted.read() as connection:
        assert (posting_policy(connection, INTEGRATION), trial_balance(connection, INTEGRATION)) == before


def valued_otherwise(warehouse: Warehouse) -> list[Any]:
    """Imported bills in euros that stand at something else than BILL's dollars or rate give."""
    d, t = ledger_documents.c, warehouse.mirror.table("bills").c
    columns = (d.id, d.amount, d.home_amount, t.funding_amount, t.exchange_rate)
    foreign = (d.kind == "bills", d.state == "imported", d.currency == "EUR")
    with warehouse.read() as connection:
        found = connection.execute(select(*columns).join(t.id.table, t.id == d.id).where(*foreign)).all()
    assert found
    return [one for one in found if one.home_amount != home_total(one.amount, one.funding_amount, one.exchange_rate)]


def test_books_that_began_in_another_currency_are_valued_anew(company: Company, warehouse: Warehouse) -> None:
    now = company.server.clock.now()
    with warehouse.write() as connection:
        register(connection)
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **POLICY)
        set_home_currency(connection, INTEGRATION, "EUR", now)
        # BILL gives credits none as often as not.
        connection.execute(update(warehouse.mirror.table("vendor_credits")).values(exchange_rate=Decimal("1.25")))
    post(warehouse, INTEGRATION, clock=lambda: now)
    assert reconcile(warehouse, INTEGRATION, now).holds
    done = reposted(company, warehouse, confirmed=True, home_currency="USD")
    assert (sum(done.documents.values()) > 0, done.posted > 0, done.kept_back) == (True, True, ())
    assert reconcile(warehouse, INTEGRATION, now).holds
    assert valued_otherwise(warehouse) == []
    with pytest.raises(InvalidSetting, match=r"home_currency cannot change from USD to EUR: \d+ posted documents"):
        reposted(company, warehouse, confirmed=True, home_currency="EUR")
