"""Canonical bytes: equal if and only if the object is the same."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from billcom_assets.entities.canonical import canonical
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.extract import Unreadable
from billcom_assets_tests.entities import worlds

STORABLE = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
OBJECTS = st.dictionaries(
    STORABLE,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | STORABLE,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


def respelled(value: Any, chance: random.Random) -> Any:
    """The same object written differently: other key order, nulls added and removed, other number spellings."""
    if isinstance(value, dict):
        members = [(key, respelled(member, chance)) for key, member in value.items() if member is not None]
        spare = f"unused{chance.random()}"
        members += [(spare, None)]
        chance.shuffle(members)
        return dict(members)
    if isinstance(value, list):
        return [respelled(element, chance) for element in value]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    written = format(Decimal(value), "f")
    return Decimal(f"{written}00" if "." in written else f"{written}.{'0' * chance.randint(1, 5)}")


def stripped(value: Any) -> Any:
    """Without nulls in objects, and tagged so that True is not 1."""
    if isinstance(value, dict):
        return {key: stripped(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [stripped(element) for element in value]
    return ("bool", value) if isinstance(value, bool) else value


@given(OBJECTS, st.integers())
@settings(max_examples=300, deadline=None)
def test_the_same_object_gives_the_same_bytes_however_it_is_written(obj: dict[str, Any], seed: int):
    assert canonical(obj) == canonical(respelled(obj, random.Random(seed)))


@given(OBJECTS, OBJECTS)
@settings(deadline=None)
def test_different_objects_give_different_bytes(one: dict[str, Any], other: dict[str, Any]):
    assume(stripped(one) != stripped(other))
    assert canonical(one) != canonical(other)


@given(OBJECTS)
@settings(deadline=None)
def test_nothing_but_nulls_is_lost(obj: dict[str, Any]):
    decoded = json.loads(canonical(obj), parse_float=Decimal, parse_int=Decimal)
    assert stripped(decoded) == stripped(obj)


@given(OBJECTS)
@settings(deadline=None)
def test_canonical_bytes_stay_as_they_are(obj: dict[str, Any]):
    once = canonical(obj)
    assert canonical(worlds.decode(once.decode())) == once


@pytest.mark.parametrize("spelling", ["149", "149.0", "149.00", "1.49E+2", "14900E-2"])
def test_equal_amounts_are_one_number(spelling: str):
    assert canonical({"amount": Decimal(spelling)}) == b'{"amount":149}'
    assert canonical({"amount": 149}) == b'{"amount":149}'


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (Decimal("0.000000001"), b"0.000000001"),
        (Decimal("1E-9"), b"0.000000001"),
        (Decimal("-0.00"), b"0"),
        (Decimal("0E+99999999"), b"0"),
        (Decimal("100"), b"100"),
        (Decimal("1E+3"), b"1000"),
        (Decimal("-12.50"), b"-12.5"),
        (10**30, b"1" + b"0" * 30),
        (-(2**63) - 1, b"-9223372036854775809"),
        (Decimal("0.1234567890123456789012345678901234567890123"), b"0.1234567890123456789012345678901234567890123"),
    ],
)
def test_numbers_are_written_out_in_full(number: Any, written: bytes):
    assert canonical(number) == written


def test_a_one_cent_change_shows():
    bill = worlds.sample("bills")
    before = canonical(bill)
    bill["billLineItems"][0]["amount"] = Decimal("149.01")
    assert canonical(bill) != before


def test_null_is_the_same_as_absent_in_objects_but_holds_its_place_in_lists():
    assert canonical({"a": {"b": None, "c": 1}, "d": None}) == b'{"a":{"c":1}}'
    assert canonical({"a": [None, {"b": None}]}) == b'{"a":[null,{}]}'


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1}, {"a": "1"}), ({"a": True}, {"a": 1}), ({"a": False}, {"a": 0}), ({"a": ""}, {}), ({"a": []}, {})],
)
def test_values_of_different_kinds_differ(one: dict[str, Any], other: dict[str, Any]):
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("obj", "written"),
    [
        ({"a": "x\x00y"}, b'{"a":"xy"}'),
        ({"a\x00": ["\x00"]}, b'{"a":[""]}'),
        ({"a": "\ud83d"}, b'{"a":"?"}'),
        ({"a": "back\\u0000slash"}, b'{"a":"back\\\\u0000slash"}'),
        ({"é": "№"}, '{"é":"№"}'.encode()),
    ],
)
def test_bytes_can_be_stored_everywhere(obj: dict[str, Any], written: bytes):
    assert canonical(obj) == written


@pytest.mark.parametrize(
    "number",
    [
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1E+99999999"),
        pytest.param(10**5000, id="huge"),
    ],
)
def test_a_number_that_cannot_be_written_is_unreadable(number: Any):
    with pytest.raises(Unreadable):
        canonical({"amount": number})


def test_bottomless_nesting_is_unreadable():
    bottomless: list[Any] = []
    for _ in range(100_000):
        bottomless = [bottomless]
    with pytest.raises(Unreadable, match="nested too deeply"):
        canonical(bottomless)


@pytest.mark.parametrize("value", [1.5, {"a": 1.5}, [b"bytes"], {"a": (1,)}])
def test_what_json_decoding_never_gives_is_a_mistake_of_ours(value: Any):
    with pytest.raises(TypeError):
        canonical(value)


@pytest.mark.parametrize("entity", CATALOG.names())
def test_payloads_can_be_read_back(entity: str):
    obj = worlds.sample(entity)
    assert json.loads(canonical(obj), parse_float=Decimal) == obj
