"""What posting needs to know of the company's own records, from files."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from billcom_assets.ledger.company import keep_books_in
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.integrations import InvalidSetting, UnknownIntegration
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_customers, ledger_items, ledger_vendors
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.ledger.imports import Files
from billcom_assets_tests.small_company import ADA, KEY, LATER

CHART = (
    "Number,Name,Type\n4000,Sales,Income\n5000,Cost of goods,Cost of Goods Sold\n6000,Rent,Expense\n6010,Rent,Expense\n"
)


def test_accounts_know_their_currency_and_the_programs_own_id(files: Files) -> None:
    files.load(
        accounts="Internal ID,Number,Name,Type,Currency\n17,1000,Checking,Bank,US Dollar\n18,1010,Euro account,Bank,€\n"
    )

    assert files.stored(ledger_accounts, "source_id", "currency") == {"1000": ("17", "USD"), "1010": ("18", "EUR")}


@pytest.mark.parametrize(
    ("header", "cell", "postable"),
    [
        ("Header", "H", False),
        ("Header", "", True),
        ("Summary", "Yes", False),
        ("Summary", "No", True),
        ("Postable", "no", False),
        ("Posting", "Posting", True),
        ("Posting", "Heading", False),
    ],
)
def test_headers_are_what_the_file_says_they_are(files: Files, header: str, cell: str, postable: bool) -> None:
    files.load(accounts=f"Number,Name,Type,{header}\n1000,Cash,Bank,{cell}\n")

    assert files.stored(ledger_accounts, "postable") == {"1000": postable}


def test_an_account_with_others_below_it_is_no_header_by_that_alone(files: Files) -> None:
    files.load(accounts="Full Name,Type\nTravel,Expense\nTravel:Taxi,Expense\n")

    assert files.stored(ledger_accounts, "postable") == {"Travel": True, "Travel:Taxi": True}


def test_payables_receivables_and_what_the_file_says_are_control_accounts(files: Files) -> None:
    files.load(
        accounts="Number,Name,Type,Control Account,Direct Posting\n1100,Debtors,Accounts Receivable,,\n"
        "1200,Stock,Other Current Asset,yes,\n1300,Fixed,Fixed Asset,,No\n2000,Creditors,Accounts Payable,,\n"
        "6000,Rent,Expense,no,Yes\n"
    )

    assert files.stored(ledger_accounts, "control") == {
        "1100": True,
        "1200": True,
        "1300": True,
        "2000": True,
        "6000": False,
    }


def test_required_dimensions_come_from_one_column_or_from_one_for_each_kind(files: Files) -> None:
    files.load(
        accounts="Number,Name,Type,Required Dimensions,Require Dept,Require Class\n"
        '1,A,Expense,"Class, Project",,\n2,B,Expense,,true,TRUE\n3,C,Expense,Location,yes,no\n4,D,Expense,,,\n'
    )

    assert files.stored(ledger_accounts, "required_dimensions") == {
        "1": "jobs,accounting_classes",
        "2": "departments,accounting_classes",
        "3": "departments,locations",
        "4": None,
    }


def test_vendors_know_what_posting_needs(files: Files) -> None:
    files.load(
        accounts=CHART,
        vendors="Internal ID,Vendor ID,Name,Currency,Terms,On Hold,Default Account,1099 Eligible,1099 Box\n"
        "5,V1,Acme,usd,Net 30,,5000,yes,NEC-1\n6,V2,Beta,,,Payment,,no,\n7,V3,Gamma,,,,Cost of goods,,None\n"
        "8,,Delta,,,,,,\n",
    )

    assert files.stored(
        ledger_vendors,
        *("source_id", "number", "currency", "terms", "on_hold", "default_account_id", "eligible_1099", "box_1099"),
    ) == {
        "V1": ("5", "V1", "USD", "Net 30", False, "5000", True, "NEC-1"),
        "V2": ("6", "V2", None, None, True, None, False, None),
        "V3": ("7", "V3", None, None, False, "5000", False, None),
        "Delta": ("8", None, None, None, False, None, None, None),
    }


def test_customers_know_what_posting_needs(files: Files) -> None:
    files.load(
        accounts=CHART,
        customers="Customer ID,Name,Currency,Terms,Status,Income Account\nC1,Northwind,CAD,Net 15,On Hold,4000\n",
    )

    assert files.stored(ledger_customers, "number", "currency", "terms", "on_hold", "default_account_id", "active") == {
        "C1": ("C1", "CAD", "Net 15", True, "4000", True)
    }


def test_items_keep_the_account_of_sales_and_that_of_purchases_apart(files: Files) -> None:
    files.load(
        accounts=CHART,
        items="SKU,Name,Income Account,COGS Account,Account\nI1,Cable,4000,5000,\nI2,Hour,,,Sales\nI3,Paper,,,5000\n"
        "I4,Wire,4000,,5000\n",
    )

    assert files.stored(ledger_items, "number", "income_account_id", "expense_account_id") == {
        "I1": ("I1", "4000", "5000"),
        "I2": ("I2", "4000", None),
        "I3": ("I3", None, "5000"),
        "I4": ("I4", "4000", "5000"),
    }


@pytest.mark.parametrize(
    "reference",
    ["5000", "cost of goods", "5000 Cost of goods", "5000 - Cost of Goods", "5000 · Cost of goods", "5-000"],
)
def test_accounts_are_found_as_programs_name_them(files: Files, reference: str) -> None:
    files.load(accounts=CHART, vendors=f"Name,Expense Account\nAcme,{reference}\n")

    assert files.stored(ledger_vendors, "default_account_id") == {"Acme": "5000"}


def test_of_accounts_of_one_name_the_one_in_use_is_meant(files: Files) -> None:
    files.load(
        accounts="Number,Name,Type,Active\n6000,Rent,Expense,no\n6010,Rent,Expense,yes\n",
        vendors="Name,Expense Account\nAcme,Rent\n",
    )

    assert files.stored(ledger_vendors, "default_account_id") == {"Acme": "6010"}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            "accounts",
            "Number,Name,Type,Currency\n1,A,Bank,Taler\n",
            'accounts.csv line 2: "Taler" is no currency, or may mean several; use the ISO code, such as USD',
        ),
        ("vendors", "Name,Currency\nAcme,kr\n", 'vendors.csv line 2: "kr" is no currency, or may mean several;'),
        ("vendors", "Name,Expense Account\nAcme,77\n", 'vendors.csv line 2: the account "77" is not in the chart'),
        ("vendors", "Name,Expense Account\nAcme,Rent\n", 'vendors.csv line 2: the account "Rent" may mean several'),
        ("vendors", "Name,On Hold\nAcme,perhaps\n", 'vendors.csv line 2: "perhaps" does not say whether it is on hold'),
        ("vendors", "Name,1099\nAcme,maybe\n", 'vendors.csv line 2: "maybe" does not say whether it is so; use yes'),
        (
            "accounts",
            "Number,Name,Type,Header\n1,A,Bank,perhaps\n",
            'accounts.csv line 2: "perhaps" does not say whether it is a header; use yes or no',
        ),
        (
            "accounts",
            "Number,Name,Type,Required Dimensions\n1,A,Bank,Colour\n",
            'accounts.csv line 2: "Colour" is no dimension; known are',
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(files: Files, kind: str, text: str, expected: str) -> None:
    files.load(accounts=CHART)

    problems = files.refused(**{kind: text})

    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_a_default_account_before_any_chart_says_to_give_the_chart_too(files: Files) -> None:
    (problem,) = files.refused(vendors="Name,Expense Account\nAcme,Rent\n")

    assert problem.endswith("is not in the chart of accounts, which is empty; give its file too with --accounts")


def test_the_home_currency_is_set_and_recorded_once(files: Files) -> None:
    codes = [keep_books_in(files.conn, KEY, "Euro", actor=ADA, now=LATER) for _ in range(2)]

    assert codes == ["EUR", "EUR"]
    assert files.conn.scalar(select(integrations.c.home_currency)) == "EUR"
    assert [
        (entry.what, entry.subject, entry.before, entry.after) for entry in audit.entries(files.conn, KEY, limit=9)
    ] == [("setting changed", "home_currency", '"USD"', '"EUR"')]


def test_a_home_currency_that_is_none_is_refused(files: Files) -> None:
    with pytest.raises(
        InvalidSetting, match=r'"\$" is no currency. Give its ISO 4217 code, such as --home-currency USD'
    ):
        keep_books_in(files.conn, KEY, "$", actor=ADA, now=LATER)
    with pytest.raises(UnknownIntegration):
        keep_books_in(files.conn, "nobody", "EUR", actor=ADA, now=LATER)


def test_the_dollar_sign_means_the_home_currency(files: Files) -> None:
    files.conn.execute(update(integrations).values(home_currency="CAD"))

    files.load(vendors="Name,Currency\nAcme,$\n")

    assert files.stored(ledger_vendors, "currency") == {"Acme": "CAD"}
