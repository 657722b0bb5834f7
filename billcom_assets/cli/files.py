"""Writing an export to a file, or showing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billcom_assets import private_files
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.output import Output
from billcom_assets.environment import is_needed
from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets.warehouse.engine import Warehouse

_NO_FILE = frozenset({"", "-", "/dev/stdout", "/dev/stderr"})


def output_options(command: Any) -> Any:
    """Where an export goes: ``--output`` as ``path``, and ``--force``."""
    for option in (
        click.option("--force", is_flag=True, help="Write over a file that is there already."),
        click.option("--output", "path", metavar="FILE", help="Write to this new file instead of showing it."),
    ):
        command = option(command)
    return command


def written(
    output: Output,
    warehouse: Warehouse,
    text: str,
    path: str | None,
    document: dict[str, Any],
    *,
    what: str,
    force: bool,
) -> None:
    """Shows the text itself, or where it was written.

    Args:
        output: Where the result goes.
        warehouse: The database that the text comes from; nothing is written over what belongs to it.
        text: CSV.
        path: File to write, in the form that spreadsheets open, for its owner alone; None shows the text.
        document: What else belongs into the JSON document.
        what: What the text holds, for the sentence that says where it is.
        force: Whether a file that is there already is written over.

    Raises:
        CommandFailed: the file cannot or must not be written; what was there is as it was.
    """
    if path is None:
        output.result({**document, "csv": text}, lambda _console: click.echo(text, nl=False))
        return
    save(warehouse, path, text.encode(ENCODING), force=force)
    output.result(
        {**document, "file": path}, lambda console: console.print(f"{what} written to {path}.", soft_wrap=True)
    )


def save(warehouse: Warehouse, path: str, content: private_files.Content, *, force: bool) -> None:
    """Writes a file for its owner alone: it appears complete or not at all.

    Args:
        warehouse: The database that the content comes from; nothing is written over what belongs to it.
        path: The file.
        content: What it is to hold.
        force: Whether a file that is there already is written over.

    Raises:
        CommandFailed: the file cannot or must not be written; what was there is as it was.
    """
    write = private_files.replace if force else private_files.create
    try:
        if refusal := _refusal(path, Path(path), warehouse):
            raise CommandFailed(refusal, ExitCode.WRONG_USE)
        write(Path(path), content)
    except FileExistsError:
        raise CommandFailed(
            f"{path} is there already and was left as it is. Give another name, or --force to write over it.",
            ExitCode.WRONG_USE,
        ) from None
    except OSError as error:
        raise CommandFailed(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that you may write to.",
            ExitCode.WRONG_USE,
        ) from None


def _refusal(path: str, file: Path, warehouse: Warehouse) -> str | None:
    """Why nothing may be written there, and what to do instead; None when there is no reason.

    Looked at before anything is written, for the words; what holds is that writing never follows a link.
    """
    reasons = (
        (path in _NO_FILE, "it is no file. Leave --output out to have it on standard output"),
        (file.is_symlink(), "it is a symbolic link, which is not followed. Name the file itself"),
        (file.is_dir(), f"it is a folder. Name a file in it, such as {file / 'export.csv'}"),
        (
            file.exists() and not file.is_file(),
            "it is a device or a pipe. Leave --output out to have it on standard output",
        ),
        (not file.parent.is_dir(), f"there is no folder {file.parent}. Make it first, or name a file elsewhere"),
        (is_needed(file, warehouse.engine.url), "this program or Dagster needs it. Give another name"),
    )
    reason = next((reason for applies, reason in reasons if applies), None)
    return None if reason is None else f"{path or 'An empty name'} cannot be written: {reason}."
