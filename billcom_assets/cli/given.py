"""Credentials as a user gives them: written out, named by an environment variable, or typed unseen."""

from __future__ import annotations

import os
import sys

import click

PROMPT = "-"
ENVIRONMENT_PREFIX = "env:"
DEV_KEY_VARIABLE = "BILLCOM_DEV_KEY"
"""Holds the developer key of integrations for which none is given."""


def is_written_out(value: str) -> bool:
    """Whether the credential itself stands on the command line."""
    return value.strip() != PROMPT and not value.strip().startswith(ENVIRONMENT_PREFIX)


def dev_key(value: str | None) -> str | None:
    """The developer key as given, else ``env:BILLCOM_DEV_KEY`` where that is set: read when needed, never stored."""
    if value is None and os.environ.get(DEV_KEY_VARIABLE, "").strip():
        return f"{ENVIRONMENT_PREFIX}{DEV_KEY_VARIABLE}"
    return value


def to_store(value: str, what: str) -> str:
    """The value to store: ``-`` asks for it, hidden; anything else, ``env:NAME`` too, stays as it is.

    With standard input piped rather than typed, one line of it is taken for each ``-``.
    """
    if value.strip() != PROMPT:
        return value
    if is_typing():
        return ask(what, hidden=True)
    return _literal(sys.stdin.readline(), what)


def is_typing() -> bool:
    """Whether somebody at a terminal can be asked."""
    return sys.stdin.isatty()


def ask(what: str, *, hidden: bool, default: str | None = None) -> str:
    """Asks whoever is at the terminal; an empty line takes the default, if there is one."""
    typed: str = click.prompt(what[0].upper() + what[1:], hide_input=hidden, default=default, err=True)
    return _literal(typed, what)


def read_now(value: str, what: str) -> str:
    """The value itself, for what is no secret: ``env:NAME`` is read at once."""
    text = to_store(value, what).strip()
    if not text.startswith(ENVIRONMENT_PREFIX):
        return text
    variable = text.removeprefix(ENVIRONMENT_PREFIX).strip()
    found = os.environ.get(variable, "").strip()
    if not found:
        raise click.UsageError(f"The environment variable {variable}, which should hold the {what}, is not set.")
    return found


def _literal(typed: str, what: str) -> str:
    text = typed.strip()
    if not text:
        raise click.UsageError(f"No {what} was given: - wants it typed, or one line of standard input.")
    if text.startswith(ENVIRONMENT_PREFIX):
        raise click.UsageError(f"The {what} begins with {ENVIRONMENT_PREFIX}; give env:NAME as the option itself.")
    return text
