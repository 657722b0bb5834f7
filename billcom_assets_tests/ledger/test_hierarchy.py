from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.ledger.hierarchy import MAX_LEVELS, ArrangedEntry, ListEntry, arrange, full_names


def place(*rows: tuple[str, str, str], plain: bool = False) -> tuple[list[ArrangedEntry], list[str]]:
    """Arranges (number, name, parent) rows that begin on line 2."""
    reports: list[str] = []
    placed = arrange(
        [ListEntry(line, *row) for line, row in enumerate(rows, start=2)],
        lambda line, message: reports.append(f"{line}: {message}"),
        colons_may_be_plain=plain,
    )
    return placed, reports


def ids(placed: list[ArrangedEntry]) -> list[tuple[str, str, str | None]]:
    return [(entry.id, entry.name, entry.parent_id) for entry in placed]


@pytest.mark.parametrize(
    "parent",
    ["6000", "Utilities", "utilities", "6000 Utilities", "6000 - Utilities", "6000 \N{MIDDLE DOT} Utilities"],
)
def test_a_parent_may_be_named_by_number_by_name_or_by_both(parent: str) -> None:
    placed, reports = place(("6000", "Utilities", ""), ("6010", "Electricity", parent))

    assert reports == []
    assert ids(placed) == [("6000", "Utilities", None), ("6010", "Electricity", "6000")]


def test_names_with_their_parents_before_them_are_taken_apart() -> None:
    placed, reports = place(
        ("", "Utilities", ""), ("", "Utilities:Electricity", ""), ("", "Utilities : Electricity : Hall", "")
    )

    assert reports == []
    assert ids(placed) == [
        ("Utilities", "Utilities", None),
        ("Utilities:Electricity", "Electricity", "Utilities"),
        ("Utilities:Electricity:Hall", "Hall", "Utilities:Electricity"),
    ]


def test_numbers_within_names_as_quickbooks_desktop_writes_them_are_taken_out() -> None:
    dot = "\N{MIDDLE DOT}"
    placed, reports = place(("", f"6000 {dot} Utilities", ""), ("", f"6000 {dot} Utilities:6010 {dot} Electricity", ""))

    assert reports == []
    assert ids(placed) == [("6000", "Utilities", None), ("6010", "Electricity", "6000")]


def test_a_parent_may_be_named_by_its_full_name_although_names_stand_alone() -> None:
    placed, reports = place(
        ("1", "Other", "Travel"),
        ("2", "Other", "Office"),
        ("3", "Travel", ""),
        ("4", "Office", ""),
        ("5", "Taxi", "Travel:Other"),
        ("6", "At night", "Travel:Other:Taxi"),
    )

    assert reports == []
    assert {entry.number: entry.parent_id for entry in placed}["5"] == "1"
    assert {entry.number: entry.parent_id for entry in placed}["6"] == "5"


def test_a_name_that_repeats_its_parent_is_shortened_and_another_colon_is_kept() -> None:
    placed, reports = place(
        ("1", "Bank", ""),
        ("2", "Bank : Main", "Bank"),
        ("3", "Note: see below", "Bank"),
        ("4", "Ratio 1:2", ""),
        plain=True,
    )

    assert reports == []
    assert [entry.name for entry in placed] == ["Bank", "Main", "Note: see below", "Ratio 1:2"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1", "A", "9")], ['2: the parent "9" is not in the file']),
        ([("", "A:B", "")], ['2: the parent "A" of "B" is not in the file']),
        (
            [("1", "A", ""), ("2", "B", ""), ("3", "X", "1"), ("4", "X", "2"), ("5", "Y", "X")],
            ['6: the parent "X" may mean several entries (lines 4, 5); name it by number or by its full name'],
        ),
        ([("1", "A", "1")], ['2: the parents go round in a circle: "A" > "A"']),
        (
            [("1", "A", "3"), ("2", "B", "1"), ("3", "C", "2"), ("4", "D", "3")],
            ['2: the parents go round in a circle: "A" > "C" > "B" > "A"'],
        ),
        ([("1", "A", ""), ("1", "B", "")], ['3: the number "1" is used on line 2 already']),
        ([("a1", "A", ""), ("A1", "B", "")], ['3: the number "A1" is used on line 2 already']),
        ([("", "A", ""), ("", "a", "")], ['3: the name "a" is used on line 2 already']),
        (
            [("1", "A", ""), ("", "B", "1"), ("", "B", "1")],
            ['4: the name "B" under "A" is used on line 3 already'],
        ),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(rows: list[tuple[str, str, str]], expected: list[str]) -> None:
    assert place(*rows)[1] == expected


def test_the_same_name_under_different_parents_is_fine() -> None:
    _, reports = place(("1", "A", ""), ("2", "B", ""), ("3", "Other", "1"), ("4", "Other", "2"))

    assert reports == []


def test_nesting_deeper_than_any_ledger_is_reported_once_and_quickly() -> None:
    rows = [(str(level), f"n{level}", str(level - 1) if level else "") for level in range(5000)]

    assert place(*rows)[1] == [f'{MAX_LEVELS + 2}: "n{MAX_LEVELS}" is more than {MAX_LEVELS} levels down']


def test_full_names_end_at_an_unknown_parent_and_in_a_circle() -> None:
    names = full_names({"1": ("A", None), "2": ("B", "1"), "3": ("C", "gone"), "4": ("D", "5"), "5": ("E", "4")})

    assert names == {"1": "A", "2": "A:B", "3": "C", "4": "E:D", "5": "D:E"}


NAME = st.text("abcAB: ", min_size=1, max_size=5)


@given(st.lists(st.tuples(st.text("12", max_size=2), NAME, st.text("12ab:", max_size=3)), max_size=8), st.booleans())
def test_every_list_is_either_fully_placed_or_reported(rows: list[tuple[str, str, str]], plain: bool) -> None:
    placed, reports = place(*rows, plain=plain)

    if not reports:
        assert len(placed) == len(rows)
        known = {entry.id for entry in placed}
        assert all(entry.parent_id is None or entry.parent_id in known for entry in placed)


def test_equal_names_are_fine_where_a_number_tells_them_apart() -> None:
    assert place(("1", "A", ""), ("2", "B", "1"), ("3", "B", "1"), ("4", "a", ""), ("", "A", ""))[1] == []
