"""Each error turns those identities red that can see it, no other, and is named with its document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets_tests.books.identities.conftest import Books
from billcom_assets_tests.books.identities.seeds import (
    change_line,
    drop_line,
    lines_of,
    lose_application,
    lose_document,
    open_journal,
    reverse_again,
    standing_entry,
    with_lines,
)
from billcom_assets_tests.books.ledger import BANK

CENT = Decimal("0.01")
(
    BALANCE,
    STATES,
    PAYABLE,
    BILLS,
    OPEN,
    CLEARS,
    REVERSED,
    EXPORTED,
    SCRATCH,
) = (identity.name for identity in IDENTITIES)


def drop_a_charge(connection: Connection) -> Any:
    bill = standing_entry(connection, "bills", with_lines("line", 2))
    drop_line(connection, lines_of(connection, bill.entry_id, "line")[0])
    return bill


def drop_what_is_owed(connection: Connection) -> Any:
    bill = standing_entry(connection, "bills")
    drop_line(connection, lines_of(connection, bill.entry_id, "control")[0])
    return bill


def drop_all_lines(connection: Connection) -> Any:
    movement = standing_entry(connection, "money_movements", ledger_documents.c.amount > 0)
    for line in lines_of(connection, movement.entry_id):
        drop_line(connection, line)
    return movement


def _swap(connection: Connection, document: Any) -> Any:
    """What is on the one account of the entry goes to the other."""
    one, other = (line for line in lines_of(connection, document.entry_id))
    for line, account in ((one, other.ledger_account_id), (other, one.ledger_account_id)):
        change_line(connection, line, ledger_account_id=account)
    return document


def swap_clearing_and_bank(connection: Connection) -> Any:
    return _swap(connection, standing_entry(connection, "money_movements", ledger_documents.c.amount < 0))


def pay_from_the_bank(connection: Connection) -> Any:
    payment = standing_entry(connection, "vendor_payments", ledger_documents.c.amount > 100)
    change_line(connection, lines_of(connection, payment.entry_id, "money")[0], ledger_account_id=BANK)
    return payment


def void_twice(connection: Connection) -> Any:
    return reverse_again(connection, "vendor_payments")


def owe_a_cent_more(connection: Connection) -> Any:
    """On both sides of the entry."""
    bill = standing_entry(connection, "bills")
    charge, owed = lines_of(connection, bill.entry_id, "line")[0], lines_of(connection, bill.entry_id, "control")[0]
    change_line(connection, charge, debit=charge.debit + CENT, amount=charge.amount + CENT)
    change_line(connection, owed, credit=owed.credit + CENT, amount=owed.amount - CENT)
    return bill


def charge_a_cent_elsewhere(connection: Connection) -> Any:
    """From one line of a bill to another."""
    bill = standing_entry(connection, "bills", with_lines("line", 2))
    one, *_, other = lines_of(connection, bill.entry_id, "line")
    assert one.ledger_account_id != other.ledger_account_id
    for line, cents in ((one, CENT), (other, -CENT)):
        change_line(connection, line, debit=line.debit + cents, amount=line.amount + cents)
    return bill


def owe_a_cent_to_nobody(connection: Connection) -> Any:
    """On one side alone."""
    bill = standing_entry(connection, "bills")
    charge = lines_of(connection, bill.entry_id, "line")[0]
    change_line(connection, charge, debit=charge.debit + CENT)
    return bill


def owe_it_to_another_vendor(connection: Connection) -> Any:
    bill = standing_entry(connection, "bills")
    other = standing_entry(connection, "bills", ledger_documents.c.party != bill.party)
    change_line(connection, lines_of(connection, bill.entry_id, "control")[0], party=other.party)
    return bill


def lose_a_settled_bill(connection: Connection) -> Any:
    d = ledger_documents.c
    bill = standing_entry(connection, "bills", d.document_date < date(2026, 3, 1))
    lose_document(connection, bill)
    return bill


def lose_a_payment(connection: Connection) -> Any:
    payment = standing_entry(connection, "vendor_payments")
    lose_document(connection, payment)
    return payment


def lose_a_settlement(connection: Connection) -> Any:
    return lose_application(connection)


SEEDS: dict[Callable[[Connection], Any], set[str]] = {
    drop_a_charge: {BALANCE, SCRATCH},
    drop_what_is_owed: {BALANCE, PAYABLE, EXPORTED, SCRATCH},
    drop_all_lines: {BALANCE, CLEARS, SCRATCH},
    swap_clearing_and_bank: {CLEARS, SCRATCH},
    pay_from_the_bank: {CLEARS, SCRATCH},
    void_twice: {PAYABLE, CLEARS, REVERSED, EXPORTED, SCRATCH},
    owe_a_cent_more: {PAYABLE, EXPORTED, SCRATCH},
    charge_a_cent_elsewhere: {SCRATCH},
    owe_a_cent_to_nobody: {BALANCE, SCRATCH},
    owe_it_to_another_vendor: {PAYABLE, EXPORTED},
    lose_a_settled_bill: {STATES, PAYABLE, EXPORTED},
    lose_a_payment: {STATES, PAYABLE, CLEARS, EXPORTED},
    lose_a_settlement: {PAYABLE, BILLS, OPEN, EXPORTED},
}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.__name__)
def test_an_error_is_seen_by_who_can_see_it(books: Books, seed: Callable[[Connection], Any]) -> None:
    with books("clearing").undone() as (connection, run):
        open_journal(connection)
        document = seed(connection)
        outcomes = [identity.outcome(connection, run) for identity in IDENTITIES]
    assert {one.name for one in outcomes if not one.holds} == SEEDS[seed]
    wanted = getattr(document, "document_id", None) or document.id
    for one in outcomes:
        named = {each.id for difference in one.first for each in difference.documents}
        assert one.holds or one.name == EXPORTED or wanted in named or getattr(document, "settled_id", "") in named
