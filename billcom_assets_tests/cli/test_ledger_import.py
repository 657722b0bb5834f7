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
