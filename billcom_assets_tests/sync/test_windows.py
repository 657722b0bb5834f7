"""What a page of the newest objects proves about the list it comes from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.sync.windows import Window, Windows, complete_from, rows_per_second

START = datetime(2026, 3, 2, tzinfo=UTC)
MOMENTS = st.integers(0, 24).map(lambda halves: START + timedelta(seconds=halves / 2))


@given(st.lists(MOMENTS, min_size=1, max_size=30), st.integers(1, 10))
def test_everything_from_that_time_on_is_on_the_page(created: list[datetime], rows: int) -> None:
    newest_first = sorted(created, reverse=True)
    page = newest_first[:rows]
    since = complete_from(page)
    if since is not None:
        assert [one for one in newest_first if one >= since] == [one for one in page if one >= since]
        assert since.microsecond == 0


@given(st.lists(MOMENTS, min_size=2, max_size=30, unique=True))
def test_a_page_in_another_order_proves_nothing(created: list[datetime]) -> None:
    assert complete_from(sorted(created)) is None


def test_a_page_of_one_second_proves_nothing() -> None:
    assert complete_from([START, START, START]) is None
    assert complete_from([]) is None


def test_an_object_without_a_created_time_proves_nothing() -> None:
    assert complete_from([START + timedelta(seconds=1), None, START]) is None


def hours(number: float) -> datetime:
    return START + timedelta(hours=number)


def two_days(rows: int, until: datetime, **known: float) -> Windows:
    """Two days of which those before ``until`` are read and held so many rows."""
    window = Window(START, hours(48), until, until, rows=rows, is_taken=True)
    windows = Windows(hours(48), [window], width=3)
    for name, value in known.items():
        setattr(windows, name, value)
    return windows


def test_lanes_without_work_get_equal_shares() -> None:
    windows = two_days(400, hours(12), recent_rows_per_second=400 / 12 / 3600)
    assert windows.take() is not None
    assert windows.take() is not None
    assert [(one.start, one.end) for one in windows.items] == [
        (START, hours(24)),
        (hours(24), hours(36)),
        (hours(36), hours(48)),
    ]


def test_what_fits_a_page_is_not_divided() -> None:
    assert two_days(30, hours(12)).take() is None


def test_a_window_not_begun_yet_is_divided_where_many_objects_are_expected() -> None:
    assert two_days(0, START).take() is None
    assert two_days(0, START, recent_rows_per_second=300 / 48 / 3600).take() is not None


@given(st.lists(MOMENTS, min_size=2, max_size=30))
def test_the_density_of_a_page_is_its_objects_by_the_time_they_span(created: list[datetime]) -> None:
    span = (max(created) - min(created)).total_seconds()
    assert rows_per_second(created) == (len(created) / span if span else 0)
    assert rows_per_second([None]) == 0
