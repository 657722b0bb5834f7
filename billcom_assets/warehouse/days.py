"""Days as both databases count them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def today() -> ColumnElement[date]:
    """The day on which the query runs: of the session's time zone on PostgreSQL, of UTC on SQLite."""
    return literal_column("CURRENT_DATE", Date)


class DaysBetween(FunctionElement[int]):
    """How many days the first date is after the second; negative when it is before; null when one is null."""

    inherit_cache = True
    name = "days_between"
    type = Integer()

    def __init__(self, later: ColumnElement[Any], earlier: ColumnElement[Any]) -> None:
        super().__init__(later, earlier)


@compiles(DaysBetween)
def _of_dates(element: DaysBetween, compiler: SQLCompiler, **options: Any) -> str:
    later, earlier = (compiler.process(one, **options) for one in element.clauses)
    return f"(CAST({later} AS DATE) - CAST({earlier} AS DATE))"


@compiles(DaysBetween, "sqlite")
def _of_julian_days(element: DaysBetween, compiler: SQLCompiler, **options: Any) -> str:
    later, earlier = (compiler.process(one, **options) for one in element.clauses)
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"
