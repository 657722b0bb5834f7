"""A refusal of a filter is believed when it is a rule, not when it happens once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from billcom_assets.bill.errors import QueryRefused
from billcom_assets.sync.report import PullKind
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_state
from billcom_assets_tests.bill.scripted import Reply
from billcom_assets_tests.sync.plain import REFUSED_QUERY, PlainBill, at, bill, plain_bill


@pytest.fixture
def plain(warehouse: Warehouse) -> Iterator[PlainBill]:
    with plain_bill([bill(number) for number in range(250)]) as made:
        made.sync(warehouse)
        yield made


def is_refused(warehouse: Warehouse) -> bool:
    with warehouse.read() as connection:
        return bool(connection.scalar(select(sync_state.c.time_filter_refused).where(sync_state.c.entity == "bills")))


def kind(plain: PlainBill, warehouse: Warehouse) -> PullKind:
    (report, *_) = plain.sync(warehouse)
    return report.kind


def refuse_updated_filters(query: dict[str, str]) -> Reply | None:
    return REFUSED_QUERY if "updatedTime" in query.get("filters", "") else None


def test_one_stray_refusal_costs_one_whole_read_and_no_more(plain: PlainBill, warehouse: Warehouse) -> None:
    strays = [REFUSED_QUERY]
    plain.refuse = lambda query: strays.pop() if strays and "updatedTime" in query.get("filters", "") else None
    assert kind(plain, warehouse) is PullKind.FULL
    assert not is_refused(warehouse)
    assert kind(plain, warehouse) is PullKind.INCREMENTAL


def test_a_rule_is_believed_and_asked_about_again_after_a_night(plain: PlainBill, warehouse: Warehouse) -> None:
    plain.refuse = refuse_updated_filters
    for _ in range(2):
        assert kind(plain, warehouse) is PullKind.FULL
        assert is_refused(warehouse)
    plain.refuse = lambda _query: None
    plain.docs.append(bill(900, updated=at(minutes=1)))
    asked = plain.requests
    assert kind(plain, warehouse) is PullKind.FULL
    assert plain.requests - asked == 3
    plain.offset += timedelta(hours=21)
    assert kind(plain, warehouse) is PullKind.INCREMENTAL
    assert not is_refused(warehouse)


def test_a_list_that_refuses_everything_is_no_list_without_time_filter(plain: PlainBill, warehouse: Warehouse) -> None:
    plain.refuse = lambda _query: REFUSED_QUERY
    with pytest.raises(QueryRefused):
        plain.sync(warehouse)
    assert not is_refused(warehouse)
    plain.refuse = lambda _query: None
    assert kind(plain, warehouse) is PullKind.INCREMENTAL
