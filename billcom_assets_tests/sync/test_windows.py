"""What a page of the newest objects proves about the list it comes from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.sync.windows import complete_from

START = datetime(2026, 3, 2, tzinfo=UTC)
MOMENTS = st.integers(0, 12).map(lambda seconds: START + timedelta(seconds=seconds))


@given(st.lists(MOMENTS, min_size=1, max_size=30), st.integers(1, 10))
def test_everything_from_that_time_on_is_on_the_page(created: list[datetime], rows: int) -> None:
    newest_first = sorted(created, reverse=True)
    page = newest_first[:rows]
    since = complete_from(page)
    if since is not None:
        assert [one for one in newest_first if one >= since] == [one for one in page if one >= since]


@given(st.lists(MOMENTS, min_size=2, max_size=30, unique=True))
def test_a_page_in_another_order_proves_nothing(created: list[datetime]) -> None:
    assert complete_from(sorted(created)) is None


def test_a_page_of_one_second_proves_nothing() -> None:
    assert complete_from([START, START, START]) is None
    assert complete_from([]) is None


def test_an_object_without_a_created_time_proves_nothing() -> None:
    assert complete_from([START + timedelta(seconds=1), None, START]) is None
