from __future__ import annotations

import pytest

from billcom_assets.ledger.currencies import CODES, decimals, iso_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("usd", "USD"),
        ("USD - United States Dollar", "USD"),
        ("US Dollar", "USD"),
        ("U.S. Dollars", "USD"),
        ("€", "EUR"),
        ("pound sterling", "GBP"),
        ("CAD Canadian Dollar", "CAD"),
        ("A$", "AUD"),
    ],
)
def test_codes_names_and_symbols_of_one_currency_are_understood(text: str, code: str) -> None:
    assert iso_code(text) == code


@pytest.mark.parametrize("text", ["XYZ", "$", "kr", "Dollar", "bitcoin", "", "All of them", "SHARES"])
def test_what_is_no_currency_or_may_be_several_is_not_guessed(text: str) -> None:
    assert iso_code(text) is None


def test_a_symbol_of_several_currencies_is_the_home_currency_where_that_has_it() -> None:
    assert [iso_code("$", home) for home in ("USD", "CAD", "EUR")] == ["USD", "CAD", None]


def test_every_code_has_three_capital_letters_and_is_understood() -> None:
    assert {code for code in CODES if iso_code(code.lower()) != code or len(code) != 3} == set()
    assert len(CODES) > 150


@pytest.mark.parametrize(("code", "count"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("no code", 2)])
def test_amounts_have_the_decimals_of_their_currency(code: str, count: int) -> None:
    assert decimals(code) == count
