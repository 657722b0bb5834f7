"""Warnings about what the ledger says of its own records."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from billcom_assets.quality.ledger_facts import (
    accounts_not_to_be_posted_to,
    vendors_of_another_currency,
    vendors_on_hold,
)
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.small_company import KEY, Books


@pytest.mark.parametrize(
    ("ledger", "is_wrong"),
    [
        ({}, False),
        ({"postable": False}, True),
        ({"control": True}, True),
        ({"type": "NON_POSTING"}, True),
    ],
)
def test_an_account_on_bills_must_be_mapped_onto_one_that_may_be_posted_to(
    books: Books, ledger: dict[str, object], is_wrong: bool
) -> None:
    books.account("0ca1", "Rent")
    books.account("0ca2", "Not on bills")
    for number in ("6000", "6100"):
        books.ledger_account(number, "Rent", **ledger)
    books.mapping("accounts", "0ca1", "6000")
    books.mapping("accounts", "0ca2", "6100")
    books.bill("bills", "00n1")
    books.line("bill_line_items", 0, bill_id="00n1", id="bli1", classifications_chart_of_account_id="0ca1")

    assert accounts_not_to_be_posted_to(books.conn, KEY).found == (("0ca1",) if is_wrong else ())


@pytest.mark.parametrize(
    ("bill", "ledger", "home", "is_wrong"),
    [
        ("USD", "USD", "USD", False),
        ("EUR", "USD", "USD", True),
        ("USD", None, "USD", False),
        ("USD", None, "EUR", True),
        (None, "EUR", "USD", False),
    ],
)
def test_a_vendor_must_be_mapped_onto_one_of_its_currency(
    books: Books, bill: str | None, ledger: str | None, home: str, is_wrong: bool
) -> None:
    books.conn.execute(update(integrations).values(home_currency=home))
    books.vendor("009a", "Acme", bill_currency=bill)
    books.ledger("vendors", "V1", "Acme", currency=ledger)
    books.mapping("vendors", "009a", "V1")

    assert vendors_of_another_currency(books.conn, KEY).found == (("009a",) if is_wrong else ())


def test_a_vendor_on_bills_must_not_be_on_hold(books: Books) -> None:
    for id_, held in (("009a", True), ("009b", False), ("009c", True)):
        books.vendor(id_, f"Vendor {id_}")
        books.ledger("vendors", id_, f"Vendor {id_}", on_hold=held)
        books.mapping("vendors", id_, id_)
    for id_ in ("009a", "009b"):
        books.bill("bills", f"00n{id_}", vendor_id=id_)

    assert vendors_on_hold(books.conn, KEY).found == ("009a",)
