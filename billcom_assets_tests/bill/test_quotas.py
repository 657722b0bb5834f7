from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from billcom_assets.bill.concurrency import ConcurrencyLimit
from billcom_assets.bill.errors import HourlyLimitReached
from billcom_assets.bill.quotas import HourCounts, MemoryBudget, next_hour
from billcom_assets_tests.bill.conftest import MovableClock


def test_never_more_than_three_are_let_in_at_once() -> None:
    limit = ConcurrencyLimit()
    three_inside, leave = threading.Barrier(4), threading.Event()
    inside: list[int] = []

    def work(number: int) -> None:
        with limit.enter() as flight:
            inside.append(flight.in_flight)
            if number < 3:
                three_inside.wait(5)
                leave.wait(5)

    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(work, number) for number in range(3)]
        three_inside.wait(5)
        rest = [pool.submit(work, number) for number in range(3, 8)]
        assert len(inside) == 3
        leave.set()
        for future in (*first, *rest):
            future.result(5)
    assert (len(inside), max(inside), limit.peak) == (8, 3, 3)


def test_a_place_is_free_again_after_a_failure() -> None:
    limit = ConcurrencyLimit(width=1)
    for _ in range(3):
        with pytest.raises(RuntimeError), limit.enter():
            raise RuntimeError
    assert limit.peak == 1


def sent(limit: ConcurrencyLimit, times: int, *, refused: bool = False) -> None:
    """Sends requests one after the other."""
    for _ in range(times):
        with limit.enter() as flight:
            flight.is_refused = refused


def until_wider(limit: ConcurrencyLimit) -> int:
    """How many requests have to go well until one more is let in."""
    before, count = limit.width, 0
    while limit.width == before:
        sent(limit, 1)
        count += 1
    return count


def test_a_refusal_halves_how_many_are_let_in_and_successes_bring_it_back_one_by_one() -> None:
    limit = ConcurrencyLimit()
    sent(limit, 1, refused=True)
    assert limit.width == 1
    sent(limit, 3, refused=True)
    assert limit.width == 1
    widths = []
    while limit.width < 3:
        until_wider(limit)
        widths.append(limit.width)
    assert widths == [2, 3]
    sent(limit, 1_000)
    assert limit.width == 3


def test_refusals_of_requests_that_were_on_their_way_together_count_once() -> None:
    limit = ConcurrencyLimit(width=8)
    with limit.enter() as first, limit.enter() as second, limit.enter() as third:
        first.is_refused = second.is_refused = third.is_refused = True
    assert limit.width == 4


def test_one_more_is_tried_ever_more_rarely_while_it_is_refused_each_time() -> None:
    limit = ConcurrencyLimit()
    waited = []
    for _ in range(4):
        sent(limit, 1, refused=True)
        waited.append(until_wider(limit))
    assert waited == sorted(set(waited))
    sent(limit, 1_000)
    sent(limit, 1, refused=True)
    assert until_wider(limit) == waited[0]


def test_clients_of_one_key_and_organization_share_their_concurrency() -> None:
    assert ConcurrencyLimit.shared("one key") is ConcurrencyLimit.shared("one key")
    assert ConcurrencyLimit.shared("one key") is not ConcurrencyLimit.shared("another key")


def test_the_allowance_of_requests_ends_and_opens_again_with_the_clock_hour(clock: MovableClock) -> None:
    budget = MemoryBudget(clock, requests=10, logins=1)
    budget.spend(7)
    budget.spend(3)
    with pytest.raises(HourlyLimitReached) as caught:
        budget.spend(1)
    assert caught.value.counted == "requests"
    assert caught.value.resets_at == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert "10:00 UTC" in str(caught.value)
    clock.advance(minutes=29, seconds=59)
    with pytest.raises(HourlyLimitReached):
        budget.spend(1)
    clock.advance(seconds=1)
    budget.spend(10)
    assert budget.used == (10, 0)


def test_a_request_that_was_not_allowed_is_not_counted(clock: MovableClock) -> None:
    budget = MemoryBudget(clock, requests=2)
    budget.spend(1)
    with pytest.raises(HourlyLimitReached):
        budget.spend(2)
    budget.spend(1)


def test_logins_have_an_allowance_of_their_own(clock: MovableClock) -> None:
    budget = MemoryBudget(clock, requests=10, logins=2)
    budget.spend_login()
    budget.spend_login()
    with pytest.raises(HourlyLimitReached) as caught:
        budget.spend_login()
    assert caught.value.counted == "logins"
    budget.spend(10)
    clock.advance(hours=1)
    budget.spend_login()


def test_budgets_of_one_developer_key_share_their_counts(clock: MovableClock) -> None:
    counts = HourCounts()
    one, other = (MemoryBudget(clock, requests=2, counts=counts) for _ in range(2))
    one.spend(1)
    other.spend(1)
    with pytest.raises(HourlyLimitReached):
        one.spend(1)
    MemoryBudget.shared("a key of this test", clock).spend(3)
    assert MemoryBudget.shared("a key of this test", clock).used == (3, 0)
    assert MemoryBudget.shared("another key of this test", clock).used == (0, 0)


def test_the_allowance_is_exact_among_threads(clock: MovableClock) -> None:
    budget = MemoryBudget(clock, requests=100)

    def spend(_: int) -> bool:
        try:
            budget.spend(1)
        except HourlyLimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(150))) == 100


def test_the_next_hour_is_a_full_hour_in_utc() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    assert next_hour(datetime(2026, 6, 1, 5, 50, tzinfo=kathmandu)) == datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    assert next_hour(datetime(2026, 6, 1, 0, 0, tzinfo=UTC)) == datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
