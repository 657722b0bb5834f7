"""``billcom documents``: the files attached in BILL, as far as they are kept."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click
from rich.console import Console
from sqlalchemy import RowMapping

from billcom_assets import private_files
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.options import key_argument
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.documents.files import DocumentFiles
from billcom_assets.documents.known import files, summary
from billcom_assets.environment import document_files
from billcom_assets.redaction.counted import counted, singular
from billcom_assets.redaction.personal import mask_personal_data
from billcom_assets.warehouse.known_integrations import keeps_documents, require_integration

_OPENED_AT_MOST = 10
_FIELDS = (
    *("entity", "record_id", "id", "name", "created_time", "status", "sha256", "size", "media_type"),
    *("stored_as", "problem", "tried_at", "listed_at"),
)


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom connect acme-us --documents",
        "billcom documents acme-us",
        "billcom documents acme-us --bill 00n01ABCDEFGHIJ1a2b3 --open",
    ),
)
@key_argument
@click.option("--bill", "record_id", metavar="ID", help="Only those of this bill, invoice or vendor credit of BILL's.")
@click.option("--open", "opens", is_flag=True, help="Open them with the programs of this machine.")
@pass_output
def documents(output: Output, /, *, key: str, record_id: str | None, opens: bool) -> None:
    """Shows the files attached to bills, invoices and vendor credits, and where their content is.

    They are kept only for an integration that was connected with --documents, and fetched at the end of its syncs.
    """
    if opens and record_id is None:
        raise click.UsageError("--open needs --bill: say whose files are to be opened.", click.get_current_context())
    warehouse, folder = opened(), document_files()
    with warehouse.read() as connection:
        require_integration(connection, key)
        wanted = keeps_documents(connection, key)
        found, known = files(connection, key, record_id), summary(connection, key)
    places = [_place(folder, one) for one in found]
    if opens:
        _open(folder, key, record_id, found)
    listed = [
        {name: one[name] for name in _FIELDS} | {"place": place} for one, place in zip(found, places, strict=True)
    ]
    document = {"integration": key, "kept": wanted, "folder": folder.shown, "summary": known, "files": listed}

    def render(console: Console) -> None:
        if not wanted:
            console.print(f"Files of {key} are not kept. To have them: billcom connect {key} --documents")
        if not found:
            console.print("There are none." if known.files_stored + known.files_waiting else "None was listed yet.")
            return
        columns = ("Attached to", "Id", "Name", "Kind", "Size", "Status", "Why not")
        console.print(table(columns, map(_row, found), whole=("Id",), wrap=("Why not",), optional=("Why not",)))
        for place in places if record_id is not None else ():
            if place is not None:
                console.print(place, soft_wrap=True)
        console.print(
            f"{counted(known.files_stored, 'file', 'files')} of {key} are kept in {folder.shown} "
            f"({known.bytes_stored:,} bytes), {known.files_waiting:,} wait, {known.files_failed:,} could not be had.",
            soft_wrap=True,
        )

    output.result(document, render)


def _place(folder: DocumentFiles, one: RowMapping) -> str | None:
    if one["stored_as"] is None:
        return None
    return folder.path(one["stored_as"]) if folder.is_local else str(one["stored_as"])


def _row(one: RowMapping) -> Sequence[Any]:
    attached_to, name = singular(one["entity"].replace("_", " ")), mask_personal_data(one["name"])
    return attached_to, one["record_id"], name, one["media_type"], one["size"], one["status"], one["problem"]


def _open(folder: DocumentFiles, key: str, record_id: str | None, found: Sequence[RowMapping]) -> None:
    """Opens what is kept, with the programs that the machine has for what the content is."""
    kept = [one for one in found if one["status"] == "stored"]
    if not kept:
        raise CommandFailed(
            f"{key}: no file of {record_id} is kept. See: billcom documents {key}", ExitCode.FAILED, integration=key
        )
    for one in kept[:_OPENED_AT_MOST]:
        place = folder.path(one["stored_as"]) if folder.is_local else str(_fetched(folder, one["stored_as"]))
        if not Path(place).exists():
            raise CommandFailed(
                f"{key}: {place} is not there any more. Set BILLCOM_DOCUMENTS_DIR to where the files were moved.",
                ExitCode.FAILED,
                integration=key,
            )
        # Elsewhere waiting would be for the program that shows it.
        if click.launch(place, wait=sys.platform.startswith("linux")) != 0:
            raise CommandFailed(
                f"No program of this machine opens {place}. Open it yourself.", ExitCode.FAILED, integration=key
            )


def _fetched(folder: DocumentFiles, stored_as: str) -> Path:
    """A copy on this machine, for its owner alone; the machine deletes it as it does all temporary files."""
    path = Path(tempfile.mkdtemp(prefix="billcom-")) / PurePosixPath(stored_as).name
    private_files.make_file(path)
    with folder.opened(stored_as) as content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
    return path
