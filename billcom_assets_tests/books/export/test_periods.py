"""A part of the books: what was before is brought forward, so that every balance holds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from beancount.core import data

from billcom_assets.books.identities.control_balances import PartyBalance
from billcom_assets_tests.books.export.checked import accepted, home_sums, load, opened, transactions
from billcom_assets_tests.books.export.posted import BANK, PAYABLE, RENT, Line, Posted, owed

DAYS = [date(2026, 1, 1) + timedelta(days=count) for count in (0, 4, 5, 31, 41, 50, 59, 90)]


@pytest.mark.parametrize("first", DAYS)
def test_from_any_day_the_balances_are_those_of_the_whole(posted: Posted, first: date) -> None:
    posted.year()
    directives = accepted(posted.exported("beancount", first=first))
    assert home_sums(directives) == {account: sum_ for account, sum_ in posted.home_sums().items() if sum_}
    assert all(one.date >= first - timedelta(days=1) for one in directives)


@pytest.mark.parametrize(("first", "last"), list(pairwise(DAYS)))
def test_between_any_two_days_the_balances_are_those_of_the_last(posted: Posted, first: date, last: date) -> None:
    posted.year()
    directives = accepted(posted.exported("beancount", first=first, last=last))
    sums = posted.home_sums(last)
    assert {account: sum_ for account, sum_ in home_sums(directives).items() if sum_} == {
        account: sum_ for account, sum_ in sums.items() if sum_
    }
    entries = [one for one in transactions(directives) if "entry_id" in one.meta]
    assert all(first <= one.date <= last for one in entries)


def test_what_was_before_is_one_transaction_on_the_day_before_and_the_file_says_so(posted: Posted) -> None:
    posted.year()
    text = posted.exported("beancount", first=date(2026, 2, 15))
    opening, *others = transactions(accepted(text))
    assert (opening.date, opening.narration, opening.meta["type"]) == (date(2026, 2, 14), "Opening balances", "opening")
    assert "2026-02-14" in text
    assert "; The first transaction brings forward what was posted before, so that the balances below hold.\n" in text
    control = "Liabilities:2000-Accounts-Payable"
    amounts = {posting.account: (posting.units.number, posting.units.currency) for posting in opening.postings}
    assert amounts[f"{control}:Müller-Söhne"] == (Decimal("-100.00"), "EUR")
    assert amounts[f"{control}:Quote-and-back-slash"] == (Decimal("-190.01"), "USD")
    assert [one.meta["entry_id"] for one in others] == ["vendor_payments:0te1:1", "vendor_payments:0tp1:1"]


def test_nothing_is_brought_forward_where_nothing_was_before(posted: Posted) -> None:
    posted.year()
    whole, from_the_start = posted.exported("beancount"), posted.exported("beancount", first=date(2026, 1, 1))
    assert whole.split("\n", 1)[1] == from_the_start.split("\n", 1)[1]


def test_what_only_the_rate_left_on_an_account_is_brought_forward_at_home(posted: Posted) -> None:
    posted.chart()
    posted.entry("money_movements", "m1", date(2026, 1, 5), Line(BANK, 50, 55, "EUR"), Line(RENT, -50, -55, "EUR"))
    posted.entry("money_movements", "m2", date(2026, 1, 6), Line(BANK, -50, -56, "EUR"), Line(RENT, 50, 56, "EUR"))
    posted.entry("money_movements", "m3", date(2026, 1, 7), Line(BANK, 5, 6, "EUR"), Line(RENT, -5, -6, "EUR"))
    directives = accepted(posted.exported("beancount", first=date(2026, 1, 7)))
    opening = transactions(directives)[0]
    assert {(one.account[:6], one.units.number, one.units.currency) for one in opening.postings} == {
        ("Assets", Decimal("-1.00"), "USD"),
        ("Expens", Decimal("1.00"), "USD"),
    }
    assert home_sums(directives) == {BANK: Decimal(5), RENT: Decimal(-5)}


def test_names_of_accounts_do_not_depend_on_the_period(posted: Posted) -> None:
    posted.year()
    whole = opened(accepted(posted.exported("beancount")))
    parts = [opened(accepted(posted.exported("beancount", first=day, last=day + timedelta(days=20)))) for day in DAYS]
    assert all(part.keys() <= whole.keys() for part in parts)


def test_vendors_are_asserted_at_their_entries_where_later_ones_exist(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    posted.entry("bills", "00n1", date(2026, 1, 5), Line(RENT, 10), owed(-10, "009v1"))
    posted.entry("bills", "00n2", date(2026, 1, 9), Line(RENT, 20), owed(-20, "009v1"))
    now = [PartyBalance(PAYABLE, "009v1", "USD", Decimal(-31))]
    text = posted.exported("beancount", last=date(2026, 1, 8), expected=now)
    acme = "Liabilities:2000-Accounts-Payable:Acme"
    assert [one.amount.number for one in accepted(text) if isinstance(one, data.Balance) and one.account == acme] == [
        Decimal("-10.00")
    ]
    assert "later ones exist" in text
    for first in (None, date(2026, 1, 8)):
        assert "expected -31.00 USD" in load(posted.exported("beancount", first, date(2026, 1, 9), expected=now))[1][0]
