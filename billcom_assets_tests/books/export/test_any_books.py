"""Whatever the names and amounts are, beancount takes the file and comes to the sums of the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.books.export.checked import accepted, home_sums
from billcom_assets_tests.books.export.posted import Line, Posted
from billcom_assets_tests.small_company import connect

STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
NAMES = STORABLE | st.sampled_from(
    ["Acme", "acme", "Acme!", "Acme-2", '"', "\\", ";", "USD", "2026-01-01 open A:B", "(", "|"]
)
CENTS = st.integers(-10_000_000, 10_000_000).map(lambda cents: Decimal(cents) / 100)
DAYS = st.integers(0, 40).map(lambda days: date(2026, 1, 1) + timedelta(days=days))
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "?", "usd"])
PARTIES = ("009v1", "009v2", "009v3")
ACCOUNTS = ("a", "b", "c", "d")
CONTROL = "payable"


@st.composite
def entries(draw: st.DrawFn) -> tuple[date, str, list[Line]]:
    """A balanced entry; amounts and values go together as they like."""
    currency, party = draw(CURRENCIES), draw(st.sampled_from(PARTIES))
    lines = []
    for account in draw(st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=4)):
        value = draw(CENTS)
        lines.append(Line(account, value if currency == "USD" else draw(CENTS), value, currency))
    value, amount = (sum((Decimal(one) for one in column), Decimal(0)) for column in _columns(lines))
    lines.append(Line(CONTROL, -amount, -value, currency, "control", party, f"V-{party}"))
    return draw(DAYS), draw(NAMES), lines


def _columns(lines: list[Line]) -> tuple[list[Any], list[Any]]:
    return [one.value for one in lines], [one.amount for one in lines]


BOOKS = st.fixed_dictionaries(
    {
        "accounts": st.tuples(
            *(
                st.tuples(NAMES, NAMES, st.sampled_from(AccountType), st.sampled_from([None, *ACCOUNTS]))
                for _ in ACCOUNTS
            )
        ),
        "vendors": st.tuples(*(st.tuples(NAMES, NAMES) for _ in PARTIES)),
        "entries": st.lists(entries(), max_size=6),
        "first": st.none() | DAYS,
        "last": st.none() | DAYS,
    }
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(books=BOOKS)
def test_any_books_are_accepted_with_the_sums_of_their_tables(
    opened: Callable[..., Warehouse], books: dict[str, Any]
) -> None:
    with opened("sqlite").engine.connect() as connection, connection.begin() as transaction:
        connect(connection)
        posted = Posted(connection)
        for id_, (number, name, type_, parent) in zip(ACCOUNTS, books["accounts"], strict=True):
            posted.company.ledger_account(id_, name, type_, number=number, parent_id=parent)
        posted.company.ledger_account(CONTROL, "Payable", "ACCOUNTS_PAYABLE")
        for id_, (name, ledger_name) in zip(PARTIES, books["vendors"], strict=True):
            posted.vendor(id_, name, ledger_name)
        for number, (day, memo, lines) in enumerate(books["entries"]):
            posted.entry("bills", f"00n{number}", day, *lines, memo=memo)
        directives = accepted(posted.exported("beancount", books["first"], books["last"]))
        first, last = books["first"], books["last"]
        if first is None or last is None or first <= last:
            sums = posted.home_sums(last)
            assert {account: sum_ for account, sum_ in home_sums(directives).items() if sum_} == {
                account: sum_ for account, sum_ in sums.items() if sum_
            }
        transaction.rollback()
