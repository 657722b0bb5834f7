"""Every run that a command launches names its page in the UI, and one home has one UI."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from billcom_assets.cli import ui_address
from billcom_assets.cli.failures import CommandFailed
from billcom_assets.cli.ui_server import ui_server

URL = "http://127.0.0.1:1/dagster"


@pytest.fixture
def home(empty_home: Path) -> Path:
    empty_home.mkdir()
    return empty_home


def test_the_page_of_a_run_is_where_the_ui_is_served(home: Path) -> None:
    with ui_address.claimed() as record:
        record(URL)
        assert ui_address.where("abc") == f"{URL}/runs/abc"
        assert (home / "ui-address").stat().st_mode & 0o077 == 0
    assert ui_address.where("abc") == "/runs/abc in the Dagster UI, which billcom ui serves"
    assert not (home / "ui-address").exists()


def _serve_until_killed(ready: Connection) -> None:
    with ui_address.claimed() as record:
        record(URL)
        ready.send(os.getpid())
        ready.recv()


@pytest.fixture
def another_process(home: Path) -> Iterator[multiprocessing.process.BaseProcess]:
    """Serves the UI of this home."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve_until_killed, args=(theirs,))
    process.start()
    ours.recv()
    yield process
    process.kill()
    process.join()


def test_a_second_ui_is_refused_with_the_address_of_the_first(
    another_process: multiprocessing.process.BaseProcess,
) -> None:
    with pytest.raises(CommandFailed, match=URL), ui_server(port=0):
        pass
    assert ui_address.served_at() == URL


def test_one_without_a_daemon_may_be_served_beside_it(another_process: multiprocessing.process.BaseProcess) -> None:
    with ui_server(port=0, daemon=False) as second:
        assert second.url.startswith("http://127.0.0.1:")
    assert ui_address.served_at() == URL


def test_a_ui_that_was_killed_is_no_longer_named_nor_in_the_way(
    another_process: multiprocessing.process.BaseProcess,
) -> None:
    another_process.kill()
    another_process.join()
    assert ui_address.page_of("abc") is None
    with ui_server(port=0) as next_one:
        assert ui_address.served_at() == next_one.url
