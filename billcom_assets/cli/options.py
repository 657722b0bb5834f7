"""Kinds of values that several commands take."""

from __future__ import annotations

import getpass
import re
from datetime import date
from typing import Any

import click

NONE = "none"
"""Clears a setting."""
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # Python would also take 20250131 and 2025-W05-5.


class Day(click.ParamType[date | str]):
    """A date such as 2025-01-31, or ``none``; gives a date, or the text ``none``."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | str:
        """The date; ends the command with exit code 2 when it is none."""
        if isinstance(value, date):
            return value
        text = str(value).strip()
        if text.lower() == NONE:
            return NONE
        try:
            if not _PLAIN.fullmatch(text):
                raise ValueError(text)
            return date.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is not a date. Write it as 2025-01-31, or none to clear it.", param, ctx)


key_argument = click.argument("key", metavar="KEY")


def current_user() -> str:
    """The operating system's name of whoever runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run as a user that has no name.
        return "unknown"
