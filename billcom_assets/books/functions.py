"""SQL functions that mean the same on both databases."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from billcom_assets.books.work import DIGEST, SQUEEZED

_FURTHER_WHITE_SPACE = r"\u001c-\u001f\u0085\u00a0\u2000-\u200a\u202f\u205f\u3000"
"""What Python takes for white space beyond what PostgreSQL does."""


class Digest(FunctionElement[str]):
    """SHA-256 of a text, in hexadecimal; in a posting run alone."""

    inherit_cache = True
    name = "digest"
    type = Text()


@compiles(Digest)
def _digest(element: Digest, compiler: SQLCompiler, **options: Any) -> str:
    return f"encode(sha256(convert_to({compiler.process(element.clauses, **options)}, 'UTF8')), 'hex')"


@compiles(Digest, "sqlite")
def _digest_on_sqlite(element: Digest, compiler: SQLCompiler, **options: Any) -> str:
    return f"{DIGEST}({compiler.process(element.clauses, **options)})"


class Squeezed(FunctionElement[str]):
    """A text without white space and with small letters alone; in a posting run alone."""

    inherit_cache = True
    name = "squeezed"
    type = Text()


@compiles(Squeezed)
def _squeezed(element: Squeezed, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"lower(regexp_replace({text}, '[\\s{_FURTHER_WHITE_SPACE}]', '', 'g'))"


@compiles(Squeezed, "sqlite")
def _squeezed_on_sqlite(element: Squeezed, compiler: SQLCompiler, **options: Any) -> str:
    return f"{SQUEEZED}({compiler.process(element.clauses, **options)})"


class Plain(FunctionElement[str]):
    """A number as text, equal numbers alike: 12.5 whether it was stored as 12.5 or 12.50."""

    inherit_cache = True
    name = "plain"
    type = Text()


@compiles(Plain)
def _plain(element: Plain, compiler: SQLCompiler, **options: Any) -> str:
    return f"trim_scale({compiler.process(element.clauses, **options)})::text"


@compiles(Plain, "sqlite")
def _plain_on_sqlite(element: Plain, compiler: SQLCompiler, **options: Any) -> str:
    number = compiler.process(element.clauses, **options)
    return f"CASE WHEN {number} IS NOT NULL THEN printf('%.15g', {number}) END"


def later(one: ColumnElement[Any], other: ColumnElement[Any] | date | None) -> ColumnElement[Any]:
    """The later of two days; the first where there is no other."""
    if other is None:
        return one
    return case((one < other, other), else_=one)


def text_of(*values: ColumnElement[Any]) -> ColumnElement[str]:
    """The values one behind the other, in a text that no other values have."""
    first, *others = (func.coalesce(value, "") for value in values)
    whole: ColumnElement[str] = first
    for value in others:
        whole = whole + "\x1f" + value
    return whole
