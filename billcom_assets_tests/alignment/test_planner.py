"""What is planned for charts that differ in one way each."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from billcom_assets.alignment.changes import Change
from billcom_assets.alignment.chart import Charts, LedgerAccount, State
from billcom_assets.alignment.findings import CONFLICTS, RISKS
from billcom_assets.alignment.planner import plan
from billcom_assets.warehouse.alignment_tables import Action
from billcom_assets_tests.alignment.interpreter import charts_after
from billcom_assets_tests.alignment.test_matching import both, ours, theirs


def said(charts: Charts) -> list[tuple[str, str]]:
    """What is done, and to which account."""
    return [(one.action.value, (one.after or one.before or unnamed(one)).name) for one in plan(charts)]


def unnamed(change: Change) -> State:
    return State(change.reason, None, None, None, None, None, archived=False)


def risks(charts: Charts) -> dict[int, list[str]]:
    return {one.position: [risk.code for risk in one.risks] for one in plan(charts)}


def codes(charts: Charts) -> list[str]:
    return [risk.code for one in plan(charts) if one.action is Action.CONFLICT for risk in one.risks]


def test_charts_that_agree_need_nothing() -> None:
    ledger = [ours("1", "Rent", "6000"), ours("2", "Hall", "6010", "1", description="The big one")]
    bill = [theirs("a", " Rent", "6000"), theirs("b", "Hall", "6010", "a", description="The big one\n")]
    assert plan(both(ledger, bill)) == ()


def test_a_ledger_without_a_chart_is_none_to_follow() -> None:
    assert plan(both([], [theirs("a", "Rent")])) == ()


def test_parents_are_created_before_their_children_and_named_by_their_place() -> None:
    ledger = [ours("3", "Diesel", "6200", "2"), ours("2", "Fuel", "6300", "1"), ours("1", "Cars", "6400")]
    first, second, third = plan(both(ledger, []))
    assert [one.after.name for one in (first, second, third) if one.after] == ["Cars", "Fuel", "Diesel"]
    assert (second.parent_position, second.parent_ledger_id, second.parent_bill_id, second.needs) == (
        1,
        "1",
        None,
        (1,),
    )
    assert (third.parent_position, third.needs) == (2, (2,))


def test_name_number_description_and_parent_are_changed_in_one_request() -> None:
    ledger = [ours("1", "Cars", "6000"), ours("2", "Fuel and oil", "6010", "1", description="For cars")]
    bill = [theirs("a", "Cars", "6000"), theirs("b", "Fuel", "7010")]
    (change,) = plan(both(ledger, bill, {"b": "2"}))
    assert change.action is Action.UPDATE
    assert change.is_move
    assert change.reason == (
        "Its name, number, description and parent differ from the ledger's; it is the same account: mapped to it."
    )
    assert change.before is not None
    assert change.bill_hash == change.before.content_digest()


def test_what_the_ledger_does_not_state_stays_as_it_is_in_bill() -> None:
    bill = [theirs("a", "Rent", "6000", description="Offices"), theirs("b", "Hall", None, "a")]
    assert plan(both([ours("1", "Rent"), ours("2", "Hall")], bill)) == ()


def test_where_bill_hides_parents_no_account_is_moved() -> None:
    ledger = [ours("1", "Cars", "6000"), ours("2", "Fuel", "6010", "1")]
    bill = [theirs("a", "Cars", "6000", parent_known=False), theirs("b", "Fuel", "6010", parent_known=False)]
    assert plan(both(ledger, bill)) == ()


def test_an_archived_account_is_brought_back_instead_of_a_twin_and_then_made_what_it_should_be() -> None:
    charts = both([ours("1", "Rent", "6000")], [theirs("a", "Lease", "6000", archived=True)])
    restore, update = plan(charts)
    assert (restore.action, restore.bill_id, update.action, update.needs) == (Action.RESTORE, "a", Action.UPDATE, (1,))
    assert [risk.code for risk in restore.risks] == ["was_archived"]


def test_a_parent_comes_back_before_its_children_which_bill_does_not_restore() -> None:
    ledger = [ours("1", "Cars", "6000"), ours("2", "Fuel", "6010", "1")]
    bill = [theirs("a", "Cars", "6000", archived=True), theirs("b", "Fuel", "6010", "a", archived=True)]
    first, second = plan(both(ledger, bill))
    assert (first.bill_id, second.bill_id, second.needs) == ("a", "b", (1,))


def test_numbers_that_move_up_are_freed_before_they_are_taken() -> None:
    ledger = [ours(str(place), f"Account {place}", str(6001 + place)) for place in range(4)]
    bill = [theirs(f"b{place}", f"Account {place}", str(6000 + place)) for place in range(4)]
    changes = plan(both(ledger, bill, {f"b{place}": str(place) for place in range(4)}))
    assert [one.bill_id for one in changes] == ["b3", "b2", "b1", "b0"]
    assert [one.needs for one in changes] == [(), (1,), (2,), (3,)]


def test_accounts_that_change_places_need_an_interim_value() -> None:
    ledger = [ours("1", "Rent", "6000"), ours("2", "Fuel", "6010")]
    bill = [theirs("a", "Fuel", "6010"), theirs("b", "Rent", "6000")]
    charts = both(ledger, bill, {"a": "1", "b": "2"})
    interim, other, final = plan(charts)
    assert (interim.bill_id, other.bill_id, final.bill_id) == ("a", "b", "a")
    assert interim.after is not None
    assert (interim.after.name, interim.after.number) == ("Fuel~1", "6010~1")
    assert final.before == interim.after
    assert final.needs == (1, 2)
    assert plan(charts_after(charts, plan(charts))) == ()


def test_parent_and_child_that_change_places_move_one_after_the_other() -> None:
    ledger = [ours("1", "Fuel", "6010"), ours("2", "Cars", "6000", "1")]
    bill = [theirs("a", "Cars", "6000"), theirs("b", "Fuel", "6010", "a")]
    first, second = plan(both(ledger, bill))
    assert (first.bill_id, second.bill_id, second.needs) == ("b", "a", (1,))
    assert [risk.code for risk in first.risks] == ["leaves_parent"]


# What BILL has alone -------------------------------------------------------------------------------------------------


def test_what_bill_has_alone_is_archived_from_the_bottom_upwards_after_what_stays_has_left() -> None:
    ledger = [ours("1", "Cars", "6000"), ours("2", "Fuel", "6010", "1")]
    bill = [
        theirs("a", "Cars", "6000"),
        theirs("o", "Old"),
        theirs("p", "Older", None, "o"),
        theirs("b", "Fuel", "6010", "o"),
    ]
    move, child, parent = plan(both(ledger, bill))
    assert (move.bill_id, child.bill_id, parent.bill_id) == ("b", "p", "o")
    assert (child.action, parent.action, parent.needs) == (Action.ARCHIVE, Action.ARCHIVE, (1, 2))
    assert set(parent.cascades) == {"p", "b"}
    assert [risk.code for risk in parent.risks] == ["cascades"]


def test_a_duplicate_is_archived_where_nothing_needs_it() -> None:
    bill = [theirs("a", "Rent", "6000"), theirs("b", "Rent", "6000")]
    charts = both([ours("1", "Rent", "6000")], bill, uses={"b": frozenset({"bills"}), "a": frozenset({"bills"})})
    (change,) = plan(charts)
    assert (change.action, change.bill_id) == (Action.ARCHIVE, "b")
    assert [(risk.code, risk.of) for risk in change.risks] == [("used_before", "bills"), ("duplicate", "6000 Rent")]


@pytest.mark.parametrize("use", ["open bills", "recurring bills", "items", "funding accounts", "recurring invoices"])
def test_what_new_documents_need_is_not_archived(use: str) -> None:
    charts = both([ours("1", "Rent")], [theirs("a", "Rent"), theirs("b", "Old")], uses={"b": frozenset({use})})
    (change,) = plan(charts)
    assert (change.action, change.risks[0].code, change.risks[0].of) == (Action.CONFLICT, "used_in_bill", use)
    assert "billcom mappings export acme-us" in (change.advice or "")


def test_a_second_account_that_is_mapped_to_the_same_is_left_to_a_person() -> None:
    charts = both([ours("1", "Rent")], [theirs("a", "Rent"), theirs("b", "Hall")], {"a": "1", "b": "1"})
    assert codes(charts) == ["mapped_too"]


def test_an_account_that_somebody_has_left_unmapped_may_stay() -> None:
    assert plan(both([ours("1", "Rent")], [theirs("a", "Rent"), theirs("b", "Old")], unmapped=frozenset("b"))) == ()


def test_accounts_that_bill_books_on_itself_stay() -> None:
    bill = [theirs("b", "Money Out Clearing"), theirs("c", "Payables", type="ACCOUNTS_PAYABLE")]
    assert codes(both([ours("1", "Rent")], [theirs("a", "Rent"), *bill])) == ["needed_by_bill"] * 2


def test_nothing_is_archived_where_bill_hides_what_is_under_it() -> None:
    bill = [theirs("a", "Rent", parent_known=False), theirs("b", "Old", parent_known=False)]
    assert codes(both([ours("1", "Rent")], bill)) == ["parents_unknown"]


def test_nothing_is_archived_before_anybody_knows_what_is_in_use() -> None:
    charts = both([ours("1", "Rent")], [theirs("a", "Rent"), theirs("b", "Old")], unseen=("bills",))
    assert codes(charts) == ["uses_unknown"]


def test_a_parent_stays_while_something_stays_under_it() -> None:
    bill = [theirs("a", "Rent"), theirs("o", "Old"), theirs("p", "Older", None, "o")]
    charts = both([ours("1", "Rent")], bill, uses={"p": frozenset({"open bills"})})
    assert codes(charts) == ["used_in_bill", "archives_others"]


def test_bill_archives_through_what_is_archived_already() -> None:
    ledger = [ours("1", "Rent")]
    bill = [
        theirs("o", "Old"),
        theirs("p", "Older", None, "o", archived=True),
        theirs("a", "Rent", None, "p", archived=True),
    ]
    charts = both(ledger, bill)
    assert said(charts) == [("restore", "Rent"), ("conflict", "Old")]
    assert codes(charts) == ["archives_others"]


# Conflicts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (ours("1", " "), "no_name"),
        (ours("1", "x" * 251), "too_long"),
        (ours("1", "Rent", "6" * 41), "too_long"),
        (ours("1", "Rent", description="x" * 4001), "too_long"),
        (ours("1", "Rent", type=None), "unknown_type"),
        (ours("1", "Rent", None, "1"), "ledger_circle"),
        (ours("1", "Rent", None, "gone"), "missing_parent"),
    ],
)
def test_an_account_that_bill_cannot_have_is_left_to_a_person(account: LedgerAccount, code: str) -> None:
    assert codes(both([account], [])) == [code]


def test_a_name_as_long_as_bill_takes_is_created() -> None:
    account = ours("1", "x" * 250, "6" * 40, description="x" * 4000)
    assert said(both([account], [])) == [("create", "x" * 250)]


def test_what_hangs_on_an_account_that_is_not_created_is_not_created() -> None:
    ledger = [ours("1", "x" * 251), ours("2", "Fuel", None, "1"), ours("3", "Diesel", None, "2")]
    assert codes(both(ledger, [])) == ["too_long", "parent_not_created", "parent_not_created"]


def test_two_accounts_of_the_ledger_that_bill_could_not_tell_apart() -> None:
    ledger = [ours("1", "Rent", "6000"), ours("2", "Hall", "6000")]
    assert codes(both(ledger, [])) == ["ledger_duplicate"]


def test_a_type_is_corrected_only_where_nothing_uses_the_account() -> None:
    ledger, bill = [ours("1", "Rent", "6000")], [theirs("a", "Rent", "6000", type="INCOME")]
    (change,) = plan(both(ledger, bill))
    assert (change.action, [risk.code for risk in change.risks]) == (Action.UPDATE, ["type_changes"])
    assert codes(both(ledger, bill, uses={"a": frozenset({"bills"})})) == ["type_in_use"]


def test_no_twin_is_made_of_an_account_that_somebody_has_left_unmapped() -> None:
    charts = both([ours("1", "Rent", "6000")], [theirs("a", "Rent", "6000")], unmapped=frozenset("a"))
    assert codes(charts) == ["left_unmapped"]


# Risks ---------------------------------------------------------------------------------------------------------------


def test_risks_of_a_new_account() -> None:
    ledger = [ours("1", "Office supplies", "6000"), ours("2", "Rent", "7000"), ours("3", "Fuel", "8000")]
    bill = [
        theirs("a", "Offce supplies", "6999"),
        theirs("b", "Hall", "7000", type="INCOME", archived=True),
        theirs("c", "Oil", "8000", type="INCOME"),
    ]
    charts = both(ledger, bill, uses={"c": frozenset({"open bills"}), "a": frozenset({"open bills"})})
    found = {one.ledger_id: [risk.code for risk in one.risks] for one in plan(charts) if one.action is Action.CREATE}
    assert found == {"1": ["near_duplicate"], "2": ["archived_twin"], "3": ["number_in_use"]}


def test_a_rename_of_an_account_in_use_says_so() -> None:
    charts = both([ours("1", "Rent", "6000")], [theirs("a", "Hall", "6000")], uses={"a": frozenset({"open bills"})})
    (change,) = plan(charts)
    assert [(risk.code, risk.of) for risk in change.risks] == [("in_use", "open bills")]


def test_names_that_hold_braces_are_shown_as_they_are() -> None:
    (change,) = plan(both([ours("1", "{other}{key}", "6" * 41)], []))
    assert change.reason == f"{'6' * 41} {{other}}{{key}} has a longer number than BILL takes."


def test_every_risk_and_conflict_says_what_it_means() -> None:
    assert all(one.words for one in RISKS.values())
    assert all(one.reason.endswith(".") and one.advice.endswith(".") for one in CONFLICTS.values())
    assert RISKS.keys().isdisjoint(CONFLICTS)


def test_the_documentation_explains_every_risk_and_conflict() -> None:
    text = (Path(__file__).parents[2] / "docs" / "alignment.md").read_text()
    assert [one for one in (*RISKS, *CONFLICTS) if f"| `{one}` |" not in text] == []


def test_a_disordered_chart_of_two_thousand_accounts_comes_to_rest() -> None:
    dice = random.Random(7)
    words = ["rent", "office", "travel", "meals", "supplies", "insurance", "legal", "audit", "fees", "bank", "water"]
    ledger, bill = [], []
    for place in range(2000):
        name = f"{' '.join(dice.choices(words, k=3))} {place}"
        parent = str(dice.randrange(place)) if place > 20 and dice.random() < 0.7 else None
        ledger.append(ours(str(place), name, str(10_000 + place), parent))
        kind = dice.random()
        if kind < 0.5:
            number = 10_000 + (place + 1) % 2000 if kind > 0.4 else 10_000 + place
            bill.append(theirs(f"b{place}", name if kind < 0.3 else f"{name} old", str(number)))
        elif kind < 0.7:
            bill.append(theirs(f"b{place}", f"Gone {place}", archived=kind < 0.6))
    mapped = {one.id: one.id[1:] for one in bill if dice.random() < 0.3}
    charts = both(ledger, bill, mapped)
    assert len(plan(charts)) > 1500
    assert plan(charts_after(charts, plan(charts))) == ()
