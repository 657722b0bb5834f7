"""Where the content of files is kept: a folder, or whatever fsspec knows, such as ``s3://bucket/bill``.

A content is kept once per integration, under its own digest: what was written is complete, or is written again. Those
of one integration lie below its key, so that no company's papers lie among another's, and one can be forgotten alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from billcom_assets import private_files
from billcom_assets.warehouse.errors import WarehouseError

VARIABLE = "BILLCOM_DOCUMENTS_DIR"


@dataclass(frozen=True)
class DocumentFiles:
    """The folder for documents."""

    system: Any
    """fsspec's file system."""
    root: str
    shown: str
    """How the folder may be named to people."""

    @classmethod
    def at(cls, address: str) -> Self:
        """The folder at a path or URL, perhaps not there yet.

        Raises:
            WarehouseError: what it takes to reach it is not installed or not set.
        """
        scheme, _, _ = address.rpartition("://")
        try:
            system, root = url_to_fs(address)
        except Exception as error:  # noqa: BLE001 - of whatever library
            # The address may hold a key, and so may the error of whatever library.
            raise WarehouseError(
                f"The folder for documents ({scheme or 'a path'}) cannot be opened: {type(error).__name__}.",
                f"Correct {VARIABLE}; for S3 install s3fs, for Google Cloud gcsfs, for Azure adlfs.",
            ) from None
        is_local = isinstance(system, LocalFileSystem)
        return cls(system, root.rstrip("/") or "/", root if is_local else f"{scheme}://")

    @property
    def is_local(self) -> bool:
        """True for a folder of this machine."""
        return isinstance(self.system, LocalFileSystem)

    def path(self, stored_as: str) -> str:
        """Where a content is, in the file system's own terms."""
        return f"{self.root}/{stored_as}"

    def put(self, stored_as: str, file: IO[bytes], size: int) -> None:
        """Keeps a content unless it is there.

        Raises:
            WarehouseError: it cannot be written.
        """
        path = self.path(stored_as)
        with self._explained(VARIABLE):
            if self._size(path) == size:
                return
            if self.is_local:
                # The folder itself may have been given by somebody, with rights of their own.
                partial = self._partial(stored_as.partition("/")[0])
                for folder in (Path(path).parent, partial):
                    private_files.make_folder(folder)
                private_files.replace(Path(path), file, by_way_of=partial)
                return
            with self.system.open(path, "wb") as out:
                shutil.copyfileobj(file, out)

    def clear(self, integration: str) -> None:
        """Deletes what a run of the integration that was killed has left half-written; no other may be going on."""
        if self.is_local:
            with self._explained(VARIABLE):
                shutil.rmtree(self._partial(integration), ignore_errors=True)

    def _partial(self, integration: str) -> Path:
        return Path(self.path(integration)) / ".partial"

    def check_writable(self) -> None:
        """Writes a small file and deletes it again; a folder of this machine that is not there yet is not made.

        Raises:
            WarehouseError: that cannot be done.
        """
        with self._explained(VARIABLE):
            if self.is_local:
                root = Path(self.root)
                with tempfile.TemporaryFile(dir=next(one for one in (root, *root.parents) if one.exists())):
                    return
            path = self.path(f".{uuid.uuid4().hex}")
            self.system.pipe_file(path, b"billcom doctor")
            self.system.rm_file(path)

    @contextmanager
    def opened(self, stored_as: str) -> Iterator[IO[bytes]]:
        """A content to be read.

        Raises:
            WarehouseError: it cannot be read.
        """
        with self._explained(VARIABLE), self.system.open(self.path(stored_as), "rb") as file:
            yield file

    def forget(self, integration: str) -> int:
        """Deletes what is kept of an integration; returns how many files."""
        folder = self.path(integration)
        with self._explained(VARIABLE):
            self.system.invalidate_cache()
            if not self.system.exists(folder):
                return 0
            found = len(self.system.find(folder))
            self.system.rm(folder, recursive=True)
            return found

    def _size(self, path: str) -> int | None:
        with suppress(FileNotFoundError):
            self.system.invalidate_cache()
            return int(self.system.info(path)["size"])
        return None

    @contextmanager
    def _explained(self, variable: str) -> Iterator[None]:
        try:
            yield
        except WarehouseError:
            raise
        except Exception as error:  # noqa: BLE001 - of whatever library
            # What another library says may hold addresses with keys.
            said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
            raise WarehouseError(
                f"The folder for documents, {self.shown}, cannot be used: {said}.",
                f"Make it reachable and writable, or set {variable} to another one.",
            ) from None


def stored_as(integration: str, sha256: str, ending: str) -> str:
    """The name of a content below the folder."""
    return f"{integration}/{sha256[:2]}/{sha256}.{ending}"
