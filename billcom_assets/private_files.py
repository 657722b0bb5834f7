"""Files and folders for their owner alone: 0600 and 0700 whatever the umask, and never through another's link.

What is protected: everything here may hold payables, tax ids, bank numbers or the key to them. From whom: other users
of the same machine. They may read what is readable to all, and put a symbolic link where a file of ours is about to be
made. Not protected from: the owner's own programs, and whoever administers the machine.

A folder or database file that people name may be a link, as they may have made it one on purpose. Names that we choose
ourselves (key, locks, settings, exports) are never followed through one.
"""

from __future__ import annotations

import errno
import io
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

Content = bytes | IO[bytes] | Iterator[bytes]
"""All of a file, an open file to copy, or the pieces in their order."""
Write = Callable[[Path, Content], None]
"""What :func:`create` and :func:`replace` are."""
_FILE = 0o600
_FOLDER = 0o700
_OTHERS = 0o077
_WITHOUT_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without hard links say, such as those of memory sticks."""


class ReadableByOthers(Exception):
    """A file that must be its owner's alone is not; the text is the command that makes it so."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"chmod 600 {shlex.quote(str(path))}")


def restrict_umask() -> None:
    """Keeps from others what libraries make without a mode of their own, such as Dagster's databases and logs."""
    os.umask(_OTHERS)


def make_folder(path: Path) -> None:
    """Makes the folder and those above it that are missing; one that exists keeps its rights, which are people's own.

    Raises:
        OSError: it cannot be made, or something else has its name.
    """
    try:
        path.mkdir(_FOLDER)
    except FileNotFoundError:
        make_folder(path.parent)
        path.mkdir(_FOLDER, exist_ok=True)
    except FileExistsError:
        if not path.is_dir():
            raise


def make_own_folder(path: Path) -> None:
    """:func:`make_folder` for a name that we choose: tightened when it exists, refused when it is a link.

    Raises:
        OSError: it cannot be made, or something else has its name.
    """
    make_folder(path)
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link", str(path))
    tighten(path)


def make_file(path: Path) -> None:
    """Makes an empty file unless there is one, so that whoever fills it later cannot give it wider rights.

    Raises:
        OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FILE))


def tighten(path: Path) -> bool:
    """Takes the rights of others away from what is ours; True when there were any."""
    try:
        found = path.stat()
    except OSError:
        return False
    if not found.st_mode & _OTHERS or found.st_uid != os.geteuid():
        return False
    path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    return True


def read(path: Path) -> str:
    """The text of a file that nobody but its owner can read.

    Raises:
        ReadableByOthers: others can read or write it.
        OSError: it cannot be read, or is a link.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise ReadableByOthers(path)
        return file.read()


def create(path: Path, content: Content) -> None:
    """Writes a new file: it appears complete or not at all.

    Raises:
        FileExistsError: something has this name, be it a link to nothing.
        OSError: it cannot be written; nothing is left behind.
    """
    with _beside(path, content) as temporary:
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _WITHOUT_HARD_LINKS:
                raise
            _rename_to_free_name(temporary, path)


def replace(path: Path, content: Content, *, by_way_of: Path | None = None) -> None:
    """Writes a file, in place of what has its name: a link is replaced, not followed.

    Args:
        path: The file.
        content: What it is to hold.
        by_way_of: A folder of the same file system in which it is made; without one, the folder that it is in.

    Raises:
        OSError: it cannot be written; nothing is left behind and what was there stays.
    """
    with _beside(path, content, by_way_of) as temporary:
        temporary.replace(path)


def _rename_to_free_name(temporary: Path, path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    temporary.rename(path)


@contextmanager
def _beside(path: Path, content: Content, folder: Path | None = None) -> Iterator[Path]:
    """A complete file in the folder of ``path``, or another one, gone at the end under its own name."""
    descriptor, name = tempfile.mkstemp(prefix=".billcom-", dir=folder or path.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            elif isinstance(content, io.IOBase):
                shutil.copyfileobj(content, file)
            else:
                file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
