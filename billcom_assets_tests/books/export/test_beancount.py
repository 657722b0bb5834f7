"""The beancount file: accepted without a word, and the same books as the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from beancount.core import data
from sqlalchemy import select

from billcom_assets.books.identities.control_balances import PartyBalance
from billcom_assets.warehouse.books_tables import ledger_entries, ledger_lines
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.home_currency import set_home_currency
from billcom_assets_tests.books.export.checked import accepted, home_sums, load, opened, transactions
from billcom_assets_tests.books.export.posted import BANK, OFFICE, PAYABLE, RENT, Line, Posted, owed
from billcom_assets_tests.small_company import KEY, NOW, connect

OF_BEANCOUNT = {"filename", "lineno", "__tolerances__"}
CONTROL = "Liabilities:2000-Accounts-Payable"


def entry(text: str, id_: str) -> data.Transaction:
    found: data.Transaction = next(one for one in transactions(accepted(text)) if one.meta.get("entry_id") == id_)
    return found


def test_a_year_with_everything_in_it_is_accepted_and_adds_up_to_the_tables(posted: Posted) -> None:
    posted.year()
    directives = accepted(posted.exported("beancount"))
    assert home_sums(directives) == posted.home_sums()
    assert {one.meta["entry_id"] for one in transactions(directives)} == set(
        posted.conn.scalars(select(ledger_entries.c.id))
    )


def test_every_line_is_in_the_file_to_the_cent_in_both_currencies(posted: Posted) -> None:
    posted.year()
    line = ledger_lines.c
    columns = (line.entry_id, line.ledger_account_id, line.currency, line.amount, line.debit - line.credit)
    in_tables = sorted(
        (
            entry_id,
            account,
            *(("USD", value, None) if currency == "USD" or not amount else (currency, amount, abs(value))),
        )
        for entry_id, account, currency, amount, value in posted.conn.execute(select(*columns))
    )
    directives = accepted(posted.exported("beancount"))
    ids = {name: one.meta["ledger_account_id"] for name, one in opened(directives).items()}
    in_file = sorted(
        (
            one.meta["entry_id"],
            ids[posting.account],
            posting.units.currency,
            posting.units.number,
            None
            if posting.price is None
            else (posting.price.number * abs(posting.units.number)).quantize(Decimal("0.01")),
        )
        for one in transactions(directives)
        for posting in one.postings
    )
    assert in_file == in_tables


def test_the_same_books_are_the_same_bytes_on_both_databases(opened: Callable[..., Warehouse]) -> None:
    texts = set()
    for dialect in ("sqlite", "postgresql"):
        with opened(dialect).engine.connect() as connection, connection.begin() as transaction:
            connect(connection)
            posted = Posted(connection)
            posted.year()
            texts |= {
                tuple(posted.exported(one) for one in ("beancount", "hledger", "csv", "journal-csv")) for _ in "12"
            }
            transaction.rollback()
    assert len(texts) == 1


def test_an_entry_says_where_it_comes_from(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "ACME INC.", ledger_name="Acme Inc")
    posted.entry("bills", "00n1", date(2026, 1, 5), Line(RENT, 10), owed(-10, "009v1"), memo="Bill INV-1")
    posted.document("bills", "00n1", "INV-1")
    found = entry(posted.exported("beancount"), "bills:00n1:1")
    assert (found.payee, found.narration, found.links) == ("Acme Inc", "Bill INV-1", {"00n1"})
    meta = {name: value for name, value in found.meta.items() if name not in OF_BEANCOUNT}
    assert meta == {
        "entry_id": "bills:00n1:1",
        "kind": "bills",
        "document_id": "00n1",
        "document_number": "INV-1",
        "document_date": "2026-01-05",
        "type": "posting",
        "party": "009v1",
        "ledger_party": "V-009v1",
    }


def test_a_reversal_is_marked_and_names_what_it_reverses(posted: Posted) -> None:
    posted.year()
    found = entry(posted.exported("beancount"), "bills:00nr:2")
    assert (found.tags, found.meta["type"], found.meta["reversed_entry_id"]) == (
        {"reversal"},
        "reversal",
        "bills:00nr:1",
    )
    others = [one for one in transactions(accepted(posted.exported("beancount"))) if one.meta["type"] == "posting"]
    assert {tag for one in others for tag in one.tags} == set()


def test_a_payment_is_linked_with_the_bill_that_it_settles(posted: Posted) -> None:
    posted.year()
    found = entry(posted.exported("beancount"), "vendor_payments:0tp1:1")
    assert found.links == {"0tp1", "00nh00"}
    assert found.postings[0].meta["settles"] == "00nh00"


def test_a_foreign_payment_shows_both_currencies_and_the_exchange_difference(posted: Posted) -> None:
    posted.year()
    text = posted.exported("beancount")
    assert f"  {CONTROL}:Müller-Söhne  50.00 EUR @@ 55.00 USD\n" in text
    assert "  Assets:1000-Checking  -50.00 EUR @@ 56.00 USD\n" in text
    exchange = entry(text, "vendor_payments:0te1:1").postings[-1]
    assert (exchange.units.number, exchange.units.currency) == (Decimal("1.00"), "USD")
    assert (exchange.meta["role"], exchange.meta["amount"]) == ("exchange", "0.00 EUR")
    assert f"balance {CONTROL}:Müller-Söhne  -50.00 ~ 0 EUR\n  home_value: -55.00 USD\n" in text


def test_a_foreign_amount_too_small_for_a_cent_or_rounded_to_the_other_side_keeps_its_value(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    lines = (Line(RENT, "0.01", 0, "JPY"), Line(OFFICE, 300, "-0.39", "JPY"), Line(RENT, 600, "0.99", "JPY"))
    posted.entry("bills", "00n1", date(2026, 1, 5), *lines, owed("-900.01", "009v1", "-0.60", currency="JPY"))
    text = posted.exported("beancount")
    assert home_sums(accepted(text)) == {RENT: Decimal("0.99"), OFFICE: Decimal("-0.39"), PAYABLE: Decimal("-0.60")}
    office = "Expenses:6000-Overheads:6200-Office"
    assert f"  {office}  300 JPY @@ 0.00 USD\n  {office}  -0.39 USD\n" in text


@pytest.mark.parametrize(
    ("home", "tolerance", "amount"), [("JPY", "0.4", "110"), ("KWD", "0.0004", "110.125"), ("EUR", "0.004", "110.50")]
)
def test_the_tolerance_is_below_the_smallest_unit_of_the_home_currency(
    posted: Posted, home: str, tolerance: str, amount: str
) -> None:
    set_home_currency(posted.conn, KEY, home, NOW)
    posted.chart()
    posted.vendor("009v1", "Acme")
    lines = (Line(RENT, 33, amount, "GBP"), owed(-33, "009v1", -Decimal(amount), currency="GBP"))
    posted.entry("bills", "00n1", date(2026, 1, 5), *lines)
    text = posted.exported("beancount")
    accepted(text)
    assert f'option "operating_currency" "{home}"' in text
    assert f'option "inferred_tolerance_default" "{home}:{tolerance}"' in text
    assert f"33.00 GBP @@ {amount} {home}\n" in text


def test_without_the_tolerance_beancount_would_refuse_foreign_entries(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    lines = (Line(RENT, "63688.87", "15747.03", "EUR"), Line(OFFICE, "35224.58", "81848.77", "EUR"))
    payable = owed("-98913.45", "009v1", "-97595.80", currency="EUR")
    posted.entry("bills", "00n1", date(2026, 1, 5), *lines, payable)
    text = posted.exported("beancount")
    accepted(text)
    _, errors = load(text.replace('option "inferred_tolerance_default"', ";"))
    assert [error.partition(":")[0] for error in errors] == ["Transaction does not balance"]


def test_what_a_line_is_for_stands_beside_it(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    posted.dimension("departments", "D1", "Sales")
    posted.dimension("departments", "D2", 'Field "East"', "D1")
    posted.company.ledger("items", "I1", "Chair")
    posted.entry(
        "bills",
        "00n1",
        date(2026, 1, 5),
        Line(RENT, 10, more=(("department", "D2"), ("item", "I1"), ("job", "J9"))),
        owed(-10, "009v1"),
    )
    meta = entry(posted.exported("beancount"), "bills:00n1:1").postings[0].meta
    assert (meta["department"], meta["item"], meta["job"]) == ('Sales:Field "East"', "Chair", "J9")


def test_every_account_in_use_is_opened_and_says_which_of_the_ledgers_it_is(posted: Posted) -> None:
    posted.year()
    posted.company.ledger_account("1100", "Never used", "BANK", active=False)
    accounts = opened(accepted(posted.exported("beancount")))
    assert {one.meta["ledger_account_id"] for one in accounts.values()} == {BANK, PAYABLE, "6000", RENT, OFFICE, "7900"}
    acme = accounts[f"{CONTROL}:Acme-Inc"]
    assert (acme.meta["ledger_account_id"], acme.meta["party"], acme.meta["party_name"]) == (
        PAYABLE,
        "009v07",
        "Acme, Inc.",
    )


def test_an_account_that_the_ledger_no_longer_has_goes_by_its_id(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    posted.entry("bills", "00n1", date(2026, 1, 5), Line("gone: 9?", 10), owed(-10, "009v1"))
    accounts = opened(accepted(posted.exported("beancount")))
    assert accounts["Equity:Unspecified:Gone-9"].meta["ledger_account_id"] == "gone: 9?"


def asserted(text: str) -> set[tuple[str, Decimal, str]]:
    found = [one for one in accepted(text) if isinstance(one, data.Balance)]
    return {(one.account, one.amount.number, one.amount.currency) for one in found}


def test_every_balance_is_asserted_on_the_day_after_the_last_entry(posted: Posted) -> None:
    posted.year()
    text = posted.exported("beancount")
    directives = accepted(text)
    assert {one.date for one in directives if isinstance(one, data.Balance)} == {date(2026, 3, 2)}
    assert {account for account, *_ in asserted(text)} == opened(directives).keys()
    assert (CONTROL, Decimal("-1145.10"), "USD") in asserted(text)
    assert (f"{CONTROL}:Quote-and-back-slash", Decimal("-90.00"), "USD") in asserted(text)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("  Assets:1000-Checking  -100.01 USD\n", "  Expenses:7900-Exchange-differences  -100.01 USD\n"),
        (f"  {CONTROL}:Acme-Inc  -107.01 USD\n", f"  {CONTROL}:Acme-Inc-2  -107.01 USD\n"),
        ("100.01 ~ 0 USD", "100.02 ~ 0 USD"),
        ("-50.00 EUR @@ 56.00 USD", "-50.01 EUR @@ 56.00 USD"),
    ],
    ids=["account", "vendor", "cent", "foreign cent"],
)
def test_what_is_changed_by_a_cent_or_moved_is_seen(posted: Posted, right: str, wrong: str) -> None:
    posted.year()
    text = posted.exported("beancount")
    assert right in text
    assert load(text.replace(right, wrong, 1))[1]


def test_a_lost_entry_is_seen(posted: Posted) -> None:
    posted.year()
    first, lost, *others = posted.exported("beancount").split("\n2026-01-05 * ")
    assert load("\n2026-01-05 * ".join((first, *others)))[1]
    assert "00nh00" in lost


def test_vendors_are_asserted_at_what_is_expected_of_them_and_not_at_their_lines(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    posted.vendor("009v2", "Zenith")
    posted.entry("bills", "00n1", date(2026, 1, 5), Line(RENT, 10), owed(-10, "009v1"))
    right = PartyBalance(PAYABLE, "009v1", "USD", Decimal("-10.00"))
    accepted(posted.exported("beancount", expected=[right]))

    wrong = right._replace(balance=Decimal("-10.01"))
    assert [error.split("(")[0] for error in load(posted.exported("beancount", expected=[wrong]))[1]] == [
        f"Balance failed for '{CONTROL}:Acme': expected -10.01 USD != accumulated -10.00 USD "
    ]

    told = load(posted.exported("beancount", expected=[]))[1][0]
    assert "expected 0.00 USD != accumulated -10.00 USD" in told

    not_posted = PartyBalance(PAYABLE, "009v2", "EUR", Decimal("-7.00"))
    told = load(posted.exported("beancount", expected=[right, not_posted]))[1][0]
    assert f"Balance failed for '{CONTROL}:Zenith': expected -7.00 EUR" in told


def test_two_vendors_of_bill_that_are_one_of_the_ledgers_stay_apart(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "ACME", ledger_name="Acme")
    posted.company.vendor("009v2", "Acme Incorporated")
    for number, party in enumerate(("009v1", "009v2"), start=1):
        lines = (Line(RENT, number), owed(-number, party, ledger_party="V-009v1"))
        posted.entry("bills", f"00n{number}", date(2026, 1, number), *lines)
    assert {one for one in asserted(posted.exported("beancount")) if one[0].startswith(f"{CONTROL}:")} == {
        (f"{CONTROL}:Acme", Decimal("-1.00"), "USD"),
        (f"{CONTROL}:Acme-2", Decimal("-2.00"), "USD"),
    }


def test_a_vendor_mapped_to_another_of_the_ledgers_has_the_latest_name_and_each_entry_its_own(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme", ledger_name="Old name")
    posted.company.ledger("vendors", "V2", "New name")
    posted.entry("bills", "00n1", date(2026, 1, 5), Line(RENT, 10), owed(-10, "009v1"))
    posted.entry("bills", "00n2", date(2026, 1, 6), Line(RENT, 10), owed(-10, "009v1", ledger_party="V2"))
    text = posted.exported("beancount")
    assert [one.payee for one in transactions(accepted(text))] == ["Old name", "New name"]
    assert f"{CONTROL}:New-name" in opened(accepted(text))


def test_customers_stand_below_accounts_receivable(posted: Posted) -> None:
    posted.chart()
    posted.company.ledger_account("1200", "Receivables", "ACCOUNTS_RECEIVABLE")
    posted.company.ledger_account("4000", "Sales", "INCOME")
    posted.customer("0cu1", "Zoë & Co")
    receivable = Line("1200", 10, None, "USD", "control", "0cu1", "C-0cu1")
    posted.entry("invoices", "00e1", date(2026, 1, 5), receivable, Line("4000", -10))
    text = posted.exported("beancount")
    assert ("Assets:1200-Receivables:Zoë-Co", Decimal("10.00"), "USD") in asserted(text)
    assert entry(text, "invoices:00e1:1").payee == "Zoë & Co"


def test_a_movement_has_no_payee(posted: Posted) -> None:
    posted.chart()
    posted.company.ledger_account("1010", "Clearing", "BANK")
    posted.entry("money_movements", "m1", date(2026, 1, 5), Line("1010", 10), Line(BANK, -10, role="money"))
    found = entry(posted.exported("beancount"), "money_movements:m1:1")
    assert (found.payee, "party" in found.meta) == (None, False)


def test_books_without_an_entry_are_a_chart_of_accounts(posted: Posted) -> None:
    posted.chart()
    directives = accepted(posted.exported("beancount"))
    assert (len(opened(directives)), transactions(directives)) == (6, [])


def test_an_entry_on_the_last_day_of_the_calendar_leaves_no_day_for_balances(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    posted.entry("bills", "00n1", date.max, Line(RENT, 10), owed(-10, "009v1"))
    text = posted.exported("beancount")
    assert len(transactions(accepted(text))) == 1
    assert "No day is left" in text
