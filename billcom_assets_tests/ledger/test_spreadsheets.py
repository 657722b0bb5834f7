from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import billcom_assets
from billcom_assets.ledger.spreadsheets import csv_text, protected, unprotected

INTERESTING = "='+-@\t\r\n ab1,;\"\ufeff\u200b\uff1d\uff0b\uff0d\uff20"
ROWS = st.lists(st.lists(st.text(st.sampled_from(INTERESTING), max_size=6), min_size=2, max_size=2), max_size=5)


@given(ROWS)
def test_every_text_comes_back_exactly_and_none_of_them_runs(rows: list[list[str]]) -> None:
    written = csv_text(["one", "other"], rows)

    header, *read = csv.reader(io.StringIO(written, newline=""))

    assert header == ["one", "other"]
    assert [[unprotected(cell) for cell in row] for row in read] == rows
    for cell in (cell for row in read for cell in row):
        seen = cell.lstrip().lstrip("\ufeff\u200b").lstrip()
        assert seen[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20") or not seen
        assert cell[:1] not in tuple("\t\r\n") or not cell


@pytest.mark.parametrize("text", ["00123", "1e5", "a=b", "'tis", "''quoted''", "x\n=1", "", "1-2"])
def test_what_runs_nowhere_stays_as_it_is(text: str) -> None:
    assert protected(text) == unprotected(text) == text


def test_numbers_and_dates_stay_numbers_and_dates() -> None:
    row = (-5, Decimal("-1234.50"), date(2026, 1, 31), None, "-5")

    assert csv_text(list("abcde"), [row]) == "a,b,c,d,e\n-5,-1234.50,2026-01-31,,'-5\n"


def test_no_other_module_writes_csv() -> None:
    package = Path(billcom_assets.__file__).parent
    writers = re.compile(r"csv\.(writer|DictWriter)|\.to_csv\(")
    found = [path.name for path in package.rglob("*.py") if writers.search(path.read_text(encoding="utf-8"))]
    assert found == ["spreadsheets.py"]
