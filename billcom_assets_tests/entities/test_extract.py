"""Extraction: what a row holds for what BILL sent, exactly, and what it refuses."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billcom_assets.entities import model
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.extract import Extractor, Unreadable, common, touched
from billcom_assets.entities.model import Child, Entity, Group, Walk
from billcom_assets.entities.values import NO_ID
from billcom_assets_tests.entities import worlds

THING = Entity(
    name="things",
    singular="thing",
    path="/v3/things",
    id_prefix="thg",
    group=Group.REFERENCE,
    walk=Walk.FULL,
    description="Things.",
    columns=(
        model.text("text", "Text."),
        model.money("money", "Money."),
        model.integer("integer", "Integer."),
        model.flag("flag", "Flag."),
        model.date("date", "Date."),
        model.timestamp("time", "Time (UTC)."),
        model.nested("json", "Json."),
        model.text("outer.inner.leaf", "Leaf."),
        model.text("taxId", "Tax id.", sensitive=True),
    ),
    children=(
        Child("thing_lines", "lines", "Lines.", (model.text("id", "Id."), model.money("sum.amount", "Amount."))),
        Child("thing_notes", "deep.notes", "Notes.", (model.text("note", "Note."),)),
    ),
)
EXTRACTOR = Extractor(THING)
NAMES = [column.name for column in THING.columns]


def read(column: str, value: Any) -> Any:
    """What ``column`` holds when BILL sends ``value``."""
    return EXTRACTOR.row({column: value})[NAMES.index(column)]


def bill_line(**fields: Any) -> dict[str, Any]:
    line = Extractor(CATALOG["bills"]).children({"billLineItems": [fields]})["bill_line_items"][0]
    names = ["position", *(column.name for column in CATALOG["bills"].children[0].columns)]
    return dict(zip(names, line, strict=True))


@pytest.mark.parametrize("entity", CATALOG, ids=lambda entity: entity.name)
def test_every_declared_place_reaches_its_column(entity: Entity):
    obj = worlds.full(entity)
    extractor = Extractor(entity)
    row = extractor.row(obj)
    assert len(row) == len(entity.columns)
    assert None not in row
    children = extractor.children(obj)
    assert list(children) == [child.table for child in entity.children]
    for child in entity.children:
        assert [line[0] for line in children[child.table]] == [0, 1]
        assert all(len(line) == len(child.columns) + 1 and None not in line for line in children[child.table])


@pytest.mark.parametrize("entity", CATALOG, ids=lambda entity: entity.name)
def test_an_empty_object_gives_an_empty_row(entity: Entity):
    extractor = Extractor(entity)
    assert extractor.row({}) == tuple(column.absent for column in entity.columns)
    assert extractor.children({}) == {child.table: [] for child in entity.children}


def test_a_bill_is_read_as_accountants_see_it():
    bill = CATALOG["bills"]
    row = dict(zip((c.name for c in bill.columns), Extractor(bill).row(worlds.sample("bills")), strict=True))
    assert row["amount"] == Decimal("228.99")
    assert row["invoice_number"] == "202601"
    assert row["invoice_date"] == date(2026, 12, 15)
    assert row["vendor_id"] == "00902BILKFECNEV2oji1"
    assert row["classifications_chart_of_account_id"] == "0ca02WKKWLSRRCFItdlc"
    assert row["funding_amount"] is None
    lines = Extractor(bill).children(worlds.sample("bills"))
    assert [line[2] for line in lines["bill_line_items"]] == [Decimal("149.00"), Decimal("79.99")]
    assert lines["bill_approvals"][0][1:] == ("00602NNWYXSZQYLTa41g", "WAITING", 0, None)


def test_lines_keep_their_coding():
    line = bill_line(amount=Decimal("1.10"), classifications={"jobId": "job1", "customerId": "0cu1"})
    assert (line["amount"], line["classifications_job_id"], line["classifications_customer_id"]) == (
        Decimal("1.10"),
        "job1",
        "0cu1",
    )


# -- numbers ----------------------------------------------------------------------------------------------------------

SENSIBLE = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**23), max_value=10**23, places=6)


@given(SENSIBLE)
def test_amounts_arrive_exactly(amount: Decimal):
    assert read("money", amount) == amount
    assert read("money", str(amount) if "E" not in str(amount) else format(amount, "f")) == amount
    assert read("money", worlds.decode(format(amount, "f"))) == amount


@given(st.decimals(allow_nan=True, allow_infinity=True))
@settings(deadline=None)
def test_a_number_is_exact_or_refused(number: Decimal):
    try:
        got = read("money", number)
    except Unreadable:
        assert not number.is_finite() or not -100 <= number.adjusted() < 24
    else:
        assert got == number


def test_more_digits_than_decimals_usually_carry_survive():
    rate = Decimal("0.3333333333333333333333333333333333333333")
    assert read("money", rate) == rate


@pytest.mark.parametrize("value", ["100", 100, Decimal(100), Decimal("100.00"), "1E+2", "+100.0"])
def test_a_hundred_is_a_hundred_however_it_is_written(value: Any):
    assert read("money", value) == Decimal(100)


@pytest.mark.parametrize("column", ["text", "money", "integer", "json"])
def test_a_float_is_a_mistake_of_ours(column: str):
    with pytest.raises(TypeError, match="float"):
        read(column, 1.5)


@pytest.mark.parametrize(
    "value",
    ["", None],
)
@pytest.mark.parametrize("column", ["money", "integer", "flag", "date", "time", "json"])
def test_null_and_the_empty_string_are_nothing(column: str, value: Any):
    assert read(column, value) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("money", "1,000.00"),
        ("money", "1_000"),
        ("money", "١٢"),
        ("money", " 1"),
        ("money", "NaN"),
        ("money", Decimal("NaN")),
        ("money", Decimal("sNaN")),
        ("money", Decimal("Infinity")),
        ("money", Decimal("1E+999999999")),
        ("money", "1E999"),
        ("money", True),
        ("money", {"amount": 1}),
        ("money", [1]),
        ("integer", Decimal("30.5")),
        ("integer", True),
        ("integer", 2**63),
        pytest.param("integer", "9" * 5000, id="integer-huge"),
        ("flag", 1),
        ("flag", "yes"),
        ("flag", []),
        ("date", "2026-13-01"),
        ("date", "15.12.2026"),
        ("date", "2026-12-15 and more"),
        ("date", "20261215"),
        ("date", "2026-W51-2"),
        ("date", 20261215),
        ("time", "yesterday"),
        ("time", "2026-12-15T25:00:00Z"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("time", {}),
        ("text", {}),
        ("text", ["a"]),
        pytest.param("text", 10**5000, id="text-huge"),
        ("text", Decimal("NaN")),
        ("json", {"deep": [Decimal("NaN")]}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(column: str, value: Any):
    with pytest.raises(Unreadable) as caught:
        read(column, value)
    assert (caught.value.table, caught.value.column, caught.value.place) == ("things", column, column)
    assert f"things.{column}" in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [30, Decimal("30.0"), "30", Decimal("3E+1")])
def test_whole_numbers_are_read_however_they_are_written(value: Any):
    got = read("integer", value)
    assert got == 30
    assert type(got) is int


def test_the_largest_and_smallest_whole_numbers_fit():
    assert read("integer", 2**63 - 1) == 2**63 - 1
    assert read("integer", -(2**63)) == -(2**63)


@pytest.mark.parametrize(("value", "expected"), [(True, True), ("true", True), ("FALSE", False), (False, False)])
def test_yes_and_no_are_read(value: Any, expected: bool):
    assert read("flag", value) is expected


# -- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-15T23:15:23.000+00:00",
        "2026-12-15T23:15:23+00:00",
        "2026-12-15T23:15:23Z",
        "2026-12-15T23:15:23.000Z",
        "2026-12-15T23:15:23+0000",
        "2026-12-15T23:15:23.000+0000",
        "2026-12-15T23:15:23",
        "2026-12-15T16:15:23-07:00",
        "2026-12-16T04:45:23.000+0530",
    ],
)
def test_an_instant_is_the_same_in_every_spelling(written: str):
    got = read("time", written)
    assert got == datetime(2026, 12, 15, 23, 15, 23, tzinfo=UTC)
    assert got.utcoffset() == timedelta(0)


@pytest.mark.parametrize("nothing", [None, "", NO_ID, {}])
@pytest.mark.parametrize("entity", CATALOG, ids=lambda entity: entity.name)
def test_every_way_to_name_nothing_gives_null_in_every_id_column(entity: Entity, nothing: Any):
    extractor = Extractor(entity)
    for position, column in enumerate(entity.columns):
        if column.is_id:
            holder = reduce(lambda member, key: {key: member}, reversed(column.keys), nothing)
            assert extractor.row(holder)[position] is None, column.name


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ({"type": "WALLET"}, "WALLET"),
        ({"type": "WALLET", "id": NO_ID}, "WALLET"),
        ({"type": "WALLET", "id": "wal1"}, "wal1"),
        ({"type": "BANK_ACCOUNT"}, None),
        ({}, None),
    ],
)
def test_the_balance_at_bill_is_referred_to_although_bill_gives_it_no_id(account: Any, expected: str | None):
    for name, key in (("vendor_payments", "fundingAccount"), ("receivable_payments", "receivablesAccount")):
        names = [column.name for column in CATALOG[name].columns]
        position = names.index(CATALOG[name].stand_ins[0].reference)
        assert Extractor(CATALOG[name]).row({key: account})[position] == expected


def test_ids_that_are_not_mirrored_may_name_nothing_too():
    obj = {"invoicePdfId": NO_ID, "payments": [{"id": NO_ID}], "classifications": {}}
    invoices = Extractor(CATALOG["invoices"])
    assert set(invoices.row(obj)) == {None}
    assert invoices.children(obj)["invoice_payments"] == [(0, None, None, None, None)]


def test_zeros_that_are_no_id_stay():
    assert read("text", NO_ID) == NO_ID


def test_a_bare_date_is_midnight_utc():
    assert read("time", "2026-12-15") == datetime(2026, 12, 15, tzinfo=UTC)


MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(2200, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, OFFSETS, st.booleans(), st.booleans())
def test_any_instant_comes_back_as_itself_in_utc(moment: datetime, zone: timezone, millis: bool, compact: bool):
    moment = moment.replace(tzinfo=zone, microsecond=moment.microsecond // 1000 * 1000 if millis else 0)
    written = moment.isoformat(timespec="milliseconds" if millis else "seconds")
    if compact:
        written = f"{written[:-3]}{written[-2:]}"
    got = read("time", written)
    assert got == moment
    assert got.tzinfo is UTC


@given(st.dates())
def test_a_date_keeps_its_day_even_in_a_timestamp(day: date):
    assert read("date", day.isoformat()) == day
    assert read("date", f"{day.isoformat()}T00:00:00.000Z") == day
    assert read("date", f"{day.isoformat()}T23:00:00-11:00") == day


# -- text and nested data ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("Café №5", "Café №5"),
        (100, "100"),
        (Decimal("6.10"), "6.10"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (False, "false"),
        ("a\x00b", "ab"),
        ("é\x00", "é"),
        ("\ud800", "?"),
    ],
)
def test_text_is_kept_and_made_storable(value: Any, expected: str):
    assert read("text", value) == expected


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_every_text_can_be_stored(value: str):
    got = read("text", value)
    assert "\x00" not in got
    got.encode("utf-8")


def test_nested_data_passes_through():
    nested = [{"id": "vcr1", "amount": Decimal("20.00"), "none": None, "flag": True}]
    assert read("json", nested) == nested


def test_nested_data_is_made_storable_at_every_depth():
    assert read("json", {"a\x00": ["b\x00", {"c": "\x00"}]}) == {"a": ["b", {"c": ""}]}


def test_bottomless_nesting_is_refused():
    bottomless: list[Any] = []
    for _ in range(100_000):
        bottomless = [bottomless]
    with pytest.raises(Unreadable):
        read("json", bottomless)


# -- shapes -----------------------------------------------------------------------------------------------------------

SHAPES = [None, "scalar", 7, Decimal("1.5"), True, [], [1], ["x"]]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", ["outer", "inner"])
def test_a_parent_of_the_wrong_shape_is_no_value(shape: Any, place: str):
    obj = {"outer": shape if place == "outer" else {"inner": shape}}
    assert EXTRACTOR.row(obj)[NAMES.index("outer_inner_leaf")] is None


@pytest.mark.parametrize("shape", [None, "scalar", 7, {}, {"id": "x"}])
def test_a_list_of_the_wrong_shape_has_no_rows(shape: Any):
    assert EXTRACTOR.children({"lines": shape, "deep": shape}) == {"thing_lines": [], "thing_notes": []}


def test_nulls_in_a_list_are_skipped_and_leave_no_gap():
    children = EXTRACTOR.children({"lines": [None, {"id": "a"}, None, {"id": "b", "sum": {"amount": 2}}]})
    assert children["thing_lines"] == [(0, "a", None), (1, "b", Decimal(2))]


def test_a_scalar_where_a_line_is_expected_still_counts_as_a_line():
    assert EXTRACTOR.children({"lines": ["?", {"id": "b"}]})["thing_lines"] == [(0, None, None), (1, "b", None)]


def test_lists_are_found_at_depth():
    children = EXTRACTOR.children({"deep": {"notes": [{"note": "n"}]}})
    assert children["thing_notes"] == [(0, "n")]


def test_an_unreadable_line_is_named_by_its_place_in_the_list():
    with pytest.raises(Unreadable) as caught:
        EXTRACTOR.children({"lines": [None, {"sum": {"amount": "many"}}]})
    assert caught.value.place == "lines[1].sum.amount"
    assert caught.value.table == "thing_lines"
    assert "'many'" in str(caught.value)


def test_a_sensitive_value_is_masked_everywhere_in_the_error():
    with pytest.raises(Unreadable) as caught:
        EXTRACTOR.row({"taxId": {"number": "123-45-6789"}})
    assert "123-45" not in str(caught.value)
    assert "123-45" not in repr(vars(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoiled_objects(draw: st.DrawFn) -> tuple[Entity, dict[str, Any]]:
    """A full object with garbage at some of its places."""
    entity = draw(st.sampled_from(list(CATALOG)))
    obj = worlds.full(entity)
    for _ in range(draw(st.integers(1, 4))):
        node = obj
        while True:
            key = draw(st.sampled_from(sorted(node)))
            below = node[key]
            if isinstance(below, list) and below and isinstance(below[0], dict):
                below = below[0]
            if not isinstance(below, dict) or not below or draw(st.booleans()):
                node[key] = draw(JSON)
                break
            node = below
    return entity, obj


@given(spoiled_objects())
@settings(max_examples=400, deadline=None)
def test_garbage_is_read_or_unreadable_and_nothing_else(spoiled: tuple[Entity, dict[str, Any]]):
    entity, obj = spoiled
    extractor = Extractor(entity)
    for attempt in (extractor.row, extractor.children, common):
        with suppress(Unreadable):
            attempt(obj)
    touched(entity, obj)


# -- what every object has --------------------------------------------------------------------------------------------


def test_common_values_are_read():
    assert common(worlds.sample("bills")) == (
        "00n02JZNIEYMNPY99iz9",
        False,
        datetime(2026, 12, 15, 23, 15, 23, tzinfo=UTC),
        datetime(2026, 12, 15, 23, 15, 23, tzinfo=UTC),
    )


def test_what_bill_does_not_send_is_none():
    assert common({"id": "stp1"}) == ("stp1", None, None, None)


@pytest.mark.parametrize("identity", [None, "", NO_ID, 7, {}, [], "a\x00b", "\ud800"])
def test_an_object_without_a_usable_id_is_unreadable(identity: Any):
    with pytest.raises(Unreadable) as caught:
        common({"id": identity})
    assert caught.value.column == "id"


def test_something_that_is_no_object_is_unreadable():
    with pytest.raises(Unreadable):
        common("bill")  # type: ignore[arg-type]


@pytest.mark.parametrize(("key", "column"), [("createdTime", "created_time"), ("updatedTime", "updated_time")])
def test_an_unreadable_common_time_is_named(key: str, column: str):
    with pytest.raises(Unreadable) as caught:
        common({"id": "stp1", key: "soon"})
    assert (caught.value.column, caught.value.place, caught.value.value) == (column, key, "'soon'")


# -- what else changed ------------------------------------------------------------------------------------------------


def test_a_payment_touches_its_bills_credits_and_vendor():
    payment = {
        "vendorId": "v",
        "billPayments": [
            {"billId": "b1", "vendorCredits": [{"id": "c1"}, {"id": "c2"}]},
            None,
            {"billId": "b2", "vendorCredits": None},
            "?",
        ],
    }
    assert touched(CATALOG["vendor_payments"], payment) == {
        ("vendors", "v"),
        ("bills", "b1"),
        ("bills", "b2"),
        ("vendor_credits", "c1"),
        ("vendor_credits", "c2"),
    }


def test_a_credit_touches_the_bills_it_was_used_on():
    credit = worlds.sample("vendor_credits")
    assert ("bills", credit["usage"][0]["billId"]) in touched(CATALOG["vendor_credits"], credit)


def test_shapes_that_name_nobody_touch_nobody():
    assert touched(CATALOG["vendor_payments"], {"billId": "", "vendorId": 7, "billPayments": {"billId": None}}) == set()
    assert touched(CATALOG["vendor_payments"], {"billId": NO_ID, "vendorId": {}}) == set()
