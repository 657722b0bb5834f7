"""What a command prints: tables and sentences for people, or one JSON document for scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

_WIDTH_OF_FILES = 160
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Document = Mapping[str, Any]


def _console(*, stderr: bool) -> Console:
    # No markup: what BILL sends may hold square brackets. No emoji for the same reason.
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        # Somebody reads it from a file or pipe later: what is cut off there is gone.
        console.width = max(console.width, _WIDTH_OF_FILES)
    return console


@dataclass
class Output:
    """Where a command's result goes; every command gets it as click's object."""

    as_json: bool = False
    debug: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False), repr=False)
    """For the result."""
    err: Console = field(default_factory=lambda: _console(stderr=True), repr=False)
    """For progress, notes and errors."""

    def result(self, document: Document, render: Callable[[Console], None]) -> None:
        """The command's result: the document with ``--json``, else what ``render`` prints."""
        if self.as_json:
            click.echo(to_json({"ok": True, **document}))
        else:
            render(self.out)

    def warn(self, text: str) -> None:
        """What people should know for their safety; on standard error, with ``--json`` too."""
        label = click.style("Warning:", fg="yellow", bold=True)
        click.echo(f"{label} {clean(text)}", err=True)

    def note(self, text: str) -> None:
        """A line for people that is not part of the result."""
        if not self.as_json:
            self.err.print(clean(text), soft_wrap=True)


pass_output = click.make_pass_decorator(Output, ensure=True)


def to_json(document: Document) -> str:
    """The document as readable JSON; amounts as text, times in ISO 8601."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, wrap: Collection[str] = ()) -> Table:
    """A table for a terminal: numbers to the right, None as nothing.

    Args:
        columns: The titles.
        rows: Values in the order of the columns.
        wrap: Columns whose long texts go on in the next line; the others stay on one.
    """
    rows = list(rows)
    made = Table(header_style="bold", box=None)
    for position, title in enumerate(columns):
        is_number = any(isinstance(row[position], int) and not isinstance(row[position], bool) for row in rows)
        made.add_column(
            title,
            justify="right" if is_number else "left",
            no_wrap=title not in wrap,
            overflow="fold" if title in wrap else "ellipsis",
        )
    for row in rows:
        made.add_row(*map(shown, row))
    return made


def shown(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return clean(str(value))


def clean(text: str) -> str:
    """The text without characters that would steer a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def words(name: str) -> str:
    """The name of an entity or kind as people say it."""
    return name.replace("_", " ")
