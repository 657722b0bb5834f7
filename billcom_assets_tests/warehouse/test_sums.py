"""Money adds up to the cent, on SQLite too."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Column, MetaData, Table, select, text

from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.types import Exact
from billcom_assets_tests.small_company import KEY, Books

RECIPE = "sum(cast(round(100 * {}) AS bigint)) / 100.0"
"""What the README gives to analysts."""


def numbers(warehouse: Warehouse, count: int) -> str:
    """A query of the numbers from 1 on."""
    if warehouse.engine.dialect.name == "postgresql":
        return f"SELECT generate_series(1, {count}) AS n"
    return f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c"


def test_a_million_amounts_add_up_to_the_cent(warehouse: Warehouse) -> None:
    amounts = Table("amounts", MetaData(), Column("amount", Exact(money=True)), prefixes=["TEMPORARY"])
    million = numbers(warehouse, 1_000_000)
    made = f"INSERT INTO amounts SELECT round(cast(n % 99991 + 0.01 AS numeric), 2) FROM ({million}) AS million"
    wanted = sum(Decimal(n % 99_991) + Decimal("0.01") for n in range(1, 1_000_001))
    with warehouse.write() as connection:
        amounts.create(connection)
        connection.execute(text(made))
        plain = connection.scalar(text("SELECT sum(amount) FROM amounts"))
        assert connection.scalar(select(MoneySum(amounts.c.amount))) == wanted
        assert Decimal(str(connection.scalar(text(f"SELECT {RECIPE.format('amount')} FROM amounts")))) == wanted
    assert (Decimal(str(plain)) == wanted) is (warehouse.engine.dialect.name == "postgresql")


def test_views_show_sums_to_the_cent(warehouse: Warehouse) -> None:
    place = warehouse.qualified("bills")
    with warehouse.write() as connection:
        books = Books(connection)
        books.bill("vendors", "009x", name="A vendor")
        books.bill("bills", "00n0", vendor_id="009x", due_amount=Decimal("0.10"))
        bill = connection.execute(text(f"SELECT * FROM {place}")).mappings().one()
        listed = ", ".join(name for name in bill if name != "id")
        copies = numbers(warehouse, 9_999)
        connection.execute(
            text(f"INSERT INTO {place} (id, {listed}) SELECT 'x' || n, {listed} FROM {place}, ({copies}) AS copies")
        )
        (shown,) = connection.execute(text(f"SELECT total, not_due FROM {warehouse.qualified('ap_aging')}"))
    assert [str(one) for one in shown] in (["1000.0"] * 2, ["1000.00"] * 2)


@pytest.mark.parametrize("amount", ["0.01", "0.10", "-5461.09", "9999999999999.99"])
def test_a_single_amount_is_its_own_sum(amount: str, warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        Books(connection).bill("bills", "00n0", due_amount=Decimal(amount))
        t = catalog_mirror().table("bills").c
        assert connection.scalar(select(MoneySum(t.due_amount)).where(t.integration == KEY)) == Decimal(amount)
        assert str(connection.scalar(select(MoneySum(t.due_amount)))) == amount


def test_the_sum_of_nothing_is_null(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        assert connection.scalar(select(MoneySum(catalog_mirror().table("bills").c.due_amount))) is None
