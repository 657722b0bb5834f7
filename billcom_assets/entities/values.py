"""Reading one JSON value as what a column holds.

JSON is decoded with Decimals, so a number arrives as an int or a Decimal and a float is a mistake in our own code.
Every reader takes a value that is not null and returns the column's value, or None where BILL's empty string
stands for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billcom_assets.entities.model import ColumnType
from billcom_assets.redaction.errors import UserFacingError

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "": None}
# Beyond these no amount, quantity or rate makes sense, and writing the number out could fill the memory.
_MOST_DIGITS = 24
_FINEST_DIGIT = -100
LONGEST_NUMBER = 1_000
"""Characters; no database holds all the digits that a text can. JSON's own numbers are measured in the payload."""
_ZERO = Decimal(0)
_INTEGER_LIMIT = 2**63
_TIME_MARKS = ("", "T", "t", " ")
_LONGEST_PREVIEW = 80
LONGEST_ID = 200
"""Characters of an id; BILL's have 20 or 36, and an index of PostgreSQL's takes 2,704 bytes."""
NO_ID = "0" * 20
"""How v2 always, and v3 now and then, writes the id of nothing."""


class Unreadable(UserFacingError):
    """A value of BILL's that cannot be what its column holds.

    Attributes:
        table: Table the value was meant for.
        column: Column the value was meant for.
        place: Where in BILL's object it stands, for example ``billLineItems[2].amount``.
        value: What stood there, shortened; masked when the column is sensitive.
    """

    def __init__(self, table: str, column: str, place: str, value: Any, *, sensitive: bool = False) -> None:
        self.table = table
        self.column = column
        self.place = place
        self.value = "***" if sensitive else preview(value)
        super().__init__(f"{table}.{column} cannot hold {self.value}, which BILL sent at {place}")


def preview(value: Any) -> str:
    """A short description of a value for messages; contents of objects and lists are not shown."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    try:
        shown = repr(str(value)) if isinstance(value, str) else str(value)
    except ValueError:
        return "a number too long to show"
    shown = shown.encode("utf-8", "replace").decode()
    return shown if len(shown) <= _LONGEST_PREVIEW else f"{shown[:_LONGEST_PREVIEW]}..."


def clean(value: str) -> str:
    """Text that every database and encoding takes: without NUL characters and halves of surrogate pairs."""
    if value.isascii():
        return value.replace("\x00", "") if "\x00" in value else value
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def read_text(value: Any) -> str:
    """Text as BILL sent it; numbers and booleans as JSON writes them. Raises ValueError for objects and lists."""
    if isinstance(value, str):
        # Nearly every value passes here, so that the next call is saved where it would change nothing.
        return value if value.isascii() and "\x00" not in value else clean(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return format(read_number(value), "f")


def none_if_unset(value: Any) -> Any:
    """None for the ways BILL says "nothing" where an id belongs: twenty zeros, "", {} and null; otherwise ``value``."""
    return None if value in (NO_ID, "", None) or value == {} else value


def read_id(value: Any) -> str | None:
    """A text that names an object; None for the ways BILL says that there is none.

    Raises:
        ValueError: A list, an object that is not empty, or a text too long to be an id.
    """
    if none_if_unset(value) is None:
        return None
    identity = read_text(value)
    if len(identity) > LONGEST_ID:
        raise ValueError("too long for an id")
    return identity


def read_number(value: Any) -> Decimal | None:
    """The exact number.

    Raises:
        ValueError: No number, not finite, or out of all proportion.
        TypeError: A float, which has lost its exact value already.
    """
    if value == "":
        return None
    number: Decimal = value if type(value) is Decimal else _decimal(value)
    if not number:
        return _ZERO
    if not number.is_finite() or not _FINEST_DIGIT <= number.adjusted() < _MOST_DIGITS:
        raise ValueError("not a finite number of a sensible size")
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, float):
        raise TypeError("a float has no exact value: decode JSON with Decimals")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("not a number")
    if isinstance(value, str) and (len(value) > LONGEST_NUMBER or not _NUMBER.fullmatch(value)):
        raise ValueError("not a number")
    return Decimal(value)


def read_integer(value: Any) -> int | None:
    """The whole number; 30, 30.0 and "30" are the same. Raises ValueError when it is none or exceeds 64 bits."""
    number = read_number(value)
    if number is None:
        return None
    whole = int(number)
    if whole != number or not -_INTEGER_LIMIT <= whole < _INTEGER_LIMIT:
        raise ValueError("not a whole number of 64 bits")
    return whole


def read_boolean(value: Any) -> bool | None:
    """Yes or no. Raises ValueError for anything but true, false and their names."""
    if value is True or value is False:
        return bool(value)
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    raise ValueError("neither true nor false")


def read_timestamp(value: Any) -> datetime | None:
    """The instant in UTC; a time without a zone and a bare date are UTC. Raises ValueError for anything else."""
    moment = _moment(value)
    if moment is None or moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("before the first or after the last year") from None


def read_date(value: Any) -> date | None:
    """The calendar date, of a timestamp the one that is written. Raises ValueError for anything else."""
    moment = _moment(value)
    return None if moment is None else moment.date()


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        raise ValueError("not a date")
    if not value:
        return None
    # Python also reads ISO weeks and dates without dashes, which BILL never means.
    if value[7:8] != "-" or value[10:11] not in _TIME_MARKS:
        raise ValueError("not a date of the form yyyy-mm-dd")
    return datetime.fromisoformat(value)


def read_json(value: Any) -> Any:
    """Nested data as BILL sent it, its text cleaned. Raises ValueError for numbers that are not finite."""
    if value == "":
        return None
    try:
        return _cleaned(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_cleaned(element) for element in value]
    if isinstance(value, float | Decimal):
        return read_number(value)
    return value


READERS: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: read_text,
    ColumnType.MONEY: read_number,
    ColumnType.NUMBER: read_number,
    ColumnType.INTEGER: read_integer,
    ColumnType.BOOLEAN: read_boolean,
    ColumnType.DATE: read_date,
    ColumnType.TIMESTAMP: read_timestamp,
    ColumnType.JSON: read_json,
}
"""The reader of each column type."""
