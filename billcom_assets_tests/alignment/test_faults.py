"""A fault at any write, or the end of the process: going on ends in the planned chart, without twins."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress

import pytest
from sqlalchemy import update

from billcom_assets.alignment.errors import OutcomeUnknown
from billcom_assets.bill.errors import BillError
from billcom_assets.sandbox import Fault, FaultPlan, FaultRate
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus, alignment_plans
from billcom_assets.warehouse.audit import What
from billcom_assets_tests.alignment import victim
from billcom_assets_tests.alignment.conftest import MakeWorld
from billcom_assets_tests.alignment.victim import Orders
from billcom_assets_tests.alignment.world import WRITES_OF_SMALL, LedgerAccount, World, shape, small, statuses
from billcom_assets_tests.sync.company import INTEGRATION

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([victim.__name__])
AT_WRITES = (
    *(Fault.STALLED, Fault.RESET, Fault.RESET_UNDONE, Fault.TRUNCATED_JSON, Fault.ERROR_DONE),
    *(Fault.HTML_502, Fault.SINGLE_OBJECT_ERROR),
    *(Fault.SESSION_DEATH, Fault.HOURLY_LIMIT, Fault.CONCURRENCY_LIMIT),
)
WANTED = [
    ("Below ours", "6901", "EXPENSE", "", "Ours alone", True),
    ("Office", "6000", "EXPENSE", "", "", False),
    ("Ours alone", "6900", "EXPENSE", "", "", True),
    ("Paper", "6010", "EXPENSE", "all kinds", "Office", False),
    ("Rent", "6200", "EXPENSE", "", "", False),
    ("Supplies", "6100", "EXPENSE", "", "Paper", False),
    ("Travel", "6300", "EXPENSE", "", "", False),
]
COMMITS_OF_SMALL = 34
"""More than applying the small plan makes."""


def strike(world: World, *faults: Fault, **rate: int | None) -> None:
    world.server.sandbox.set_faults(FaultPlan({fault: FaultRate(1, **rate) for fault in faults}))


def go_on(world: World, number: int) -> int:
    """Applies until the plan has ended; returns how often that was needed."""
    for time in range(1, 20):
        with suppress(BillError, OutcomeUnknown):
            world.apply()
        if world.plan_status(number) not in {PlanStatus.APPROVED, PlanStatus.APPLYING}:
            return time
    raise AssertionError("the plan does not end")


def require_written(world: World, number: int) -> None:
    world.server.sandbox.set_faults(FaultPlan())
    assert world.plan_status(number) == PlanStatus.APPLIED
    assert shape(world) == WANTED
    assert world.twins() == []
    assert world.left() == []
    assert world.mirror_agrees()
    changes = world.changes(number)
    assert statuses(changes) == {ChangeStatus.DONE}
    assert all(len(one.request) == len(one.response) for one in changes)
    with world.warehouse.read() as connection:
        what = [one.what for one in audit.entries(connection, INTEGRATION, limit=1_000)]
        assert audit.verify(connection).broken is None
    assert what.count(What.ACCOUNT_WRITTEN) == len(changes)
    assert what.count(What.ALIGNMENT_APPLIED) == 1


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    made = make_world(stall_ms=500)
    small(made)
    return made


def test_without_a_fault_the_small_chart_takes_as_many_writes_as_it_has_changes(world: World) -> None:
    number = world.plan_and_approve()
    assert go_on(world, number) == 1
    assert len(world.server.sandbox.stats.writes) == len(world.changes()) == WRITES_OF_SMALL
    require_written(world, number)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("fault", AT_WRITES)
@pytest.mark.parametrize("write", range(1, WRITES_OF_SMALL + 1))
def test_a_fault_at_any_write_ends_in_the_planned_chart(world: World, fault: Fault, write: int) -> None:
    number = world.plan_and_approve()
    strike(world, fault, write=write)
    assert go_on(world, number) == 1
    assert world.server.sandbox.faults.fired == {fault: 1}
    require_written(world, number)


@pytest.mark.parametrize("fault", AT_WRITES)
def test_a_fault_at_every_write_ends_in_the_planned_chart(world: World, fault: Fault) -> None:
    number = world.plan_and_approve()
    strike(world, fault, limit=60)
    go_on(world, number)
    assert world.server.sandbox.faults.fired[fault] >= WRITES_OF_SMALL
    require_written(world, number)


@pytest.mark.parametrize("fault", [Fault.STALLED, Fault.RESET_UNDONE])
def test_hidden_parents_do_not_hide_what_a_lost_write_has_done(make_world: MakeWorld, fault: Fault) -> None:
    world = make_world(stall_ms=500, parent_visible=False)
    small(world)
    number = world.plan_and_approve()
    strike(world, fault)
    go_on(world, number)
    require_written(world, number)


def test_what_bill_does_only_after_nobody_waits_any_more_is_found_too(world: World) -> None:
    number = world.plan_and_approve()
    world.server.sandbox.change_settings(slow_ms=900)
    strike(world, Fault.SLOW, write=1)
    assert world.apply(pauses=(0.0, 1.5)).is_complete
    assert len(world.server.sandbox.stats.writes) == WRITES_OF_SMALL
    require_written(world, number)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_of_namesakes_the_one_that_was_in_doubt_does_not_pass_for_the_other(world: World, database_url: str) -> None:
    """Killed after BILL has created the first of two accounts of the same name."""
    world.want(LedgerAccount("F", "Fees", "EXPENSE", None, "A"), LedgerAccount("G", "Fees", "EXPENSE", None, "D"))
    world.import_ledger()
    number = world.plan_and_approve()
    for commit in range(8, 60):
        if not kill_at(world, database_url, commit):
            break
    assert world.plan_status(number) == PlanStatus.APPLIED
    assert world.twins() == []
    assert world.left() == []
    assert sum(state["name"] == "Fees" for state in world.chart().values()) == 2


def test_a_half_written_plan_that_drifts_is_given_up_and_planned_again(world: World) -> None:
    number = world.plan_and_approve()
    with world.warehouse.write() as connection:
        connection.execute(update(alignment_plans).values(status=PlanStatus.APPLYING.value))
    world.change(world.named("Rents"), name="Lease")
    written = world.apply()
    assert any("'Lease'" in reason for reason in written.failed.values())
    assert world.plan_status(number) == PlanStatus.FAILED
    world.plan_and_approve()
    assert world.apply().is_complete
    assert world.left() == []


def kill_at(world: World, url: str, commit: int) -> bool:
    """Whether the process was killed before it had done everything."""
    login = world.bill.user
    orders = Orders(
        url,
        world.bill.id,
        login.username,
        login.password,
        world.server.base_url,
        world.server.v2_base_url,
        world.server.clock.now(),
        commit,
    )
    process = _CONTEXT.Process(target=victim.write, args=(orders,), daemon=True)
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def test_killed_again_and_again_it_ends_in_the_planned_chart(world: World, database_url: str) -> None:
    """Each time a little later: before a request is on record, before its response is, and after."""
    number = world.plan_and_approve()
    for commit in range(1, COMMITS_OF_SMALL):
        if world.plan_status(number) == PlanStatus.APPLIED:
            break
        kill_at(world, database_url, commit)
    else:
        raise AssertionError("it never came to an end")
    require_written(world, number)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("commit", range(8, 26, 2))
def test_killed_once_it_goes_on_where_it_was(world: World, database_url: str, commit: int) -> None:
    number = world.plan_and_approve()
    assert kill_at(world, database_url, commit)
    assert go_on(world, number) == 1
    require_written(world, number)
