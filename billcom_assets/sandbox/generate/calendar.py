"""Days and instants of the history, as plain integers: generation handles hundreds of thousands of them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from random import Random

from billcom_assets.sandbox.clock import SECONDS_A_DAY

EPOCH_DAY = date(1970, 1, 1).toordinal()
FIRST_DAY = date(2023, 1, 2).toordinal()
LAST_DAY = date(2026, 6, 30).toordinal()
"""The history ends here; payments may be scheduled later."""
LAST_SECOND = (LAST_DAY - EPOCH_DAY + 1) * SECONDS_A_DAY - 1
MONTHS = 42
"""Months of the history."""
IMPORT_DAY = date(2023, 4, 3).toordinal()
"""The company moved to BILL: everything older was created on this day, many objects within one second."""
MASS_EDIT_SECOND = (date(2025, 3, 1).toordinal() - EPOCH_DAY) * SECONDS_A_DAY + 7_200
"""A reclassification touched many bills within this one second."""
_WORKDAY_OPENS = 8 * 3_600
_WORKDAY_SECONDS = 10 * 3_600
_IMPORT_SECONDS = 4


@lru_cache(maxsize=16_384)
def iso(day: int) -> str:
    """``yyyy-MM-dd`` of a day number."""
    return date.fromordinal(day).isoformat()


@lru_cache(maxsize=16_384)
def business_day(day: int) -> int:
    """The day itself, or the Monday after a weekend."""
    weekday = date.fromordinal(day).weekday()
    return day + (7 - weekday if weekday > 4 else 0)


def first_of_month(months: int) -> int:
    """The first day of the month that lies ``months`` after January 2023."""
    return date(2023 + months // 12, months % 12 + 1, 1).toordinal()


def next_month(day: int) -> int:
    """The first day of the month after that of a day."""
    first = date.fromordinal(day).replace(day=1)
    return (first + timedelta(days=32)).replace(day=1).toordinal()


def instant(day: int, rng: Random) -> int:
    """Some second of the working hours of a day, never after the end of the history."""
    if day <= IMPORT_DAY:
        return (IMPORT_DAY - EPOCH_DAY) * SECONDS_A_DAY + 6 * 3_600 + rng.randrange(_IMPORT_SECONDS)
    opened = (day - EPOCH_DAY) * SECONDS_A_DAY + _WORKDAY_OPENS
    return min(opened + int(rng.random() * _WORKDAY_SECONDS), LAST_SECOND)
