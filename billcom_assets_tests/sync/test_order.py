"""Where BILL ignores the order that was asked for, no position in a list means anything."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import func, select

from billcom_assets.sync.report import Progress
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.plain import Doc, bill, plain_bill
from billcom_assets_tests.sync.test_cutoff import Stopped, _stop_after


def stored(warehouse: Warehouse) -> int:
    with warehouse.read() as connection:
        return connection.scalar(select(func.count()).select_from(warehouse.mirror.table("bills"))) or 0


def shuffled(docs: list[Doc]) -> list[Doc]:
    mixed = sorted(docs, key=lambda doc: doc["id"])
    random.Random(4).shuffle(mixed)
    return mixed


def nearly_sorted(docs: list[Doc]) -> list[Doc]:
    """In order at first, so that the disorder shows late."""
    by_age = sorted(docs, key=lambda doc: doc["createdTime"])
    return by_age[:150] + by_age[300:] + by_age[150:300]


@pytest.mark.parametrize("order", [shuffled, nearly_sorted])
def test_an_interrupted_first_pull_loses_nothing_where_sorts_are_ignored(order: object, warehouse: Warehouse) -> None:
    with plain_bill([bill(number) for number in range(1_500)]) as plain:
        plain.order = order  # type: ignore[assignment]
        with pytest.raises(Stopped):
            plain.sync(warehouse, on_progress=_stop_after(600))
        assert 0 < stored(warehouse) < 1_500
        plain.sync(warehouse)
        assert stored(warehouse) == 1_500


def test_an_interrupted_incremental_pull_loses_nothing_where_sorts_are_ignored(warehouse: Warehouse) -> None:
    with plain_bill([bill(number) for number in range(200)]) as plain:
        plain.sync(warehouse)
        plain.order = shuffled
        plain.docs += [bill(1_000 + number, updated=bill(9_000)["updatedTime"]) for number in range(5)]
        plain.docs += [bill(2_000 + number) for number in range(900)]

        def stop(progress: Progress) -> None:
            if progress.fetched >= 300:
                raise Stopped

        with pytest.raises(Stopped):
            plain.sync(warehouse, on_progress=stop)
        plain.sync(warehouse)
        assert stored(warehouse) == len(plain.docs)
