"""The hledger file: what its strict check says, and the same balances as the tables."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billcom_assets.books.identities.control_balances import PartyBalance
from billcom_assets_tests.books.export.checked import hledger
from billcom_assets_tests.books.export.posted import OFFICE, RENT, Line, Posted, owed


def refused(text: str, folder: Path) -> str:
    checked = hledger(text, folder, "check", "--strict")
    assert checked.returncode != 0
    return checked.stderr


def home_balances(text: str, folder: Path) -> dict[str, Decimal]:
    """Balances at home by the name that hledger shows."""
    shown = hledger(text, folder, "balance", "--cost", "--flat", "--empty", "--no-total", "--output-format=csv")
    assert shown.returncode == 0, shown.stderr
    return {row["account"]: Decimal(row["balance"].split()[0]) for row in csv.DictReader(io.StringIO(shown.stdout))}


def test_the_strict_check_accepts_a_year_with_everything_in_it(posted: Posted, tmp_path: Path) -> None:
    posted.year()
    text = posted.exported("hledger")
    checked = hledger(text, tmp_path, "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "")
    sums = home_balances(text, tmp_path)
    in_tables = posted.home_sums()
    assert sums["Expenses:6000-Overheads:6100-Rent-rates"] == in_tables[RENT]
    assert sums["Expenses:6000-Overheads:6200-Office"] == in_tables[OFFICE]
    assert sum(sum_ for name, sum_ in sums.items() if name.startswith("Liabilities:")) == in_tables["2000"]


@pytest.mark.parametrize("first", [date(2026, 2, 1), date(2026, 2, 15), date(2026, 5, 1)])
def test_it_accepts_a_part_of_the_year_too(posted: Posted, tmp_path: Path, first: date) -> None:
    posted.year()
    checked = hledger(posted.exported("hledger", first=first), tmp_path, "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_it_sees_a_cent(posted: Posted, tmp_path: Path) -> None:
    posted.year()
    text = posted.exported("hledger")
    right = "=* -100.01 USD\n"
    assert right in text
    assert "assertion" in refused(text.replace(right, "=* -100.02 USD\n", 1), tmp_path)


def test_what_a_vendor_is_expected_at_and_not_booked_is_seen(posted: Posted, tmp_path: Path) -> None:
    posted.year()
    expected = [*posted.standing(), PartyBalance("2001", "009vX", "GBP", Decimal(-7))]
    told = refused(posted.exported("hledger", expected=expected), tmp_path)
    assert "Equity:Unspecified:2001:009vX" in told


def test_what_it_shows_of_an_entry(posted: Posted) -> None:
    posted.chart()
    posted.vendor("009v1", "A; B | (C), [2026-02-03]")
    posted.dimension("departments", "D1", "date:2020-01-01, [2020-02-02] 50%")
    line = Line(RENT, 10, more=(("department", "D1"),))
    posted.entry("bills", "00n1", date(2026, 1, 5), line, owed(-10, "009v1"), memo="Bill | 1; of\n3")
    posted.entry(
        "bills", "00n1", date(2026, 1, 6), line.reversed(), owed(10, "009v1"), sequence=2, reverses="bills:00n1:1"
    )
    text = posted.exported("hledger")
    assert (
        """
2026-01-05 * (bills:00n1:1) A, B / (C), [2026-02-03] | Bill / 1, of 3
    ; entry_id:bills:00n1:1
    ; kind:bills
    ; document_id:00n1
    ; document_date:2026-01-05
    ; type:posting
    ; party:009v1
    ; ledger_party:V-009v1
    Expenses:6000-Overheads:6100-Rent-rates  10.00 USD
    ; department:date:2020-01-01%2C %5B2020-02-02%5D 50%25
    Liabilities:2000-Accounts-Payable:A-B-C-2026-02-03  -10.00 USD
"""
        in text
    )
    assert "    ; reversal:\n    ; entry_id:bills:00n1:2\n" in text
    assert "    ; reversed_entry_id:bills:00n1:1\n" in text


def test_foreign_lines_have_a_total_price_and_a_balance_in_their_currency(posted: Posted) -> None:
    posted.year()
    text = posted.exported("hledger")
    account = "Liabilities:2000-Accounts-Payable:Müller-Söhne"
    assert f"    {account}  -100.00 EUR @@ 110.00 USD\n" in text
    assert f"    {account}  0.00 EUR =* -50.00 EUR  ; home_value:-55.00 USD\n" in text
    assert "\ncommodity 1000.00 EUR\n" in text


def test_accounts_are_declared_with_their_types(posted: Posted) -> None:
    posted.chart()
    text = posted.exported("hledger")
    assert "account Assets:1000-Checking  ; type:C\n    ; ledger_account_id:1000\n" in text
    assert "account Liabilities:2000-Accounts-Payable  ; type:L\n" in text
    assert "account Expenses:6000-Overheads  ; type:X\n" in text
