"""Sums of money that are exact to the cent on every database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from billcom_assets.warehouse.types import Exact


class MoneySum(FunctionElement[Decimal]):
    """SUM of a column of money, or of an expression of such columns.

    PostgreSQL's NUMERIC is exact. SQLite adds floating-point numbers, so the cents are added as integers, and only
    their sum becomes a number with decimals: exact below 90 trillion.
    """

    inherit_cache = True
    name = "sum"
    type = Exact(money=True)

    def __init__(self, amount: ColumnElement[Any]) -> None:
        super().__init__(amount)


@compiles(MoneySum)
def _of_amounts(element: MoneySum, compiler: SQLCompiler, **options: Any) -> str:
    return f"sum({compiler.process(element.clauses, **options)})"


@compiles(MoneySum, "sqlite")
def _of_cents(element: MoneySum, compiler: SQLCompiler, **options: Any) -> str:
    amount = compiler.process(element.clauses, **options)
    return f"(SUM(CAST(ROUND(100 * ({amount})) AS INTEGER)) / 100.0)"
