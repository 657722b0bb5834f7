"""Kinds of values that several commands take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import click

from billcom_assets.redaction.close_matches import quoted
from billcom_assets.redaction.display import one_line
from billcom_assets.setup.connecting import NONE
from billcom_assets.warehouse.audit import Actor, How

_LONGEST_NAME = 100
SETTING_EXAMPLE = "closed_through=2025-12-31"
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # Python would also take 20250131 and 2025-W05-5.


class Day(click.ParamType[date | str]):
    """A date such as 2025-01-31, or where that clears a setting ``none``, which stays that text."""

    name = "date"

    def __init__(self, *, or_none: bool = False) -> None:
        self.or_none = or_none

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | str:
        """The date; ends the command with exit code 2 when it is none."""
        if isinstance(value, date):
            return value
        text = str(value).strip()
        if self.or_none and text.lower() == NONE:
            return NONE
        try:
            if not _PLAIN.fullmatch(text):
                raise ValueError(text)
            return date.fromisoformat(text)
        except ValueError:
            clear = f", or {NONE} to clear it" if self.or_none else ""
            self.fail(f"{text!r} is not a date. Write it as 2025-01-31{clear}.", param, ctx)


key_argument = click.argument("key", metavar="KEY")


class _Name(click.ParamType[str]):
    """A name on one line."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; ends the command with exit code 2 when there is none."""
        text = one_line(str(value), limit=_LONGEST_NAME)
        return text or self.fail(
            "a name is missing; leave the option out to be recorded as the system's user.", param, ctx
        )


as_option = click.option(
    "--as",
    "as_name",
    type=_Name(),
    metavar="NAME",
    help="Your name for the audit log, beside that of the operating system's user; for users that several share.",
)
"""What every command takes that decides something."""


def acting(as_name: str | None = None, how: How = How.COMMAND) -> Actor:
    """Whoever runs the command, for the audit log."""
    return Actor.of_process(how, as_name)


def assigned(assignments: Sequence[str]) -> dict[str, str]:
    """Values by setting, as they were typed."""
    found: dict[str, str] = {}
    for one in assignments:
        name, equals, value = one.partition("=")
        name = name.strip()
        if not equals:
            raise click.UsageError(f"{quoted(one)} sets nothing. Write NAME=VALUE, such as {SETTING_EXAMPLE}.")
        if name in found:
            raise click.UsageError(f"{quoted(name)} is set twice.")
        found[name] = value
    return found
