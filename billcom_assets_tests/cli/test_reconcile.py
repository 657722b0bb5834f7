"""Whether the books agree, asked by command."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from billcom_assets.books.posting import post
from billcom_assets.environment import open_database
from billcom_assets.resources import open_sync
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets_tests.books.ledger import POLICY, mirror_ledger, set_policy
from billcom_assets_tests.cli.commands import Desk
from billcom_assets_tests.sync.company import pull_all

KEY = "acme-us"
NAMES = [
    "entries_balance",
    "documents_have_states",
    "accounts_payable",
    "imported_bills",
    "open_payables",
    "clearing",
    "reversals",
    "exported_balances",
    "books_from_scratch",
]


@pytest.fixture
def posted(desk: Desk) -> Desk:
    """A company whose documents are posted."""
    assert desk.connect(KEY, v2_base_url=desk.bill.v2_base_url).code == 0
    warehouse = open_database()
    with open_sync(warehouse, KEY) as sync, sync.alone():
        pull_all(sync)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse, KEY)
        set_policy(connection, KEY, **POLICY)
    post(warehouse, KEY)
    warehouse.close()
    return desk


def changed(change: object) -> None:
    warehouse = open_database()
    with warehouse.write() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    warehouse.close()


def test_books_that_agree_are_shown_identity_by_identity(posted: Desk) -> None:
    answered = posted.run("reconcile", KEY)
    assert answered.code == 0, answered.everything
    assert "1  Entries balance" in answered.out
    assert answered.out.count("holds") == 9
    assert "not applicable" in answered.out, "nothing stands on clearing where payments are booked directly"
    assert "every identity holds" in answered.out


def test_scripts_get_one_document(posted: Desk) -> None:
    document = posted.run("reconcile", KEY, "--json").document
    assert (document["ok"], document["integration"], document["holds"]) == (True, KEY, True)
    assert [one["name"] for one in document["identities"]] == NAMES
    assert [one["number"] for one in document["identities"]] == [*range(1, 10)]
    first = document["identities"][0]
    assert first.keys() == {
        *("number", "name", "title", "left", "right", "holds"),
        *("compared", "differences", "first", "listed", "not_applicable"),
    }
    assert (document["against_bill"], document["as_of"]) == (None, None)


def test_a_difference_is_named_with_its_document_and_fails(posted: Desk) -> None:
    warehouse = open_database()
    with warehouse.read() as connection:
        d = ledger_documents.c
        bill = connection.scalar(select(d.id).where(d.kind == "bills", d.state == "imported").order_by(d.id))
    warehouse.close()
    changed(ledger_documents.delete().where(ledger_documents.c.id == bill))
    answered = posted.run("reconcile", KEY)
    assert answered.code == 1
    assert f"bills:{bill}" in answered.out.replace("\n", "")
    assert "2 (Every document has a state)" in answered.err
    document = posted.run("reconcile", KEY, "--json").document
    assert (document["ok"], document["holds"]) == (False, False)
    (lost,) = document["identities"][1]["first"]
    assert lost["what"] == "bills"
    assert lost["left"] == lost["right"] + 1
    assert lost["documents"][0]["id"] == bill


def test_a_day_shows_the_books_as_of_its_end(posted: Desk) -> None:
    now = posted.run("reconcile", KEY, "--json", "--as-of", "2099-12-31").document["as_of"]
    assert sum(Decimal(one["balance"]) for one in now["trial_balance"]) == 0
    owed = sum(Decimal(one["home_amount"]) for one in now["payables"])
    payable = next(one for one in now["trial_balance"] if one["account"] == POLICY["accounts_payable"])
    assert owed == -Decimal(payable["balance"])
    before = posted.run("reconcile", KEY, "--json", "--as-of", "2000-01-01").document["as_of"]
    assert (before["day"], before["trial_balance"], before["payables"]) == ("2000-01-01", [], [])
    assert "Trial balance as of 2099-12-31" in posted.run("reconcile", KEY, "--as-of", "2099-12-31").out


def test_nothing_is_asked_of_bill_unless_that_is_wanted(posted: Desk) -> None:
    stats = posted.bill.sandbox.stats
    before = stats.requests
    assert posted.run("reconcile", KEY).code == 0
    assert stats.requests == before
    answered = posted.run("reconcile", KEY, "--against-bill")
    assert answered.code == 0, answered.everything
    assert stats.requests > before
    assert "takes about" in answered.err
    assert "Bills in the mirror and in BILL" in answered.out


def test_what_the_mirror_has_otherwise_than_bill_is_named(posted: Desk) -> None:
    warehouse = open_database()
    bills = warehouse.mirror.table("bills")
    with warehouse.read() as connection:
        one, lost = connection.scalars(select(bills.c.id).order_by(bills.c.id).limit(2))
    warehouse.close()
    changed(update(bills).where(bills.c.id == one).values(amount=bills.c.amount + 1))
    changed(bills.delete().where(bills.c.id == lost))
    document = posted.run("reconcile", KEY, "--against-bill", "--json").document
    found = next(each for each in document["against_bill"] if each["entity"] == "bills")
    assert found["differences"] == 2
    assert {each["documents"][0]["id"] for each in found["first"]} == {one, lost}
    assert not document["ok"]


def test_empty_books_are_not_said_to_agree(desk: Desk) -> None:
    assert desk.connect(KEY).code == 0
    answered = desk.run("reconcile", KEY)
    assert answered.code == 0, answered.everything
    assert "holds" not in answered.out
    assert answered.out.splitlines()[-1] == f"The books of {KEY} are empty: there is nothing to compare yet."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody",), "There is no integration 'nobody'"),
        ((KEY, "--as-of", "31.3.2026"), "is not a date"),
        (("nobody", "--against-bill"), "There is no integration 'nobody'"),
    ],
)
def test_what_is_wrong_is_said(posted: Desk, arguments: tuple[str, ...], message: str) -> None:
    answered = posted.run("reconcile", *arguments)
    assert answered.code == 2
    assert message in answered.err
