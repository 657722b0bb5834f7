"""The books as tables: for spreadsheets, and for the journal import of accounting programs."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from billcom_assets.books.export.formats import FORMATS, export_books
from billcom_assets.books.export.journal_csv import COLUMNS as JOURNAL_COLUMNS
from billcom_assets.books.export.line_csv import COLUMNS
from billcom_assets.books.export.rows import Period
from billcom_assets.ledger.spreadsheets import unprotected
from billcom_assets_tests.books.export.posted import HOSTILE, OFFICE, RENT, Line, Posted, owed


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_the_columns_stay_as_they_are() -> None:
    assert ",".join(COLUMNS) == (
        "entry_id,line,posting_date,document_date,kind,document_id,document_number,type,reversed_entry_id,memo,role,"
        "ledger_account_id,account_number,account_name,account_type,debit,credit,home_currency,amount,currency,"
        "party,party_name,ledger_party,ledger_party_name,item,item_name,department,department_name,job,job_name,"
        "location,location_name,accounting_class,accounting_class_name,employee,employee_name,settles"
    )
    assert ",".join(JOURNAL_COLUMNS) == (
        "Journal No,Date,Account Number,Account Name,Debit,Credit,Description,Name,Currency,Class,Location,Department,"
        "Job,Employee,Item,Foreign Currency,Foreign Amount,Entry"
    )


def test_a_row_is_a_line_with_both_currencies(posted: Posted) -> None:
    posted.year()
    found = [one for one in rows(posted.exported("csv")) if one["entry_id"] == "vendor_payments:0te1:1"]
    shown = ("line", "role", "ledger_account_id", "debit", "credit", "home_currency", "amount", "currency")
    assert [tuple(one[name] for name in shown) for one in found] == [
        ("1", "control", "2000", "55.00", "0.00", "USD", "50.00", "EUR"),
        ("2", "money", "1000", "0.00", "56.00", "USD", "-50.00", "EUR"),
        ("3", "exchange", "7900", "1.00", "0.00", "USD", "0.00", "EUR"),
    ]
    assert (found[0]["party"], found[0]["party_name"], found[0]["settles"]) == ("009veu", "Müller & Söhne", "00ne1")


def test_debits_equal_credits_and_the_tables(posted: Posted) -> None:
    posted.year()
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in rows(posted.exported("csv")):
        sums[one["ledger_account_id"]] += Decimal(one["debit"]) - Decimal(one["credit"])
    assert (sum(sums.values()), sums) == (0, posted.home_sums())


def test_lines_end_as_rfc_4180_has_it_and_texts_come_back_as_they_were(posted: Posted) -> None:
    posted.year()
    text = posted.exported("csv")
    names = {unprotected(one["party_name"]) for one in rows(text) if one["party"]}
    assert names >= {name for name in HOSTILE if name}
    assert text.endswith("\r\n")
    assert text.count("\r\n") == len(rows(text)) + 1 + text.count("Two\nlines\r\n")


@pytest.mark.parametrize("format_", ["csv", "journal-csv"])
def test_no_cell_is_a_formula(posted: Posted, format_: str) -> None:
    posted.chart()
    posted.vendor("009v1", "=cmd|' /C calc'!A0")
    posted.company.ledger_account("=1+1", "+Total", "EXPENSE", number="-7")
    posted.entry("bills", "00n1", date(2026, 1, 5), Line("=1+1", -10), owed(10, "009v1"), memo="@SUM(A1)")
    amounts = {"amount", "Foreign Amount"}
    cells = [cell for one in rows(posted.exported(format_)) for name, cell in one.items() if name not in amounts]
    assert [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}] == []
    assert "'@SUM(A1)" in cells


def test_the_journal_import_has_a_debit_or_a_credit_and_names(posted: Posted) -> None:
    posted.year()
    posted.dimension("accounting_classes", "K1", "Retail")
    posted.dimension("departments", "D1", "Sales")
    posted.dimension("departments", "D2", "East", "D1")
    line = Line(OFFICE, 7, more=(("department", "D2"), ("accounting_class", "K1"), ("location", "L9")))
    posted.entry("bills", "00nd", date(2026, 3, 5), line, owed(-7, "009v07"), memo="Two\nlines")
    first, second = [one for one in rows(posted.exported("journal-csv")) if one["Entry"] == "bills:00nd:1"]
    assert first == dict.fromkeys(JOURNAL_COLUMNS, "") | {
        "Journal No": "00ndA",
        "Date": "2026-03-05",
        "Account Number": "6200",
        "Account Name": "Overheads:Office",
        "Debit": "7.00",
        "Description": "Two lines",
        "Currency": "USD",
        "Class": "Retail",
        "Location": "L9",
        "Department": "Sales:East",
        "Entry": "bills:00nd:1",
    }
    assert (second["Debit"], second["Credit"], second["Name"]) == ("", "7.00", "Acme, Inc.")


def test_journals_are_imported_at_home_values_with_the_foreign_amount_beside(posted: Posted) -> None:
    posted.year()
    found = [one for one in rows(posted.exported("journal-csv")) if one["Entry"] == "vendor_payments:0te1:1"]
    shown = ("Debit", "Credit", "Currency", "Foreign Currency", "Foreign Amount")
    assert [tuple(one[name] for name in shown) for one in found] == [
        ("55.00", "", "USD", "EUR", "50.00"),
        ("", "56.00", "USD", "EUR", "-50.00"),
        ("1.00", "", "USD", "EUR", "0.00"),
    ]


def test_a_journal_number_fits_quickbooks_and_is_that_of_one_entry(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")
    for sequence in range(1, 29):
        lines = (Line(RENT, 1), owed(-1, "009v1"))
        posted.entry("bills", "00n01ABCDEFGHIJ12345", date(2026, 1, 5), *lines, sequence=sequence)
    numbers = dict.fromkeys(one["Journal No"] for one in rows(posted.exported("journal-csv")))
    assert len(numbers) == 28
    assert [*numbers][:2] == ["00n01ABCDEFGHIJ12345A", "00n01ABCDEFGHIJ12345B"]
    assert {len(number) for number in [*numbers][:26]} == {21}
    assert [*numbers][26:] == ["bills:00n01ABCDEFGHIJ12345:27", "bills:00n01ABCDEFGHIJ12345:28"]


@pytest.mark.parametrize("format_", ["csv", "journal-csv"])
def test_only_the_lines_of_the_period_are_in_the_tables(posted: Posted, format_: str) -> None:
    posted.year()
    text = posted.exported(format_, first=date(2026, 2, 10), last=date(2026, 2, 20))
    entry = "entry_id" if format_ == "csv" else "Entry"
    assert {one[entry] for one in rows(text)} == {"bills:00ne1:1", "vendor_payments:0te1:1"}


@pytest.mark.parametrize("format_", ["beancount", "csv"])
def test_memory_does_not_grow_with_the_entries(posted: Posted, format_: str) -> None:
    posted.chart()
    posted.vendor("009v1", "Acme")

    def peak(entries: range) -> int:
        for number in entries:
            day = date(2026, 1, 1 + number % 28)
            posted.entry("bills", f"00n{number}", day, Line(RENT, 1), owed(-1, "009v1"), memo="m" * 500)
        tracemalloc.start()
        text, _ = export_books(posted.conn, posted.key, FORMATS[format_], Period(), posted.standing)
        for _ in text:
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    few, many = peak(range(1_000)), peak(range(1_000, 3_000))
    assert many < 1.5 * few
