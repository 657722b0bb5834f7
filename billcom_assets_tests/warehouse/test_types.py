"""What goes into the database comes out as it was: amounts to the cent, instants in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from sqlalchemy import Column, MetaData, Table, Text, func, select
from sqlalchemy.exc import StatementError

from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.types import Exact, Json, UtcTimestamp

# SQLite keeps fifteen digits: amounts below ten trillion.
AMOUNTS = some.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False)
RATES = some.decimals(min_value=-(10**6), max_value=10**6, places=8, allow_nan=False)
_TABLE = Table(
    "probes",
    MetaData(schema="billcom"),
    Column("id", Text, primary_key=True),
    Column("money", Exact(money=True)),
    Column("rate", Exact),
    Column("moment", UtcTimestamp),
    Column("data", Json),
)
_MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def probes(warehouse: Warehouse) -> Warehouse:
    with warehouse.write() as connection:
        _TABLE.create(connection)
    return warehouse


def store(warehouse: Warehouse, rows: list[dict[str, object]]) -> None:
    with warehouse.write() as connection:
        connection.execute(_TABLE.delete())
        connection.execute(_TABLE.insert(), [{"id": str(place), **row} for place, row in enumerate(rows)])


def read(warehouse: Warehouse, column: str) -> list[object]:
    with warehouse.read() as connection:
        rows = {row.id: getattr(row, column) for row in connection.execute(select(_TABLE))}
    return [rows[str(place)] for place in range(len(rows))]


@_MANY
@given(amounts=some.lists(AMOUNTS, min_size=1, max_size=40))
def test_amounts_arrive_as_they_left_and_sum_to_the_cent(probes: Warehouse, amounts: list[Decimal]) -> None:
    store(probes, [{"money": one} for one in amounts])
    found = read(probes, "money")
    assert found == amounts
    assert all(isinstance(one, Decimal) and one.as_tuple().exponent == -2 for one in found)
    with probes.read() as connection:
        total = connection.scalar(select(func.sum(_TABLE.c.money)))
    assert isinstance(total, Decimal)
    if abs(sum(amounts)) < 10**13:
        assert total.quantize(Decimal("0.01")) == sum(amounts)


@_MANY
@given(rates=some.lists(RATES, min_size=1, max_size=20))
@example(rates=[Decimal("0.00000491")])  # of which SQLite makes 4.9100000000000004e-06
def test_rates_and_quantities_keep_every_digit(probes: Warehouse, rates: list[Decimal]) -> None:
    store(probes, [{"rate": one} for one in rates])
    assert read(probes, "rate") == rates


def test_amounts_compare_as_numbers(probes: Warehouse) -> None:
    store(probes, [{"money": Decimal(text)} for text in ("9.99", "10.00", "-3.50", "100.10")])
    with probes.read() as connection:
        query = select(_TABLE.c.money).where(_TABLE.c.money > Decimal("9.99")).order_by(_TABLE.c.money)
        assert list(connection.scalars(query)) == [Decimal("10.00"), Decimal("100.10")]


@_MANY
@given(
    moment=some.datetimes(
        min_value=datetime(1900, 1, 2),  # noqa: DTZ001 - hypothesis wants naive bounds
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=some.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))]),
    )
)
def test_instants_come_back_equal_and_in_utc(probes: Warehouse, moment: datetime) -> None:
    store(probes, [{"moment": moment}])
    (found,) = read(probes, "moment")
    assert found == moment
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta()


def test_a_time_without_a_zone_is_refused(probes: Warehouse) -> None:
    with pytest.raises(StatementError, match="time zone"):
        store(probes, [{"moment": datetime(2026, 5, 1, 12)}])  # noqa: DTZ001 - the point


def test_json_reads_back_with_exact_numbers(probes: Warehouse) -> None:
    store(probes, [{"data": '{"rate": 1.10, "none": null, "list": [1, 12345678901.23]}'}])
    (found,) = read(probes, "data")
    assert found == {"rate": Decimal("1.1"), "none": None, "list": [1, Decimal("12345678901.23")]}
