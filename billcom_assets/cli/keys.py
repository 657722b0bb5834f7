"""``billcom keys``: the key that seals credentials and sessions."""

from __future__ import annotations

from dataclasses import asdict
from textwrap import indent

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed
from billcom_assets.cli.options import acting, as_option
from billcom_assets.cli.output import Output, pass_output
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse.key_rotation import Rotation, rotate
from billcom_assets.warehouse.keys import make_key

_PROCEDURE = """export BILLCOM_SECRET_KEY_OLD="$BILLCOM_SECRET_KEY"
export BILLCOM_SECRET_KEY="$(billcom keys make)"     # keep it safe, apart from the database
billcom keys rotate
# set the new key where the webserver and the daemon run, and restart them
unset BILLCOM_SECRET_KEY_OLD                         # backups made before still need the old key"""


@click.group(cls=BillcomGroup, epilog="\b\nTo change the key:\n" + indent(_PROCEDURE, "  "))
def keys() -> None:
    """Makes the key that seals credentials and sessions, or changes it."""


@keys.command(examples=('export BILLCOM_SECRET_KEY="$(billcom keys make)"',))
@pass_output
def make(output: Output) -> None:
    """Prints a new random key for BILLCOM_SECRET_KEY. Nothing is stored."""
    key = make_key()
    output.result({"key": key}, lambda console: console.print(key, soft_wrap=True))


@keys.command("rotate", examples=(_PROCEDURE,))
@as_option
@pass_output
def rotate_(output: Output, as_name: str | None) -> None:
    """Seals all stored credentials and sessions with a new key.

    The new key is BILLCOM_SECRET_KEY, the one until now BILLCOM_SECRET_KEY_OLD. On SQLite without these variables a
    new key file is made, and takes the place of the old one at the end.

    Either everything changes or nothing. If it is interrupted, run it again: it goes on where it was. Until the
    webserver and the daemon have the new key, their runs say that the credentials are sealed with another key, and
    send nothing. Credentials that cannot be opened with either key are named and left as they are.
    """
    rotation = rotate(opened(), acting(as_name))
    if rotation.refused:
        reasons = "\n".join(f"  - {reason}" for reason in rotation.refused.values())
        raise CommandFailed(f"{_summary(rotation)} These could not be changed:\n{reasons}", **asdict(rotation))

    def render(console: Console) -> None:
        console.print(_summary(rotation), soft_wrap=True)
        console.print(
            "Next: give the webserver and the daemon the new key and restart them, if they take it from "
            "BILLCOM_SECRET_KEY; then remove BILLCOM_SECRET_KEY_OLD.",
            soft_wrap=True,
        )

    output.result(asdict(rotation), render)


def _summary(rotation: Rotation) -> str:
    parts = [
        f"{counted(rotation.resealed, 'sealed value is', 'sealed values are')} now under the key {rotation.key_id}."
    ]
    if rotation.already:
        parts.append(f"{counted(rotation.already, 'was', 'were')} before.")
    if rotation.dropped_sessions:
        parts.append(
            f"{counted(rotation.dropped_sessions, 'session', 'sessions')} could not be opened; the next run signs in."
        )
    return " ".join(parts)
