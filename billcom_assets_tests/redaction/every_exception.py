"""Every kind of exception that may come up where rows and credentials are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
import sqlalchemy.exc

import billcom_assets.bill
import billcom_assets.sync
import billcom_assets.warehouse


def exceptions_of(package: Any) -> Iterator[type[BaseException]]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "migrations" in found.name:
            continue
        for one in vars(importlib.import_module(found.name)).values():
            if inspect.isclass(one) and issubclass(one, BaseException):
                yield one


def all_below(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_below(below)


OURS = [
    *exceptions_of(billcom_assets.bill),
    *exceptions_of(billcom_assets.sync),
    *exceptions_of(billcom_assets.warehouse),
]
THEIRS = [*all_below(sqlalchemy.exc.SQLAlchemyError), *all_below(psycopg.Error), *all_below(sqlite3.Error)]
PYTHONS = [OSError, ValueError, KeyError, RuntimeError, UnicodeDecodeError, AssertionError]
EVERY_KIND = sorted({*OURS, *THEIRS, *PYTHONS}, key=lambda kind: (kind.__module__, kind.__qualname__))


def made(kind: type[BaseException], value: str) -> BaseException:
    """An exception with the value wherever its constructor takes any, else with the value as its text."""
    try:
        parameters = inspect.signature(kind).parameters.values()
        needed = [one for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
        error = kind(*[value] * max(1, len(needed)))
    except Exception:  # noqa: BLE001 - whatever it wants
        error = kind.__new__(kind)
        error.args = (value,)
    return error
