"""Where an export may be written, and where not."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets_tests.cli.commands import Answered, Desk

Export = Callable[..., Answered]
EXPORTS = (
    ("mappings", "export", "acme"),
    ("ledger", "export", "acme", "--chart-of-accounts"),
    ("ledger", "export", "acme", "--format", "beancount"),
)


@pytest.fixture(params=EXPORTS, ids=["mappings", "chart", "books"])
def export(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    """An export of an integration, run in a folder that is the user's."""
    assert desk.connect("acme").code == 0
    monkeypatch.chdir(tmp_path)
    return lambda *options: desk.run(*request.param, *options)


def refused(answered: Answered) -> str:
    assert (answered.code, answered.out) == (2, "")
    return answered.err


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_its_owners_alone_whatever_the_umask(export: Export, tmp_path: Path) -> None:
    before = os.umask(0)
    answered = export("--output", "new.csv")
    os.umask(before)

    assert (answered.code, "written to new.csv." in answered.out) == (0, True)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o600
    assert (tmp_path / "new.csv").read_text(ENCODING) == export().out


def test_a_file_that_is_there_is_written_over_only_with_force(export: Export, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("mine")

    assert "there.csv is there already and was left as it is." in refused(export("--output", "there.csv"))
    assert (tmp_path / "there.csv").read_text() == "mine"

    assert export("--output", "there.csv", "--force").code == 0
    assert (tmp_path / "there.csv").read_text(ENCODING) == export().out
    assert stat.S_IMODE((tmp_path / "there.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_a_link_is_never_followed(export: Export, tmp_path: Path, force: tuple[str, ...]) -> None:
    (tmp_path / "victim").write_text("theirs")
    for number, target in enumerate((tmp_path / "victim", tmp_path / "missing")):
        link = tmp_path / f"link{number}"
        link.symlink_to(target)
        assert "is a symbolic link, which is not followed. Name the file itself" in refused(
            export("--output", str(link), *force)
        )
        assert link.is_symlink()

    assert (tmp_path / "victim").read_text() == "theirs"
    assert not (tmp_path / "missing").exists()


NEEDED = (
    "billcom.db",
    "billcom.db-wal",
    "billcom.db-shm",
    "billcom.db-journal",
    "billcom.key",
    "billcom.db-locks/new.csv",
    "dagster.yaml",
    "schedules/new.csv",
    "history/runs.db",
    "../home/billcom.key",
    "../linked/billcom.key",
)


def test_nothing_that_the_program_needs_is_written_over_even_with_force(
    export: Export, desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "linked").symlink_to(desk.home)
    os.link(desk.home / "billcom.key", tmp_path / "hard link")
    before = contents(desk.home)

    for name in NEEDED:
        told = refused(export("--output", str(desk.home / name), "--force"))
        assert "cannot be written: this program or Dagster needs it. Give another name." in told, name
    assert "needs it" in refused(export("--output", "hard link", "--force"))

    assert contents(desk.home) == before
    assert export("--output", str(desk.home / "export.csv")).code == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("-", "- cannot be written: it is no file. Leave --output out"),
        ("", "An empty name cannot be written: it is no file."),
        ("/dev/stdout", "it is no file. Leave --output out to have it on standard output."),
        ("/dev/null", "it is a device or a pipe."),
        (".", "it is a folder. Name a file in it, such as export.csv."),
        ("no/such/folder.csv", "there is no folder no/such. Make it first"),
        ("file/in.csv", "there is no folder file. Make it first"),
        ("n" * 300, "cannot be written: File name too long. Name a file in a folder that you may write to."),
    ],
)
def test_what_is_no_new_file_is_refused_in_words(export: Export, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("mine")
    before = contents(tmp_path)

    assert reason in refused(export("--output", name))

    assert contents(tmp_path) == before


def test_an_export_that_fails_leaves_nothing_and_keeps_what_was_there(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "there.csv").write_text("mine")
    monkeypatch.setattr(os, "fsync", full)
    before = contents(tmp_path)

    for options in (("new.csv",), ("there.csv", "--force")):
        told = refused(export("--output", *options))
        assert f"{options[0]} cannot be written: No space left on device." in told

    assert contents(tmp_path) == before
