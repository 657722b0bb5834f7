"""What runs in processes that make or change keys; importable, so that a fork server can have it ready."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, make_url

from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.key_rotation import rotate
from billcom_assets.warehouse.keys import find_seal


def make(folder: str, rounds: int, barrier: Barrier, found: Queue[list[str]]) -> None:
    """Finds the key in one empty folder after the other, at the same moment as other processes."""
    keys = []
    for number in range(rounds):
        home = Path(folder, str(number))
        home.mkdir(exist_ok=True)
        barrier.wait(60)
        try:
            keys.append(find_seal(make_url(f"sqlite:///{home}/billcom.db"), {}).key.hex())
        except WarehouseError as error:
            keys.append(str(error))
    found.put(keys)


def rotate_and_die(database_url: str, variables: dict[str, str], moment: str) -> None:
    """Changes the key until ``moment`` comes, which is the end of this process by kill -9."""
    warehouse = open_warehouse(database_url)
    MOMENTS[moment]()
    rotate(warehouse, Actor.of_process(How.COMMAND), variables)


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _when_the_system_is_asked_to(what: str) -> None:
    sys.addaudithook(lambda name, _: _die() if name == what else None)


def _at_update(number: int) -> None:
    left = [number]

    @event.listens_for(Engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        left[0] -= statement.startswith("UPDATE")
        if left[0] == 0:
            _die()


def _before_the_commit() -> None:
    event.listen(Engine, "commit", _die)


def _after_the_commit() -> None:
    @event.listens_for(Engine, "commit")
    def committed(_connection: object) -> None:
        event.listen(Engine, "before_cursor_execute", _die)


MOMENTS: dict[str, Callable[[], None]] = {
    "making the new key file": partial(_when_the_system_is_asked_to, "os.link"),
    "before the first row": partial(_at_update, 1),
    "in the middle of the rows": partial(_at_update, 6),
    "before the commit": _before_the_commit,
    "after the commit": _after_the_commit,
    "replacing the key file": partial(_when_the_system_is_asked_to, "os.rename"),
}
