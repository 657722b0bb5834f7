"""Everything that is made is its owner's alone, whatever the umask, and goes through nobody else's link."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from billcom_assets import environment, private_files
from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.sandbox import Sandbox, Settings
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.keys import find_seal


@pytest.fixture(autouse=True, params=[0o000, 0o022], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> dict[str, str]:
    """What others may reach below the folder."""
    found = {str(path.relative_to(folder)): mode(path) for path in folder.rglob("*")}
    return {name: oct(rights) for name, rights in found.items() if rights & 0o077}


def written_to(folder: Path) -> Warehouse:
    warehouse = open_warehouse(f"sqlite:///{folder}/billcom.db")
    with warehouse.write() as connection:
        connection.exec_driver_sql("CREATE TABLE more (name TEXT)")
    return warehouse


def test_a_database_with_all_that_stands_beside_it_is_its_owners_alone(tmp_path: Path) -> None:
    warehouse = written_to(tmp_path / "made" / "as well")
    find_seal(warehouse.engine.url, {})
    with warehouse.exclusive("a lock"):
        names = {path.name for path in (tmp_path / "made" / "as well").iterdir()}
        assert names == {"billcom.db", "billcom.db-wal", "billcom.db-shm", "billcom.db-locks", "billcom.key"}
        assert open_to_others(tmp_path) == {}
    warehouse.close()


def test_a_database_that_others_could_read_is_closed_to_them_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written_to(tmp_path).close()
    (tmp_path / "billcom.db").chmod(0o664)
    (tmp_path / "billcom.db-locks").chmod(0o775)

    for _ in range(2):
        opened = open_warehouse(f"sqlite:///{tmp_path}/billcom.db")
        with opened.exclusive("a lock"):
            assert open_to_others(tmp_path) == {}
        opened.close()

    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [
        f"The database {tmp_path}/billcom.db could be read by others on this machine; now only its owner can."
    ]


def test_a_database_may_be_a_link_that_somebody_made_on_purpose(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(0o700)
    (tmp_path / "home").mkdir(0o700)
    (tmp_path / "home" / "billcom.db").symlink_to(tmp_path / "disk" / "books.db")

    written_to(tmp_path / "home").close()

    assert (tmp_path / "disk" / "books.db").stat().st_size > 0
    assert mode(tmp_path / "disk" / "books.db") == 0o600


def test_a_folder_of_locks_that_is_a_link_is_refused(tmp_path: Path) -> None:
    warehouse = written_to(tmp_path / "home")
    (tmp_path / "elsewhere").mkdir()
    locks = tmp_path / "home" / "billcom.db-locks"
    for lock in locks.iterdir():
        lock.unlink()
    locks.rmdir()
    locks.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(WarehouseError, match=r"billcom\.db-locks: it is a symbolic link"), warehouse.exclusive("a"):
        pytest.fail("it was locked")

    assert list((tmp_path / "elsewhere").iterdir()) == []
    warehouse.close()


@pytest.mark.parametrize("rights", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_or_change_is_refused_with_the_command_that_closes_it(
    tmp_path: Path, rights: int
) -> None:
    url = make_url(f"sqlite:///{tmp_path}/my books.db")
    seal = find_seal(url, {})
    key = tmp_path / "my books.key"
    key.chmod(rights)

    with pytest.raises(WarehouseError) as refused:
        find_seal(url, {})
    command = f"chmod 600 '{key}'"
    assert str(refused.value).endswith(command)

    os.system(command)
    assert find_seal(url, {}) == seal


def test_a_key_is_neither_read_nor_made_through_a_link(tmp_path: Path) -> None:
    url = make_url(f"sqlite:///{tmp_path}/billcom.db")
    for target in (tmp_path / "theirs", tmp_path / "missing"):
        (tmp_path / "theirs").write_text("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
        (tmp_path / "theirs").chmod(0o600)
        (tmp_path / "billcom.key").symlink_to(target)

        with pytest.raises(WarehouseError, match=r"billcom\.key"):
            find_seal(url, {})

        assert not (tmp_path / "missing").exists()
        (tmp_path / "billcom.key").unlink()


def test_a_home_that_is_made_is_its_owners_alone_and_a_users_own_keeps_its_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "new" / "home"))
    environment.dagster_home()
    assert open_to_others(tmp_path) == {}

    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o2770)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "shared"))
    environment.dagster_home()
    assert mode(tmp_path / "shared") == 0o2770
    assert mode(tmp_path / "shared" / "dagster.yaml") == 0o600


def test_settings_are_not_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").symlink_to(tmp_path / "theirs")

    with pytest.raises(WarehouseError, match="cannot be made ready for Dagster: File exists"):
        environment.dagster_home()

    assert not (tmp_path / "theirs").exists()


def test_a_simulated_companys_own_lists_are_written_for_the_owner_alone_and_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "victim").chmod(0o600)
    (tmp_path / "accounts.csv").symlink_to(tmp_path / "victim")

    write_ledger(Sandbox(Settings(bills=0, orgs=1)).world.organization(), tmp_path)

    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "accounts.csv").is_symlink()
    assert open_to_others(tmp_path) == {}


@pytest.mark.parametrize("write", [private_files.create, private_files.replace])
def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: private_files.Write
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [private_files.create, private_files.replace])
def test_a_file_that_is_written_in_pieces_is_there_only_when_all_of_them_are(
    tmp_path: Path, write: private_files.Write
) -> None:
    def pieces(*, fails: bool) -> Iterator[bytes]:
        yield b"first, "
        assert list(tmp_path.glob("file")) == []
        if fails:
            raise ValueError("no more")
        yield b"second"

    with pytest.raises(ValueError, match="no more"):
        write(tmp_path / "file", pieces(fails=True))
    assert list(tmp_path.iterdir()) == []

    write(tmp_path / "file", pieces(fails=False))
    assert (tmp_path / "file").read_bytes() == b"first, second"


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_a_new_file_never_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    if not has_hard_links:
        monkeypatch.setattr(os, "link", _no_hard_links)
    private_files.create(tmp_path / "file", b"first")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")

    for name in ("file", "dangling"):
        with pytest.raises(FileExistsError):
            private_files.create(tmp_path / name, b"second")

    assert (tmp_path / "file").read_bytes() == b"first"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "dangling"}
    assert mode(tmp_path / "file") == 0o600


def _no_hard_links(_source: Path, _target: Path) -> None:
    raise PermissionError(1, "Operation not permitted")
