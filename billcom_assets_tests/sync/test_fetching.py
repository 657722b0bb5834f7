"""Workers fetch by turn and a little ahead; the consumer gets everything that arrived, then the failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from billcom_assets.bill.bounded import _WHEN_SENT
from billcom_assets.sync.fetching import FetchPool, Stream, Turn


@contextmanager
def pool(workers: int = 3) -> Iterator[FetchPool]:
    opened = FetchPool(workers)
    try:
        yield opened
    finally:
        opened.close()


def settle(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_waits_is_fetched_by_turn_whatever_was_put_first() -> None:
    fetched: list[int] = []
    go = threading.Event()
    with pool(1) as workers:
        first = workers.submit(Turn(0), go.wait)
        rest = [workers.submit(Turn(order), lambda order=order: fetched.append(order)) for order in (5, 2, 9, 2)]  # type: ignore[misc]
        go.set()
        for one in (first, *rest):
            one.result(5)
    assert fetched == [2, 2, 5, 9]


def test_nothing_is_fetched_before_the_first_fetch_has_ended() -> None:
    go = threading.Event()
    with pool() as workers:
        first = workers.submit(Turn(0), go.wait)
        second = workers.submit(Turn(0), lambda: "fetched")
        time.sleep(0.05)
        assert not second.done()
        go.set()
        assert second.result(5) == "fetched"
        assert first.done()


def test_the_next_fetch_begins_when_the_request_before_it_is_on_its_way() -> None:
    begun: list[str] = []
    sent, answered = threading.Event(), threading.Event()

    def fetch() -> None:
        begun.append("first")
        sent.wait(5)
        _WHEN_SENT.get()()
        answered.wait(5)

    with pool() as workers:
        workers.submit(Turn(0), lambda: None).result(5)
        first = workers.submit(Turn(0), fetch)
        second = workers.submit(Turn(0), lambda: begun.append("second"))
        time.sleep(0.05)
        assert begun == ["first"]
        sent.set()
        second.result(5)
        assert not first.done()
        answered.set()
        first.result(5)


def test_a_stream_waits_for_its_consumer_and_fetches_one_item_before_it_comes() -> None:
    given: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            given.append(number)
            yield number

    with pool() as workers:
        stream = Stream(workers, Turn(0), iter([numbers()] + [None] * 1_000).__next__, most=4)
        settle(lambda: len(given) == 1)
        time.sleep(0.05)
        assert len(given) == 1
        groups = stream.groups(3)
        assert next(groups) == [0]
        settle(lambda: len(given) == 5)
        time.sleep(0.05)
        assert len(given) == 5
        assert [one for group in groups for one in group] == list(range(1, 100))


def test_what_arrived_before_a_failure_still_comes() -> None:
    def failing() -> Iterator[str]:
        yield "good"
        raise ValueError("no more")

    with pool() as workers:
        groups = Stream.of(workers, Turn(0), [failing()]).groups()
        assert next(groups) == ["good"]
        with pytest.raises(ValueError, match="no more"):
            next(groups)


def test_several_iterators_are_advanced_at_once_but_each_by_one_worker() -> None:
    together = threading.Barrier(3, timeout=5)

    def pages(name: str) -> Iterator[str]:
        for number in range(3):
            _WHEN_SENT.get()()
            together.wait()
            yield f"{name}{number}"

    with pool() as workers:
        workers.submit(Turn(0), lambda: None).result(5)
        stream = Stream.of(workers, Turn(0), [pages(name) for name in "abc"], width=3)
        items = [one for group in stream.groups() for one in group]
    assert sorted(items) == [f"{name}{number}" for name in "abc" for number in range(3)]
    for name in "abc":
        assert [one for one in items if one.startswith(name)] == [f"{name}{number}" for number in range(3)]


def test_a_closed_pool_and_a_closed_stream_fetch_nothing_more() -> None:
    fetched: list[int] = []
    with pool(1) as workers:
        workers.submit(Turn(0), lambda: None).result(5)
        stream = Stream.of(workers, Turn(0), [iter([1, 2, 3])])
        stream.close()
        assert list(stream.groups()) in ([], [[1]])
    workers.submit(Turn(0), lambda: fetched.append(1))
    time.sleep(0.05)
    assert fetched == []
