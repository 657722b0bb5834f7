"""What identities allow for: they hold, and it is listed with its documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, inspect, literal, select, update

from billcom_assets.books.identities.bills import bills
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.control_balances import control_balances
from billcom_assets.books.identities.findings import Listed, Outcome
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import (
    ledger_documents,
    ledger_entries,
    ledger_lines,
    posting_policies,
    posting_state,
)
from billcom_assets.warehouse.ledger_tables import ledger_accounts, mappings
from billcom_assets_tests.books.identities.conftest import CUTOFF, Books, Posted
from billcom_assets_tests.books.identities.seeds import lines_of, standing_entry
from billcom_assets_tests.books.ledger import CLEARING, map_to, set_cutoff
from billcom_assets_tests.sync.company import INTEGRATION

BY_NAME = {identity.name: identity for identity in IDENTITIES}


def outcome(name: str, connection: Connection, run: Run) -> Outcome:
    found = BY_NAME[name].outcome(connection, run)
    assert found.first == ()
    return found


def listed(found: Outcome, what: str) -> Listed:
    return next(one for one in found.listed if one.what.startswith(what))


def named(one: Listed) -> set[str]:
    return {document.id for item in one.first for document in item.documents}


def change_in_bill(connection: Connection, posted: Posted, table: str, id_: str, **values: Any) -> None:
    """The mirror has another version than the one that the books have looked at."""
    t = posted.warehouse.mirror.table(table)
    mine = (t.c.integration == INTEGRATION, t.c.id == id_)
    connection.execute(update(t).where(*mine).values(payload_digest="another", **values))


def test_what_is_on_its_way_is_the_balance_of_clearing(books: Books) -> None:
    with books("clearing").undone() as (connection, run):
        found = outcome("clearing", connection, run)
        line = ledger_lines.c
        on_clearing = connection.scalar(
            select(func.sum(line.credit - line.debit)).where(line.ledger_account_id == CLEARING)
        )
    payments = listed(found, "Payments without movement, on payables clearing").amount
    movements = listed(found, "Movements without payment, on payables clearing").amount
    assert payments is not None
    assert movements is not None
    assert payments - movements == Decimal(str(round(on_clearing, 2)))


def test_clearing_says_nothing_of_payments_that_are_booked_directly(books: Books) -> None:
    with books("direct").undone() as (connection, run):
        found = outcome("clearing", connection, run)
    assert (found.compared, "payments=direct" in found.not_applicable) == (0, True)


def test_a_changed_amount_waits_until_it_is_posted(books: Books) -> None:
    posted = books("clearing")
    with posted.undone() as (connection, run):
        bill = standing_entry(connection, "bills", ledger_documents.c.state == "imported", _is_in_use(run))
        t = posted.warehouse.mirror.table("bills").c
        more = {"amount": t.amount + 7, "due_amount": t.due_amount + 7}
        change_in_bill(connection, posted, "bills", bill.id, **more)
        bills_found, payables = (outcome(name, connection, run) for name in ("imported_bills", "open_payables"))
        assert payables.holds
    waiting = listed(bills_found, "Bills with changes that wait")
    assert bill.id in named(waiting)


def test_what_comes_in_with_the_next_posting_is_listed_without_what_only_the_books_know(books: Books) -> None:
    posted = books("direct")
    with posted.undone() as (connection, run):
        bill = standing_entry(connection, "bills")
        new = f"{bill.id}x"
        for name, id_ in (("bills", "id"), ("bill_line_items", "bill_id")):
            t = posted.warehouse.mirror.table(name)
            another = {id_: new, "invoice_number": "another"}
            values = [literal(another[one.name]) if one.name in another else one for one in t.c]
            connection.execute(t.insert().from_select(list(t.c), select(*values).where(t.c[id_] == bill.id)))
        found = outcome("books_from_scratch", connection, run)
    waiting = listed(found, "Documents that come in with the next posting")
    assert named(waiting) == {new}
    assert [(item.amount, item.currency) for item in waiting.first] == [(None, None)]


def _is_in_use(run: Run) -> Any:
    return ledger_documents.c.id.in_(select(bills(run).c.id))


def test_a_payment_that_changed_in_bill_counts_there_as_it_is_now(books: Books) -> None:
    posted = books("clearing")
    with posted.undone() as (connection, run):
        payment, parts = _payment_of_bills_in_use(connection, posted, run)
        t = posted.warehouse.mirror.table("bills")
        # BILL has voided it, and owes the vendor again.
        change_in_bill(connection, posted, "vendor_payments", payment.id, status="VOID")
        for bill, amount in parts:
            connection.execute(update(t).where(t.c.id == bill).values(due_amount=t.c.due_amount + amount))
        found = outcome("imported_bills", connection, run)
    assert payment.id in named(listed(found, "What is settled by documents with changes that wait"))


@pytest.mark.parametrize("still_counts", [True, False])
def test_what_a_deleted_payment_has_settled_may_count_or_not(books: Books, still_counts: bool) -> None:
    posted = books("clearing")
    with posted.undone() as (connection, run):
        payment, parts = _payment_of_bills_in_use(connection, posted, run)
        t = posted.warehouse.mirror.table("bills")
        gone = posted.company.server.clock.now()
        change_in_bill(connection, posted, "vendor_payments", payment.id, deleted_at=gone)
        for bill, amount in () if still_counts else parts:
            connection.execute(update(t).where(t.c.id == bill).values(due_amount=t.c.due_amount + amount))
        found = outcome("imported_bills", connection, run)
        assert outcome("open_payables", connection, run).holds
    assert payment.id in named(listed(found, "What was settled by documents that BILL no longer has"))


def test_bills_that_bill_tells_too_little_of_are_not_compared(books: Books) -> None:
    posted = books("clearing")
    with posted.undone() as (connection, run):
        before = outcome("imported_bills", connection, run).compared
        payment, parts = _payment_of_bills_in_use(connection, posted, run)
        part = posted.warehouse.mirror.table("vendor_payment_bills")
        mine = part.c.vendor_payment_id == payment.id
        connection.execute(update(part).where(mine).values(amount=None))
        change_in_bill(connection, posted, "vendor_payments", payment.id)
        found = outcome("imported_bills", connection, run)
        assert outcome("open_payables", connection, run).holds
        assert outcome("exported_balances", connection, run).holds
    assert found.compared == before - len(parts)
    assert {bill for bill, _ in parts} == named(listed(found, "Bills of which BILL does not tell"))


def _payment_of_bills_in_use(connection: Connection, posted: Posted, run: Run) -> tuple[Any, list[Any]]:
    """A payment that stands, and the parts of it: bills and amounts."""
    part = posted.warehouse.mirror.table("vendor_payment_bills").c
    b = bills(run).c
    in_use = select(b.id).where(b.place == "imported")
    settles = select(part.vendor_payment_id).where(part.bill_id.in_(in_use))
    payment = standing_entry(connection, "vendor_payments", ledger_documents.c.id.in_(settles))
    mine = part.vendor_payment_id == payment.id
    return payment, [tuple(row) for row in connection.execute(select(part.bill_id, part.amount).where(mine))]


def test_an_imported_bill_that_bill_shows_as_denied_is_listed(books: Books) -> None:
    posted = books("direct")
    with posted.undone() as (connection, run):
        bill = standing_entry(connection, "bills", _is_in_use(run))
        t = posted.warehouse.mirror.table("bills")
        connection.execute(update(t).where(t.c.id == bill.id).values(approval_status="DENIED"))
        found = outcome("imported_bills", connection, run)
    assert bill.id in named(listed(found, "Imported bills that BILL shows as denied"))


def test_settlements_of_documents_that_are_not_in_the_books_are_listed(books: Books) -> None:
    with books("direct").undone() as (connection, run):
        found = outcome("accounts_payable", connection, run)
        outside = listed(found, "Settlements of documents that are not in the books")
        d = ledger_documents.c
        states = connection.scalars(select(d.state).where(d.kind == "bills", d.id.in_(named(outside)))).all()
    assert outside.count
    assert set(states) <= {"held", "out_of_scope"}
    assert outside.amount


def test_opening_documents_stand_beside_the_imported_ones(books: Books) -> None:
    with books("cutoff").undone() as (connection, run):
        found = outcome("open_payables", connection, run)
        states = outcome("documents_have_states", connection, run)
    items = [item.what for one in found.listed for item in one.first]
    assert any("opening" in what for what in items)
    assert any("imported" in what for what in items)
    assert "left out of the mirror" in states.listed[0].first[0].what


def test_what_came_after_the_last_posting_waits_for_the_next(books: Books) -> None:
    posted = books("direct")
    with posted.undone() as (connection, run):
        bill = standing_entry(connection, "bills", _is_in_use(run))
        connection.execute(ledger_documents.delete().where(ledger_documents.c.id == bill.id))
        assert not BY_NAME["documents_have_states"].outcome(connection, run).holds
        last = connection.scalar(select(posting_state.c.posted_at))
        assert last is not None
        t = posted.warehouse.mirror.table("bills")
        connection.execute(update(t).where(t.c.id == bill.id).values(first_seen_at=last + timedelta(seconds=1)))
        assert listed(outcome("documents_have_states", connection, run), "Documents that wait").count == 1
        assert outcome("open_payables", connection, run).holds


# From scratch --------------------------------------------------------------------------------------------------------


def _account_like(connection: Connection, known: str) -> str:
    """Another account of the ledger."""
    row = connection.execute(select(ledger_accounts).where(ledger_accounts.c.id == known)).one()
    other = f"{known}-other"
    connection.execute(ledger_accounts.insert().values(dict(row._mapping) | {"id": other, "name": other}))
    return other


def _mapped_otherwise(connection: Connection, posted: Posted) -> str:
    bill = standing_entry(connection, "bills")
    line = lines_of(connection, bill.entry_id, "line")[0]
    account = connection.execute(select(mappings).where(mappings.c.ledger_id == line.ledger_account_id)).one()
    map_to(connection, "accounts", account.bill_id, _account_like(connection, line.ledger_account_id))
    now = posted.company.server.clock.now() + timedelta(minutes=1)
    connection.execute(update(mappings).where(mappings.c.bill_id == account.bill_id).values(decided_at=now))
    return str(bill.id)


def _cutoff_moved(connection: Connection, _posted: Posted) -> str:
    bill = standing_entry(connection, "bills", ledger_documents.c.document_date < CUTOFF)
    set_cutoff(connection, CUTOFF)
    return str(bill.id)


def _policy_changed(connection: Connection, posted: Posted) -> str:
    payment = standing_entry(connection, "vendor_payments")
    made = {"integration": INTEGRATION, "version": 99, "origin": "decided", "set_by": "a test"}
    now = posted.company.server.clock.now()
    change = {
        "setting": "payables_clearing",
        "previous": CLEARING,
        "value": _account_like(connection, CLEARING),
        "set_at": now,
    }
    connection.execute(posting_policies.insert().values(made | change))
    return str(payment.id)


def _approval_withdrawn(connection: Connection, posted: Posted) -> str:
    bill = standing_entry(connection, "bills")
    t = posted.warehouse.mirror.table("bills")
    connection.execute(update(t).where(t.c.id == bill.id).values(approval_status="ASSIGNED"))
    return str(bill.id)


def _changed(connection: Connection, posted: Posted) -> str:
    bill = standing_entry(connection, "bills", ledger_documents.c.state == "imported")
    line = posted.warehouse.mirror.table("bill_line_items")
    change_in_bill(connection, posted, "bills", bill.id, amount=bill.amount + 7)
    first = (line.c.bill_id == bill.id, line.c.position == 0)
    connection.execute(update(line).where(*first).values(amount=line.c.amount + 7))
    return str(bill.id)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (_mapped_otherwise, "use what was mapped or coded otherwise before"),
        (_cutoff_moved, "came in under another cutoff"),
        (_policy_changed, "were posted under an older policy"),
        (_approval_withdrawn, "stand, and would be held now"),
        (_changed, "have changes that wait"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_books_from_scratch_may_differ_where_something_has_changed_since(
    books: Books, step: Callable[[Connection, Posted], str], why: str
) -> None:
    posted = books("clearing")
    with posted.undone() as (connection, _):
        document = step(connection, posted)
        run = posted.run(connection)
        found = outcome("books_from_scratch", connection, run)
    one = listed(found, f"Documents that {why}")
    assert document in named(one) or one.count > len(one.first)


def test_books_from_scratch_leave_nothing_behind(books: Books) -> None:
    posted = books("clearing")
    with posted.undone() as (connection, run):
        before = connection.scalar(select(func.count()).select_from(ledger_entries))
        outcome("books_from_scratch", connection, run)
        assert connection.scalar(select(func.count()).select_from(ledger_entries)) == before
        assert outcome("books_from_scratch", connection, run).holds, "once more, on the same connection"
        names = inspect(connection).get_temp_table_names()
    assert [name for name in names if name.startswith(("ledger", "scratch"))] == []


# What exports assert -------------------------------------------------------------------------------------------------


def test_control_balances_are_those_of_the_journal(books: Books) -> None:
    with books("cutoff").undone() as (connection, run):
        found = {(one.party, one.currency): one.balance for one in control_balances(connection, run)}
        line = ledger_lines.c
        mine = (line.role == "control", line.ledger_account_id == run.policy.accounts_payable)
        key = (line.party, line.currency)
        rows = connection.execute(select(*key, func.sum(line.amount)).where(*mine).group_by(*key)).all()
    journal = {(party, currency): round(Decimal(str(total)), 2) for party, currency, total in rows}
    assert found == {key: total for key, total in journal.items() if total}
    assert len({currency for _, currency in found}) == 3


def test_every_identity_is_named_once_and_explained() -> None:
    assert [identity.number for identity in IDENTITIES] == [*range(1, 10)]
    assert len(BY_NAME) == len(IDENTITIES)
    assert all(identity.explanation.endswith(".") for identity in IDENTITIES)
    assert [identity.name for identity in IDENTITIES if identity.is_costly] == ["books_from_scratch"]


def test_the_page_about_them_says_what_they_say() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reconciliation.md").read_text(encoding="utf-8")
    for one in IDENTITIES:
        assert f"| {one.number} | {one.title} | {one.explanation} |" in page
