"""Files of text as a user gives them: bounded, and in an encoding that is known."""

from __future__ import annotations

import codecs
import hashlib
import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from billcom_assets.ledger.encodings import NotText, encoding_of
from billcom_assets.ledger.problems import FileProblems

MAX_BYTES = 50 * 1024 * 1024
_LONGEST_LINE = 256 * 1024


class Malformed(Exception):
    """The file is unusable from a line on; the text says why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's bytes and how they read."""

    file: str
    raw: bytes
    codec: str

    @property
    def sha256(self) -> str:
        """Of the file's bytes."""
        return hashlib.sha256(self.raw).hexdigest()

    def lines(self) -> Iterator[str]:
        """Its lines with their ends.

        Raises:
            Malformed: a line is absurdly long.
        """
        stream = io.TextIOWrapper(io.BytesIO(self.raw), encoding=self.codec, newline="")
        for number in itertools.count(1):
            line = stream.readline(_LONGEST_LINE)
            if not line:
                return
            if len(line) == _LONGEST_LINE:
                raise Malformed(
                    number, f"the line is longer than {_LONGEST_LINE:,} characters; this is no list of records"
                )
            yield line


def read_text_file(path: str | os.PathLike[str], problems: FileProblems) -> TextFile | None:
    """The file; None when it is absent, over 50 MB, no text or empty, which is added to ``problems``."""
    file = os.fspath(path)
    raw = _read(Path(path), file, problems)
    if raw is None:
        return None
    try:
        return TextFile(file, raw, encoding_of(raw))
    except NotText as error:
        problems.add(file, error.line, f"the file {error}")
        return None


def _read(path: Path, file: str, problems: FileProblems) -> bytes | None:
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                problems.add(file, None, _too_large())
                return None
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        problems.add(file, None, "there is no such file; name the one that was exported, with its folder")
        return None
    except OSError as error:
        problems.add(file, None, f"the file cannot be read: {error.strerror}")
        return None
    if len(raw) > MAX_BYTES:
        problems.add(file, None, _too_large())
        return None
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        problems.add(file, None, "the file is empty")
        return None
    return raw


def _too_large() -> str:
    return (
        f"the file is larger than {MAX_BYTES // 1024 // 1024} MB, far more than any ledger's list; is it the right one?"
    )
