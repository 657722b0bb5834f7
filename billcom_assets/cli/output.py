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
from rich.text import Text

_WIDTH_OF_FILES = 80
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Document = Mapping[str, Any]


def _console(*, stderr: bool) -> Console:
    # No markup: what BILL sends may hold square brackets. No emoji for the same reason.
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
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


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    wrap: Collection[str] = (),
    whole: Collection[str] = (),
    optional: Collection[str] = (),
) -> Table:
    """A table for a terminal: numbers to the right and never cut, None as nothing; text ends with an ellipsis.

    Args:
        columns: The titles.
        rows: Values in the order of the columns.
        wrap: Columns whose long texts go on in the next line; the others stay on one.
        whole: Columns of text that is not cut either, because people copy it.
        optional: Columns that are left out when they hold nothing but zeros.
    """
    rows = list(rows)
    kept = [
        position
        for position, title in enumerate(columns)
        if title not in optional or any(row[position] for row in rows)
    ]
    made = Table(header_style="bold", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for position in kept:
        title = columns[position]
        is_number = any(_is_number(row[position]) for row in rows)
        is_time = any(isinstance(row[position], datetime) for row in rows)
        made.add_column(
            _one_line(title),
            justify="right" if is_number else "left",
            # The width of such a column is the last to be reduced.
            no_wrap=is_number or is_time or title in whole,
            overflow="fold" if title in wrap else "ellipsis",
        )
    for row in rows:
        cells = [(columns[position], shown(row[position])) for position in kept]
        made.add_row(*[text if title in wrap else _one_line(text) for title, text in cells])
    return made


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _one_line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def shown(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return clean(str(value))


def clean(text: str) -> str:
    """The text without characters that would steer a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def words(name: str) -> str:
    """The name of an entity or kind as people say it."""
    return name.replace("_", " ")
