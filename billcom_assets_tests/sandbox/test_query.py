from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.kinds import BILLS, DEPARTMENTS, ROLES, VENDORS
from billcom_assets.sandbox.pages import Cursor
from billcom_assets.sandbox.query import parse_query, split_clauses
from billcom_assets.sandbox.table import Table, make_row
from billcom_assets.sandbox.views import select

WORDS = st.text(st.characters(codec="utf-8", exclude_characters='",\\'), min_size=1, max_size=12)


@given(st.lists(WORDS, max_size=6))
def test_clauses_split_at_commas_and_join_back(parts: list[str]) -> None:
    assert split_clauses(",".join(parts)) == parts


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=4))
def test_whatever_is_quoted_stays_in_one_piece(values: list[str]) -> None:
    quoted = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    text = ",".join(f"name:eq:{value}" for value in quoted)
    clauses = parse_query(VENDORS, text, "").clauses
    assert [clause.operand for clause in clauses] == values


@given(st.text(max_size=60), st.text(max_size=30))
def test_any_text_is_either_a_query_or_a_refusal(filters: str, sort: str) -> None:
    with suppress(Refusal):
        assert parse_query(BILLS, filters, sort).orders


@given(st.text(max_size=80))
def test_any_text_is_either_a_cursor_of_ours_or_a_refusal(text: str) -> None:
    with pytest.raises(Refusal):
        Cursor.read(text)


@given(
    st.builds(
        Cursor,
        path=st.just("/v3/bills"),
        filters=st.text(max_size=40),
        sort=st.text(max_size=20),
        key=st.none() | st.tuples(st.integers(0, 2**31), st.text(min_size=20, max_size=20)),
        offset=st.none() | st.integers(0, 10**6),
        back=st.booleans(),
        resumed=st.booleans(),
    )
)
def test_a_cursor_reads_back_as_it_was_written(cursor: Cursor) -> None:
    assert Cursor.read(cursor.text()) == cursor


def department(number: int, created: int, updated: int, name: str, description: str | None) -> Any:
    doc: dict[str, Any] = {"id": f"0de{number:05d}", "archived": number % 3 == 0, "name": name}
    if description:
        doc["description"] = description
    return make_row(doc, created, updated)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.integers(0, 40),
        st.sampled_from(["a", "b", "B", "é"]),
        st.none() | st.sampled_from(["x", "y"]),
    ),
    max_size=25,
)


@given(
    ROWS,
    st.sampled_from(["", "createdTime", "updatedTime:desc", "name:asc", "description:desc,name:asc", "archived,name"]),
    st.sampled_from(
        ["", "archived:eq:false", "createdTime:gte:{0},createdTime:lt:{1}", "updatedTime:gt:{0},name:sw:b"]
    ),
    st.integers(0, 41),
    st.integers(0, 41),
    st.integers(1, 5),
)
def test_pages_of_any_query_cover_its_selection_in_order(
    rows: list[Any], sort: str, filters: str, low: int, high: int, size: int
) -> None:
    table = Table(DEPARTMENTS)
    table.restore(department(number, *row) for number, row in enumerate(rows))
    text = filters.format(stamp(low).replace("+00:00", "Z"), stamp(high).replace("+00:00", "Z"))
    view = select(table, parse_query(DEPARTMENTS, text, sort))
    found = [entry[-1] for entry in view.part(0, len(view))]
    expected = set()
    for row in table:
        doc = row.doc()
        kept = {
            "": True,
            "archived:eq:false": not doc["archived"],
            "createdTime:gte:{0},createdTime:lt:{1}": low <= row.created < high,
            "updatedTime:gt:{0},name:sw:b": row.updated > low and doc["name"].startswith("b"),
        }[filters]
        if kept:
            expected.add(row.id)
    assert len(found) == len(expected)
    assert set(found) == expected
    walked, position = [], 0
    while position < len(view):
        part = view.part(position, position + size)
        assert view.before(part[0]) == position
        position = view.after(part[-1])
        walked += [entry[-1] for entry in part]
    assert walked == found


@given(ROWS, st.lists(st.tuples(st.integers(0, 24), st.integers(41, 60)), max_size=12))
def test_the_time_indexes_stay_right_under_writes(rows: list[Any], writes: list[tuple[int, int]]) -> None:
    table = Table(DEPARTMENTS)
    table.restore(department(number, *row) for number, row in enumerate(rows))
    for number, moment in writes:
        old = table.get(f"0de{number:05d}")
        table.put(department(number, old.created if old else moment, moment, "new", None))
    assert table.index("createdTime") == sorted((row.created, row.id) for row in table)
    assert table.index("updatedTime") == sorted((row.updated, row.id) for row in table)
    assert sorted(table.ids) == sorted(table.rows)


def test_a_direction_may_be_left_out() -> None:
    assert not parse_query(ROLES, "", "updatedTime").orders[0].descending
