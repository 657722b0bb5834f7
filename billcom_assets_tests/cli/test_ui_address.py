"""Every run that a command launches names its page in the UI."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from billcom_assets.cli import ui_address


@pytest.fixture
def home(empty_home: Path) -> Path:
    empty_home.mkdir()
    return empty_home


@pytest.fixture
def served() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/dagster"


def test_the_page_of_a_run_is_where_the_ui_is_served(home: Path, served: str) -> None:
    with ui_address.recorded(served):
        assert ui_address.where("abc") == f"{served}/runs/abc"
        assert (home / "ui-address").stat().st_mode & 0o077 == 0
    assert ui_address.where("abc") == "/runs/abc in the Dagster UI, which billcom ui serves"
    assert list(home.iterdir()) == []


def test_a_ui_that_was_killed_is_no_longer_named(home: Path) -> None:
    with ui_address.recorded("http://127.0.0.1:1"):
        assert ui_address.page_of("abc") is None


def test_the_address_of_a_ui_that_was_started_meanwhile_stays(home: Path, served: str) -> None:
    with ui_address.recorded("http://127.0.0.1:1"):
        (home / "ui-address").write_text(served)
    assert ui_address.page_of("abc") == f"{served}/runs/abc"
