"""An approved plan, and nothing else, is written to BILL; then nothing is left to plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from billcom_assets.alignment.deciding import approve, reject
from billcom_assets.alignment.errors import NotWritten
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.reference_data import import_reference_data
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus
from billcom_assets.warehouse.audit import What
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.alignment.conftest import MakeWorld
from billcom_assets_tests.alignment.world import (
    ADA,
    DISORDERS,
    World,
    archived,
    disorder,
    missing,
    renamed,
    statuses,
)
from billcom_assets_tests.sync.company import INTEGRATION

_ = (Path, LAYOUTS, import_reference_data)


def require_aligned(world: World, number: int) -> None:
    assert world.plan_status(number) == PlanStatus.APPLIED
    assert world.left() == []
    assert world.mirror_agrees()


@pytest.mark.parametrize("kind", DISORDERS, ids=lambda kind: kind.__name__)
def test_every_kind_of_disorder_is_put_right(world: World, kind: Callable[..., None]) -> None:
    disorder(world, seed=3, kinds=[kind])
    world.import_ledger()
    number, before = world.plan_and_approve(), world.chart()
    assert world.apply().is_complete
    assert statuses(world.changes()) == {ChangeStatus.DONE}
    require_aligned(world, number)
    assert world.chart() != before


@pytest.mark.parametrize(
    "readings", [{}, {"parent_visible": False}, {"absent_as_null": True, "v2_unset_is_empty": True}]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_everything_at_once_is_put_right_under_every_reading_of_bill(
    make_world: MakeWorld, seed: int, readings: dict[str, bool]
) -> None:
    world = make_world(**readings)
    world.copy_chart()
    disorder(world, seed, times=2)
    world.import_ledger()
    number = world.plan_and_approve()
    touched = {one.bill_id for one in world.changes()}
    outside = {one: state for one, state in world.chart().items() if one not in touched}
    written = world.apply()
    assert written.failed == {}
    require_aligned(world, number)
    made = {one.bill_id for one in world.changes()}
    assert world.written_ids() <= made
    assert {one: world.account(one) for one in outside} == outside


def test_bill_that_refuses_namesakes_is_written_to_as_well(make_world: MakeWorld) -> None:
    world = make_world(duplicate_accounts=False)
    world.copy_chart()
    disorder(world, 5, kinds=[missing, renamed, archived])
    world.import_ledger()
    number = world.plan_and_approve()
    assert world.apply().failed == {}
    require_aligned(world, number)


def test_a_large_chart_is_put_right(make_world: MakeWorld) -> None:
    world = make_world(more={"classifications/chart-of-accounts": 1_950})
    world.copy_chart()
    disorder(world, 7, times=3)
    world.import_ledger()
    number = world.plan_and_approve()
    assert len(world.chart()) > 1_990
    assert world.apply().failed == {}
    require_aligned(world, number)


def test_what_is_written_is_mapped_and_on_record(world: World) -> None:
    disorder(world, 1, kinds=[missing])
    world.import_ledger()
    number = world.plan_and_approve()
    world.apply()
    for change in world.changes():
        (request,), (response,) = change.request, change.response
        assert change.action == "create"
        assert request["body"]["name"] == response["account"]["name"]
        assert response["account"]["id"] == change.bill_id
    with world.warehouse.read() as connection:
        m = mappings.c
        mapped = dict(connection.execute(select(m.bill_id, m.ledger_id).where(m.kind == "accounts")).all())  # type: ignore[arg-type]
        found = audit.entries(connection, INTEGRATION, limit=100)
        assert audit.verify(connection).broken is None
    assert {mapped[one.bill_id] for one in world.changes()} == {"N0-0", "N0-1", "N0-2"}
    what = [one.what for one in found]
    assert what.count(What.ACCOUNT_WRITTEN) == 3
    assert what.count(What.ALIGNMENT_APPLIED) == 1
    assert all(f"plan {number}" in str(one.subject) for one in found if one.what == What.ACCOUNT_WRITTEN)


def test_a_change_that_was_rejected_is_not_written(world: World) -> None:
    disorder(world, 1, kinds=[missing, renamed])
    world.import_ledger()
    planned = world.plan().plan
    assert planned is not None
    rename = next(one.change for one in planned.writable if one.change.action == "update")
    with world.warehouse.write() as connection:
        approve(connection, INTEGRATION, ADA, world.server.clock.now())
        reject(connection, INTEGRATION, ADA, world.server.clock.now(), positions=[rename.position])
    world.pass_time()
    before = world.account(str(rename.bill_id))
    assert world.apply().done == 3
    assert world.account(str(rename.bill_id)) == before
    assert str(rename.bill_id) not in world.written_ids()


def test_nothing_is_written_without_an_approved_plan(world: World) -> None:
    disorder(world, 1, kinds=[missing])
    world.import_ledger()
    world.plan()
    with pytest.raises(NotWritten, match="There is no approved plan"):
        world.apply()
    assert world.server.sandbox.stats.writes == []


def test_an_expired_plan_is_not_written(world: World) -> None:
    disorder(world, 1, kinds=[missing])
    world.import_ledger()
    world.plan_and_approve()
    world.pass_time(8 * 24 * 3_600)
    with pytest.raises(NotWritten, match="expired"):
        world.apply()
    assert world.server.sandbox.stats.writes == []


def test_what_bill_refuses_fails_alone_and_what_needs_it_is_not_tried(world: World) -> None:
    disorder(world, 1, kinds=[missing, renamed])
    world.import_ledger()
    number = world.plan_and_approve()
    creating = "POST /v3/classifications/chart-of-accounts"
    world.server.sandbox.refused[creating] = Refusal(422, "BDC_1171", "Account name already exists.")
    written = world.apply()
    assert (written.done, len(written.failed)) == (1, 3)
    first, second, third = (one for one in world.changes() if one.action == "create")
    assert {first.status, second.status, third.status} == {ChangeStatus.FAILED}
    reasons = list(written.failed.values())
    assert "BDC_1171" in reasons[0]
    assert f"It needs {first.title}" in reasons[1]
    assert world.server.sandbox.stats.paths[creating] == 1
    assert world.plan_status(number) == PlanStatus.FAILED
    del world.server.sandbox.refused[creating]
    world.plan_and_approve()
    assert world.apply().is_complete
    assert world.left() == []


def test_an_archived_parent_takes_its_children_along_and_that_is_on_record(world: World) -> None:
    world.import_ledger()
    parent = world.create("Ours alone", "9500")
    child = world.create("Below ours", "9501", parent=parent)
    world.plan_and_approve()
    assert world.apply().is_complete
    assert world.account(parent)["archived"]
    assert world.account(child)["archived"]
    assert world.left() == []
