"""Ctrl-C, and SIGTERM, by which containers and process managers end a process, as one and the same."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


def hear_once() -> None:
    """Has both raise KeyboardInterrupt, the first time only: impatience must not interrupt the ending."""
    for one in _ENDING:
        signal.signal(one, _interrupt)


@contextmanager
def postponed() -> Iterator[None]:
    """Both are heard at the end only, for what leaves threads behind that go on for ever when it is interrupted."""
    heard: list[int] = []
    before = {one: signal.signal(one, lambda number, _frame: heard.append(number)) for one in _ENDING}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    if heard:
        signal.raise_signal(heard[0])


def _interrupt(number: int, frame: FrameType | None) -> None:
    for one in _ENDING:
        signal.signal(one, signal.SIG_IGN)
    signal.default_int_handler(number, frame)
