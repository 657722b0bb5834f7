"""Files as accounting programs write them: each folder of ``files`` holds some of one program, and what they say.

The layouts follow what the programs' own documentation says of their files; the companies in them are made up.
``expected.txt`` has one line for each record that is stored, with every value that is not the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, select

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.layouts import LAYOUTS, layouts
from billcom_assets.ledger.lists import TableChanges
from billcom_assets.ledger.number_ranges import number_range
from billcom_assets.ledger.parsing import TABLES
from billcom_assets.ledger.reference_data import ImportReport, import_reference_data
from billcom_assets.ledger.tables import squeezed
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_dimensions, ledger_vendors
from billcom_assets_tests.ledger.imports import Files
from billcom_assets_tests.small_company import ADA, KEY, LATER

FILES = Path(__file__).parent / "files"
PROGRAMS = sorted(folder.name for folder in FILES.iterdir())
USUAL = {"active": True, "postable": True, "control": False, "on_hold": False}


def of_program(program: str) -> dict[str, Path]:
    """The program's files by kind; one that holds several lists is given for each of them."""
    folder = FILES / program
    if program == "quickbooks_iif":
        kinds = ("accounts", "vendors", "customers", "items", "classes", "jobs", "employees")
        return dict.fromkeys(kinds, folder / "lists.iif")
    return {file.stem: file for file in sorted(folder.iterdir()) if file.stem in LAYOUTS}


def described(conn: Connection, report: ImportReport) -> Iterator[str]:
    for file in report.files:
        yield from file.lines()
    for table in TABLES.values():
        yield from sorted(rows(conn, table))


def rows(conn: Connection, table: Table) -> Iterator[str]:
    for row in conn.execute(select(table).where(table.c.integration == KEY)).mappings():
        values = {
            name: value
            for name, value in row.items()
            if value not in (None, USUAL.get(name)) and name not in {"integration", "imported_at"}
        }
        yield f"{table.name}: " + ", ".join(f"{name}={value}" for name, value in values.items())


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_files_of_a_program_are_recognised_and_read(conn: Connection, program: str) -> None:
    report = import_reference_data(conn, KEY, of_program(program), LATER, actor=ADA)

    expected = (FILES / program / "expected.txt").read_text(encoding="utf-8")
    assert "\n".join(described(conn, report)) + "\n" == expected


def recognised(files: Files, **texts: str) -> list[str | None]:
    return [file.program for file in files.load(**texts).files]


def types(files: Files) -> dict[str, str]:
    return files.stored(ledger_accounts, "type")


def test_what_hledger_prints_is_read_like_its_directives(files: Files) -> None:
    (report,) = files.load(accounts=(FILES / "hledger" / "printed.txt").read_text()).files

    assert report.program == "hledger"
    assert types(files) == {
        "assets": "OTHER_CURRENT_ASSET",
        "assets:bank": "BANK",
        "assets:bank:checking": "BANK",
        "equity": "EQUITY",
        "equity:opening balances": "EQUITY",
        "expenses": "EXPENSE",
        "expenses:rent": "EXPENSE",
    }


def test_accounts_are_found_among_the_transactions_of_a_journal(files: Files) -> None:
    journal = "account assets:cash\n\n2026-01-01 Landlord\n    expenses:rent    1.00\n    assets:cash\n"

    assert recognised(files, accounts=journal) == ["hledger"]
    assert types(files) == {"assets": "OTHER_CURRENT_ASSET", "assets:cash": "BANK"}


def test_a_file_of_no_program_that_we_know_is_read_by_the_usual_headers(files: Files) -> None:
    assert recognised(files, accounts="Number,Name,Type\n1000,Cash,Cash and Bank\n") == [None]
    assert types(files) == {"1000": "BANK"}


def test_a_header_may_mean_something_else_in_each_program(files: Files) -> None:
    """What Zoho Books calls Account # is the number at the bank, and what QuickBooks calls so of a vendor is ours."""
    report = files.load(
        accounts="Account Name,Account Code,Account Type,Account #\nChecking,1010,Bank,88001234\n",
        vendors="Vendor,Phone numbers,Account #\nAcme,555,77\n",
    )

    assert [file.program for file in report.files] == ["Zoho Books", "QuickBooks Online"]
    assert [file.ignored for file in report.files] == [("Account #",), ("Phone numbers", "Account #")]
    assert types(files) == {"1010": "BANK"}


def test_a_deleted_record_keeps_its_name_and_is_not_in_use(files: Files) -> None:
    files.load(vendors="Vendor,Phone numbers\nAcme (deleted),\nBeta (deleted 2),\nGamma,\n")

    assert files.stored(ledger_vendors, "active") == {"Acme": False, "Beta": False, "Gamma": True}


def test_a_deleted_record_whose_name_is_in_use_again_keeps_the_mark(files: Files) -> None:
    files.load(vendors="Vendor,Phone numbers\nAcme (deleted),\nAcme,\n")

    assert files.stored(ledger_vendors, "active") == {"Acme": True, "Acme (deleted)": False}


def test_children_of_a_deleted_account_find_it(files: Files) -> None:
    files.load(
        accounts="Full name,Type,Detail type\nTravel (deleted),Expenses,Travel\nTravel (deleted):Taxi,Expenses,Travel\n"
    )

    assert files.stored(ledger_accounts, "parent_id", "active") == {
        "Travel": (None, False),
        "Travel:Taxi": ("Travel", True),
    }


def test_an_iif_file_without_the_list_is_refused(files: Files) -> None:
    assert files.refused(customers="!VEND\tNAME\nVEND\tAcme\n") == ["customers.csv: the file holds no customers"]
    assert files.refused(locations="!VEND\tNAME\nVEND\tAcme\n") == ["locations.csv: the file holds no locations"]


@pytest.mark.parametrize("kind", list(LAYOUTS))
def test_a_header_stands_for_one_field_alone(kind: str) -> None:
    for layout in layouts(kind):
        headers = [header for one in layout.fields for header in {squeezed(header) for header in one.headers}]
        assert sorted(headers) == sorted(set(headers)), layout.program


BARE = "Number,Name\n1000,Cash\n1100,Stock\n4000,Sales\n4900,Rebates\n"


def test_a_type_map_says_what_the_file_does_not(files: Files) -> None:
    files.type_map = "Number,BILL type\n1000-1099,Bank\n1000-1999,Other Current Asset\n4,Income\n49,OTHER_INCOME\n"

    (report,) = files.load(accounts=BARE).files

    assert types(files) == {"1000": "BANK", "1100": "OTHER_CURRENT_ASSET", "4000": "INCOME", "4900": "OTHER_INCOME"}
    assert str(report.types) == (
        "4 from the type map (ranges used: 1000-1099 BANK, 1000-1999 OTHER_CURRENT_ASSET, 4 INCOME, 49 OTHER_INCOME)"
    )


def test_a_type_map_knows_wordings_and_yields_to_what_is_known_already(files: Files) -> None:
    files.type_map = "Kasse;BANK\nExpense;INCOME\n1;EQUITY\n"

    (report,) = files.load(accounts="Number,Name,Type\n1,Cash,KASSE\n10,Rent,Expense\n11,Odd,Sonstiges\n").files

    assert types(files) == {"1": "BANK", "10": "EXPENSE", "11": "EQUITY"}
    assert report.types is not None
    assert (report.types.file, report.types.type_map, report.types.number_ranges) == (1, 2, 0)


def test_the_type_map_goes_before_the_numbers_of_the_program(files: Files) -> None:
    files.type_map = "7100-7199,Other Expense\n"

    files.load(accounts="N/C,Name\n7100,Rent\n7200,Power\n")

    assert types(files) == {"7100": "OTHER_EXPENSE", "7200": "EXPENSE"}


def test_accounts_without_types_are_refused_with_the_way_out(files: Files) -> None:
    (missing,) = files.refused(accounts=BARE)
    assert missing.endswith("Where the program has no types, say what they are with --type-map FILE.")

    files.type_map = "1000-1999,Bank\n"
    problems = files.refused(accounts=BARE)
    assert problems[0].endswith("or say what it is with --type-map FILE")
    assert [problem.split(":")[0] for problem in problems] == ["accounts.csv line 4", "accounts.csv line 5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000,Bank\n2000,Bonk\n", 'type-map.csv line 2: "Bonk" is no account type; use one of UNSPECIFIED,'),
        ("Till,Bank\ntill,Income\n", 'type-map.csv line 2: "till" is BANK on a line before'),
        ('"Till,Bank\n', "type-map.csv line 1: a quotation mark opens here and is never closed"),
    ],
)
def test_a_bad_type_map_is_refused_with_its_line(files: Files, text: str, expected: str) -> None:
    files.type_map = text

    problems = files.refused(accounts="Number,Name,Type\n1,Cash,Bank\n")

    assert problems[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1000-1999", ["1000", "1999", "1500-10", "1500 A"], ["999", "2000", "10000", "A1500", ""]),
        ("0010-0999", ["0010", "0999", "10"], ["0009", "1000"]),
        ("4-", ["4-1000"], ["41000", "5-1000"]),
        ("52", ["52", "5200"], ["5", "152"]),
        ("AB*", ["AB1", "ab-2"], ["A1"]),
    ],
)
def test_ranges_hold_the_numbers_that_a_bookkeeper_would_say(text: str, inside: list[str], outside: list[str]) -> None:
    found = number_range(text, AccountType.BANK)

    assert found is not None
    assert [number for number in (*inside, *outside) if found.holds(number)] == inside


@pytest.mark.parametrize("text", ["Till", "2000-1000", ""])
def test_other_texts_are_no_ranges(text: str) -> None:
    assert number_range(text, AccountType.BANK) is None


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        ("departments", "Department ID,Department Name\n10,Sales\n", ("departments", "10", "Sales", None)),
        ("classes", "Class,Inactive\nEast,No\n", ("accounting_classes", "East", "East", None)),
        ("locations", "Location Name\nMain\n", ("locations", "Main", "Main", None)),
        ("jobs", "Job ID,Job Name\nJ1,Kitchen\n", ("jobs", "J1", "Kitchen", None)),
        (
            "employees",
            "Employee ID,First Name,Last Name,Email\nE1,Ada,Okoro,ada@buyer.example\n",
            ("employees", "E1", "Ada Okoro", "ada@buyer.example"),
        ),
    ],
)
def test_each_dimension_may_come_in_a_file_of_its_own(
    files: Files, kind: str, text: str, stored: tuple[str, ...]
) -> None:
    files.load(**{kind: text})

    d = ledger_dimensions.c
    assert files.conn.execute(select(d.kind, d.id, d.name, d.email)).all() == [stored]


def test_a_file_of_one_dimension_leaves_the_others_as_they_are(files: Files) -> None:
    files.load(dimensions="Kind,Name\nClass,East\nStore,Main\n")

    report = files.load(classes="Class\nEast\n", departments="Department\nSales\n")

    assert report.tables == (TableChanges("ledger_dimensions", 1, 0, 1, 0, 0),)
    assert files.stored(ledger_dimensions, "active") == {"East": True, "Main": True, "Sales": True}


def test_a_dimension_in_two_files_is_refused(files: Files) -> None:
    (problem,) = files.refused(dimensions="Kind,Name\nClass,East\n", classes="Class\nWest\n")

    assert problem == "classes.csv: the file of dimensions holds classes too; give each list once"
