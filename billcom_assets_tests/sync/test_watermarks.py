"""From when on BILL is asked for changes: nothing that comes late, early or unreadable makes a sync blind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from billcom_assets.sync.report import PullKind
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_state
from billcom_assets_tests.sync.plain import NOW, PlainBill, at, bill, plain_bill, text


@pytest.fixture
def plain() -> Iterator[PlainBill]:
    with plain_bill([bill(number) for number in range(150)]) as made:
        yield made


def numbers(warehouse: Warehouse) -> set[str]:
    t = warehouse.mirror.table("bills").c
    with warehouse.read() as connection:
        return set(connection.scalars(select(t.id).where(t.deleted_at.is_(None))))


def watermark(warehouse: Warehouse) -> datetime | None:
    with warehouse.read() as connection:
        return connection.scalar(select(sync_state.c.watermark).where(sync_state.c.entity == "bills"))


def test_what_becomes_visible_late_arrives_though_many_newer_ones_are_known(
    plain: PlainBill, warehouse: Warehouse
) -> None:
    imported = [bill(1_000 + number, updated=at(minutes=10, seconds=-number / 2)) for number in range(480)]
    late = imported[350]
    plain.docs += [doc for doc in imported if doc is not late]
    plain.sync(warehouse)
    plain.docs.append(late)
    plain.sync(warehouse)
    assert late["id"] in numbers(warehouse)


def test_changes_of_one_second_arrive_though_half_of_them_were_seen_before(
    plain: PlainBill, warehouse: Warehouse
) -> None:
    plain.docs = [bill(number) for number in range(500)]
    plain.sync(warehouse)
    moment = at(minutes=1)
    for half in (range(0, 500, 2), range(1, 500, 2)):
        for number in half:
            plain.docs[number] = bill(number, updated=moment, amount=777)
        plain.sync(warehouse)
    t = warehouse.mirror.table("bills").c
    with warehouse.read() as connection:
        assert {int(amount) for amount in connection.scalars(select(t.amount))} == {777}


def test_a_row_dated_in_the_future_hides_no_later_change(plain: PlainBill, warehouse: Warehouse) -> None:
    plain.docs.append(bill(900, updated=text(NOW + timedelta(days=400))))
    plain.sync(warehouse)
    for number in (901, 902):
        plain.docs.append(bill(number, updated=text(NOW)))
        (report, *_) = plain.sync(warehouse)
        assert report.kind is PullKind.INCREMENTAL
        assert f"00n01{number:015d}" in numbers(warehouse)
    mark = watermark(warehouse)
    assert mark is not None
    assert mark < NOW + timedelta(days=1)


def test_a_watermark_that_lies_in_the_future_already_heals(plain: PlainBill, warehouse: Warehouse) -> None:
    plain.sync(warehouse)
    with warehouse.write() as connection:
        connection.execute(sync_state.update().values(watermark=NOW + timedelta(days=400)))
    plain.docs.append(bill(901, updated=text(NOW)))
    plain.sync(warehouse)
    assert "00n01000000000000901" in numbers(warehouse)


def test_a_newest_time_in_the_first_year_is_none(warehouse: Warehouse) -> None:
    ancient = "0001-01-01T00:00:00.000+0000"
    with plain_bill([bill(1, updated=ancient)]) as plain:
        for _ in range(3):
            plain.sync(warehouse)
        plain.docs.append(bill(2))
        plain.sync(warehouse)
        assert len(numbers(warehouse)) == 2


def test_an_unreadable_newest_row_does_not_reset_the_watermark(plain: PlainBill, warehouse: Warehouse) -> None:
    plain.sync(warehouse)
    before = watermark(warehouse)
    assert before is not None
    plain.docs.append(bill(900, updated=at(minutes=30), dueDate="2026-02-30"))
    for refresh in (True, False, False):
        plain.sync(warehouse, refresh=refresh)
        mark = watermark(warehouse)
        assert mark is not None
        assert mark >= before
    asked = plain.requests
    (report, *_) = plain.sync(warehouse)
    assert report.kind is PullKind.INCREMENTAL
    assert plain.requests - asked == 1


def test_objects_without_created_time_arrive_and_sweeps_do_not_delete_them(
    plain: PlainBill, warehouse: Warehouse
) -> None:
    undated = [bill(900 + number, updated=at(hours=number + 1)) for number in range(3)]
    for doc in undated:
        doc["createdTime"] = None
    plain.docs += undated
    plain.sorts_undated_away = True
    plain.sync(warehouse)
    assert {doc["id"] for doc in undated} <= numbers(warehouse)
    for _ in range(3):
        plain.offset += timedelta(days=1)
        plain.sync(warehouse, refresh=True)
    assert len(numbers(warehouse)) == 153
