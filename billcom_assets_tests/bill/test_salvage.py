"""A list with rows that no strict reader takes is taken apart all the same; what is cut off stays refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.bill.salvage import NotSalvageable, elements, members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=True),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def loads(raw: bytes) -> Any:
    return json.loads(raw)


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]))
def test_the_elements_of_any_array_come_out_as_they_stand_there(values: list[Any], indent: int | None) -> None:
    parts = elements(json.dumps(values, indent=indent).encode())
    assert [json.dumps(loads(part)) for part in parts] == [json.dumps(value) for value in values]


@given(st.dictionaries(st.text(), VALUES, max_size=6), st.sampled_from([None, 1]))
def test_the_members_of_any_object_come_out_as_they_stand_there(value: dict[str, Any], indent: int | None) -> None:
    parts = members(json.dumps(value, indent=indent).encode())
    assert {key: json.dumps(loads(part)) for key, part in parts.items()} == {
        key: json.dumps(member) for key, member in value.items()
    }


@given(st.lists(VALUES, min_size=1, max_size=6), st.data())
def test_an_array_that_is_cut_off_is_refused(values: list[Any], data: st.DataObject) -> None:
    whole = json.dumps(values).encode()
    with pytest.raises(NotSalvageable):
        elements(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize("raw", [b"", b"1", b"{}", b"[1]]", b"[1}", b'["', b"[{]}", b"[1] 2"])
def test_what_is_no_array_is_refused(raw: bytes) -> None:
    with pytest.raises(NotSalvageable):
        elements(raw)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"a"}', b"{1:2}", b'{"a":1', b'{"a":{"b":1}', b'{"\\x":1}'])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(NotSalvageable):
        members(raw)


def test_depth_and_odd_numbers_pass_through() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert elements(b'[{"a":NaN},' + deep + b"]") == [b'{"a":NaN}', deep]
