"""An applied plan is taken back as far as BILL allows and nobody relies on it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from sqlalchemy import delete, select, update

from billcom_assets.alignment.errors import NotWritten, OutcomeUnknown
from billcom_assets.bill.errors import BillError
from billcom_assets.mapping.links import Link, Links, LinkState, Method
from billcom_assets.sandbox import Fault, FaultPlan
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus, alignment_changes, alignment_plans
from billcom_assets.warehouse.audit import What
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.alignment.conftest import MakeWorld
from billcom_assets_tests.alignment.test_faults import AT_WRITES, strike
from billcom_assets_tests.alignment.world import World, archived, disorder, missing, renamed, small, statuses
from billcom_assets_tests.books.ledger import LONG_AGO
from billcom_assets_tests.sync.company import INTEGRATION


@pytest.fixture
def small_world(make_world: MakeWorld) -> World:
    made = make_world(stall_ms=500)
    small(made)
    return made


def applied(world: World) -> int:
    number = world.plan_and_approve()
    assert world.apply().is_complete
    world.pass_time()
    return number


def created(world: World) -> list[str]:
    return [str(one.bill_id) for one in world.changes() if one.action == "create"]


def test_undone_bill_has_what_it_had_and_what_was_created_is_archived(small_world: World) -> None:
    before = small_world.chart()
    number = applied(small_world)
    made = created(small_world)
    written = small_world.undo()
    assert written.failed == {}
    after = small_world.chart()
    assert {one: state for one, state in after.items() if one not in made} == before
    assert all(after[one]["archived"] for one in made)
    assert small_world.plan_status(number) == PlanStatus.UNDONE
    assert statuses(small_world.changes()) == {ChangeStatus.UNDONE}
    small_world.sync()
    assert small_world.mirror_agrees()
    with small_world.warehouse.read() as connection:
        m = mappings.c
        assert connection.scalars(select(m.bill_id).where(m.kind == "accounts", m.bill_id.in_(made))).all() == []
        what = [one.what for one in audit.entries(connection, INTEGRATION, limit=1_000)]
    assert what.count(What.ACCOUNT_WRITTEN) == 14
    assert what.count(What.ALIGNMENT_UNDONE) == 1


def test_a_plan_that_was_undone_is_planned_again(small_world: World) -> None:
    applied(small_world)
    small_world.undo()
    assert small_world.left() != []
    applied(small_world)
    assert small_world.left() == []


def family(world: World) -> tuple[str, list[str]]:
    """An account that BILL alone has, and what is below it, the first of these archived long ago."""
    world.import_ledger()
    parent = world.create("Ours alone", "9500")
    long_gone = world.create("Long gone", "9520", parent=parent)
    children = [world.create(f"Below ours {one}", f"950{one}", parent=parent) for one in (1, 2)]
    grandchild = world.create("Far below", "9510", parent=children[0])
    world.archive(long_gone)
    world.pass_time()
    return parent, [long_gone, *children, grandchild]


def test_a_family_that_was_archived_one_by_one_comes_back(world: World) -> None:
    parent, below = family(world)
    before = world.chart()
    applied(world)
    assert all(world.account(one)["archived"] for one in (parent, *below))
    assert world.undo().failed == {}
    assert world.chart() == before


@pytest.mark.parametrize("fault", [None, Fault.STALLED])
def test_exactly_the_children_come_back_that_fell_with_their_parent(make_world: MakeWorld, fault: Fault | None) -> None:
    """The planner archives from below; here BILL is left to take the children along."""
    world = make_world(stall_ms=500)
    world.copy_chart()
    parent, below = family(world)
    before = world.chart()
    number = world.plan_and_approve()
    c = alignment_changes.c
    with world.warehouse.write() as connection:
        connection.execute(delete(alignment_changes).where(c.bill_id != parent))
        connection.execute(update(alignment_changes).values(needs="[]", cascades=json.dumps(below[1:])))
    if fault is not None:
        strike(world, fault, write=1)
    assert world.apply().is_complete
    assert all(world.account(one)["archived"] for one in (parent, *below))
    (change,) = world.changes(number)
    assert sorted(change.archived_along) == sorted(below[1:])
    assert world.mirror_agrees()
    world.pass_time()
    if fault is not None:
        strike(world, fault)
    assert world.undo().failed == {}
    assert world.chart() == before


def test_what_somebody_changed_since_stays_and_is_named(small_world: World) -> None:
    applied(small_world)
    rent = small_world.named("Rent")
    small_world.change(rent, name="Rent of the shop")
    small_world.pass_time()
    written = small_world.undo()
    ((title, reason),) = written.failed.items()
    assert "Rent" in title
    assert "'Rent of the shop'" in reason
    assert small_world.account(rent)["name"] == "Rent of the shop"
    assert statuses(small_world.changes()) == {ChangeStatus.UNDONE, ChangeStatus.NOT_UNDONE}


def test_what_is_mapped_by_hand_since_stays(small_world: World) -> None:
    applied(small_world)
    paper = small_world.named("Paper")
    with small_world.warehouse.write() as connection:
        link = Link(paper, "D", LinkState.MAPPED, Method.MANUAL, None, "by hand", "ada", LONG_AGO)
        Links(connection, INTEGRATION, "accounts").replace([link])
    written = small_world.undo()
    assert any("mapped it to the ledger's account D" in one for one in written.failed.values())
    assert not small_world.account(paper)["archived"]
    assert not small_world.account(small_world.named("Office"))["archived"]


def test_what_documents_name_by_now_stays(make_world: MakeWorld) -> None:
    world = make_world(bills=30)
    world.copy_chart()
    disorder(world, 1, kinds=[missing])
    world.import_ledger()
    applied(world)
    lowest = world.named("New 0 level 2")
    bill = world.bill.rows("bills")[0]
    with world.client() as client:
        line = {"amount": 5, "classifications": {"chartOfAccountId": lowest}}
        body = {
            "vendorId": bill["vendorId"],
            "dueDate": "2026-08-14",
            "invoice": {"invoiceNumber": "A-1", "invoiceDate": "2026-07-10"},
            "billLineItems": [line],
        }
        client.post("/v3/bills", body)
    world.sync()
    written = world.undo()
    reasons = list(written.failed.values())
    assert "in use by now: bills" in reasons[2] or any("in use by now: bills" in one for one in reasons)
    assert any("below it as well" in one for one in reasons)
    assert not world.account(lowest)["archived"]


def test_undoing_needs_a_plan_that_was_written(small_world: World) -> None:
    small_world.plan_and_approve()
    with pytest.raises(NotWritten, match="No plan was written"):
        small_world.undo()
    applied_number = small_world.apply().plan
    small_world.undo()
    with pytest.raises(NotWritten, match=f"Plan {applied_number} was not written"):
        small_world.undo(applied_number)


@pytest.mark.parametrize("fault", AT_WRITES)
def test_a_fault_at_every_write_of_undoing_ends_where_it_would_without(small_world: World, fault: Fault) -> None:
    before = small_world.chart()
    number = applied(small_world)
    made = created(small_world)
    strike(small_world, fault, limit=60)
    for _ in range(20):
        with suppress(BillError, OutcomeUnknown):
            small_world.undo()
        if small_world.plan_status(number) == PlanStatus.UNDONE:
            break
    small_world.server.sandbox.set_faults(FaultPlan())
    after = small_world.chart()
    assert statuses(small_world.changes()) == {ChangeStatus.UNDONE}
    assert {one: state for one, state in after.items() if one not in made} == before
    assert all(after[one]["archived"] for one in made)
    assert all(len(one.undo_request) == len(one.undo_response) for one in small_world.changes())


@pytest.mark.parametrize("seed", [11, 12])
def test_a_large_disorder_that_was_put_right_comes_back_when_it_is_undone(world: World, seed: int) -> None:
    disorder(world, seed, times=2, kinds=[missing, renamed, archived])
    world.import_ledger()
    before = world.chart()
    applied(world)
    made = created(world)
    assert world.undo().failed == {}
    after = world.chart()
    assert {one: state for one, state in after.items() if one not in made} == before


def test_a_change_in_doubt_is_found_out_about_before_anything_is_undone(small_world: World) -> None:
    number = small_world.plan_and_approve()
    c = alignment_changes.c
    with small_world.warehouse.write() as connection:
        connection.execute(update(alignment_plans).values(status="applying"))
        connection.execute(update(alignment_changes).where(c.position == 1).values(status="writing"))
    with pytest.raises(NotWritten, match="is not known yet"):
        small_world.undo(number)
    assert small_world.server.sandbox.stats.writes == []
    assert small_world.apply().is_complete


def test_a_plan_that_was_written_in_part_is_undone_in_that_part(small_world: World) -> None:
    before = small_world.chart()
    small_world.plan_and_approve()
    moving = "PATCH /v3/classifications/chart-of-accounts/{id}"
    small_world.server.sandbox.refused[moving] = Refusal(422, "BDC_1143", "Invalid entity data.")
    written = small_world.apply()
    assert written.done
    assert written.failed
    made = created(small_world)
    small_world.pass_time()
    assert small_world.undo().failed == {}
    assert {one: state for one, state in small_world.chart().items() if one not in made} == before
