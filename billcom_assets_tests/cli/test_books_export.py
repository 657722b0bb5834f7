"""The books as files, from the command line."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billcom_assets.environment import open_database
from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets_tests.books.export.checked import accepted, transactions
from billcom_assets_tests.books.export.posted import PAYABLE, RENT, Line, Posted, owed
from billcom_assets_tests.cli.commands import Answered, Desk


@pytest.fixture
def books(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A company with a year of entries, and a folder that is the user's."""
    assert desk.connect("acme").code == 0
    warehouse = open_database()
    with warehouse.write() as connection:
        Posted(connection, "acme").year()
    warehouse.close()
    assert desk.run("policy", "acme", "set", f"accounts_payable={PAYABLE}").code == 0
    monkeypatch.chdir(tmp_path)
    return desk


def export(desk: Desk, *options: str) -> Answered:
    return desk.run("ledger", "export", "acme", *options)


def test_it_ends_with_what_was_written_and_how_to_check_it(books: Desk, tmp_path: Path) -> None:
    answered = export(books, "--format", "beancount", "--output", "my books.beancount")
    assert (answered.code, answered.out) == (
        0,
        "17 entries with 36 lines written to my books.beancount. Check it: bean-check 'my books.beancount'\n",
    )
    assert len(transactions(accepted((tmp_path / "my books.beancount").read_text("utf-8")))) == 17


def test_every_format_says_how_to_check_it(books: Desk) -> None:
    hledger = export(books, "--format", "hledger", "--output", "books.journal").out
    assert hledger.endswith("written to books.journal. Check it: hledger check --strict -f books.journal\n")
    for format_ in ("csv", "journal-csv"):
        told = export(books, "--format", format_, "--output", f"{format_}.csv").out
        assert told.endswith(f"written to {format_}.csv. Debits and credits are 1,671.12 USD each.\n")


def test_without_a_file_the_text_itself_is_shown(books: Desk) -> None:
    answered = export(books, "--format", "hledger")
    assert answered.out.startswith("; Company of acme: ")
    assert answered.err == "17 entries with 36 lines. Check it: hledger check --strict -f FILE\n"


def test_a_script_gets_one_document(books: Desk, tmp_path: Path) -> None:
    document = export(books, "--format", "beancount", "--output", "b", "--from", "2026-02-01", "--json").document
    assert document == {
        "ok": True,
        "integration": "acme",
        "format": "beancount",
        "from": "2026-02-01",
        "to": None,
        "home_currency": "USD",
        "entries": 6,
        "lines": 14,
        "debit": "516.01",
        "file": "b",
        "check": "bean-check b",
    }
    shown = export(books, "--format", "beancount", "--from", "2026-02-01", "--json").document
    assert shown["text"] == (tmp_path / "b").read_text("utf-8")


def test_a_period_of_the_journal_for_an_accounting_program(books: Desk, tmp_path: Path) -> None:
    options = ("--format", "journal-csv", "--from", "2026-02-10", "--to", "2026-02-28", "--output", "february.csv")
    assert export(books, *options).code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "february.csv").read_text(ENCODING))))
    assert {row["Entry"] for row in rows} == {"bills:00ne1:1", "vendor_payments:0te1:1"}
    assert sum(Decimal(row["Debit"] or 0) - Decimal(row["Credit"] or 0) for row in rows) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Say what to write: --chart-of-accounts, or the books with --format."),
        (("--chart-of-accounts", "--format", "csv"), "Say what to write: --chart-of-accounts, or the books"),
        (("--chart-of-accounts", "--from", "2026-01-01"), "--from and --to choose entries of the books"),
        (("--format", "csv", "--from", "2026-02-01", "--to", "2026-01-01"), "--from is after --to."),
        (("--format", "xlsx"), "'xlsx' is not one of"),
        (("--format", "csv", "--from", "yesterday"), "'yesterday' is not a date."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(books: Desk, options: tuple[str, ...], told: str) -> None:
    answered = export(books, *options)
    assert (answered.code, answered.out) == (2, "")
    assert told in answered.err


def test_an_unknown_integration_is_named(books: Desk, tmp_path: Path) -> None:
    answered = books.run("ledger", "export", "acne", "--format", "beancount", "--output", "books.beancount")
    assert answered.code == 2
    assert "acne" in answered.err
    assert not (tmp_path / "books.beancount").exists()


def test_a_file_that_fails_in_the_middle_leaves_what_was_there(books: Desk, tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text("mine")
    warehouse = open_database()
    with warehouse.write() as connection:
        # No number: reading fails after most of the file was written.
        lines = (Line(RENT, 1), owed(-1, "009v00"))
        entry = Posted(connection, "acme").entry("bills", "00nz", date(2026, 12, 31), *lines)
        triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
        for name in [name for name in triggers if "ledger_lines" in name]:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(f"UPDATE ledger_lines SET amount = 'x' WHERE entry_id = '{entry}'")
    warehouse.close()

    answered = export(books, "--format", "csv", "--output", "books.csv", "--force")

    assert answered.code == 1
    assert (tmp_path / "books.csv").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["books.csv"]
