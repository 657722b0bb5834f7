"""Writing a CSV text to a file, or showing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.output import Output
from billcom_assets.ledger.spreadsheets import ENCODING


def written(output: Output, text: str, path: str | None, document: dict[str, Any], *, what: str) -> None:
    """Answers with the text itself, or with where it was written.

    Args:
        output: Where the answer goes.
        text: CSV.
        path: File to write, in the form that spreadsheets open; None shows the text.
        document: What else belongs into the JSON document.
        what: What the text holds, for the sentence that says where it is.
    """
    if path is None:
        output.answer({**document, "csv": text}, lambda _console: click.echo(text, nl=False))
        return
    try:
        Path(path).write_text(text, encoding=ENCODING, newline="")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.", ExitCode.WRONG_USE) from None
    output.answer(
        {**document, "file": path}, lambda console: console.print(f"{what} written to {path}.", soft_wrap=True)
    )
