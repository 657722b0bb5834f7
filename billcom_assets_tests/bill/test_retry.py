from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from billcom_assets.bill.problems import Problem, ProblemKind, Write
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets_tests.bill.conftest import Waits

Outcome = Problem | str
PASSING = {kind for kind in ProblemKind if kind.meaning.passes}


def problem(kind: ProblemKind, retry_after: float | None = None) -> Problem:
    return Problem(kind, "Something.", retry_after=retry_after)


def scripted(*outcomes: Outcome) -> Callable[[], Outcome]:
    """Gives the outcomes in turn, the last one for ever."""

    def source() -> Iterator[Outcome]:
        yield from outcomes
        while True:
            yield outcomes[-1]

    waiting = source()
    return lambda: next(waiting)


def run(
    policy: RetryPolicy, *outcomes: Outcome, replayable: bool = True
) -> tuple[Outcome, list[tuple[ProblemKind, int]]]:
    told: list[tuple[ProblemKind, int]] = []
    last = policy.run(
        scripted(*outcomes),
        replayable=replayable,
        before_wait=lambda problem, number, _: told.append((problem.kind, number)),
    )
    return last, told


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_what_may_pass_is_tried_again_until_it_does(kind: ProblemKind, waits: Waits) -> None:
    last, told = run(RetryPolicy(sleep=waits), problem(kind), problem(kind), "done")
    assert last == "done"
    assert told == [(kind, 1), (kind, 2)]
    assert len(waits.seconds) == 2


@pytest.mark.parametrize("kind", sorted(set(ProblemKind) - PASSING))
def test_what_will_not_pass_is_not_tried_again(kind: ProblemKind, waits: Waits) -> None:
    last, told = run(RetryPolicy(sleep=waits), problem(kind), "done")
    assert last == problem(kind)
    assert (told, waits.seconds) == ([], [])


@pytest.mark.parametrize(
    ("kind", "attempts"),
    [
        (ProblemKind.UNAVAILABLE, 8),
        (ProblemKind.MALFORMED, 8),
        (ProblemKind.LOST, 8),
        (ProblemKind.TOO_MANY_AT_ONCE, 8),
        (ProblemKind.HOURLY_LIMIT, 4),
        (ProblemKind.UNREACHABLE, 4),
        (ProblemKind.UNEXPLAINED, 3),
        (ProblemKind.GATEWAY, 3),
    ],
)
def test_every_problem_is_believed_in_the_end(kind: ProblemKind, attempts: int, waits: Waits) -> None:
    last, _ = run(RetryPolicy(sleep=waits), problem(kind))
    assert last == problem(kind)
    assert len(waits.seconds) == attempts - 1


def test_waits_double_with_a_random_part_and_stay_within_the_maximum(waits: Waits) -> None:
    run(RetryPolicy(attempts=9, initial=0.5, maximum=10, sleep=waits), problem(ProblemKind.UNAVAILABLE))
    for number, seconds in enumerate(waits.seconds):
        assert min(0.5 * 2**number, 10) <= seconds <= min(0.5 * 2**number + 0.5, 10)


def test_threads_that_fail_together_do_not_return_together() -> None:
    first_waits = set()
    for _ in range(20):
        waits = Waits()
        run(RetryPolicy(attempts=2, sleep=waits), problem(ProblemKind.TOO_MANY_AT_ONCE))
        first_waits.add(waits.seconds[0])
    assert len(first_waits) > 10


@pytest.mark.parametrize(("asked", "least"), [(7.0, 7.0), (600.0, 30.0)])
def test_a_longer_wait_that_was_asked_for_is_kept_within_the_maximum(asked: float, least: float, waits: Waits) -> None:
    run(RetryPolicy(attempts=2, sleep=waits), problem(ProblemKind.UNAVAILABLE, retry_after=asked))
    assert waits.seconds == [least]


def test_different_problems_share_the_attempts_but_not_the_short_patience(waits: Waits) -> None:
    hourly, gateway = problem(ProblemKind.HOURLY_LIMIT), problem(ProblemKind.GATEWAY)
    mixed = [hourly, gateway, hourly, gateway]
    last, _ = run(RetryPolicy(sleep=waits), *mixed, hourly, problem(ProblemKind.LOST), "done")
    assert last == "done"
    last, _ = run(RetryPolicy(attempts=4, sleep=waits), *mixed, "too late")
    assert last == problem(ProblemKind.GATEWAY)


@pytest.mark.parametrize("kind", sorted(ProblemKind))
def test_a_write_is_sent_again_only_where_it_surely_did_not_happen(kind: ProblemKind, waits: Waits) -> None:
    last, _ = run(RetryPolicy(sleep=waits), problem(kind), "done", replayable=False)
    assert last == ("done" if kind.meaning.write is Write.NOT_DONE else problem(kind))


def test_an_exception_ends_the_attempts_at_once(waits: Waits) -> None:
    def broken() -> Outcome:
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError):
        RetryPolicy(sleep=waits).run(broken, replayable=True, before_wait=lambda *_: None)
    assert waits.seconds == []
