"""The machine: what is installed on it, the room on its disks, and the folder for documents."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from billcom_assets.doctor.findings import Found, broken, ok, skipped, warning
from billcom_assets.doctor.place import MEBIBYTE, Place
from billcom_assets.environment import database_file, document_files

_PACKAGE: Final = "billcom-assets"
_SHOWN: Final = ("billcom-assets", "dagster", "SQLAlchemy")
_ONE_RELEASE: Final = ("dagster", "dagster-webserver", "dagster-graphql", "dagster-pipes", "dagster-shared")
"""Released together, under one number."""
_LIBRARIES: Final = ("dagster-postgres",)
"""Released with them, under a number of their own: 0.29.27 with 1.13.27."""
_INSTALL: Final = "Install again with the constraints: pip install -c constraints.txt billcom-assets"


def versions(_place: Place) -> Iterator[Found]:
    """The packages fit each other."""
    problems = [*_unfit(), *_disagreeing()]
    yield from (broken(problem, f"{_INSTALL}; then start daemon and UI again.") for problem in problems)
    if not problems:
        names = ", ".join(f"{name} {found}" for name in _SHOWN if (found := _version(name)))
        yield ok(f"Python {platform.python_version()}, {names}.")


def disks(place: Place) -> Iterator[Found]:
    """There is room wherever we write."""
    folders = {"Dagster's home": place.home, "the documents folder": _documents_folder()}
    if file := database_file():
        folders["the database's folder"] = file.parent
    seen: dict[int, str] = {}
    for name, folder in folders.items():
        existing = _existing(folder) if folder else None
        if existing is None or (device := existing.stat().st_dev) in seen:
            continue
        seen[device] = name
        free = shutil.disk_usage(existing).free
        text = f"{free // MEBIBYTE:,} MiB are free in {existing} ({name})."
        if free < place.limits.least_free_bytes:
            yield broken(text, "Free or add disk space now; syncs fail without losing what is committed.")
        elif free < place.limits.free_bytes:
            yield warning(text, "Free or add disk space.")
        else:
            yield ok(text)


def documents(place: Place) -> Iterator[Found]:
    """Attached files can be kept, where some integration wants them."""
    if not any(one.documents for one in place.integrations):
        yield skipped("No integration fetches attached files.")
        return
    files = document_files()
    files.check_writable()
    yield ok(f"{files.shown} can be written.")


def _existing(folder: Path) -> Path:
    """The folder, or what is there of the way to it."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _documents_folder() -> Path | None:
    files = document_files()
    return Path(files.root) if files.is_local else None


def _unfit() -> Iterator[str]:
    """Installed packages that are not what this one asks for."""
    try:
        asked_for = [Requirement(line) for line in requires(_PACKAGE) or ()]
    except PackageNotFoundError:
        return
    for one in asked_for:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        found = _version(one.name)
        if found is None:
            yield f"The package {one.name} is not installed."
        elif not one.specifier.contains(found, prereleases=True):
            yield f"The package {one.name} is {found}, and {_PACKAGE} needs {one.specifier}."


def _disagreeing() -> Iterator[str]:
    """Dagster's own packages that are of another release than Dagster."""
    core = _version("dagster") or ""
    for name in _ONE_RELEASE:
        found = _version(name)
        if found is not None and found != core:
            yield f"The package {name} is {found}, and dagster is {core}: they must be of one release."
    numbers = re.match(r"1\.(\d+)\.(.+)", core)
    library = f"0.{int(numbers[1]) + 16}.{numbers[2]}" if numbers else None
    for name in _LIBRARIES:
        found = _version(name)
        if library is not None and found is not None and found != library:
            yield f"The package {name} is {found}, and {library} goes with dagster {core}."


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
