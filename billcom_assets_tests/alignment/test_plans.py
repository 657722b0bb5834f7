"""Plans as they are stored and decided about, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from billcom_assets.alignment.deciding import approve, is_somebody_else, reject
from billcom_assets.alignment.planning import make_plan
from billcom_assets.alignment.plans import AlignmentRefused, Plan, load_plan, newest_plan, set_plan
from billcom_assets.alignment.reading import bill_accounts, read_charts
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_tables import (
    Action,
    ChangeStatus,
    PlanStatus,
    alignment_changes,
    alignment_plans,
)
from billcom_assets.warehouse.tables import audit_log, integrations
from billcom_assets_tests.small_company import ADA, KEY, LATER, NOW, Books

BOB = replace(ADA, user_id=1001, user_name="bob")


@pytest.fixture
def chart(books: Books) -> Books:
    """A ledger with a parent and a child that BILL lacks, a renamed account, and one that BILL has alone."""
    books.pulled("accounts", "bills", "recurring_bills")
    books.ledger_account("6000", "Cars")
    books.ledger_account("6010", "Fuel", parent_id="6000")
    books.ledger_account("7000", "Rent")
    books.account("0ca7", "Lease", number="7000", v2_digest="")
    books.account("0ca9", "Old", number="9000", v2_digest="")
    return books


def planned(conn: Connection, **more: Any) -> Plan:
    _, made = make_plan(conn, KEY, more.pop("actor", ADA), more.pop("now", NOW), **more)
    assert made.plan is not None
    return made.plan


def what(conn: Connection) -> list[str]:
    return list(conn.scalars(select(audit_log.c.what).where(audit_log.c.integration == KEY).order_by(audit_log.c.id)))


def statuses(plan: Plan) -> list[str]:
    return [one.status.value for one in plan.changes]


def test_a_plan_is_stored_as_it_was_made(conn: Connection, chart: Books) -> None:
    found, made = make_plan(conn, KEY, ADA, NOW)
    assert made.plan is not None
    stored = load_plan(conn, KEY, 1)
    assert stored == made.plan
    assert tuple(one.change for one in stored.changes) == found.changes
    assert [one.change.action for one in stored.changes] == [
        *(Action.CREATE, Action.UPDATE, Action.CREATE, Action.ARCHIVE),
    ]
    assert (stored.status, stored.made_by, stored.expires_at) == (PlanStatus.PROPOSED, "ada", NOW + timedelta(days=7))
    assert what(conn) == ["alignment planned"]


def test_an_unchanged_state_makes_no_second_plan(conn: Connection, chart: Books) -> None:
    planned(conn)
    _, again = make_plan(conn, KEY, BOB, LATER)
    assert (again.is_new, again.plan and again.plan.number) == (False, 1)
    approve(conn, KEY, ADA, NOW)
    _, approved = make_plan(conn, KEY, BOB, LATER)
    assert (approved.is_new, approved.plan and approved.plan.status) == (False, "approved")


def test_a_changed_state_supersedes_what_nobody_decided_about(conn: Connection, chart: Books) -> None:
    planned(conn)
    chart.change("accounts", "0ca7", name="Rents")
    second = planned(conn, now=LATER)
    assert (second.number, load_plan(conn, KEY, 1).status) == (2, PlanStatus.SUPERSEDED)
    with pytest.raises(AlignmentRefused, match=r"is superseded .* billcom align acme-us plan"):
        approve(conn, KEY, ADA, LATER, number=1)


def test_charts_that_agree_make_no_plan_and_end_the_one_before(conn: Connection, books: Books) -> None:
    books.pulled("accounts", "bills", "recurring_bills")
    books.ledger_account("7000", "Rent")
    books.account("0ca7", "Lease", number="7000", v2_digest="")
    planned(conn)
    books.change("accounts", "0ca7", name="Rent")
    found, made = make_plan(conn, KEY, ADA, LATER)
    assert (found.changes, made.plan, load_plan(conn, KEY, 1).status) == ((), None, PlanStatus.SUPERSEDED)


def test_a_rejected_plan_comes_again_only_where_somebody_asks_for_it(conn: Connection, chart: Books) -> None:
    planned(conn)
    assert reject(conn, KEY, BOB, NOW).status is PlanStatus.REJECTED
    assert planned(conn, run_id="run").number == 1
    assert planned(conn, again=True).number == 2


def test_an_expired_plan_can_be_neither_approved_nor_kept(conn: Connection, chart: Books) -> None:
    expired = planned(conn).expires_at
    with pytest.raises(AlignmentRefused, match=r"expired on 2026-03-09 .* billcom align acme-us plan"):
        approve(conn, KEY, ADA, expired)
    assert planned(conn, now=expired).number == 2


def test_nothing_is_planned_while_a_plan_is_written(conn: Connection, chart: Books) -> None:
    planned(conn)
    set_plan(conn, KEY, 1, status="applying")
    with pytest.raises(AlignmentRefused, match="Plan 1 of acme-us is applying"):
        make_plan(conn, KEY, ADA, LATER)


# Deciding ------------------------------------------------------------------------------------------------------------


def test_a_whole_plan_is_approved_with_who_and_when(conn: Connection, chart: Books) -> None:
    planned(conn)
    plan = approve(conn, KEY, BOB, LATER)
    assert (plan.status, plan.decided_by, plan.decided_at) == (PlanStatus.APPROVED, "bob", LATER)
    assert {(one.status, one.decided_by) for one in plan.changes} == {(ChangeStatus.APPROVED, "bob")}
    assert what(conn) == ["alignment planned", "alignment approved"]
    assert audit.verify(conn).broken is None


def test_an_approval_ends_what_was_approved_before_and_not_written(conn: Connection, chart: Books) -> None:
    first = planned(conn)
    approve(conn, KEY, ADA, NOW)
    chart.ledger_account("8000", "Travel")
    second = planned(conn, now=LATER)
    assert load_plan(conn, KEY, first.number).status is PlanStatus.APPROVED
    approve(conn, KEY, ADA, LATER)
    assert load_plan(conn, KEY, first.number).status is PlanStatus.SUPERSEDED
    assert load_plan(conn, KEY, second.number).status is PlanStatus.APPROVED


def test_a_child_is_not_approved_without_the_creation_of_its_parent(conn: Connection, chart: Books) -> None:
    planned(conn)
    with pytest.raises(AlignmentRefused, match=r"its parent is created by change 1, .* --change 1 --change 3"):
        approve(conn, KEY, ADA, NOW, positions=[3])
    assert statuses(load_plan(conn, KEY, 1)) == ["proposed"] * 4
    assert statuses(approve(conn, KEY, ADA, NOW, positions=[3, 1])) == ["approved", "proposed", "approved", "proposed"]


def test_what_others_need_is_rejected_with_them_or_not_at_all(conn: Connection, chart: Books) -> None:
    planned(conn)
    approve(conn, KEY, ADA, NOW, positions=[1, 3])
    with pytest.raises(AlignmentRefused, match="Reject both: billcom align acme-us reject 1 --change 1 --change 3"):
        reject(conn, KEY, ADA, NOW, positions=[1])
    assert reject(conn, KEY, ADA, NOW, positions=[1, 3]).status is PlanStatus.PROPOSED
    rest = approve(conn, KEY, ADA, NOW)
    assert (rest.status, statuses(rest)) == (PlanStatus.APPROVED, ["rejected", "approved", "rejected", "approved"])
    assert what(conn) == ["alignment planned", "alignment approved", "alignment rejected", "alignment approved"]


def test_one_approval_covers_no_more_than_the_limit(conn: Connection, chart: Books) -> None:
    planned(conn, max_changes=3)
    with pytest.raises(AlignmentRefused, match=r"4 changes of plan 1 .* covers 3.*--max-changes 4"):
        approve(conn, KEY, ADA, NOW)
    approve(conn, KEY, ADA, NOW, positions=[1, 2])
    assert approve(conn, KEY, ADA, NOW).status is PlanStatus.APPROVED


def test_whoever_made_a_plan_does_not_approve_it_where_a_second_person_is_wanted(
    conn: Connection, chart: Books
) -> None:
    conn.execute(update(integrations).values(second_approver=True))
    planned(conn)
    with pytest.raises(AlignmentRefused, match=r"was made by ada, .* somebody else .* --as"):
        approve(conn, KEY, ADA, NOW)
    assert approve(conn, KEY, BOB, NOW).status is PlanStatus.APPROVED


def test_people_who_share_a_user_are_told_apart_only_by_their_names() -> None:
    ada, bob = replace(ADA, as_name="Ada"), replace(ADA, as_name="Bob")
    assert is_somebody_else(bob, ada.name)
    assert not is_somebody_else(ada, ada.name)
    assert not is_somebody_else(replace(ADA, as_name="ADA"), ada.name)
    assert not is_somebody_else(ADA, ada.name)
    assert not is_somebody_else(bob, ADA.name)
    assert is_somebody_else(BOB, ADA.name)


def test_conflicts_and_changes_that_are_not_there_cannot_be_approved(conn: Connection, chart: Books) -> None:
    chart.bill("recurring_bills", "0re1")
    chart.line("recurring_bill_line_items", 0, recurring_bill_id="0re1", classifications_chart_of_account_id="0ca9")
    plan = planned(conn)
    assert [one.change.action for one in plan.conflicts] == [Action.CONFLICT]
    with pytest.raises(AlignmentRefused, match="Change 4 of plan 1 is a conflict"):
        approve(conn, KEY, ADA, NOW, positions=[4])
    with pytest.raises(AlignmentRefused, match="no change 9; it has 1 to 4"):
        approve(conn, KEY, ADA, NOW, positions=[9])
    assert statuses(approve(conn, KEY, ADA, NOW)) == ["approved"] * 3 + ["proposed"]


def test_a_conflict_is_never_approved_whatever_the_program(conn: Connection, chart: Books) -> None:
    planned(conn)
    c = alignment_changes.c
    with pytest.raises(IntegrityError), conn.begin_nested():
        conn.execute(update(alignment_changes).where(c.position == 1).values(action="conflict", status="approved"))


def test_a_plan_and_an_integration_that_are_not_there_are_said_so(conn: Connection, chart: Books) -> None:
    with pytest.raises(AlignmentRefused, match=r"has no plan 3. There is none yet. .*billcom align acme-us plan"):
        load_plan(conn, KEY, 3)
    with pytest.raises(AlignmentRefused, match="has no plan yet"):
        approve(conn, KEY, ADA, NOW)
    assert newest_plan(conn, KEY) is None


# Settings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"alignment": "off"}, "--alignment plan"), ({"source_of_truth": "bill"}, "billcom align acme-us adopt")],
)
def test_nothing_is_planned_or_approved_where_nobody_wants_it(
    conn: Connection, chart: Books, settings: dict[str, str], says: str
) -> None:
    conn.execute(update(integrations).values(settings))
    with pytest.raises(AlignmentRefused, match=says):
        make_plan(conn, KEY, ADA, NOW)
    assert conn.scalar(select(alignment_plans.c.number)) is None


def test_a_plan_from_before_bill_became_the_one_to_follow_cannot_be_approved(conn: Connection, chart: Books) -> None:
    planned(conn)
    conn.execute(update(integrations).values(source_of_truth="bill"))
    with pytest.raises(AlignmentRefused, match="nothing is written to BILL"):
        approve(conn, KEY, ADA, NOW)


def test_a_company_without_a_chart_on_either_side_is_told_to_fetch_or_import_it(conn: Connection, books: Books) -> None:
    books.account("0ca7", "Lease")
    with pytest.raises(AlignmentRefused, match=r"was never fetched.* billcom seed acme-us"):
        make_plan(conn, KEY, ADA, NOW)
    books.pulled("accounts")
    with pytest.raises(AlignmentRefused, match="billcom ledger import acme-us --accounts FILE"):
        make_plan(conn, KEY, ADA, NOW)


# Reading -------------------------------------------------------------------------------------------------------------


def test_what_documents_before_the_cutoff_use_is_a_risk_of_every_archiving(conn: Connection, chart: Books) -> None:
    conn.execute(update(integrations).values(cutoff=date(2025, 1, 1)))
    last = planned(conn).changes[-1].change
    assert [(one.code, one.of) for one in last.risks] == [("unknown_before", "2025-01-01")]


def test_what_is_open_and_what_is_done_is_told_apart(conn: Connection, chart: Books) -> None:
    chart.bill("bills", "00n1", payment_status="UNPAID")
    chart.line("bill_line_items", 0, bill_id="00n1", id="bli1", classifications_chart_of_account_id="0ca7")
    chart.bill("bills", "00n2", payment_status="PAID")
    chart.line("bill_line_items", 0, bill_id="00n2", id="bli2", classifications_chart_of_account_id="0ca9")
    chart.bill("bills", "00n3", archived=True, payment_status="UNPAID")
    chart.line("bill_line_items", 0, bill_id="00n3", id="bli3", classifications_chart_of_account_id="0ca9")
    uses = read_charts(conn, KEY).uses
    assert uses == {"0ca7": frozenset({"bills", "open bills"}), "0ca9": frozenset({"bills"})}


def test_a_parent_is_known_where_v3_shows_any_or_v2_was_asked(conn: Connection, books: Books) -> None:
    books.account("0ca1", "Cars")
    books.account("0ca2", "Fuel")
    assert [one.parent_known for one in bill_accounts(conn, KEY)] == [False, False]
    books.change("accounts", "0ca2", v2_digest="")
    assert [one.parent_known for one in bill_accounts(conn, KEY)] == [False, True]
    books.change("accounts", "0ca2", parent_id="0ca1")
    assert [one.parent_known for one in bill_accounts(conn, KEY)] == [True, True]


def test_deleted_accounts_are_not_there_and_merged_ones_never_come_back(conn: Connection, books: Books) -> None:
    books.pulled("accounts", "bills", "recurring_bills")
    books.ledger_account("7000", "Rent")
    books.account("0ca1", "Rent", number="7000", deleted_at=NOW)
    books.account("0ca2", "Rent", number="7000", archived=True, merged_into_id="0ca3", v2_digest="")
    (change,) = planned(conn).changes
    assert change.change.action is Action.CREATE
