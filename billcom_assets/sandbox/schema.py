"""What a request body must look like, declared as data: read as a whole, every problem named, before anything changes.

A reader takes a JSON value and returns it in the form the books work with; what is wrong with it goes to the problems,
with its JSON path. Fields that nobody declared are ignored, as BILL ignores them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import invalid

Reader = Callable[[Any, str, list[str]], Any]
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_DECIMALS = 8


def read_body(reader: Reader, content: Any) -> Any:
    """The content of a body as its reader returns it.

    Raises:
        Refusal: 400; one message for each problem.
    """
    problems: list[str] = []
    value = reader(content, "", problems)
    if problems:
        raise invalid(*problems)
    return value


def text(longest: int = 4_000, *, or_number: bool = False) -> Reader:
    """A string of limited length; with ``or_number`` a whole number is taken for its digits."""

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if or_number and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            problems.append(f"{path}: must be a string")
        elif len(value) > longest:
            problems.append(f"{path}: size must be between 0 and {longest}")
        return value

    return read


def reference(value: Any, path: str, problems: list[str]) -> Any:
    """An object id; an empty one is none."""
    return text(40)(value, path, problems) or None


def one_of(*names: str) -> Reader:
    """One of the values of an enum."""

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, str) or value not in names:
            problems.append(f"{path}: must be one of {', '.join(names)}")
        return value

    return read


def flag(value: Any, path: str, problems: list[str]) -> Any:
    """True or false."""
    if not isinstance(value, bool):
        problems.append(f"{path}: must be true or false")
    return value


def day(value: Any, path: str, problems: list[str]) -> Any:
    """A calendar date."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        problems.append(f"{path}: must be a date")
        return value


def number(digits: int) -> Reader:
    """A number with at most so many digits before the point; as a string too, which BILL accepts."""

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            problems.append(f"{path}: must be a number")
            return value
        exact = Decimal(value)
        exponent = exact.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -_DECIMALS or abs(exact) >= 10**digits:
            problems.append(f"{path}: numeric value out of bounds (<{digits} digits>.<{_DECIMALS} digits> expected)")
        return exact

    return read


def array(element: Reader, most: int = 10_000) -> Reader:
    """A list with at least one element."""

    def read(value: Any, path: str, problems: list[str]) -> Any:
        if not isinstance(value, list):
            problems.append(_wrong_type(path, "an array"))
            return value
        if not 1 <= len(value) <= most:
            problems.append(f"{path or 'body'}: size must be between 1 and {most}")
        return [element(one, f"{path}[{position}]", problems) for position, one in enumerate(value[:most])]

    return read


class Record:
    """An object; a null is no value.

    Args:
        required: Names of the fields that must be there.
        fields: Each field with its reader.
    """

    def __init__(self, required: str = "", /, **fields: Reader) -> None:
        self.required = tuple(required.split())
        self.fields = fields

    def __call__(self, value: Any, path: str, problems: list[str]) -> Any:
        """Read an object: of what was sent, the declared fields."""
        if not isinstance(value, dict):
            problems.append(_wrong_type(path, "an object"))
            return value
        prefix = f"{path}." if path else ""
        problems += [f"{prefix}{name}: must not be null" for name in self.missing(value)]
        problems += [f"{prefix}{name}: must not be blank" for name in self.required if value.get(name) == ""]
        read: Doc = {
            name: reader(value[name], f"{prefix}{name}", problems)
            for name, reader in self.fields.items()
            if value.get(name) is not None
        }
        return self.with_nulls(read, value)

    def missing(self, value: Doc) -> list[str]:
        """Names of the fields that are not there and must be."""
        return [name for name in self.required if value.get(name) is None]

    def with_nulls(self, read: Doc, value: Doc) -> Doc:  # noqa: ARG002 - what was sent as null is absent
        """The fields that count."""
        return {name: held for name, held in read.items() if held is not None}


class Changes(Record):
    """The same object in an update: nothing must be there, and null removes a field that is not required.

    Args:
        body: The object when it is created.
        always: Names of fields that an update must have.
        lasting: Names of further fields that null cannot remove.
        fields: Fields that an update reads otherwise.
    """

    def __init__(self, body: Record, *, always: str = "", lasting: str = "", **fields: Reader) -> None:
        super().__init__(" ".join((*body.required, lasting)), **(body.fields | fields))
        self.always = always.split()

    def missing(self, value: Doc) -> list[str]:
        """Names of the fields that are not there and must be, or are null and must not."""
        absent = [name for name in self.always if name not in value]
        return absent + [name for name in super().missing(value) if name in value]

    def with_nulls(self, read: Doc, value: Doc) -> Doc:
        """The fields that change, None where one is removed."""
        return read | {name: None for name in self.fields if name in value and value[name] is None}


def _wrong_type(path: str, expected: str) -> str:
    return f"{path}: must be {expected}" if path else f"Cannot construct instance of RequestDto: expected {expected}"
