"""``billcom ledger import``: what it says of the files that it read."""

from __future__ import annotations

import shlex
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
    assert [line.split()[:2] for line in answered.out.splitlines() if line.startswith("ledger_")] == [
        ["ledger_accounts", "1"],
        ["ledger_dimensions", "5"],
    ]


def test_a_filtered_export_is_refused_and_the_command_that_confirms_it_can_be_pasted(
    company: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "my vendors.csv"
    file.write_text("ID,Name\nV1,Acme\nV2,Beta\n")
    company.run("ledger", "import", "acme", "--vendors", str(file))
    file.write_text("ID,Name\nV1,Acme\n")

    refused = company.run("ledger", "import", "acme", "--vendors", str(file), "--as", "Ada")

    assert refused.code == 2
    assert "Nothing was imported: 1 of 2 vendors in use is not in the file." in refused.err
    assert '  vendors "V2" "Beta": not in the file' in refused.err
    command = refused.err.splitlines()[-1]
    assert command == f"billcom ledger import acme --vendors '{file}' --as Ada --allow-removals"
    answered = company.run(*shlex.split(command)[1:])
    assert answered.code == 0
    row = next(line for line in answered.out.splitlines() if line.startswith("ledger_vendors"))
    assert row.split() == ["ledger_vendors", "0", "1", "1"]


def test_the_refusal_in_json_names_what_would_go(company: Desk, tmp_path: Path) -> None:
    file = tmp_path / "vendors.csv"
    file.write_text("ID,Name\nV1,Acme\nV2,Beta\n")
    company.run("ledger", "import", "acme", "--vendors", str(file))
    file.write_text("ID,Name\nV1,Acme\n")

    document = company.run("ledger", "import", "acme", "--vendors", str(file), "--json").document

    assert document["ok"] is False
    assert document["removals"] == [
        {"list": "vendors", "id": "V2", "name": "Beta", "why": "not in the file", "is_mapped": False}
    ]
    assert document["next_step"] == f"billcom ledger import acme --vendors {file} --allow-removals"


def test_what_is_renumbered_is_said_line_by_line(company: Desk, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("Number,Name,Type\n6100,Rent,Expense\n")
    company.run("ledger", "import", "acme", "--accounts", str(file))
    file.write_text("Number,Name,Type\n6105,Rent,Expense\n")

    answered = company.run("ledger", "import", "acme", "--accounts", str(file))

    assert "Account 6100 Rent is now 6105 Rent" in answered.out.splitlines()
    file.write_text("Number,Name,Type\n6106,Rent,Expense\n")
    document = company.run("ledger", "import", "acme", "--accounts", str(file), "--json").document
    assert document["renamed"] == [
        {
            "list": "accounts",
            "old_id": "6105",
            "new_id": "6106",
            "before": "6105 Rent",
            "after": "6106 Rent",
            "mappings": 0,
        }
    ]
