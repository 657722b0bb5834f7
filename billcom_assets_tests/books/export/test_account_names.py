"""Names of accounts: legal, different from one another, and those that a bookkeeper expects."""

from __future__ import annotations

import sys
from unicodedata import category

import pytest
from beancount.core.account import is_valid_leaf

from billcom_assets.books.export.account_names import BRANCHES, AccountNames, component
from billcom_assets.books.export.names import NamedAccount, Names
from billcom_assets.books.export.parties import PartyAccount
from billcom_assets.ledger.account_types import AccountType


def account(id_: str, name: str, type_: str = "EXPENSE", parent: str | None = None, number: str = "") -> NamedAccount:
    return NamedAccount(id_, number, name, name, type_, parent, active=True)


def named(*accounts: NamedAccount, parties: tuple[PartyAccount, ...] = (), **names: str) -> dict[str, str]:
    """The names by id, and by id and party."""
    of_bill = {("vendors", party): name for party, name in names.items()}
    known = Names({one.id: one for one in accounts}, of_bill, {}, {}, {})
    found = AccountNames(known, [], parties)
    of_parties = {one.party: found.of(one.ledger_account_id, one.party) for one in parties}
    return {one.id: found.of(one.id) for one in accounts} | of_parties


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rent & rates", "Rent-rates"),
        ("6000.10 Rent", "6000-10-Rent"),
        ("owner's draw", "Owners-draw"),
        ("  --Café (Zürich)-- ", "Café-Zürich"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "Café"),
        ("ßeta", "X-ßeta"),
        ("株式会社", "X-株式会社"),
        ("٣ items", "٣-items"),
        ("½", "1-2"),
        ("\N{PILE OF POO}", "Unnamed"),
        ("a" * 200, "A" + "a" * 79),
    ],
)
def test_a_text_becomes_one_component(text: str, expected: str) -> None:
    assert component(text) == expected


def test_every_letter_and_digit_that_is_kept_is_legal_in_beancount() -> None:
    kept = [one for one in map(chr, range(sys.maxunicode + 1)) if category(one)[0] == "L" or category(one) == "Nd"]
    assert [one for one in kept if not is_valid_leaf(component(one))] == []
    assert is_valid_leaf("A" + "".join(kept))


def test_each_of_the_17_types_has_its_branch() -> None:
    assert BRANCHES.keys() == set(AccountType)
    assert named(account("1", "Old", type_="SOMETHING_ELSE")) == {"1": "Equity:Unspecified:Old"}


def test_parents_stand_before_their_children() -> None:
    assert named(
        account("6110", "Hall", parent="6100", number="6110"),
        account("6100", "Rent", parent="6000", number="6100"),
        account("6000", "Overheads", number="6000"),
    ) == {
        "6000": "Expenses:6000-Overheads",
        "6100": "Expenses:6000-Overheads:6100-Rent",
        "6110": "Expenses:6000-Overheads:6100-Rent:6110-Hall",
    }


def test_a_parent_of_another_branch_is_left_out() -> None:
    names = named(account("1", "Bank", "BANK", parent="2"), account("2", "Cards", "CREDIT_CARD"))
    assert names == {"1": "Assets:Bank", "2": "Liabilities:Cards"}


def test_a_number_in_the_name_is_not_repeated() -> None:
    assert named(account("6000", "6000 Overheads", number="6000")) == {"6000": "Expenses:6000-Overheads"}


def test_accounts_of_one_name_are_numbered_in_the_order_of_their_ids() -> None:
    names = named(account("c", "Rent!"), account("a", "Rent"), account("b", "Rent-2"))
    assert names == {"a": "Expenses:Rent", "c": "Expenses:Rent-2", "b": "Expenses:Rent-2-2"}


def test_a_circle_of_parents_ends_somewhere() -> None:
    names = named(account("a", "A", parent="b"), account("b", "B", parent="a"))
    assert len(set(names.values())) == 2


def test_a_vendor_and_an_account_below_the_control_account_are_told_apart() -> None:
    names = named(
        account("2000", "Payable", "ACCOUNTS_PAYABLE"),
        account("2001", "Acme", "ACCOUNTS_PAYABLE", parent="2000"),
        parties=(PartyAccount("2000", "vendors", "v1", None), PartyAccount("2000", "vendors", "v2", None)),
        v1="Acme",
        v2="\N{PILE OF POO}",
    )
    assert names == {
        "2000": "Liabilities:Payable",
        "2001": "Liabilities:Payable:Acme",
        "v1": "Liabilities:Payable:Acme-2",
        "v2": "Liabilities:Payable:V2",
    }
