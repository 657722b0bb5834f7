from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from billcom_assets.quality.measures import Quality
from billcom_assets.status.freshness import freshness
from billcom_assets.status.integrations import every_integration, one_integration, sync_status
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.error_log import WHOLE_LIST, ErrorLog, Trouble
from billcom_assets_tests.small_company import KEY, NOW, Books, connect


def fresh(books: Books, now: datetime) -> Quality:
    if not every_integration(books.conn):
        connect(books.conn)
    return freshness(sync_status(books.conn, one_integration(books.conn, KEY)), now)


@pytest.mark.parametrize(
    ("age", "passed", "said"),
    [
        (timedelta(minutes=30), True, "1 list was up to date within the last 30 minutes"),
        (timedelta(hours=3), True, "within the last 3 hours"),
        (timedelta(hours=3, seconds=1), False, "1 of 1 list is late, last up to date: bills 3 hours ago"),
        (timedelta(days=2), False, "48 hours ago"),
    ],
)
def test_old_data_is_found(books: Books, age: timedelta, passed: bool, said: str) -> None:
    books.pulled("bills")

    found = fresh(books, NOW + age)

    assert found.passed is passed
    assert said in found.description
    assert bool(found.fix) is not passed


def test_data_that_was_never_pulled_is_not_fresh(books: Books) -> None:
    assert not fresh(books, NOW).passed


def test_lists_that_bill_does_not_show_are_not_late(books: Books) -> None:
    books.pulled("users", synced_at=NOW - timedelta(days=9))
    ErrorLog(KEY, "users").report(books.conn, NOT_PERMITTED, {WHOLE_LIST: Trouble("m", "n")}, NOW)
    assert fresh(books, NOW).description == "nothing has ever been pulled"
    books.pulled("roles", synced_at=NOW)
    assert fresh(books, NOW).passed
