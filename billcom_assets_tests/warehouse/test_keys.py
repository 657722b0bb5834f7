"""Where the key is found: in the environment, or in a file that any number of processes may make at once."""

from __future__ import annotations

import base64
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import make_url

from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.keys import find_seal, make_key
from billcom_assets.warehouse.sealing import KEY_VARIABLE, Seal
from billcom_assets_tests.warehouse import key_makers

KEY = os.urandom(32)


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_beside_sqlite_a_key_file_for_the_owner_alone_is_made_once(tmp_path: Path) -> None:
    url = make_url(f"sqlite:///{tmp_path}/billcom.db")
    first = find_seal(url, {})
    (file,) = tmp_path.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("billcom.key", 0o600)
    assert find_seal(url, {}) == first
    assert find_seal(url, {KEY_VARIABLE: encoded(KEY)}) == Seal(KEY)


def test_processes_that_make_the_key_file_at_once_all_get_the_same_key(tmp_path: Path) -> None:
    """It is made complete: nobody ever finds an empty one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["billcom_assets_tests.warehouse.key_makers"])
    processes, rounds = 6, 60
    barrier = context.Barrier(processes)
    found = context.Queue()
    makers = [
        context.Process(target=key_makers.make, args=(str(tmp_path), rounds, barrier, found)) for _ in range(processes)
    ]
    for maker in makers:
        maker.start()
    outcomes = [found.get(timeout=120) for _ in makers]
    for maker in makers:
        maker.join(30)
    for number, keys in enumerate(zip(*outcomes, strict=True)):
        assert len(set(keys)) == 1, keys
        assert [file.name for file in (tmp_path / str(number)).iterdir()] == ["billcom.key"]


def test_asking_without_making_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"The key file .*billcom\.key is missing"):
        find_seal(make_url(f"sqlite:///{tmp_path}/billcom.db"), {}, make=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_hold_the_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"The key file .*billcom\.key cannot be made: No such file or directory"):
        find_seal(make_url(f"sqlite:///{tmp_path}/missing/billcom.db"), {})
    (tmp_path / "billcom.key").mkdir()
    with pytest.raises(WarehouseError, match=r"The key file .*billcom\.key cannot be read: Is a directory"):
        find_seal(make_url(f"sqlite:///{tmp_path}/billcom.db"), {})


def test_postgresql_wants_the_key_from_the_environment() -> None:
    url = make_url("postgresql://localhost/books")
    with pytest.raises(WarehouseError, match=f"{KEY_VARIABLE} is not set.*billcom keys make"):
        find_seal(url, {})
    assert find_seal(url, {KEY_VARIABLE: f" {encoded(KEY)}\n"}) == Seal(KEY)


def test_a_made_key_is_one_that_is_taken() -> None:
    made = make_key()
    assert find_seal(make_url("postgresql://localhost/books"), {KEY_VARIABLE: made}).key_id
    assert make_key() != made


@pytest.mark.parametrize("value", ["short", encoded(b"x" * 31), "\u00e9" * 44])
def test_a_malformed_key_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(WarehouseError, match="32 bytes in base64") as caught:
        find_seal(make_url("postgresql://localhost/books"), {KEY_VARIABLE: value})
    assert value not in str(caught.value)
