from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from billcom_assets.ledger.lists import TableChanges
from billcom_assets.ledger.reference_data import import_reference_data
from billcom_assets.mapping.coverage import mapped, stale_links
from billcom_assets.mapping.overview import Overviews
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)
from billcom_assets_tests.ledger.imports import Files
from billcom_assets_tests.small_company import ADA, KEY, NOW, Books, connect

QUICKBOOKS_ACCOUNTS = """Account List,,,,
Acme Inc,,,,

Account #,Full name,Type,Detail type,Description,Balance
1000,Checking,Bank,Checking,,"1,200.00"
1100,Accounts Receivable (A/R),Accounts receivable (A/R),Accounts Receivable (A/R),,0
2000,Accounts Payable (A/P),Accounts payable (A/P),Accounts Payable (A/P),,0
4000,Sales,Income,Service,,
6000,Utilities,Expenses,Utilities,"Gas,
water",
6010,Utilities:Electricity,Expenses,Utilities,,
,Utilities:Heating,Expenses,Utilities,,
"Monday, May 05, 2025 08:24 PM GMT-5",,,,
"""

XERO_ACCOUNTS = """*Code;*Name;*Type;*Tax Code;Description;Status
090;Business Bank Account;Bank;;;ACTIVE
200;Sales;Revenue;;;Active
310;Cost of Goods Sold;Direct Costs;;;
400;Advertising;Overhead;;;
469;Rent;Expense;;;Archived
800;Accounts Payable;Accounts Payable;;;
850;Suspense;Current Liability;;;
"""

NETSUITE_ACCOUNTS = """Number\tAccount Name\tType\tSubaccount of\tInactive
1000\tCash\tBank\t\tNo
6000\tTravel\tExpense\t\tNo
6010\tTravel : Hotels\tExpense\t6000 Travel\tNo
6020\tTravel : Old\tExpense\tTravel\tYes
"""

SAGE_ACCOUNTS = """Account ID,Account Description,Account Type,Inactive
10000,Petty Cash,Cash,FALSE
60000,Wages,Expenses,FALSE
50000,Product Cost,Cost of Sales,TRUE
30000,Equity,Equity-doesn't close,FALSE
"""


def accounts(conn: Connection) -> dict[str, tuple[str, str, str | None, bool]]:
    t = ledger_accounts.c
    rows = conn.execute(select(t.id, t.name, t.type, t.parent_id, t.active).where(t.integration == KEY))
    return {row.id: (row.name, row.type, row.parent_id, row.active) for row in rows}


def test_a_quickbooks_chart_of_accounts_is_read(files: Files) -> None:
    report = files.load(accounts=QUICKBOOKS_ACCOUNTS)

    assert report.tables == (TableChanges("ledger_accounts", 7, 0, 0, 0, 0),)
    assert accounts(files.conn) == {
        "1000": ("Checking", "BANK", None, True),
        "1100": ("Accounts Receivable (A/R)", "ACCOUNTS_RECEIVABLE", None, True),
        "2000": ("Accounts Payable (A/P)", "ACCOUNTS_PAYABLE", None, True),
        "4000": ("Sales", "INCOME", None, True),
        "6000": ("Utilities", "EXPENSE", None, True),
        "6010": ("Electricity", "EXPENSE", "6000", True),
        "Utilities:Heating": ("Heating", "EXPENSE", "6000", True),
    }
    described = files.conn.scalar(select(ledger_accounts.c.description).where(ledger_accounts.c.id == "6000"))
    assert described == "Gas,\nwater"


def test_a_xero_chart_of_accounts_is_read(files: Files) -> None:
    files.load(accounts=b"\xef\xbb\xbf" + XERO_ACCOUNTS.encode())

    assert accounts(files.conn) == {
        "090": ("Business Bank Account", "BANK", None, True),
        "200": ("Sales", "INCOME", None, True),
        "310": ("Cost of Goods Sold", "COST_OF_GOODS_SOLD", None, True),
        "400": ("Advertising", "EXPENSE", None, True),
        "469": ("Rent", "EXPENSE", None, False),
        "800": ("Accounts Payable", "ACCOUNTS_PAYABLE", None, True),
        "850": ("Suspense", "OTHER_CURRENT_LIABILITY", None, True),
    }


def test_a_netsuite_chart_of_accounts_is_read(files: Files) -> None:
    files.load(accounts=NETSUITE_ACCOUNTS.encode("utf-16"))

    assert accounts(files.conn) == {
        "1000": ("Cash", "BANK", None, True),
        "6000": ("Travel", "EXPENSE", None, True),
        "6010": ("Hotels", "EXPENSE", "6000", True),
        "6020": ("Old", "EXPENSE", "6000", False),
    }


def test_a_sage_chart_of_accounts_is_read(files: Files) -> None:
    files.load(accounts=SAGE_ACCOUNTS.replace("\n", "\r\n"))

    assert accounts(files.conn) == {
        "10000": ("Petty Cash", "BANK", None, True),
        "60000": ("Wages", "EXPENSE", None, True),
        "50000": ("Product Cost", "COST_OF_GOODS_SOLD", None, False),
        "30000": ("Equity", "EQUITY", None, True),
    }


def test_vendors_customers_items_and_dimensions_are_read(files: Files) -> None:
    report = files.load(
        accounts=QUICKBOOKS_ACCOUNTS,
        vendors=(
            "Vendor ID;Vendor;Tax ID;E-mail;Currency\nV1;José & Söhne;12-3456789;ap@jose.example;usd\n;No number;;;\n"
        ).encode("cp1252"),
        customers="Customer,Email\nNorthwind,ap@northwind.example\n",
        items="SKU,Product/Service Name,Purchase description,Expense account\n"
        "C1,Cable,Two metres,Utilities:Electricity\n",
        dimensions="Kind,Code,Full name,Email\nClass,,East,\nClass,,East:North,\nDepartment,D1,Sales,\n"
        "Store,,Main,\nProject,,Northwind:Kitchen,\nEmployee,E7,Ada Okoro,ada@buyer.example\n",
    )

    assert [(changes.table, changes.inserted) for changes in report.tables] == [
        ("ledger_accounts", 7),
        ("ledger_vendors", 2),
        ("ledger_customers", 1),
        ("ledger_items", 1),
        ("ledger_dimensions", 6),
    ]
    v = ledger_vendors.c
    assert files.conn.execute(select(v.id, v.name, v.tax_id, v.email, v.currency).order_by(v.id)).all() == [
        ("No number", "No number", None, None, None),
        ("V1", "José & Söhne", "12-3456789", "ap@jose.example", "USD"),
    ]
    assert files.conn.execute(select(ledger_customers.c.id, ledger_customers.c.email)).all() == [
        ("Northwind", "ap@northwind.example")
    ]
    i = ledger_items.c
    assert files.conn.execute(select(i.id, i.name, i.description, i.expense_account_id)).all() == [
        ("C1", "Cable", "Two metres", "6010")
    ]
    d = ledger_dimensions.c
    assert files.conn.execute(select(d.kind, d.id, d.name, d.parent_id).order_by(d.kind, d.id)).all() == [
        ("accounting_classes", "East", "East", None),
        ("accounting_classes", "East:North", "North", "East"),
        ("departments", "D1", "Sales", None),
        ("employees", "E7", "Ada Okoro", None),
        ("jobs", "Northwind:Kitchen", "Northwind:Kitchen", None),
        ("locations", "Main", "Main", None),
    ]


def test_importing_the_same_files_again_changes_nothing(files: Files) -> None:
    texts = {"accounts": QUICKBOOKS_ACCOUNTS, "dimensions": "Kind,Name\nClass,East\nStore,Main\n"}
    files.load(**texts)

    assert files.load(**texts).tables == (
        TableChanges("ledger_accounts", 0, 0, 7, 0, 0),
        TableChanges("ledger_dimensions", 0, 0, 2, 0, 0),
    )


def test_importing_again_updates_deactivates_what_is_gone_and_brings_back_what_returns(files: Files) -> None:
    files.load(vendors="ID,Name\n1,One\n2,Two\n3,Three\n4,Four\n")
    first = files.load(allow_removals=True, vendors="ID,Name,Active\n1,One,yes\n2,Zwei,yes\n3,Three,no\n5,Five,\n")
    second = files.load(vendors="ID,Name,Active\n1,One,yes\n2,Zwei,yes\n3,Three,yes\n4,Four,\n5,Five,no\n")

    assert first.tables == (TableChanges("ledger_vendors", 1, 1, 1, 2, 0),)
    assert second.tables == (TableChanges("ledger_vendors", 0, 0, 2, 1, 2),)
    v = ledger_vendors.c
    assert dict(files.conn.execute(select(v.id, v.active)).all()) == {  # type: ignore[arg-type]
        "1": True,
        "2": True,
        "3": True,
        "4": True,
        "5": False,
    }


def test_mappings_outlive_an_import_and_those_onto_what_is_gone_are_reported(files: Files, books: Books) -> None:
    files.load(vendors="Name\nAcme\nBeta\n")
    for bill_id, name in (("009a", "Acme"), ("009b", "Beta")):
        books.vendor(bill_id, name)
        books.mapping("vendors", bill_id, name)

    files.load(allow_removals=True, vendors="Name\nAcme\n")

    assert mapped(files.conn, KEY, "vendors") == {"009a": "Acme"}
    assert [(link.bill_id, link.reasons) for link in stale_links(Overviews(files.conn, KEY))] == [
        ("009b", ("deactivated in the ledger",))
    ]
    files.load(vendors="Name\nAcme\nBeta\n")
    assert mapped(files.conn, KEY, "vendors") == {"009a": "Acme", "009b": "Beta"}


def test_another_spelling_of_a_name_keeps_the_id_and_so_the_mapping(files: Files) -> None:
    files.load(vendors="Name\nAcme Inc\n", accounts="Name,Type\nTravel,Expense\nTravel:Taxi,Expense\n")
    files.load(vendors="Name\nACME  INC\n", accounts="Name,Type\nTRAVEL,Expense\nTravel:Taxi,Expense\n")

    v = ledger_vendors.c
    assert files.conn.execute(select(v.id, v.name, v.active)).all() == [("Acme Inc", "ACME INC", True)]
    assert accounts(files.conn) == {
        "Travel": ("TRAVEL", "EXPENSE", None, True),
        "Travel:Taxi": ("Taxi", "EXPENSE", "Travel", True),
    }


def test_a_file_of_dimensions_replaces_only_the_kinds_in_it(files: Files) -> None:
    files.load(dimensions="Kind,Name\nClass,East\nClass,West\nStore,Main\n")

    report = files.load(allow_removals=True, dimensions="Kind,Name\nClass,East\n")

    assert report.tables == (TableChanges("ledger_dimensions", 0, 0, 1, 1, 0),)
    d = ledger_dimensions.c
    assert files.conn.execute(select(d.id).where(d.active).order_by(d.id)).all() == [("East",), ("Main",)]


def test_items_find_accounts_that_were_imported_before(files: Files) -> None:
    files.load(accounts=QUICKBOOKS_ACCOUNTS)
    files.load(items="Code,Name,Account\nC1,Cable,6010\nC2,Wire,electricity\n")

    assert files.conn.execute(select(ledger_items.c.expense_account_id)).all() == [("6010",), ("6010",)]


def test_integrations_do_not_see_each_other(files: Files, tmp_path: Path) -> None:
    connect(files.conn, "other")
    files.load(vendors="Name\nAcme\n")
    path = tmp_path / "other.csv"
    path.write_text("Name\nBeta\n")

    import_reference_data(files.conn, "other", {"vendors": path}, NOW, actor=ADA)

    v = ledger_vendors.c
    assert files.conn.execute(select(v.integration, v.id, v.active).order_by(v.id)).all() == [
        (KEY, "Acme", True),
        ("other", "Beta", True),
    ]


@pytest.mark.parametrize(
    ("header", "cell", "active"),
    [
        ("Active", "", True),
        ("Active", "No", False),
        ("Active Status", "Not-active", False),
        ("Status", "ARCHIVED", False),
        ("Status", "Active", True),
        ("Inactive", "TRUE", False),
        ("Inactive", "FALSE", True),
        ("Inactive", "", True),
        ("Inactive", "Active", True),
        ("Inactive", "Inactive", False),
        ("Archived", "archived", False),
        ("HIDDEN", "Y", False),
    ],
)
def test_programs_say_in_many_ways_whether_a_record_is_in_use(
    files: Files, header: str, cell: str, active: bool
) -> None:
    files.load(vendors=f"Name,{header}\nAcme,{cell}\n")

    assert files.conn.scalar(select(ledger_vendors.c.active)) is active


ACCOUNTS_HEADER = "Number,Name,Type,Parent,Active\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "1,A,Bonk,,\n",
            'accounts.csv line 2: the account type "Bonk" is unknown; use a common wording or one of UNSPECIFIED,',
        ),
        ("1,A,,,\n", "accounts.csv line 2: the account type is missing; use a common wording or one of"),
        ("1,,Bank,,\n", "accounts.csv line 2: the name is missing"),
        ("1,A,Bank,,\n1,B,Bank,,\n", 'accounts.csv line 3: the number "1" is used on line 2 already'),
        (",A,Bank,,\n,a,Bank,,\n", 'accounts.csv line 3: the name "a" is used on line 2 already'),
        ("1,A,Bank,Z,\n", 'accounts.csv line 2: the parent "Z" is not in the file'),
        ("1,A,Bank,2,\n2,B,Bank,1,\n", "accounts.csv line 2: the parents go round in a circle:"),
        ("1,A,Bank,,perhaps\n", 'accounts.csv line 2: "perhaps" does not say whether it is active; use yes or no'),
        ("1,B,Bank,,\n,1,Bank,,\n", 'accounts.csv line 3: "1" is on line 2 already; give each a number of its own'),
        (f"{'9' * 101},A,Bank,,\n", "accounts.csv line 2: the number"),
        (f"1,{'A' * 501},Bank,,\n", "accounts.csv line 2: the name"),
    ],
)
def test_a_bad_account_is_refused_with_its_line(files: Files, rows: str, expected: str) -> None:
    problems = files.refused(accounts=ACCOUNTS_HEADER + rows)

    assert len(problems) == 1
    assert problems[0].startswith(expected)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            "vendors",
            "Name\nAcme\nacme\n",
            'vendors.csv line 3: "acme" is on line 2 already; give each a number of its own',
        ),
        (
            "vendors",
            "ID,Name\n1,A\n1,B\n",
            'vendors.csv line 3: "1" is on line 2 already; give each a number of its own',
        ),
        ("vendors", "ID,Phone\n1,5\n", "vendors.csv line 1: there is no column for the name."),
        ("customers", "Name\n", "customers.csv: the file has a header but no rows"),
        ("items", "Name,Account\nCable,77\n", 'items.csv line 2: the account "77" is not in the chart of accounts'),
        (
            "dimensions",
            "Kind,Name\nColour,Red\n",
            'dimensions.csv line 2: "Colour" is no dimension; known are department, job,',
        ),
        ("dimensions", "Kind,Name\nClass,A:B\n", 'dimensions.csv line 2: the parent "A" of "B" is not in the file'),
    ],
)
def test_other_bad_files_are_refused_with_the_reason(files: Files, kind: str, text: str, expected: str) -> None:
    problems = files.refused(**{kind: text})

    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_one_bad_file_keeps_all_others_out_and_every_problem_is_listed_in_order(files: Files) -> None:
    files.load(vendors="Name\nAcme\n")

    problems = files.refused(
        vendors="Name\nBeta\n",
        accounts="Number,Name,Type\n1,A,Bank\n1,B,Bonk\n2,C,Bonk\n",
        items="Name,Account\nCable,1\n",
        customers=b"\x00\x01",
    )

    assert [problem.split(": ")[0] for problem in problems] == [
        "customers.csv line 1",
        "accounts.csv line 3",
        "accounts.csv line 3",
        "accounts.csv line 4",
    ]
    assert files.conn.scalar(select(func.count()).select_from(ledger_accounts)) == 0
    assert files.conn.execute(select(ledger_vendors.c.id, ledger_vendors.c.active)).all() == [("Acme", True)]


def test_no_tax_id_shows_in_a_refusal(files: Files) -> None:
    problems = files.refused(vendors="ID,Name,Tax ID\n1,A,123456789\n1,B,123456789\n")

    assert "123456789" not in "".join(problems)


def test_an_unknown_integration_and_an_unknown_kind_of_file_are_refused(conn: Connection, tmp_path: Path) -> None:
    with pytest.raises(UnknownIntegration, match="billcom connect nobody"):
        import_reference_data(conn, "nobody", {"vendors": tmp_path / "v.csv"}, NOW, actor=ADA)
    for files in ({}, {"bills": tmp_path / "b.csv"}):
        with pytest.raises(ValueError, match="accounts, vendors, customers, items, dimensions"):
            import_reference_data(conn, KEY, files, NOW, actor=ADA)


def test_ten_thousand_vendors_import_quickly_and_again_without_a_write(files: Files) -> None:
    text = "ID,Name\n" + "".join(f"{number},Vendor {number}\n" for number in range(10_000))
    files.load(vendors=text)

    assert files.load(vendors=text).tables == (TableChanges("ledger_vendors", 0, 0, 10_000, 0, 0),)
