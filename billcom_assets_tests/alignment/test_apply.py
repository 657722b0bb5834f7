"""An approved plan, and nothing else, is written to BILL; then nothing is left to plan."""

from __future__ import annotations

import pytest

from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus
from billcom_assets_tests.alignment.world import DISORDERS, World, disorder, statuses


@pytest.mark.parametrize("kind", DISORDERS, ids=lambda kind: kind.__name__)
def test_every_kind_of_disorder_is_put_right(world: World, kind: object) -> None:
    disorder(world, seed=3, kinds=[kind])  # type: ignore[list-item]
    world.import_ledger()
    number = world.plan_and_approve()
    before = world.chart()
    written = world.apply()
    print(written, [(c.title, c.status) for c in world.changes()])
    assert written.is_complete
    assert statuses(world.changes()) == {ChangeStatus.DONE}
    assert world.plan_status(number) == PlanStatus.APPLIED
    assert world.left() == []
    assert world.mirror_agrees()
    assert world.chart() != before
