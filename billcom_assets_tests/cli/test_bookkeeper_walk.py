"""A bookkeeper maps 300 vendors by typing what is printed, and decides no more than what is truly open."""

from __future__ import annotations

import csv
import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from billcom_assets.environment import open_database
from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.cli.commands import Answered, Desk
from billcom_assets_tests.mapping.labelled import Pair, generated
from billcom_assets_tests.small_company import Books

KEY = "acme"
TWINS = 6
"""Vendors that the ledger has twice."""
STRANGERS = 9
"""Vendors that the ledger does not have."""
ACCOUNTS = (
    ("1000", "Operating Checking", "BANK"),
    ("2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    ("4000", "Services", "INCOME"),
    ("6000", "Rent", "EXPENSE"),
    ("6100", "Office Supplies", "EXPENSE"),
)
_MOST_STEPS = 20


@dataclass
class Bookkeeper:
    """Types one command after another, each as it was printed before."""

    desk: Desk
    typed: list[str] = field(default_factory=list)
    decisions: int = 0

    def go_on(self, first: str) -> Answered:
        """Types the first command and then every next one, until a sync is proposed; returns the last answer."""
        command = first
        for _ in range(_MOST_STEPS):
            program, *words = shlex.split(command)
            assert program == "billcom"
            self.typed.append(command)
            if words[:2] == ["mappings", "import"]:
                self.decisions += decide(Path(words[3]))
            answered = self.desk.run(*words, stdin="y\n")
            assert answered.code == 0, f"{command}\n{answered.everything}"
            lines = [line for line in answered.everything.splitlines() if "Next: " in line]
            command = lines[-1].partition("Next: ")[2]
            if command == f"billcom sync {KEY}":
                return answered
        raise AssertionError(f"it never ends: {self.typed}")


def decide(file: Path) -> int:
    """Decides what the file leaves open: the first of twins, nothing for strangers. Returns how many that were."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    still = [row for row in rows if row["state"] not in {"mapped", "unmapped"}]
    for row in still:
        row["ledger_id"] = row["suggested_ledger_id"] or "none"
    with file.open("w", encoding=ENCODING, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(still)


def fill(pairs: list[Pair]) -> None:
    """BILL's lists, as if they had been pulled."""
    warehouse = open_database()
    with warehouse.write() as connection:
        books = Books(connection, KEY)
        books.pulled("vendors", "accounts")
        for number, pair in enumerate(pairs):
            books.vendor(f"009{number}", pair.bill.name, email=pair.bill.email)
        for number, name, type_ in ACCOUNTS:
            books.account(f"0ca{number}", name, type_, number)
    warehouse.close()


def write_files(pairs: list[Pair]) -> None:
    """The ledger's lists, where the printed commands look for them."""
    kept = pairs[:-STRANGERS]
    twins = [(f"T{number}", pair) for number, pair in enumerate(kept[:TWINS])]
    with Path("vendors.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Vendor Number", "Vendor Name", "Email"))
        numbered = [(f"V{number}", pair) for number, pair in enumerate(kept)]
        writer.writerows((number, pair.ledger.name, pair.ledger.email) for number, pair in [*numbered, *twins])
    with Path("accounts.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Account Number", "Account Name", "Account Type"))
        writer.writerows(ACCOUNTS)


@pytest.fixture
def bookkeeper(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bookkeeper:
    monkeypatch.chdir(tmp_path)
    pairs = [pair for pair in generated(300) if pair.is_same]
    desk.connect(KEY)
    fill(pairs)
    write_files(pairs)
    return Bookkeeper(desk)


def test_every_printed_step_works_as_it_is_and_only_the_open_ones_are_left_to_her(bookkeeper: Bookkeeper) -> None:
    bookkeeper.go_on(f"billcom status {KEY}")

    assert bookkeeper.typed == [
        "billcom status acme",
        "billcom ledger import acme --vendors vendors.csv",
        "billcom mappings suggest acme --accept exact",
        "billcom ledger import acme --accounts accounts.csv",
        "billcom mappings suggest acme --accept exact",
        "billcom mappings suggest acme --accept likely",
        "billcom mappings export acme --output mappings.csv",
        "billcom mappings import acme mappings.csv",
    ]
    assert bookkeeper.decisions == TWINS + STRANGERS
    warehouse = open_database()
    with warehouse.read() as connection:
        states = Counter(connection.scalars(select(mappings.c.state).where(mappings.c.kind == "vendors")))
    warehouse.close()
    assert states == {"mapped": 300 - STRANGERS, "unmapped": STRANGERS}


def test_an_edited_file_is_not_written_over(bookkeeper: Bookkeeper) -> None:
    bookkeeper.desk.run("ledger", "import", KEY, "--vendors", "vendors.csv")
    export = ("mappings", "export", KEY, "--output", "mappings.csv")
    bookkeeper.desk.run(*export)
    decide(Path("mappings.csv"))
    edited = Path("mappings.csv").read_bytes()

    once, forced = bookkeeper.desk.run(*export), bookkeeper.desk.run(*export, "--force")

    assert (once.code, forced.code) == (2, 2)
    assert "mappings.csv holds 305 decisions that were not imported and was left as it is." in forced.err
    assert "billcom mappings import acme mappings.csv" in forced.err
    assert Path("mappings.csv").read_bytes() == edited
    assert bookkeeper.desk.run("mappings", "import", KEY, "mappings.csv").code == 0
    assert bookkeeper.desk.run(*export, "--force").code == 0


def test_likely_ones_are_listed_and_asked_about(bookkeeper: Bookkeeper) -> None:
    bookkeeper.desk.run("ledger", "import", KEY, "--vendors", "vendors.csv")
    accept = ("mappings", "suggest", KEY, "--accept", "likely")

    declined = bookkeeper.desk.run(*accept, stdin="n\n")
    unasked = bookkeeper.desk.run(*accept, stdin="")
    as_json = bookkeeper.desk.run(*accept, "--json")
    accepted = bookkeeper.desk.run(*accept, "--min-score", "95", "--yes", "--json")

    assert (declined.code, unasked.code, as_json.code, accepted.code) == (1, 2, 2, 0)
    assert "Nothing was mapped." in declined.err
    assert "Map these" in declined.err
    assert all(word in declined.out for word in ("names", "alike", "spelling"))
    assert "Add --yes" in unasked.err
    assert next(one for one in accepted.document["kinds"] if one["kind"] == "vendors")["accepted"] > 0


def test_a_dry_run_shows_names_before_and_after(bookkeeper: Bookkeeper) -> None:
    bookkeeper.desk.run("ledger", "import", KEY, "--vendors", "vendors.csv")
    bookkeeper.desk.run("mappings", "export", KEY, "--kind", "vendors", "--output", "mappings.csv")
    decide(Path("mappings.csv"))

    shown = bookkeeper.desk.run("mappings", "import", KEY, "mappings.csv", "--dry-run")

    assert "would be newly mapped" in shown.out
    assert "undecided" in shown.out
    assert shown.out.rstrip().endswith("Next: billcom mappings import acme mappings.csv")
    status = bookkeeper.desk.run("status", KEY, "--json").document
    assert next(one for one in status["mappings"] if one["kind"] == "vendors")["mapped"] == 0
