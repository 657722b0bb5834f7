"""What keeps a plan from being written: nothing is then sent to BILL that changes anything."""

from __future__ import annotations

from typing import Any

import pytest

from billcom_assets.alignment.errors import NotWritten
from billcom_assets.alignment.guards import Consent
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.settings import V2Access
from billcom_assets.warehouse.alignment_settings import alignment_settings
from billcom_assets.warehouse.alignment_tables import ChangeStatus, PlanStatus
from billcom_assets.warehouse.errors import Busy
from billcom_assets_tests.alignment.conftest import MakeWorld
from billcom_assets_tests.alignment.world import CONSENT, LedgerAccount, World, small, statuses
from billcom_assets_tests.sync.company import INTEGRATION


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    made = make_world()
    small(made)
    # An account of the plan is to come below one that the plan itself leaves as it is.
    made.create("Kept", "6500")
    made.want(LedgerAccount("K", "Kept", "EXPENSE", "6500"), LedgerAccount("N", "Newer", "EXPENSE", "6510", "K"))
    made.import_ledger()
    return made


def refused(world: World, message: str, consent: Consent = CONSENT) -> str:
    """What applying says; nothing may have been written."""
    number = world.plan_and_approve()
    return refused_again(world, number, message, consent)


def refused_again(world: World, number: int, message: str, consent: Consent = CONSENT) -> str:
    before = world.chart()
    with pytest.raises(NotWritten, match=message) as caught:
        world.apply(consent=consent)
    assert world.server.sandbox.stats.writes == []
    assert world.chart() == before
    assert world.plan_status(number) == PlanStatus.APPROVED
    assert statuses(world.changes()) == {ChangeStatus.APPROVED}
    assert "Nothing was written. Next step:" in str(caught.value)
    return str(caught.value)


# Settings


@pytest.mark.parametrize(
    ("setting", "message"), [({"alignment": "off"}, "Alignment is off"), ({"source_of_truth": "bill"}, "one to follow")]
)
def test_an_integration_that_is_not_written_to(world: World, setting: dict[str, str], message: str) -> None:
    number = world.plan_and_approve()
    world.set(**setting)
    refused_again(world, number, message)
    with pytest.raises(NotWritten, match="No plan was written"):
        world.undo()


# Meant


@pytest.mark.parametrize(
    ("consent", "message"),
    [
        (Consent(no_other_sync=True), "--production"),
        (Consent(production=True, no_other_sync=True), "--approver"),
        (Consent(production=True, approver="bob", no_other_sync=True), "not approved by 'bob'"),
    ],
)
def test_the_first_writing_to_a_real_company_names_who_approved_it(
    world: World, consent: Consent, message: str
) -> None:
    refused(world, message, consent)


def test_later_writings_to_a_real_company_need_no_more_words(world: World) -> None:
    world.plan_and_approve()
    world.apply(consent=Consent(production=True, approver=" ADA ", no_other_sync=True))
    world.change(world.named("Rent"), name="Rents")
    world.plan_and_approve()
    assert world.apply(consent=Consent()).is_complete


def test_elsewhere_than_in_production_nobody_is_asked(world: World) -> None:
    world.set(environment="stage")
    world.plan_and_approve()
    assert world.apply(consent=Consent(no_other_sync=True)).is_complete


# Another accounting program


def test_whether_bill_syncs_with_another_program_is_asked_once_and_remembered(world: World) -> None:
    refused(world, "--no-other-sync", Consent(production=True, approver="ada"))
    assert world.apply().is_complete
    with world.warehouse.read() as connection:
        assert alignment_settings(connection, INTEGRATION).other_accounting_system == "none"


def test_the_marks_of_another_program_in_bill_are_seen_whatever_was_said(make_world: MakeWorld) -> None:
    world = make_world(accounting_sync=True)
    small(world)
    world.set(other_accounting_system="none")
    refused(world, "itself syncs its accounts with an accounting program")


def test_a_program_that_was_named_is_believed(world: World) -> None:
    world.set(other_accounting_system="QuickBooks")
    refused(world, "QuickBooks")


def test_without_v2_the_marks_cannot_be_seen_and_the_word_counts(make_world: MakeWorld) -> None:
    world = make_world(v2_access=V2Access.NO_API)
    small(world)
    world.plan_and_approve()
    assert world.apply().is_complete


# Rights


def test_an_auditor_is_turned_away_before_anything_is_sent(world: World) -> None:
    number = world.plan_and_approve()
    world.login = world.bill.login_of("AUDITOR")
    world.sessions.clear(world.sessions.load().session_id)  # type: ignore[union-attr]
    refused_again(world, number, "role auditor")


@pytest.mark.parametrize("token", [True, False])
def test_a_sync_token_and_an_accountant_may_write(world: World, token: bool) -> None:
    world.login = world.bill.token if token else world.bill.login_of("ACCOUNTANT")
    world.plan_and_approve()
    assert world.apply().is_complete


def test_a_login_that_turns_out_to_have_no_rights_tries_once(world: World) -> None:
    world.plan_and_approve()
    changing = ("POST", ""), ("PATCH", "/{id}"), ("POST", "/{id}/archive"), ("POST", "/{id}/restore")
    for method, rest in changing:
        world.server.sandbox.refused[f"{method} /v3/classifications/chart-of-accounts{rest}"] = Refusal(
            403, None, "You do not have permission to perform this action."
        )
    before = world.chart()
    written = world.apply()
    assert written.done == 0
    assert len(world.server.sandbox.stats.writes) == 1
    assert world.chart() == before
    assert "You do not have permission" in next(iter(written.failed.values()))


# Drift


def rename_in_bill(world: World) -> None:
    world.change(world.named("Rents"), name="Lease")


def archive_in_bill(world: World) -> None:
    world.archive(world.named("Supplies"))


def restore_in_bill(world: World) -> None:
    (one,) = (one for one, state in world.chart().items() if state["name"] == "Travel")
    world.restore(one)


def move_in_bill(world: World) -> None:
    world.change(world.named("Supplies"), parentId=world.named("Rents"))


def archive_parent_in_bill(world: World) -> None:
    world.archive(world.named("Kept"))


def create_in_bill(world: World) -> None:
    world.create("Paper", "6010")


def put_below_in_bill(world: World) -> None:
    world.create("Came later", "6905", parent=world.named("Ours alone"))


def rename_in_ledger(world: World) -> None:
    world.want(LedgerAccount("A", "Offices", "EXPENSE", "6000"))
    world.import_ledger()


def close_in_ledger(world: World) -> None:
    world.want(LedgerAccount("E", "Travel", "EXPENSE", "6300", active=False))
    world.import_ledger()


def move_in_ledger(world: World) -> None:
    world.want(LedgerAccount("C", "Supplies", "EXPENSE", "6100", "A"))
    world.import_ledger()


def want_in_ledger(world: World) -> None:
    world.want(LedgerAccount("X", "Ours alone", "EXPENSE", "6900"))
    world.import_ledger()


DRIFTS: dict[Any, str] = {
    rename_in_bill: "name 'Lease'",
    archive_in_bill: "archived True",
    restore_in_bill: "archived False",
    move_in_bill: "parent_id",
    archive_parent_in_bill: "the account above it is gone or archived by now",
    create_in_bill: "BILL has got an account 6010 'Paper' meanwhile",
    put_below_in_bill: "would now archive 'Came later'",
    rename_in_ledger: "in the ledger its name changed",
    close_in_ledger: "has closed it",
    move_in_ledger: "in the ledger its parent changed",
    want_in_ledger: "the ledger has an account '6900 Ours alone' by now",
}


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.__name__)
def test_what_has_drifted_is_named_and_nothing_is_written(world: World, drift: Any) -> None:
    number = world.plan_and_approve()
    drift(world)
    said = refused_again(world, number, "is no longer what BILL and the ledger need")
    assert DRIFTS[drift] in said
    assert f"billcom align {INTEGRATION} plan" in said


def test_what_drifts_elsewhere_keeps_nothing_up(world: World) -> None:
    world.create("Untouched", "6800")
    world.want(LedgerAccount("U", "Untouched", "EXPENSE", "6800"))
    world.import_ledger()
    number = world.plan_and_approve()
    world.change(world.named("Untouched"), description="says more")
    world.want(LedgerAccount("Y", "Quite another", "EXPENSE", "7777"))
    world.import_ledger()
    assert world.apply().is_complete
    assert world.plan_status(number) == PlanStatus.APPLIED


# One at a time


def test_beside_a_sync_or_another_writing_nothing_is_written(world: World) -> None:
    world.plan_and_approve()
    with world.run(), pytest.raises(Busy):
        world.apply()
    assert world.server.sandbox.stats.writes == []
