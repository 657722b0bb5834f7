"""How each file of an import was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from billcom_assets.ledger.account_typing import TypesFound
from billcom_assets.ledger.encodings import NAMES
from billcom_assets.ledger.tables import Column, CsvTable, LeftOut
from billcom_assets.redaction.display import one_line

NO_PROGRAM = "no particular program"
_SHOWN = 10
_UTF_8 = "UTF-8"


@dataclass(frozen=True, slots=True)
class FileReport:
    """How one file was read."""

    kind: str
    file: str
    """Its name without the folder."""
    program: str | None
    """The accounting program that it was recognised to come from."""
    encoding: str
    columns: tuple[Column, ...]
    ignored: tuple[str, ...]
    """Headers of the columns that were not read."""
    left_out: tuple[LeftOut, ...]
    """Lines that are no records."""
    types: TypesFound | None = None
    """Where the types of accounts are from."""

    def lines(self) -> list[str]:
        """The report for people, one line for each fact."""
        encoding = "" if self.encoding == _UTF_8 else f", read as {self.encoding}"
        said = [f"{self.file} ({self.kind}): recognised: {self.program or NO_PROGRAM}{encoding}"]
        said.append("  Columns read: " + ", ".join(f"{column.header} -> {column.field}" for column in self.columns))
        if self.ignored:
            said.append("  Columns ignored: " + ", ".join(self.ignored))
        if self.left_out:
            shown = [f"line {one.line} ({one.text})" for one in self.left_out[:_SHOWN]]
            more = f" and {len(self.left_out) - _SHOWN:,} more" if len(self.left_out) > _SHOWN else ""
            said.append(f"  No records of this list: {', '.join(shown)}{more}")
        if self.types is not None:
            said.append(f"  Account types: {self.types}")
        return said


def file_report(kind: str, table: CsvTable, types: TypesFound | None = None) -> FileReport:
    """The report on a file that was read."""
    return FileReport(
        kind=kind,
        file=one_line(Path(table.file).name),
        program=table.layout.program,
        encoding=NAMES[table.codec],
        columns=table.columns,
        ignored=table.ignored,
        left_out=table.left_out,
        types=types,
    )
