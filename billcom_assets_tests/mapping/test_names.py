from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billcom_assets.mapping.names import name_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME Supplies, Inc.", "Acme Supplies"),
        ("Acme Incorporated", "acme inc"),
        ("Müller GmbH & Co. KG", "MULLER GmbH"),
        ("L'Oréal S.A.", "LOreal"),
        ("Smith & Sons", "Smith and Sons"),
        ("Smith + Sons", "Smith and Sons"),
        ("The Home Depot", "Home Depot"),
        ("Ørsted A/S", "Orsted"),
        ("G.E. Capital", "GE Capital"),
        ("Joe\u2019s Diner", "Joe's Diner"),
        ("Acme Limited Liability Company", "Acme LLC"),
        ("\uff21\uff23\uff2d\uff25", "acme"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_names_that_differ_in_spelling_or_legal_form_have_the_same_core(one: str, other: str) -> None:
    assert name_of(one).core == name_of(other).core != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Smith & Co", "Smith"),
        ("Acme East", "Acme West"),
        ("Store 12", "Store 13"),
        ("Inc", "LLC"),
        ("1.5 Tools", "15 Tools"),
        ("株式会社日立", "株式会社東芝"),
        ("हिंदी", "हिंदा"),
    ],
)
def test_names_that_differ_otherwise_do_not(one: str, other: str) -> None:
    assert name_of(one).core != name_of(other).core


def test_the_legal_form_is_kept_beside_the_core() -> None:
    assert name_of("Acme Co., Ltd.").legal_forms == {"co", "ltd"}
    assert name_of("Acme Corporation").full == "acme corp"
    assert name_of("Acme").legal_forms == frozenset()


@pytest.mark.parametrize("text", ["", "  ", "!!!", None, "&"])
def test_a_name_without_letters_or_digits_is_empty_or_a_bare_word(text: str | None) -> None:
    assert name_of(text).core in {"", "and"}


@given(st.text(max_size=40))
@example("\u213b")
@example("Smith c/o")
@example("Smith dba")
def test_spaces_and_punctuation_around_a_name_never_matter(text: str) -> None:
    assert name_of(f"  {text} , ") == name_of(text)


WORDS = [
    "Smith",
    "Straße",
    "L'Oréal",
    "dba",
    "c/o",
    "P.A.",
    "PA",
    "Co.",
    "Inc",
    "& Sons",
    "(old)",
    "EUR",
    "No. 07",
    "O Brien",
]


@given(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join))
def test_case_never_matters(text: str) -> None:
    assert name_of(text.upper()) == name_of(text.lower()) == name_of(text)


@pytest.mark.parametrize(
    ("text", "core", "others"),
    [
        ("Smith LLC dba Quick Print", "smith", ("quick print",)),
        ("Quick Print (formerly Smith LLC)", "quick print", ("smith",)),
        ("Mercy Health System (MHS)", "mercy health system", ("mhs",)),
        ("Smith c/o Baker & Co", "smith", ()),
    ],
)
def test_other_names_that_a_name_states_are_kept_apart(text: str, core: str, others: tuple[str, ...]) -> None:
    assert (name_of(text).core, name_of(text).others) == (core, others)
