"""``billcom ledger import``: what it says of the files that it read."""

from __future__ import annotations

from pathlib import Path

import pytest

from billcom_assets_tests.cli.commands import Desk

ACCOUNTS = "Account #,Full name,Type,Detail type,Balance\n1000,Checking,Bank,Checking,5\n,TOTAL,,,5\n"


@pytest.fixture
def company(desk: Desk) -> Desk:
    desk.connect("acme")
    return desk


def test_it_says_which_column_was_read_as_what_and_which_were_ignored(company: Desk, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("Vendor ID,Full Name,Phone,Balance\nV1,José,1,2\nTOTAL,,,2\n".encode("cp1252"))

    answered = company.run("ledger", "import", "acme", "--vendors", str(file))

    assert answered.out.splitlines()[:4] == [
        "people.csv (vendors): recognised: no particular program, read as Windows-1252",
        "  Columns read: Vendor ID -> number, Full Name -> name",
        "  Columns ignored: Phone, Balance",
        "  No records of this list: line 3 (TOTAL)",
    ]


def test_it_says_so_in_json_too(company: Desk, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Vendor ID,Full Name,Phone\nV1,Ada,1\n")

    (read,) = company.run("ledger", "import", "acme", "--vendors", str(file), "--json").document["files"]

    assert read == {
        "kind": "vendors",
        "file": "people.csv",
        "program": None,
        "encoding": "UTF-8",
        "columns": [{"header": "Vendor ID", "field": "number"}, {"header": "Full Name", "field": "name"}],
        "ignored": ["Phone"],
        "left_out": [],
        "types": None,
    }


def test_the_home_currency_may_be_set_alone(company: Desk) -> None:
    answered = company.run("ledger", "import", "acme", "--home-currency", "euro", "--as", "Ada")

    assert answered.code == 0
    assert answered.out.splitlines()[0] == "The books are kept in EUR."
    document = company.run("ledger", "import", "acme", "--home-currency", "EUR", "--json").document
    assert (document["home_currency"], document["tables"]) == ("EUR", [])
    entry = company.run("audit", "acme", "--json").document["entries"][-1]
    assert (entry["what"], entry["as_name"], entry["before"], entry["after"]) == (
        "setting changed",
        "Ada",
        "USD",
        "EUR",
    )


def test_the_home_currency_counts_for_the_files_of_the_same_command(company: Desk, tmp_path: Path) -> None:
    file = tmp_path / "vendors.csv"
    file.write_text("Name,Currency\nAcme,$\n")

    without = company.run("ledger", "import", "acme", "--vendors", str(file), "--home-currency", "EUR")
    with_dollars = company.run("ledger", "import", "acme", "--vendors", str(file), "--home-currency", "CAD")

    assert (without.code, with_dollars.code) == (2, 0)
    assert 'line 2: "$" is no currency, or may mean several' in without.err


def test_what_is_no_currency_is_refused(company: Desk) -> None:
    answered = company.run("ledger", "import", "acme", "--home-currency", "Taler")

    assert answered.code == 2
    assert '"Taler" is no currency. Give its ISO 4217 code, such as --home-currency USD.' in answered.err


def test_a_type_map_and_lists_of_one_dimension_each_are_taken(company: Desk, tmp_path: Path) -> None:
    texts = {"accounts": "Number,Name\n1000,Cash\n", "type-map": "1000-1999,Bank\n"}
    texts |= dict.fromkeys(("departments", "classes", "locations", "jobs", "employees"), "Name\nOne\n")
    words = []
    for option, text in texts.items():
        (tmp_path / f"{option}.csv").write_text(text)
        words += [f"--{option}", str(tmp_path / f"{option}.csv")]

    answered = company.run("ledger", "import", "acme", *words)

    assert answered.code == 0
    assert "  Account types: 1 from the type map (ranges used: 1000-1999 BANK)" in answered.out
    assert [line.split()[:2] for line in answered.out.splitlines() if line.startswith(" ledger_")] == [
        ["ledger_accounts", "1"],
        ["ledger_dimensions", "5"],
    ]
